"""Closing the Generalization Gap of Adaptive Gradient Methods in Training Deep Neural Networks.
Chen et al., 2018. arXiv:1806.06763.

Between AMSGrad and gradient descent with momentum: the denominator is raised to a power 2 q, q from
0 to 1/2.

    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) g²
    w = max(w, v)
    u = √(1 - b₂ᵗ) / (1 - b₁ᵗ) · m / (√w + ε)^(2 q)
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative, is_number, lookup_or_suggest
from adamjax.moments import debias, divide, ema
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift

STYLES = {
    "author": "the authors: w is the largest v so far",
    "pytorch_optimizer": "pytorch_optimizer: w is v itself, as in Adam",
}


def scale_by_padam(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    partial: ScalarOrSchedule = 0.25,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of Padam: m over a power of AMSGrad's denominator.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √w + ε.
      partial: q, 0 <= q <= 1/2: with 1/2 it is AMSGrad, with 0 momentum alone. Below 1/2 a step has
        units of the gradient, so that the learning rate is nearer to that of gradient descent.
      style: "author" or "pytorch_optimizer", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v and its maximum are stored; None for float32.

    Returns:
      A transformation with an `optax.ScaleByAmsgradState`, or with style "pytorch_optimizer" an
      `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, partial outside [0, 1/2], an unknown
        style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_padam(), jnp.float32(4.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)  # 4 √0.001 / (4 √0.001)^½
    0.3557
    """
    lookup_or_suggest("style", style, STYLES)
    check_not_negative("partial", partial)
    if is_number(partial) and partial > 0.5:
        raise ValueError(f"partial must be at most 0.5, got {partial}")
    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)}
    if style == "author":
        slots["nu_max"] = Slot(nu_dtype)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        after = moments._replace(mu=mu, nu=nu)
        if style == "author":
            nu = jnp.maximum(moments.nu_max, nu)
            after = after._replace(nu_max=nu)
        u = divide(debias(mu, step.b1), (jnp.sqrt(nu) + step.eps) ** (2 * step.partial))
        return jnp.sqrt(step.b2.bias_correction) * u, after

    return lift(
        rule,
        optax.ScaleByAmsgradState if style == "author" else optax.ScaleByAdamState,
        slots,
        betas={"b1": b1, "b2": b2},
        scalars={"eps": eps, "partial": partial},
    )


PADAM = register(
    scale_by_padam,
    Paper(
        "Closing the Generalization Gap of Adaptive Gradient Methods in Training Deep Neural "
        "Networks",
        "Chen, Jinghui and Zhou, Dongruo and Tang, Yiqi and Yang, Ziyan and Cao, Yuan and Gu, "
        "Quanquan",
        2018,
        "International Joint Conference on Artificial Intelligence, 2020",
        arxiv="1806.06763",
    ),
    summary="raises AMSGrad's denominator to a power, to lie between it and momentum",
    learning_rate=0.1,
    notes='The authors decay with "l2".',
    styles=STYLES,
    reduces_to=(
        Reduction({"partial": 0.5}, "amsgrad", {"learning_rate": 0.1, "style": "keras"}),
        Reduction(
            {"partial": 0.5, "style": "pytorch_optimizer"},
            "adam",
            {"learning_rate": 0.1, "style": "keras"},
        ),
    ),
)
padam = PADAM.optimizer
