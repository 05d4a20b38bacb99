"""Adafactor's update clipping. Shazeer and Stern, 2018. arXiv:1804.04235, section 6.

It limits the root mean square of each leaf's update.
"""

import jax.numpy as jnp
import optax

from adamjax.checks import check_constants, check_positive
from adamjax.modifiers.map_updates import map_updates
from adamjax.moments import Array, rms


def clip_by_rms(threshold: float = 1.0) -> optax.GradientTransformationExtraArgs:
    """Limit the root mean square of each leaf's update to d: u = u / max(1, RMS(u) / d).

    Use it in a chain, after `scale_by_*`. It differs from `optax.clip_by_block_rms` in that it
    computes in float32 for all dtypes.

    Args:
      threshold: d, above 0.

    Returns:
      A transformation without state.

    Raises:
      ValueError: for a threshold that is not positive.

    >>> tx = clip_by_rms(1.0)
    >>> u = {"long": jnp.array([3.0, 3.0]), "short": jnp.array([0.5, 0.0])}
    >>> updates, _ = tx.update(u, tx.init(u))
    >>> {name: x.tolist() for name, x in updates.items()}
    {'long': [1.0, 1.0], 'short': [0.5, 0.0]}
    """
    check_constants(threshold=threshold)
    check_positive("threshold", threshold)

    def modify(u: Array, _: Array) -> Array:
        return u / jnp.maximum(1, rms(u) / threshold)

    return map_updates(optax.identity(), modify)
