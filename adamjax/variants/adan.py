"""Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models. Xie et al., 2022.
arXiv:2208.06677.

Adam with Nesterov momentum that is estimated from the average change of the gradient, in the update
and in v.

    d = g - g_prev                            0 at t = 1
    m = b₁ m + (1 - b₁) g
    n = b₂ n + (1 - b₂) d
    v = b₃ v + (1 - b₃) (g + b₂ d)²
    u = (m̂ + b₂ n̂) / (√v̂ + ε)
    p <- (p - lr u) / (1 + lr λ)
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.moments import ZERO, Array, abs_sq, clamp, debias, divide, ema, root
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree

STYLES = {
    "author": "the authors' code, timm: factor b₂ of d and n",
    "optax": "Optax: factor 1 - b₂ of d and n (its adan has decoupled decay and eps_root 1e-8)",
}


class AdanState(NamedTuple):
    """Step `count`, m in `mu`, n in `change`, v in `nu`, and the previous gradient `last`."""

    count: Array
    mu: PyTree
    change: PyTree
    nu: PyTree
    last: PyTree
    roles = {"mu": "signed", "change": "signed", "nu": "square", "last": "signed"}


def scale_by_adan(
    b1: ScalarOrSchedule = 0.98,
    b2: ScalarOrSchedule = 0.92,
    b3: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Adan rule.

    Args:
      b1: decay rate of the first moment m, 0 <= b1 < 1 (1 - β₁ in the paper).
      b2: decay rate of n, the average change of the gradient, and its factor, 0 <= b2 < 1.
      b3: decay rate of the second moment v, 0 <= b3 < 1.
      eps: ε, added to √v̂.
      eps_root: added under the root.
      style: implementation to follow, "author" or "optax", see `STYLES`.
      mu_dtype: dtype in which m, n and the previous gradient are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `AdanState`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> tx, g = scale_by_adan(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    1.0
    """
    lookup_or_suggest("style", style, STYLES)

    def rule(g, moments, step):
        factor = step.b2.one_minus if style == "optax" else step.b2.value
        d = jnp.where(step.count == 1, ZERO, g - moments.last)
        mu = ema(g, moments.mu, step.b1)
        change = ema(d, moments.change, step.b2)
        nu = ema(abs_sq(clamp(g + factor * d), moments.nu), moments.nu, step.b3)
        ahead = debias(mu, step.b1) + factor * debias(change, step.b2)
        u = divide(ahead, root(debias(nu, step.b3) + step.eps_root) + step.eps, step.eps)
        return u, moments._replace(mu=mu, change=change, nu=nu, last=g)

    mu_slot = Slot(mu_dtype)
    slots = {"mu": mu_slot, "change": mu_slot, "nu": Slot(nu_dtype, square=True), "last": mu_slot}
    betas = {"b1": b1, "b2": b2, "b3": b3}
    return lift(rule, AdanState, slots, betas=betas, scalars={"eps": eps, "eps_root": eps_root})


ADAN = register(
    scale_by_adan,
    Paper(
        "Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models",
        "Xie, Xingyu and Zhou, Pan and Li, Huan and Lin, Zhouchen and Yan, Shuicheng",
        2022,
        "IEEE Transactions on Pattern Analysis and Machine Intelligence, 2024",
        arxiv="2208.06677",
    ),
    summary="Nesterov momentum from the average change of the gradient",
    learning_rate=1e-3,
    decay_mode="proximal",
    notes='The equivalent of the authors\' `no_prox=True` is `decay_mode="decoupled"`.',
    styles=STYLES,
    reduces_to=(Reduction({"b2": 0.0}, "adam", {"b1": 0.98, "b2": 0.99}),),
)
adan = ADAN.optimizer
