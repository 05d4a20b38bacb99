"""Grokfast: Accelerated Grokking by Amplifying Slow Gradients. Lee et al., 2024. arXiv:2405.20233.

It adds an average of past gradients to the gradient.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_count
from adamjax.moments import Array, ema
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree


class GrokfastState(NamedTuple):
    """Number of steps done, and the average of the gradients."""

    step_count: Array
    slow: PyTree
    roles = {"slow": "signed"}


class GrokfastWindowState(NamedTuple):
    """Number of steps done, and the last gradients, stacked along the first axis."""

    step_count: Array
    window: PyTree
    roles = {"window": "signed"}


def grokfast(
    alpha: ScalarOrSchedule = 0.98,
    lamb: ScalarOrSchedule = 2.0,
    *,
    from_zero: bool = False,
    dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Add an average of the gradients: e = α e + (1-α) g, then g + λ e (Grokfast-EMA).

    Use it in a chain, before the optimizer.

    Args:
      alpha: α, decay rate of the average, 0 <= alpha < 1.
      lamb: λ, weight of the average.
      from_zero: whether the average starts at 0, as in GrokAdamW, instead of the first gradient.
      dtype: dtype in which the average is stored, float32 if None.

    Returns:
      A transformation with a `GrokfastState`.

    Raises:
      ValueError: for alpha outside [0, 1) or a negative lamb.

    >>> tx = grokfast(0.5, lamb=2.0)
    >>> g = jnp.array([1.0])
    >>> u, state = tx.update(g, tx.init(g))
    >>> u.tolist(), tx.update(3 * g, state)[0].tolist()
    ([3.0], [7.0])
    """

    def rule(g, moments, step):
        before = moments.slow if from_zero else jnp.where(step.count == 1, g, moments.slow)
        slow = ema(g, before, step.alpha)
        return g + step.lamb * slow, moments._replace(slow=slow)

    slots = {"slow": Slot(dtype)}
    return lift(rule, GrokfastState, slots, betas={"alpha": alpha}, scalars={"lamb": lamb})


def grokfast_window(
    window: int = 100, lamb: ScalarOrSchedule = 5.0, *, dtype: Any = None
) -> optax.GradientTransformationExtraArgs:
    """Add the mean of the last n gradients from step n on: g + λ (g₁ + … + gₙ) / n (Grokfast-MA).

    Use it in a chain, before the optimizer. The state is n times the size of the parameters.

    Args:
      window: n, at least 1.
      lamb: λ, weight of the mean.
      dtype: dtype in which the gradients are stored, float32 if None.

    Returns:
      A transformation with a `GrokfastWindowState`.

    Raises:
      ValueError: for an invalid window or a negative lamb.

    >>> tx = grokfast_window(2, lamb=1.0)
    >>> g = jnp.array([1.0])
    >>> u, state = tx.update(g, tx.init(g))
    >>> u.tolist(), tx.update(3 * g, state)[0].tolist()
    ([1.0], [5.0])
    """
    check_count("window", window)

    def rule(g, moments, step):
        last = moments.window.at[(moments.step_count - 1) % window].set(g)
        slow = jnp.where(step.count < window, 0, jnp.mean(last, axis=0))
        return g + step.lamb * slow, moments._replace(window=last)

    slot = Slot(dtype, shape=lambda shape: (window, *shape))
    return lift(rule, GrokfastWindowState, {"window": slot}, scalars={"lamb": lamb})
