"""Cautious Optimizers: Improving Training with One Line of Code. Liang et al., 2024.

arXiv:2411.16085. A direction moves no element against its gradient; the elements that stay move the
further. And Cautious Weight Decay. Chen et al., 2025, arXiv:2510.12402: no element decays against
its direction.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative, lookup_or_suggest
from adamjax.modifiers.map_updates import check_params, map_leaves, map_updates
from adamjax.moments import Array, increment
from adamjax.rule import ScalarOrSchedule, cast, value_at
from adamjax.trees import Mask, PyTree, resolve_mask


def _by_mean(agrees: Array) -> Array:
    """1 / max(the share of elements that move, 10⁻³), the authors' C-AdamW."""
    return 1 / jnp.maximum(jnp.mean(agrees), 1e-3)


def _by_count(agrees: Array) -> Array:
    """n / (the number of elements that move + 1), the authors' C-Lion."""
    return agrees.size / (jnp.sum(agrees) + 1)


_SCALES = {"mean": _by_mean, "count": _by_count}


def cautious(
    inner: optax.GradientTransformation, *, scale: str = "mean"
) -> optax.GradientTransformationExtraArgs:
    """Moves only those elements of which direction and gradient agree: u = u · [u g > 0] · s.

    Of a leaf of n elements, k of which move,

        "mean"   s = 1 / max(k / n, 10⁻³)     the authors' C-AdamW
        "count"  s = n / (k + 1)              the authors' C-Lion

    Args:
      inner: a transformation from gradients to directions, before weight decay and learning rate:
        these stay out of the mask.
      scale: "mean" or "count".

    Returns:
      A transformation with the state of `inner`.

    Raises:
      ValueError: for an unknown scale.

    >>> tx = cautious(optax.trace(0.5))
    >>> g = jnp.array([1.0, 1.0])
    >>> _, state = tx.update(g, tx.init(g))
    >>> tx.update(jnp.array([1.0, -0.25]), state)[0].tolist()  # the second would move against it
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
    """Decays only those elements that the direction brings nearer to 0: u = u + λ p [u p >= 0].

    It stands in a chain, between a direction and the learning rate.

    Args:
      weight_decay: λ, a number, array or schedule of the number of steps done.
      mask: which leaves decay, in any of the forms of `adamjax.optimizer`.

    Returns:
      A transformation whose state counts steps, an `optax.ScaleByScheduleState`.

    Raises:
      ValueError: for a negative number; in `update`, if the parameters are missing or do not fit.

    >>> tx = cautious_decay(0.5)
    >>> p = jnp.array([2.0, -2.0])
    >>> tx.update(jnp.array([1.0, 1.0]), tx.init(p), p)[0].tolist()
    [2.0, 1.0]
    """
    check_not_negative("weight_decay", weight_decay)

    def init(params: PyTree) -> optax.ScaleByScheduleState:
        del params
        return optax.ScaleByScheduleState(jnp.zeros([], jnp.int32))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        del extra_args
        check_params(params, updates)
        wd = value_at(weight_decay, state.count)
        decayed = jax.tree.unflatten(jax.tree.structure(updates), resolve_mask(mask, params))

        def decay(u: Array, p: Array, on: Array) -> Array:
            return u + cast(wd, u.dtype) * p * (jnp.sign(u) * jnp.sign(p) >= 0) * on

        return map_leaves(decay, updates, params, decayed), optax.ScaleByScheduleState(
            increment(state.count)
        )

    return optax.GradientTransformationExtraArgs(init, update)
