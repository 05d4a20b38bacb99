"""Connections between Schedule-Free Optimizers, AdEMAMix, and Accelerated SGD Variants. Morwani et
al., 2025. arXiv:2502.02431.

AdEMAMix with one average: a momentum that is a sum, as accelerated gradient descent has it, and the
present gradient once more.

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
    """Steps done, the sum M and the average v."""

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
    """The direction of simplified AdEMAMix, (M + α g) / (√v̂ + ε), M a sum that is not corrected.

    Args:
      b1: decay of the sum M of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      alpha: α, the share of the present gradient.
      eps: ε, outside the root.
      eps_root: added under the root.
      mu_dtype: dtype in which M is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with a `SimplifiedAdemamixState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_simplified_ademamix(alpha=2.0), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    3.0
    """

    def rule(g, moments, step):
        mu = step.b1.value * moments.mu + g
        nu = ema(g * g, moments.nu, step.b2)
        return divide(mu + step.alpha * g, denominator(nu, step)), moments._replace(mu=mu, nu=nu)

    return lift(
        rule,
        SimplifiedAdemamixState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)},
        betas={"b1": b1, "b2": b2},
        scalars={"alpha": alpha, "eps": eps, "eps_root": eps_root},
    )


SIMPLIFIED_ADEMAMIX = register(
    scale_by_simplified_ademamix,
    Paper(
        "Connections between Schedule-Free Optimizers, AdEMAMix, and Accelerated SGD Variants",
        "Morwani, Depen and Vyas, Nikhil and Zhang, Hanlin and Kakade, Sham",
        2025,
        arxiv="2502.02431",
    ),
    summary="a momentum that is a sum, and the present gradient once more",
    learning_rate=1e-4,
    notes="M is a sum: its steps are up to 1 / (1 - b₁) times as long as Adam's, and the "
    "learning rate as much smaller.",
    reduces_to=(
        Reduction(
            {"learning_rate": 1e-3, "b1": 0.0, "alpha": 0.0}, "adam", {"b1": 0.0, "b2": 0.95}
        ),
    ),
)
simplified_ademamix = SIMPLIFIED_ADEMAMIX.optimizer
