"""FOCUS: First Order Concentrated Updating Scheme. Liu et al., 2025. arXiv:2501.12243.

Sign descent with an attraction towards the average of past parameters.

    m = b₁ m + (1 - b₁) g
    a = b₂ a + (1 - b₂) p,  â = a / (1 - b₂ᵗ)
    u = sign(m) + γ sign(p - â)
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.moments import Array, add_decay, ema
from adamjax.optimizer import DecayMode
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import Mask, PyTree


class FocusState(NamedTuple):
    """Step count, momentum m, and the bias-corrected average â of the parameters."""

    count: Array
    mu: PyTree
    average: PyTree


def scale_by_focus(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    *,
    gamma: ScalarOrSchedule = 0.1,
    weight_decay: ScalarOrSchedule = 0.0,
    mask: Mask = None,
    mu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the FOCUS rule.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the average of the parameters, 0 <= b2 < 1. The authors train GPT-2 with
        0.99.
      gamma: γ, strength of the attraction. It has no effect on the first step, where p equals â.
      weight_decay: λ of the term λ â, a number, an array or a schedule.
      mask: leaves with weight decay, in any form that `adamjax.optimizer` accepts.
      mu_dtype: dtype in which m is stored, float32 if None.

    Returns:
      A transformation with a `FocusState`. Its `update` needs the parameters.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), or a negative number.

    >>> tx, g = scale_by_focus(), jnp.float32(2.0)
    >>> _, state = tx.update(g, tx.init(g), jnp.float32(1.0))
    >>> round(float(tx.update(g, state, jnp.float32(0.9))[0]), 4)
    0.9
    """

    def rule(g, moments, step, p):
        mu = ema(g, moments.mu, step.b1)
        previous = jnp.where(step.count == 1, p, moments.average)
        # p - â, in a form that is exactly 0 where the parameter has not moved.
        gap = (1 - step.b2.one_minus / step.b2.bias_correction) * (p - previous)
        u = add_decay(jnp.sign(mu) + step.gamma * jnp.sign(gap), p - gap, step.weight_decay)
        return u, moments._replace(mu=mu, average=p - gap)

    slots = {"mu": Slot(mu_dtype), "average": Slot()}
    scalars = {"gamma": gamma, "weight_decay": weight_decay}
    betas = {"b1": b1, "b2": b2}
    return lift(rule, FocusState, slots, betas=betas, scalars=scalars, needs_params=True, mask=mask)


FOCUS = register(
    scale_by_focus,
    Paper(
        "FOCUS: First Order Concentrated Updating Scheme",
        "Liu, Yizhou and Liu, Ziming and Gore, Jeff",
        2025,
        arxiv="2501.12243",
    ),
    summary="sign descent, attracted to the average of past parameters",
    learning_rate=1e-2,
    decay_mode="average",
    own_modes=(DecayMode("average", "p <- p - lr (u + λ â), as the authors do"),),
    reduces_to=(Reduction({"learning_rate": 1e-3, "gamma": 0.0}, "tiger", {"b1": 0.9}),),
)
focus = FOCUS.optimizer
