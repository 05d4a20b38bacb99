"""Incorporating Nesterov Momentum into Adam. Dozat, 2016. OpenReview OM0jvwB8jIp57ZJjtNEZ.

Adam whose momentum looks one step ahead, as Nesterov's does: the present gradient counts at once.

    μₖ = b₁ (1 - ½ · 0.96^(k ψ)),  P = μ₁ μ₂ … μₜ
    u  = [μₜ₊₁ m / (1 - P μₜ₊₁) + (1 - μₜ) g / (1 - P)] / (√v̂ + ε)
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative, lookup_or_suggest
from adamjax.moments import debias, denominator, divide, ema
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, at_least_float32, cast, lift, value_at

STYLES = {
    "torch": "torch, PaddlePaddle, TensorFlow 1: μₖ = b₁ (1 - ½ · 0.96^(k ψ)), ψ = 0.004",
    "keras": "Keras: the same with ψ = 1, so that μ is nearly b₁ from the start",
    "optax": "Optax: μ = b₁, u = [b₁ m / (1 - b₁ᵗ⁺¹) + (1 - b₁) g / (1 - b₁ᵗ)] / (√v̂ + ε)",
    "mlcommons": "MLCommons, timm: u = [(b₁ m + (1 - b₁) g) / (1 - b₁ᵗ)] / (√v̂ + ε)",
}


def _dozat(b1: ScalarOrSchedule, psi: ScalarOrSchedule) -> optax.Schedule:
    def momentum(count):
        b, decay = (_wide(value_at(scalar, count)) for scalar in (b1, psi))
        return b * (1 - 0.5 * 0.96 ** ((count + 1.0) * decay))

    return momentum


def _wide(scalar: Any) -> Any:
    return cast(scalar, at_least_float32(jnp.result_type(scalar)))


_MOMENTA = {
    "torch": _dozat,
    "keras": lambda b1, psi: _dozat(b1, 1.0),
    "optax": lambda b1, psi: b1,
    "mlcommons": lambda b1, psi: b1,
}


def scale_by_nadam(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    momentum_decay: ScalarOrSchedule = 0.004,
    style: str = "torch",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of NAdam: Adam with Nesterov's look ahead in the numerator.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1, and the limit of μ.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, outside the root.
      momentum_decay: ψ of style "torch"; the other styles have no use for it.
      style: "torch", "keras", "optax" or "mlcommons", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `optax.ScaleByAdamState`; with a scheduled μ (the first two styles)
      inside a `ScheduledBetaState` that carries 1 - P.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_nadam(style="mlcommons"), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    1.9
    """
    check_not_negative("momentum_decay", momentum_decay)
    momentum = lookup_or_suggest("style", style, _MOMENTA)(b1, momentum_decay)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        if style == "mlcommons":
            coming = step.b1.value * debias(mu, step.b1)
        else:
            after = cast(value_at(momentum, moments.count), g.dtype)
            correction = step.momentum.bias_correction
            coming = after * mu / (correction + (1 - correction) * (1 - after))
        u = coming + debias(step.momentum.one_minus * g, step.momentum)
        return divide(u, denominator(nu, step)), moments._replace(mu=mu, nu=nu)

    return lift(
        rule,
        optax.ScaleByAdamState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)},
        betas={"b1": b1, "b2": b2, "momentum": momentum},
        scalars={"eps": eps, "eps_root": 0.0},
    )


NADAM = register(
    scale_by_nadam,
    Paper(
        "Incorporating Nesterov Momentum into Adam",
        "Dozat, Timothy",
        2016,
        "ICLR 2016 workshop",
        url="https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
    ),
    summary="looks one step ahead: the present gradient counts at once in the momentum",
    learning_rate=2e-3,
    styles=STYLES,
    reduces_to=(
        Reduction({"b1": 0.0}, "adam", {"b1": 0.0, "learning_rate": 2e-3}),
        Reduction({"b1": 0.0, "style": "mlcommons"}, "adam", {"b1": 0.0, "learning_rate": 2e-3}),
    ),
)
nadam = NADAM.optimizer
NADAMW = register(
    scale_by_nadam,
    Paper(
        "Incorporating Nesterov Momentum into Adam",
        "Dozat, Timothy",
        2016,
        "ICLR 2016 workshop",
        url="https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
    ),
    name="nadamw",
    summary="NAdam with weight decay taken from the parameter itself",
    learning_rate=2e-3,
    weight_decay=1e-2,
    formula="u = [μₜ₊₁ m / (1 - P μₜ₊₁) + (1 - μₜ) g / (1 - P)] / (√v̂ + ε) + λ p",
    styles=STYLES,
    reduces_to=(Reduction({"weight_decay": 0.0}, "nadam", {}),),
)
nadamw = NADAMW.optimizer
