"""Connections between Schedule-Free Optimizers, AdEMAMix, and Accelerated SGD Variants.
Morwani et al., 2025. arXiv:2502.02431.

AdEMAMix with one momentum, which is a sum as in accelerated SGD, plus the present gradient.

    M = b₁ M + g
    v = b₂ v + (1 - b₂) g²
    u = (M + α g) / (√v̂ + ε)
"""

from typing import Any, NamedTuple

import optax

from adamjax.moments import Array, denominator, divide, ema
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree


class SimplifiedAdemamixState(NamedTuple):
    """Step count, momentum M and second moment v."""

    count: Array
    mu: PyTree
    nu: PyTree


def scale_by_simplified_ademamix(
    b1: ScalarOrSchedule = 0.99,
    b2: ScalarOrSchedule = 0.95,
    alpha: ScalarOrSchedule = 0.0,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the simplified AdEMAMix rule.

    Args:
      b1: decay rate of the momentum M, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      alpha: α, weight of the present gradient.
      eps: ε, added outside the square root.
      eps_root: added inside the square root.
      mu_dtype: dtype in which M is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with a `SimplifiedAdemamixState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), or a negative number.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_simplified_ademamix(alpha=2.0), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    3.0
    """

    def rule(g, moments, step):
        mu = step.b1.value * moments.mu + g
        nu = ema(g * g, moments.nu, step.b2)
        u = divide(mu + step.alpha * g, denominator(nu, step), step.eps)
        return u, moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)}
    scalars = {"alpha": alpha, "eps": eps, "eps_root": eps_root}
    return lift(rule, SimplifiedAdemamixState, slots, betas={"b1": b1, "b2": b2}, scalars=scalars)


SIMPLIFIED_ADEMAMIX = register(
    scale_by_simplified_ademamix,
    Paper(
        "Connections between Schedule-Free Optimizers, AdEMAMix, and Accelerated SGD Variants",
        "Morwani, Depen and Vyas, Nikhil and Zhang, Hanlin and Kakade, Sham",
        2025,
        arxiv="2502.02431",
    ),
    summary="momentum as a sum, plus a multiple of the gradient",
    learning_rate=1e-4,
    notes="Updates are up to 1 / (1 - b₁) times as large as Adam's. Reduce the learning rate "
    "accordingly.",
    reduces_to=(Reduction({"learning_rate": 1e-3, "b1": 0.0}, "adam", {"b1": 0.0, "b2": 0.95}),),
)
simplified_ademamix = SIMPLIFIED_ADEMAMIX.optimizer
