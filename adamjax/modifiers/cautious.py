"""Cautious Optimizers: Improving Training with One Line of Code. Liang et al., 2024.

arXiv:2411.16085. It masks the elements of an update whose sign disagrees with the gradient. And
Cautious Weight Decay, Chen et al., 2025, arXiv:2510.12402: it masks weight decay that opposes the
update.
"""

import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.modifiers.map_updates import map_updates
from adamjax.moments import Array, add_decay
from adamjax.rule import ScalarOrSchedule, lift
from adamjax.trees import Mask

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
        agrees = (jnp.sign(u) * jnp.sign(g) > 0).astype(u.dtype)
        return u * (agrees * factor(agrees))

    return map_updates(inner, modify)


def cautious_decay(
    weight_decay: ScalarOrSchedule, mask: Mask = None
) -> optax.GradientTransformationExtraArgs:
    """Decay the elements that the update moves towards 0: u = u + λ p [u p >= 0].

    Use it in a chain, between `scale_by_*` and the learning rate.

    Args:
      weight_decay: λ, a number, an array or a schedule.
      mask: leaves with weight decay, in any form that `adamjax.optimizer` accepts.

    Returns:
      A transformation with an `optax.ScaleByScheduleState`.

    Raises:
      ValueError: for a negative number; in `update`, if the parameters are missing or do not fit.

    >>> tx = cautious_decay(0.5)
    >>> p = jnp.array([2.0, -2.0])
    >>> tx.update(jnp.array([1.0, 1.0]), tx.init(p), p)[0].tolist()
    [2.0, 1.0]
    """

    def rule(u, moments, step, p):
        agrees = jnp.sign(u) * jnp.sign(p) >= 0
        return add_decay(u, p * agrees.astype(p.dtype), step.weight_decay), moments

    scalars = {"weight_decay": weight_decay}
    state = optax.ScaleByScheduleState
    return lift(rule, state, {}, scalars=scalars, needs_params=True, mask=mask)
