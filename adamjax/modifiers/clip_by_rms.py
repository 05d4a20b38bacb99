"""Adafactor's update clipping. Shazeer and Stern, 2018. arXiv:1804.04235, section 6.

No direction is longer, in the root mean square of its leaf, than a threshold.
"""

import jax.numpy as jnp
import optax

from adamjax.checks import check_positive
from adamjax.modifiers.map_updates import map_updates
from adamjax.moments import Array, rms


def clip_by_rms(threshold: float = 1.0) -> optax.GradientTransformationExtraArgs:
    """Holds the root mean square of each leaf down to d: u = u / max(1, RMS(u) / d).

    It stands in a chain, behind a direction. As `optax.clip_by_block_rms`, in float32 whatever the
    dtype of the updates.

    Args:
      threshold: d, above 0.

    Returns:
      A transformation without a state.

    Raises:
      ValueError: for a threshold that is not positive.

    >>> tx = clip_by_rms(1.0)
    >>> u = {"long": jnp.array([3.0, 3.0]), "short": jnp.array([0.5, 0.0])}
    >>> updates, _ = tx.update(u, tx.init(u))
    >>> {name: x.tolist() for name, x in updates.items()}
    {'long': [1.0, 1.0], 'short': [0.5, 0.0]}
    """
    check_positive("threshold", threshold)

    def modify(u: Array, g: Array) -> Array:
        del g
        return u / jnp.maximum(1, rms(u) / threshold)

    return map_updates(optax.identity(), modify)
