"""Gradients of many microbatches, averaged in 2 to 4 bytes per parameter."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_count, check_scalar, is_number, refuse_state
from adamjax.modifiers.map_updates import map_leaves
from adamjax.moments import ZERO, Array, common_dtype, increment
from adamjax.rule import ScalarOrSchedule, at_least_float32, is_complex, value_at
from adamjax.storage.rounding import master_params, round_params
from adamjax.trees import PyTree, flatten_floating, like_updates, unbox


class AccumulateState(NamedTuple):
    """Microbatches in the mean, steps done, the optimizer's state, the mean, and its rounding.

    The names are those of `optax.MultiStepsState`.
    """

    mini_step: Array
    gradient_step: Array
    inner_opt_state: Any
    acc_grads: PyTree
    rounding: Any

    @property
    def has_updated(self) -> Array:
        """Whether the last microbatch completed a step."""
        mini, done = unbox(self[:2])
        return (mini == 0) & (done > 0)


def accumulate(
    inner: optax.GradientTransformation,
    every_k: ScalarOrSchedule,
    *,
    dtype: Any = jnp.float32,
    rounding: str = "stochastic",
) -> optax.GradientTransformationExtraArgs:
    """Step with the mean gradient of k microbatches, as `optax.MultiSteps` does.

    Between steps the updates are 0 and `inner` does not run. It gets the mean in float32.

    | dtype, rounding | bytes per parameter | error of the mean of 64 |
    |---|---|---|
    | float32 | 4 | |
    | float16, "stochastic" | 2 | unbiased, 2⁻⁹ |
    | bfloat16, "stochastic" | 2 | unbiased, 2⁻⁶ |
    | bfloat16, "residual8" | 3 | unbiased, 2⁻¹¹ |
    | bfloat16, "kahan" | 4 | 2⁻¹⁶ |

    The errors are norms, relative to that of the mean. float16 needs gradients between 6e-5 and
    65504: scale the loss, and put `optax.scale` by the inverse in front of `inner`. A microbatch
    that is not finite spoils the step, which `guard` around `inner` skips.

    Args:
      inner: a ready-made optimizer.
      every_k: k, a number from 1 or a schedule, a function from the number of steps done to k.
      dtype: dtype of the mean between microbatches: bfloat16, float16, or float32, which is float64
        for float64 parameters. The mean of complex parameters is complex.
      rounding: how a mean of low precision is rounded, see `adamjax.round_params`.

    Returns:
      A transformation with an `AccumulateState`, which has `has_updated`. Updates have the dtypes
      of the gradients, or the parameters' where they are wider.

    Raises:
      TypeError: for another dtype.
      ValueError: for k below 1 or an unknown rounding. In `update`, for another state.

    >>> tx = accumulate(optax.sgd(1.0), every_k=2)
    >>> p = jnp.float32(0.0)
    >>> first, state = tx.update(jnp.float32(1.0), tx.init(p), p)
    >>> second, state = tx.update(jnp.float32(3.0), state, p)
    >>> float(first), float(second), bool(state.has_updated)
    (-0.0, -2.0, True)
    """
    check_scalar("every_k", every_k)
    if is_number(every_k):
        check_count("every_k", every_k)
    if not any(jnp.dtype(x) == dtype for x in (jnp.float32, jnp.bfloat16, jnp.float16)):
        raise TypeError(f"dtype must be float32, bfloat16 or float16, got {dtype!r}")
    inner, rounded = optax.with_extra_args_support(inner), round_params(rounding)

    def start(p: Any) -> Array:
        wide = at_least_float32(jnp.result_type(p))
        low = jnp.dtype(dtype).itemsize == 2 and not is_complex(p)
        return jnp.zeros_like(p, dtype=dtype if low else wide)

    def init(params: PyTree) -> AccumulateState:
        flatten_floating("params", params)
        mini, done = (jnp.zeros([], jnp.int32) for _ in range(2))
        mean = jax.tree.map(start, params)
        return AccumulateState(mini, done, inner.init(params), mean, rounded.init(_named(mean)))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        if not isinstance(state, AccumulateState):
            refuse_state(state)
        count = increment(state.mini_step)
        others = [] if params is None else [like_updates(updates, params)]
        dtypes = jax.tree.map(common_dtype, updates, *others)

        # The branches take arguments: a closure over an array loses its explicit sharding.
        def step(updates: PyTree, state: AccumulateState) -> Any:
            mean = map_leaves(jnp.add, *_change(updates, state))
            new, inner_state = inner.update(mean, state.inner_opt_state, params, **extra_args)
            # An empty mean and residual, with the steps of the random bits.
            zero, done = jnp.zeros_like(count), increment(state.gradient_step)
            empty, residual = jax.tree.map(
                jnp.zeros_like, (state.acc_grads, state.rounding.residual)
            )
            rounding_state = state.rounding._replace(residual=residual)
            new = jax.tree.map(lambda u, d: u.astype(d), new, dtypes)
            return new, AccumulateState(zero, done, inner_state, empty, rounding_state)

        def keep(updates: PyTree, state: AccumulateState) -> Any:
            named = _named(state.acc_grads)
            moves, rounding_state = rounded.update(
                _named(_change(updates, state)[1]), state.rounding, named
            )
            mean = map_leaves(jnp.add, named, moves)["acc_grads"]
            zeros = jax.tree.map(lambda g, d: jnp.full_like(g, ZERO, dtype=d), updates, dtypes)
            return zeros, state._replace(mini_step=count, acc_grads=mean, rounding=rounding_state)

        done = count >= value_at(every_k, state.gradient_step)
        return jax.lax.cond(done, step, keep, updates, state)

    return optax.GradientTransformationExtraArgs(init, update)


def _change(updates: PyTree, state: AccumulateState) -> tuple[PyTree, PyTree]:
    """Return the mean so far, in float32 or above, and its change by a microbatch."""
    named = _named(state.acc_grads)
    stored = state.rounding.residual is not None
    mean = (master_params(named, state.rounding) if stored else named)["acc_grads"]
    mean = jax.tree.map(lambda m: m.astype(at_least_float32(m.dtype)), mean)
    count = increment(state.mini_step)
    share = lambda m, g: (g - m) / count.astype(m.dtype)  # noqa: E731
    return mean, map_leaves(share, mean, updates)


def _named(mean: PyTree) -> PyTree:
    """Return a tree whose leaves have other names than the parameters, and so other random bits."""
    return {"acc_grads": mean}
