"""The Road Less Scheduled. Defazio et al., 2024. arXiv:2405.15682.

The optimizer moves a point z. The result is an average x of z, and gradients are taken between the
two, at y. The average replaces a decaying learning rate.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_constants, check_not_negative, refuse_state
from adamjax.modifiers.map_updates import map_leaves, select_unmasked
from adamjax.moments import Array, divide, increment
from adamjax.rule import ScalarOrSchedule, value_at
from adamjax.trees import PyTree
from adamjax.wrappers.copy_params import check_copies, copy_params


class ScheduleFreeState(NamedTuple):
    """State of `schedule_free`.

    Attributes:
      step_count: steps done.
      weight_sum: the sum of the weights in the average.
      max_learning_rate: the largest learning rate so far.
      b1: b₁ of the last step.
      z: the point that the optimizer moves (float32).
      inner_state: the state of the optimizer.
    """

    step_count: Array
    weight_sum: Array
    max_learning_rate: Array
    b1: Array
    z: PyTree
    inner_state: Any

    def eval_params(self, params: PyTree) -> PyTree:
        """Return the average x = y + (1 - 1/b₁) (z - y) in the parameters' dtypes, y if b₁ is 0."""
        share = jnp.where(self.b1 > 0, 1 - 1 / jnp.where(self.b1 > 0, self.b1, 1), 0)
        mine = select_unmasked(params, self.z)
        return map_leaves(lambda y, z: y + share.astype(y.dtype) * (z - y), mine, self.z)


def schedule_free(
    inner: optax.GradientTransformation,
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    *,
    weight_lr_power: float = 2.0,
    r: float = 0.0,
) -> optax.GradientTransformationExtraArgs:
    """Average the points of an optimizer instead of a learning rate schedule.

        z = z + the optimizer's step, from the gradient at y
        w = tʳ max(lr so far)²;  W = W + w;  c = w / W
        x = (1-c) x + c z
        y = b₁ x + (1-b₁) z

    The parameters are y. Evaluate and save x, which is `adamjax.eval_params(state, params)`.

    Args:
      inner: a ready-made optimizer without momentum. Its weight decay is taken at y.
      learning_rate: the learning rate of `inner`, the same number or schedule. A warm-up helps, a
        decay does not.
      b1: b₁, which replaces a momentum, 0 <= b1 < 1. With 0, y is z and x is lost.
      weight_lr_power: the power of the learning rate in w.
      r: the power of t in w.

    Returns:
      A transformation with a `ScheduleFreeState`. For `jax.ShapeDtypeStruct` leaves, `init` sets z
      to 0.

    Raises:
      ValueError: for b1 outside [0, 1) or a negative number. In `update`, if the parameters are
        missing or do not fit.

    >>> tx = schedule_free(optax.sgd(1.0), 1.0, b1=0.5)
    >>> y = {"w": jnp.float32(0.0)}
    >>> state = tx.init(y)
    >>> for _ in range(2):
    ...     updates, state = tx.update({"w": jnp.float32(-1.0)}, state, y)
    ...     y = optax.apply_updates(y, updates)
    >>> float(state.z["w"]), float(state.eval_params(y)["w"]), float(y["w"])
    (2.0, 1.5, 1.75)
    """
    check_not_negative("learning_rate", learning_rate)
    check_beta("b1", b1)
    check_constants(weight_lr_power=weight_lr_power, r=r)
    check_not_negative("weight_lr_power", weight_lr_power)
    check_not_negative("r", r)
    inner = optax.with_extra_args_support(inner)

    def init(params: PyTree) -> ScheduleFreeState:
        count = jnp.zeros([], jnp.int32)
        zero, largest = (jnp.zeros([], float) for _ in range(2))
        near, z = jnp.asarray(value_at(b1, count), float), copy_params(params)
        return ScheduleFreeState(count, zero, largest, near, z, inner.init(params))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        if not isinstance(state, ScheduleFreeState):
            refuse_state(state)
        params = check_copies(state.z, params, updates)
        steps, inner_state = inner.update(updates, state.inner_state, params, **extra_args)
        count = increment(state.step_count)
        largest = jnp.maximum(state.max_learning_rate, value_at(learning_rate, state.step_count))
        weight = count.astype(largest.dtype) ** r * largest**weight_lr_power
        weight_sum = state.weight_sum + weight
        c, near = divide(weight, weight_sum), jnp.asarray(value_at(b1, state.step_count), float)
        kept = divide(near, state.b1)  # 1 while b1 stays as it is

        def change(step: Array, y: Array, z: Array) -> Array:
            share, ratio, b = (x.astype(step.dtype) for x in (c, kept, near))
            return (share * ratio + (1 - ratio)) * (z - y) + (1 - b * (1 - share)) * step

        changes = map_leaves(change, steps, params, state.z)
        z = map_leaves(lambda z, step: z + step, state.z, steps)
        return changes, ScheduleFreeState(count, weight_sum, largest, near, z, inner_state)

    return optax.GradientTransformationExtraArgs(init, update)
