"""MARS: Unleashing the Power of Variance Reduction for Training Large Models. Yuan et al., 2024.

arXiv:2411.10438. It adds a multiple of the change of the gradient to reduce its variance, and clips
the result.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.moments import Array, norm
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree


class MarsState(NamedTuple):
    """Number of steps done, and the gradient of the last step."""

    step_count: Array
    previous: PyTree
    roles = {"previous": "signed"}


def mars(
    b1: ScalarOrSchedule = 0.95,
    gamma: ScalarOrSchedule = 0.025,
    *,
    first_difference: bool = True,
    dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Reduce the variance of gradients: c = g + γ b₁/(1-b₁) (g - g'), then c / max(1, ‖c‖).

    g' is the gradient of the last step, on other data (the authors' approximation). ‖c‖ is the norm
    of the leaf. Use it in a chain, before an optimizer such as `scale_by_adam(b1)`.

    Args:
      b1: decay rate of the momentum in the optimizer, 0 <= b1 < 1.
      gamma: γ.
      first_difference: whether g' = 0 at the first step, as in the authors' code, instead of g.
      dtype: dtype in which g' is stored, float32 if None.

    Returns:
      A transformation with a `MarsState`.

    Raises:
      ValueError: for b1 outside [0, 1) or a negative gamma.

    >>> tx = mars(0.5, 0.25)
    >>> g = jnp.array([0.5])
    >>> u, state = tx.update(g, tx.init(g))
    >>> u.tolist(), tx.update(g / 2, state)[0].tolist()
    ([0.625], [0.1875])
    """

    def rule(g, moments, step):
        difference = g - moments.previous
        if not first_difference:
            difference = jnp.where(step.count == 1, 0, difference)
        c = g + step.gamma * step.b1.value / step.b1.one_minus * difference
        c = c / jnp.maximum(1, norm(c))
        return c, moments._replace(previous=g)

    slots = {"previous": Slot(dtype)}
    return lift(rule, MarsState, slots, betas={"b1": b1}, scalars={"gamma": gamma})
