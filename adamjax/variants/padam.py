"""Closing the Generalization Gap of Adaptive Gradient Methods in Training Deep Neural Networks.
Chen et al., 2018. arXiv:1806.06763.

AMSGrad with a power of the denominator, 2 q with q from 0 to 1/2, which interpolates between SGD
with momentum and AMSGrad.

    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) g²
    w = max(w, v)
    u = √(1 - b₂ᵗ) / (1 - b₁ᵗ) · m / (√w + ε)^(2 q)
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative, is_number, lookup_or_suggest
from adamjax.moments import debias, divide, ema, root
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift

STYLES = {
    "author": "the authors' code: w is the largest v so far, as in AMSGrad",
    "pytorch_optimizer": "pytorch_optimizer: w is v, as in Adam",
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
    """Rescale updates with the Padam rule.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √w.
      partial: q, 0 <= partial <= 1/2. 1/2 is AMSGrad, 0 is momentum alone.
      style: implementation to follow, "author" or "pytorch_optimizer".
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v and its maximum are stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAmsgradState`, or an `optax.ScaleByAdamState` for style
      "pytorch_optimizer".

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, partial outside [0, 1/2] or an
        unknown style.

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
        u = divide(debias(mu, step.b1), (root(nu) + step.eps) ** (2 * step.partial))
        return jnp.sqrt(step.b2.bias_correction) * u, after

    state_type = optax.ScaleByAmsgradState if style == "author" else optax.ScaleByAdamState
    scalars = {"eps": eps, "partial": partial}
    return lift(rule, state_type, slots, betas={"b1": b1, "b2": b2}, scalars=scalars)


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
    summary="AMSGrad with a power of the denominator, between SGD and Adam",
    learning_rate=0.1,
    notes='The authors use `decay_mode="l2"`. A `partial` below 1/2 needs a learning rate closer '
    "to that of SGD.",
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
