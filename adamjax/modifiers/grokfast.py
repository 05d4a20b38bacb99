"""Grokfast: Accelerated Grokking by Amplifying Slow Gradients. Lee et al., 2024. arXiv:2405.20233.

What stays of the gradients over many steps is added to each once more.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_count
from adamjax.moments import Array, ema
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree


class GrokfastState(NamedTuple):
    """Steps done, and the slow part of the gradients."""

    count: Array
    slow: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits, and as what."""
        return {"slow": "signed"}


class GrokfastWindowState(NamedTuple):
    """Steps done, and the gradients of the last steps, along a first axis of each leaf."""

    count: Array
    window: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits, and as what."""
        return {"window": "signed"}


def grokfast(
    alpha: ScalarOrSchedule = 0.98,
    lamb: ScalarOrSchedule = 2.0,
    *,
    from_zero: bool = False,
    dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Adds an average of the gradients: e = α e + (1-α) g, then g + λ e. Grokfast-EMA.

    It stands in a chain, in front of the optimizer.

    Args:
      alpha: α, the decay of the average, 0 <= alpha < 1.
      lamb: λ, how much of the average is added.
      from_zero: whether the average starts at 0, as in GrokAdamW, and not at the first gradient.
      dtype: dtype in which the average is stored; None for float32.

    Returns:
      A transformation with a `GrokfastState`.

    Raises:
      ValueError: for alpha outside [0, 1), a negative lamb.

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

    return lift(
        rule,
        GrokfastState,
        {"slow": Slot(dtype=dtype)},
        betas={"alpha": alpha},
        scalars={"lamb": lamb},
    )


def grokfast_window(
    window: int = 100, lamb: ScalarOrSchedule = 5.0, *, dtype: Any = None
) -> optax.GradientTransformationExtraArgs:
    """Adds the mean of the last n gradients, once there are n: g + λ (g₁ + … + gₙ) / n.

    Grokfast-MA. It stands in a chain, in front of the optimizer, and keeps n gradients: n times the
    parameters.

    Args:
      window: n, at least 1.
      lamb: λ, how much of the mean is added.
      dtype: dtype in which the gradients are stored; None for float32.

    Returns:
      A transformation with a `GrokfastWindowState`.

    Raises:
      ValueError: for a window that is no whole number from 1, a negative lamb.

    >>> tx = grokfast_window(2, lamb=1.0)
    >>> g = jnp.array([1.0])
    >>> u, state = tx.update(g, tx.init(g))
    >>> u.tolist(), tx.update(3 * g, state)[0].tolist()
    ([1.0], [5.0])
    """
    check_count("window", window)

    def rule(g, moments, step):
        kept = moments.window.at[(moments.count - 1) % window].set(g)
        slow = jnp.where(step.count < window, 0, jnp.mean(kept, axis=0))
        return g + step.lamb * slow, moments._replace(window=kept)

    slot = Slot(dtype=dtype, shape=lambda shape: (window, *shape))
    return lift(rule, GrokfastWindowState, {"window": slot}, scalars={"lamb": lamb})
