"""Cautious Optimizers: Improving Training with One Line of Code. Liang et al., 2024.

arXiv:2411.16085. It masks the elements of an update whose sign disagrees with the gradient.
"""

import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.modifiers.map_updates import map_updates
from adamjax.moments import ZERO, Array

_SCALES = {
    "mean": lambda agrees: 1 / jnp.maximum(jnp.mean(agrees), 1e-3),
    "count": lambda agrees: agrees.size / (jnp.sum(agrees) + 1),
}


def cautious(
    inner: optax.GradientTransformation, *, scale: str = "mean"
) -> optax.GradientTransformationExtraArgs:
    """Mask the elements of an update whose sign disagrees with the gradient: u = u · [u g > 0] · s.

    For a leaf of n elements, k of which agree,

        "mean"   s = 1 / max(k / n, 10⁻³)     the authors' C-AdamW
        "count"  s = n / (k + 1)              the authors' C-Lion

    Args:
      inner: a transformation from gradients to updates, before weight decay and learning rate.
      scale: "mean" or "count".

    Returns:
      A transformation with the state of `inner`.

    Raises:
      ValueError: for an unknown scale.

    >>> tx = cautious(optax.trace(0.5))
    >>> g = jnp.array([1.0, 1.0])
    >>> _, state = tx.update(g, tx.init(g))
    >>> tx.update(jnp.array([1.0, -0.25]), state)[0].tolist()  # the second element disagrees
    [3.0, 0.0]
    """
    factor = lookup_or_suggest("scale", scale, _SCALES)

    def modify(u: Array, g: Array) -> Array:
        agrees = jnp.sign(u) * jnp.sign(g) > ZERO
        return jnp.where(agrees, u * factor(agrees.astype(u.dtype)), u - u)  # NaN stays

    return map_updates(inner, modify)
