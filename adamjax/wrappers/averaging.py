"""Averages of the parameters over the run, often better than the last parameters.

Exponential averages: Polyak and Juditsky, 1992. Means over the end of a run: Averaging Weights
Leads to Wider Optima and Better Generalization. Izmailov et al., 2018. arXiv:1803.05407.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_constants, check_count, check_not_negative
from adamjax.modifiers.map_updates import map_leaves, select_unmasked
from adamjax.moments import Array, increment
from adamjax.rule import ScalarOrSchedule, cast, value_at
from adamjax.trees import PyTree
from adamjax.wrappers.copy_params import check_copies, copy_params


class AveragingState(NamedTuple):
    """Steps done, the number of averaged steps, the average (float32), the optimizer's state."""

    step_count: Array
    averaged: Array
    average: PyTree
    inner_state: Any

    def eval_params(self, params: PyTree) -> PyTree:
        """Return the average in the parameters' dtypes, or the parameters before the first one."""
        there = self.averaged > 0
        mine = select_unmasked(params, self.average)
        return map_leaves(lambda p, a: jnp.where(there, a, p), mine, self.average)


def ema_params(
    inner: optax.GradientTransformation,
    decay: ScalarOrSchedule = 0.999,
    *,
    start: int = 0,
    every: int = 1,
) -> optax.GradientTransformationExtraArgs:
    """Keep an exponential average of the parameters, a = β a + (1-β) p, starting with the first p.

    The updates are those of `inner`. `adamjax.eval_params(state, params)` is the average.

    Args:
      inner: a ready-made optimizer.
      decay: β, 0 <= decay < 1. A schedule receives the number of averaged steps.
      start: the number of steps before the averaging begins.
      every: the number of steps from one averaged step to the next.

    Returns:
      A transformation with an `AveragingState`.

    Raises:
      ValueError: for a decay outside [0, 1), a negative start or a period below 1.

    >>> tx = ema_params(optax.sgd(1.0), decay=0.5)
    >>> p = jnp.float32(0.0)
    >>> state = tx.init(p)
    >>> for _ in range(2):
    ...     updates, state = tx.update(jnp.float32(-1.0), state, p)
    ...     p = p + updates
    >>> float(p), float(state.eval_params(p))
    (2.0, 1.5)
    """
    check_beta("decay", decay)
    return _averaging(inner, lambda averaged: 1 - value_at(decay, averaged), start, every)


def swa(
    inner: optax.GradientTransformation, *, start: int = 0, every: int = 1
) -> optax.GradientTransformationExtraArgs:
    """Keep the mean of the parameters from a step on: stochastic weight averaging.

    The updates are those of `inner`. `adamjax.eval_params(state, params)` is the mean. The paper
    averages the end of a run, once per epoch, at a high or cyclic learning rate. Recompute batch
    statistics for the mean.

    Args:
      inner: a ready-made optimizer.
      start: the number of steps before the averaging begins.
      every: the number of steps from one averaged step to the next.

    Returns:
      A transformation with an `AveragingState`.

    Raises:
      ValueError: for a negative start or a period below 1.

    >>> tx = swa(optax.sgd(1.0), start=1)
    >>> p = jnp.float32(0.0)
    >>> state = tx.init(p)
    >>> for _ in range(3):
    ...     updates, state = tx.update(jnp.float32(-1.0), state, p)
    ...     p = p + updates
    >>> float(p), float(state.eval_params(p))  # of 2 and 3
    (3.0, 2.5)
    """
    return _averaging(inner, lambda averaged: 1 / (averaged.astype(float) + 1), start, every)


def _averaging(
    inner: optax.GradientTransformation, share_of: Any, start: int, every: int
) -> optax.GradientTransformationExtraArgs:
    """Move the average towards the parameters by a share, a function of the number of averaged."""
    check_constants(start=start)
    check_not_negative("start", start)
    check_count("every", every)
    inner = optax.with_extra_args_support(inner)

    def init(params: PyTree) -> AveragingState:
        count, averaged = (jnp.zeros([], jnp.int32) for _ in range(2))
        return AveragingState(count, averaged, copy_params(params), inner.init(params))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        params = check_copies(state.average, params, updates)
        changes, inner_state = inner.update(updates, state.inner_state, params, **extra_args)
        count = increment(state.step_count)
        now = (count > start) & ((count - start - 1) % every == 0)
        share = jnp.where(state.averaged == 0, 1, share_of(state.averaged))

        def average(a: Array, p: Array, u: Array) -> Array:
            return jnp.where(now, a + cast(share, a.dtype) * (p + u - a), a)

        averaged = jnp.where(now, increment(state.averaged), state.averaged)
        mean = map_leaves(average, state.average, params, changes)
        return changes, AveragingState(count, averaged, mean, inner_state)

    return optax.GradientTransformationExtraArgs(init, update)
