"""Momentum Centering and Asynchronous Update for Adaptive Gradient Methods. Zhuang et al., 2021.
arXiv:2110.05454.

The gradient itself, divided by how far the gradients before it were from their mean: the step does
not know its own denominator.

    u = g / (√v̂ + ε)                     v of the steps before; the first step is g
    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) (g - m)² + ε_root
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.moments import Array, divide, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree

STYLES = {
    "author": "the authors: v sees the distance from the mean with g in it; the first step is g",
    "optax": "Optax: the distance from the mean before g; the first step is g / (1 + ε)",
}


class AcpropState(NamedTuple):
    """Steps done, the average m, and v̂ = v / (1 - b₂ᵗ): what the next step divides by."""

    count: Array
    mu: PyTree
    nu: PyTree


def scale_by_acprop(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-16,
    *,
    eps_root: ScalarOrSchedule = 1e-16,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of ACProp: the gradient over the spread of those before it.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of the squared distances from m, 0 <= b2 < 1.
      eps: ε, outside the root.
      eps_root: added to v at every step, and kept in it. The authors have one number for both.
        With both 0, an element does not move until one of its gradients has differed from m.
      style: "author" or "optax", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `AcpropState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or eps_root, an unknown style.

    >>> tx, g = scale_by_acprop(), jnp.float32(2.0)
    >>> u, state = tx.update(g, tx.init(g))
    >>> round(float(tx.update(g, state)[0]), 4)  # 2 / (2 - 0.2)
    1.1111
    """
    lookup_or_suggest("style", style, STYLES)

    def rule(g, moments, step):
        first = g if style == "author" else g / (1 + step.eps)
        u = divide(g, jnp.sqrt(moments.nu) + step.eps)
        u = jnp.where(step.count == 1, first, u)
        mu = ema(g, moments.mu, step.b1)
        residual = g - moments.mu
        if style == "author":
            residual = step.b1.value * residual  # g - m with the new m
        share = step.b2.one_minus / step.b2.bias_correction
        nu = (
            moments.nu
            + share * (residual**2 - moments.nu)
            + step.eps_root / step.b2.bias_correction
        )
        return u, moments._replace(mu=mu, nu=nu)

    return lift(
        rule,
        AcpropState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)},
        betas={"b1": b1, "b2": b2},
        scalars={"eps": eps, "eps_root": eps_root},
    )


ACPROP = register(
    scale_by_acprop,
    Paper(
        "Momentum Centering and Asynchronous Update for Adaptive Gradient Methods",
        "Zhuang, Juntang and Ding, Yifan and Tang, Tommy and Dvornek, Nicha and Tatikonda, "
        "Sekhar C. and Duncan, James S.",
        2021,
        "Advances in Neural Information Processing Systems, 2021",
        arxiv="2110.05454",
    ),
    summary="divides the gradient itself by the spread of those before it",
    learning_rate=1e-3,
    notes="The authors also offer RAdam's rectification, on by default in their code and not in "
    "the paper; it is not here.",
    styles=STYLES,
)
acprop = ACPROP.optimizer
