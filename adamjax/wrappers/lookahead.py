"""Lookahead Optimizer: k steps forward, 1 step back. Zhang et al., 2019. arXiv:1907.08610.

Every k steps, a slow copy of the parameters moves towards the fast parameters, and these continue
from there.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_count, check_not_negative
from adamjax.modifiers.map_updates import map_leaves
from adamjax.moments import Array, increment
from adamjax.rule import ScalarOrSchedule, cast, value_at
from adamjax.trees import PyTree
from adamjax.wrappers.copy_params import check_copies, copy_params


class LookaheadState(NamedTuple):
    """State of `lookahead`: steps done, the slow parameters (float32), the optimizer's state."""

    step_count: Array
    slow: PyTree
    inner_state: Any


def lookahead(
    inner: optax.GradientTransformation,
    sync_period: int = 5,
    slow_step_size: ScalarOrSchedule = 0.8,
    *,
    lazy: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Every k steps of an optimizer, set s = s + α (p - s) and p = s.

    The parameters p are the fast ones, in their usual tree. (`optax.lookahead` takes two trees.)

    Args:
      inner: a ready-made optimizer.
      sync_period: k, at least 1.
      slow_step_size: α. With 1 nothing changes.
      lazy: whether to copy the slow parameters at the k-th step, as in timm, instead of in `init`.

    Returns:
      A transformation with a `LookaheadState`. For `jax.ShapeDtypeStruct` leaves, `init` sets the
      slow parameters to 0.

    Raises:
      ValueError: for a period that is not a whole number from 1, or a negative step size. In
        `update`, if the parameters are missing or do not fit.

    >>> tx = lookahead(optax.sgd(1.0), sync_period=2, slow_step_size=0.5)
    >>> p, g = jnp.float32(0.0), jnp.float32(1.0)
    >>> updates, state = tx.update(g, tx.init(p), p)
    >>> p = p + updates  # -1, and -2 would be next
    >>> float(p + tx.update(g, state, p)[0])
    -1.0
    """
    check_count("sync_period", sync_period)
    check_not_negative("slow_step_size", slow_step_size)
    inner = optax.with_extra_args_support(inner)

    def init(params: PyTree) -> LookaheadState:
        return LookaheadState(jnp.zeros([], jnp.int32), copy_params(params), inner.init(params))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        params = check_copies(state.slow, params, updates)
        steps, inner_state = inner.update(updates, state.inner_state, params, **extra_args)
        alpha = value_at(slow_step_size, state.step_count)
        count = increment(state.step_count)
        first, now = count == sync_period, count % sync_period == 0

        def slow_after(slow: Array, p: Array, step: Array) -> Array:
            moved = slow + cast(alpha, slow.dtype) * (p + step - slow)
            moved = jnp.where(first, p + step, moved) if lazy else moved
            return jnp.where(now, moved, slow)

        slow = map_leaves(slow_after, state.slow, params, steps)
        change = map_leaves(lambda u, p, s: jnp.where(now, s - p, u), steps, params, slow)
        return change, LookaheadState(count, slow, inner_state)

    return optax.GradientTransformationExtraArgs(init, update)
