"""MARS: Unleashing the Power of Variance Reduction for Training Large Models. Yuan et al., 2024.

arXiv:2411.10438. A gradient is corrected by a share of what has changed since the one before, and
then no longer than 1: less noise for whatever follows.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative
from adamjax.moments import Array, norm
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree


class MarsState(NamedTuple):
    """Steps done, and the gradient of the last step."""

    count: Array
    previous: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits, and as what."""
        return {"previous": "signed"}


def mars(
    b1: ScalarOrSchedule = 0.95,
    gamma: ScalarOrSchedule = 0.025,
    *,
    first_difference: bool = True,
    dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The variance-reduced gradient, c = g + γ b₁/(1-b₁) (g - g'), then c / max(1, ‖c‖).

    g' is the gradient of the step before (on other data: the authors' approximation), ‖c‖ the norm
    of the leaf. It stands in a chain, in front of `scale_by_adam(b1)`, say.

    Args:
      b1: the decay of the average that follows, 0 <= b1 < 1.
      gamma: γ, the share of the correction.
      first_difference: whether the first gradient is compared with 0, as the authors do, or with
        itself.
      dtype: dtype in which the last gradient is stored; None for float32.

    Returns:
      A transformation with a `MarsState`.

    Raises:
      ValueError: for b1 outside [0, 1), a negative gamma.

    >>> tx = mars(0.5, 0.25)
    >>> g = jnp.array([0.5])
    >>> u, state = tx.update(g, tx.init(g))
    >>> u.tolist(), tx.update(g / 2, state)[0].tolist()
    ([0.625], [0.1875])
    """
    check_not_negative("gamma", gamma)

    def rule(g, moments, step):
        difference = g - moments.previous
        if not first_difference:
            difference = jnp.where(step.count == 1, 0, difference)
        c = g + step.gamma * step.b1.value / step.b1.one_minus * difference
        c = c / jnp.maximum(1, norm(c))
        return c, moments._replace(previous=g)

    return lift(
        rule,
        MarsState,
        {"previous": Slot(dtype=dtype)},
        betas={"b1": b1},
        scalars={"gamma": gamma},
    )
