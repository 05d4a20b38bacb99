"""Averages of the parameters along the way, which are often better than the last ones.

Exponential: Polyak and Juditsky, 1992, as it is used since. Over the tail of a run, evenly:
Averaging Weights Leads to Wider Optima and Better Generalization. Izmailov et al., 2018.
arXiv:1803.05407.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_count, check_not_negative
from adamjax.modifiers.map_updates import map_leaves, select_unmasked
from adamjax.moments import Array, increment
from adamjax.rule import ScalarOrSchedule, cast, value_at
from adamjax.trees import PyTree
from adamjax.wrappers.copy_params import check_copies, copy_params


class AveragingState(NamedTuple):
    """Steps done, how many parameters are averaged, their average (float32), the optimizer's."""

    count: Array
    averaged: Array
    average: PyTree
    inner_state: Any

    def eval_params(self, params: PyTree) -> PyTree:
        """The average, of the parameters' dtypes; before the first the parameters themselves."""
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
    """Keeps an exponential average of the parameters: a = β a + (1-β) p, from the first p on.

    The training is that of `inner`; `adamjax.eval_params(state, params)` is the average.

    Args:
      inner: a ready-made optimizer.
      decay: β, 0 <= decay < 1; a schedule sees how many parameters have been averaged before.
      start: after how many steps the averaging begins.
      every: how many steps lie between the parameters that are averaged.

    Returns:
      A transformation with an `AveragingState`.

    Raises:
      ValueError: for a decay outside [0, 1), a negative start, no whole number of steps.

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
    """Keeps the mean of the parameters from a step on: stochastic weight averaging.

    The training is that of `inner`; `adamjax.eval_params(state, params)` is the mean. The paper
    averages the end of a run, at a learning rate that is high or cyclic, once in an epoch.
    Statistics of batches are to be computed anew for it.

    Args:
      inner: a ready-made optimizer.
      start: after how many steps the averaging begins.
      every: how many steps lie between the parameters that are averaged.

    Returns:
      A transformation with an `AveragingState`.

    Raises:
      ValueError: for a negative start, no whole number of steps.

    >>> tx = swa(optax.sgd(1.0), start=1)
    >>> p = jnp.float32(0.0)
    >>> state = tx.init(p)
    >>> for _ in range(3):
    ...     updates, state = tx.update(jnp.float32(-1.0), state, p)
    ...     p = p + updates
    >>> float(p), float(state.eval_params(p))  # of 2 and 3
    (3.0, 2.5)
    """
    return _averaging(inner, lambda averaged: 1 / (averaged + 1.0), start, every)


def _averaging(
    inner: optax.GradientTransformation, share_of: Any, start: int, every: int
) -> optax.GradientTransformationExtraArgs:
    """The average moves by a share, a function of how many there are, towards the parameters."""
    check_not_negative("start", start)
    check_count("every", every)
    inner = optax.with_extra_args_support(inner)

    def init(params: PyTree) -> AveragingState:
        count, averaged = (jnp.zeros([], jnp.int32) for _ in range(2))
        return AveragingState(count, averaged, copy_params(params), inner.init(params))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        check_copies(state.average, params, updates)
        changes, inner_state = inner.update(updates, state.inner_state, params, **extra_args)
        count = increment(state.count)
        now = (count > start) & ((count - start - 1) % every == 0)
        share = jnp.where(state.averaged == 0, 1, share_of(state.averaged))

        def average(a: Array, p: Array, u: Array) -> Array:
            return jnp.where(now, a + cast(share, a.dtype) * (p + u - a), a)

        averaged = jnp.where(now, increment(state.averaged), state.averaged)
        mean = map_leaves(average, state.average, params, changes)
        return changes, AveragingState(count, averaged, mean, inner_state)

    return optax.GradientTransformationExtraArgs(init, update)
