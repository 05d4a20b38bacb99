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

from adamjax.moments import Array, divide, ema, outside
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Reduction, Variant, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import Mask, PyTree


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
        return divide(mu + step.alpha * g, outside(nu, step)), moments._replace(mu=mu, nu=nu)

    return lift(
        rule,
        SimplifiedAdemamixState,
        {"mu": Slot(dtype=mu_dtype), "nu": Slot(dtype=nu_dtype)},
        decays={"b1": b1, "b2": b2},
        scalars={"alpha": alpha, "eps": eps, "eps_root": eps_root},
    )


def simplified_ademamix(
    learning_rate: ScalarOrSchedule = 1e-4,
    b1: ScalarOrSchedule = 0.99,
    b2: ScalarOrSchedule = 0.95,
    alpha: ScalarOrSchedule = 0.0,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    weight_decay: ScalarOrSchedule = 0.0,
    decay: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Simplified AdEMAMix (arXiv:2502.02431): p <- p - lr (M + α g) / (√v̂ + ε).

    The arguments of `scale_by_simplified_ademamix`, and those of `adamjax.optimizer`:
    `learning_rate`, `weight_decay`, `decay`, `mask`, `storage`, `param_rounding`. M is a sum: its
    steps are up to 1 / (1 - b₁) times as long as Adam's, and the learning rate as much smaller.

    >>> import jax.numpy as jnp
    >>> tx, g = simplified_ademamix(0.5, alpha=2.0), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    -1.5
    """
    direction = scale_by_simplified_ademamix(
        b1, b2, alpha, eps, eps_root=eps_root, mu_dtype=mu_dtype, nu_dtype=nu_dtype
    )
    return optimizer(
        direction,
        learning_rate,
        weight_decay=weight_decay,
        decay=decay,
        mask=mask,
        storage=storage,
        param_rounding=param_rounding,
    )


VARIANT = register(
    Variant(
        name="simplified_ademamix",
        make=simplified_ademamix,
        direction=scale_by_simplified_ademamix,
        paper=Paper(
            "Connections between Schedule-Free Optimizers, AdEMAMix, and Accelerated SGD Variants",
            "Morwani, Depen and Vyas, Nikhil and Zhang, Hanlin and Kakade, Sham",
            2025,
            arxiv="2502.02431",
        ),
        changes="a momentum that is a sum, and the present gradient once more",
        formula="M = b₁ M + g;  u = (M + α g) / (√v̂ + ε)",
        reduces_to=(
            Reduction(
                {"learning_rate": 1e-3, "b1": 0.0, "alpha": 0.0}, "adam", {"b1": 0.0, "b2": 0.95}
            ),
        ),
    )
)
