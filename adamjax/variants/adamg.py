"""Towards Stability of Parameter-free Optimization. Pang et al., 2024. arXiv:2405.04376.

Adam meant to be run with a learning rate of 1: the gradient carries a step size r of its own, made
of how far v says there is to go.

    v = b₂ v + (1 - b₂) g²
    r = b₃ r + (1 - b₃) p v^q
    m = b₁ m + (1 - b₁) r g
    u = m̂ / (√v̂ + ε)                  with the step size min(lr, 1/√t)
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative
from adamjax.moments import Array, debias, divide, ema
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.schedules import relative_step
from adamjax.trees import PyTree


class AdamgState(NamedTuple):
    """Steps done, the average r, and those of r g and of g²."""

    count: Array
    step_size: PyTree
    mu: PyTree
    nu: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits; v does not bound m, which has r in it."""
        return {"step_size": "square", "mu": "signed", "nu": "square"}


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
    """The direction of AdamG: Adam's, of gradients that carry their step size r.

    Args:
      b1: decay of the average m of r g, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, outside the root.
      b3: decay of the average r, 0 <= b3 < 1.
      p: factor of the step size p v^q.
      q: its exponent.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v and r are stored; None for float32.

    Returns:
      A transformation with an `AdamgState`.

    Raises:
      ValueError: for b1, b2 or b3 outside [0, 1), a negative number.

    >>> tx, g = scale_by_adamg(b2=0.5, b3=0.5, p=1.0, q=0.5), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)  # r = √(4/2) / 2
    0.7071
    """

    def rule(g, moments, step):
        nu = ema(g * g, moments.nu, step.b2)
        step_size = ema(step.p * nu**step.q, moments.step_size, step.b3)
        mu = ema(step_size * g, moments.mu, step.b1)
        u = divide(debias(mu, step.b1), jnp.sqrt(debias(nu, step.b2)) + step.eps)
        return u, moments._replace(step_size=step_size, mu=mu, nu=nu)

    return lift(
        rule,
        AdamgState,
        {"step_size": Slot(nu_dtype), "mu": Slot(mu_dtype), "nu": Slot(nu_dtype)},
        betas={"b1": b1, "b2": b2, "b3": b3},
        scalars={"eps": eps, "p": p, "q": q},
    )


def _relative_step(learning_rate: ScalarOrSchedule) -> dict[str, Any]:
    """Cap the step size.

    Args:
      learning_rate: the cap of the step size 1/√t.
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
    summary="puts a step size made of v into the gradient, so that the learning rate is 1",
    learning_rate=1.0,
    notes="Weight decay is multiplied by the step size min(lr, 1/√t).",
    adjust=_relative_step,
    reduces_to=(
        Reduction({"learning_rate": 1e-3, "p": 1.0, "q": 0.0, "b3": 0.0}, "adam", {"b1": 0.95}),
    ),
)
adamg = ADAMG.optimizer
