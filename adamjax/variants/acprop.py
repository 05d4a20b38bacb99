"""Momentum Centering and Asynchronous Update for Adaptive Gradient Methods. Zhuang et al., 2021.
arXiv:2110.05454.

The gradient is divided by the spread of the earlier gradients around their mean. The denominator
does not depend on the present gradient.

    u = g / (√v̂ + ε)                     v̂ before this step, u = g at t = 1
    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) (g - m)² + ε_root
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.moments import abs_sq, divide, ema, root
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift

STYLES = {
    "author": "the authors: the distance from the mean that includes g, first step g",
    "optax": "Optax: the distance from the mean before g, first step g / (1 + ε)",
}


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
    """Rescale updates with the ACProp rule.

    Args:
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of v, the average of (g - m)², 0 <= b2 < 1.
      eps: ε, added to √v̂.
      eps_root: ε_root, added to v at every step. With eps = eps_root = 0, an element moves only
        after one of its gradients has differed from m.
      style: implementation to follow, "author" or "optax", see `STYLES`.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v̂ is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByBeliefState`, with v̂ in `nu`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> tx, g = scale_by_acprop(), jnp.float32(2.0)
    >>> u, state = tx.update(g, tx.init(g))
    >>> round(float(tx.update(g, state)[0]), 4)  # 2 / (2 - 0.2)
    1.1111
    """
    lookup_or_suggest("style", style, STYLES)

    def rule(g, moments, step):
        first = g if style == "author" else g / (1 + step.eps)
        u = jnp.where(step.count == 1, first, divide(g, root(moments.nu) + step.eps, step.eps))
        mu = ema(g, moments.mu, step.b1)
        residual = g - moments.mu
        if style == "author":
            residual = step.b1.value * residual  # g - m with the new m
        weight = step.b2.one_minus / step.b2.bias_correction
        eps_root = step.eps_root / step.b2.bias_correction
        nu = moments.nu + weight * (abs_sq(residual, moments.nu) - moments.nu) + eps_root
        return u, moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype, square=True)}
    scalars = {"eps": eps, "eps_root": eps_root}
    return lift(rule, optax.ScaleByBeliefState, slots, betas={"b1": b1, "b2": b2}, scalars=scalars)


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
    summary="divides the gradient by the spread of earlier gradients",
    learning_rate=1e-3,
    notes="The rectification of RAdam, a default of the authors' code that is not in the paper, is "
    "not included. The authors use one number for eps and eps_root.",
    styles=STYLES,
)
acprop = ACPROP.optimizer
