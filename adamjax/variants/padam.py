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

from adamjax.checks import check_not_negative, is_number, pick
from adamjax.moments import debias, divide, ema
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Reduction, Variant, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import Mask

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
    pick("style", style, STYLES)
    check_not_negative("partial", partial)
    if is_number(partial) and partial > 0.5:
        raise ValueError(f"partial must be at most 0.5, got {partial}")
    slots = {"mu": Slot(dtype=mu_dtype), "nu": Slot(dtype=nu_dtype)}
    if style == "author":
        slots["nu_max"] = Slot(dtype=nu_dtype)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        after = moments._replace(mu=mu, nu=nu)
        if style == "author":
            nu = jnp.maximum(moments.nu_max, nu)
            after = after._replace(nu_max=nu)
        u = divide(debias(mu, step.b1), (jnp.sqrt(nu) + step.eps) ** (2 * step.partial))
        return jnp.sqrt(step.b2.correction) * u, after

    return lift(
        rule,
        optax.ScaleByAmsgradState if style == "author" else optax.ScaleByAdamState,
        slots,
        decays={"b1": b1, "b2": b2},
        scalars={"eps": eps, "partial": partial},
    )


def padam(
    learning_rate: ScalarOrSchedule = 0.1,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    partial: ScalarOrSchedule = 0.25,
    style: str = "author",
    weight_decay: ScalarOrSchedule = 0.0,
    decay: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Padam (arXiv:1806.06763) as a ready-made optimizer: p <- p - lr m̂ / (√ŵ + ε)^(2q).

    The arguments of `scale_by_padam`, and those of `adamjax.optimizer`: `learning_rate`,
    `weight_decay`, `decay`, `mask`, `storage`, `param_rounding`. The authors decay with "l2".

    >>> import jax.numpy as jnp
    >>> tx, g = padam(0.5, partial=0.5), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    -0.5
    """
    direction = scale_by_padam(
        b1, b2, eps, partial=partial, style=style, mu_dtype=mu_dtype, nu_dtype=nu_dtype
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
        name="padam",
        make=padam,
        direction=scale_by_padam,
        paper=Paper(
            "Closing the Generalization Gap of Adaptive Gradient Methods in Training Deep Neural "
            "Networks",
            "Chen, Jinghui and Zhou, Dongruo and Tang, Yiqi and Yang, Ziyan and Cao, Yuan and Gu, "
            "Quanquan",
            2018,
            "International Joint Conference on Artificial Intelligence, 2020",
            arxiv="1806.06763",
        ),
        changes="raises AMSGrad's denominator to a power, to lie between it and momentum",
        formula="w = max(w, v);  u = √(1-b₂ᵗ) / (1-b₁ᵗ) m / (√w + ε)^(2q)",
        slots=("mu", "nu", "nu_max"),
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
)
