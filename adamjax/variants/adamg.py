"""Towards Stability of Parameter-free Optimization. Pang et al., 2024. arXiv:2405.04376.

Adam for a learning rate of 1. The gradient is multiplied by a step size r that is computed from v.

    v = b₂ v + (1 - b₂) g²
    r = b₃ r + (1 - b₃) p v^q
    m = b₁ m + (1 - b₁) r g
    u = m̂ / (√v̂ + ε)                  with the learning rate min(lr, 1/√t)
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative
from adamjax.moments import Array, debias, divide, ema, root
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.schedules import relative_step
from adamjax.trees import PyTree


class AdamgState(NamedTuple):
    """Step `count`, r in `step_size`, m in `mu`, and v in `nu`."""

    count: Array
    step_size: PyTree
    mu: PyTree
    nu: PyTree
    roles = {"step_size": "square", "mu": "signed", "nu": "square"}


def scale_by_adamg(
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    b3: ScalarOrSchedule = 0.95,
    p: ScalarOrSchedule = 0.2,
    q: ScalarOrSchedule = 0.24,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the AdamG rule.

    Args:
      b1: decay rate of m, the average of r g, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v̂.
      b3: decay rate of r, the average of p v^q, 0 <= b3 < 1.
      p: factor of v^q.
      q: exponent of v.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v and r are stored, float32 if None.

    Returns:
      A transformation with an `AdamgState`.

    Raises:
      ValueError: for a number out of range.

    >>> tx, g = scale_by_adamg(b2=0.5, b3=0.5, p=1.0, q=0.5), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)  # r = √(4/2) / 2
    0.7071
    """

    def rule(g, moments, step):
        nu = ema(g * g, moments.nu, step.b2)
        power = jnp.where(nu == 0, 1, nu) ** step.q  # a power has no derivative at 0
        power = jnp.where(nu == 0, 0.0**step.q, power)
        step_size = ema(step.p * power, moments.step_size, step.b3)
        mu = ema(step_size * g, moments.mu, step.b1)
        u = divide(debias(mu, step.b1), root(debias(nu, step.b2)) + step.eps, step.eps)
        return u, moments._replace(step_size=step_size, mu=mu, nu=nu)

    slots = {"step_size": Slot(nu_dtype), "mu": Slot(mu_dtype), "nu": Slot(nu_dtype)}
    scalars = {"eps": eps, "p": p, "q": q}
    return lift(rule, AdamgState, slots, betas={"b1": b1, "b2": b2, "b3": b3}, scalars=scalars)


def _relative_step(learning_rate: ScalarOrSchedule) -> dict[str, Any]:
    """Return min(lr, 1/√t).

    Args:
      learning_rate: lr, the upper bound of the learning rate 1/√t.
    """
    check_not_negative("learning_rate", learning_rate)
    return {"learning_rate": relative_step(learning_rate)}


ADAMG = register(
    scale_by_adamg,
    Paper(
        "Towards Stability of Parameter-free Optimization",
        "Pang, Yijiang and Yu, Shuyang and Hoang, Bao and Zhou, Jiayu",
        2024,
        arxiv="2405.04376",
    ),
    summary="multiplies the gradient by a step size computed from v, for a learning rate of 1",
    learning_rate=1.0,
    notes="Weight decay is multiplied by min(lr, 1/√t).",
    adjust=_relative_step,
    reduces_to=(
        Reduction({"learning_rate": 1e-3, "p": 1.0, "q": 0.0, "b3": 0.0}, "adam", {"b1": 0.95}),
    ),
)
adamg = ADAMG.optimizer
