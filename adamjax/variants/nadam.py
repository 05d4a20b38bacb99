"""Incorporating Nesterov Momentum into Adam. Dozat, 2016. OpenReview OM0jvwB8jIp57ZJjtNEZ.

Adam with Nesterov momentum: the numerator is the momentum of the next step.

    μₖ = b₁ (1 - ½ · 0.96^(k ψ)),  P = μ₁ μ₂ … μₜ
    u  = [μₜ₊₁ m / (1 - P μₜ₊₁) + (1 - μₜ) g / (1 - P)] / (√v̂ + ε)
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative, lookup_or_suggest
from adamjax.moments import abs_sq, debias, denominator, divide, ema
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, at_least_float32, cast, lift, value_at

STYLES = {
    "torch": "torch, PaddlePaddle, TensorFlow 1: μₖ = b₁ (1 - ½ · 0.96^(k ψ)), ψ = 0.004",
    "keras": "Keras: the same with ψ = 1, so μ is close to b₁ from the start",
    "optax": "Optax: μ = b₁, u = [b₁ m / (1 - b₁ᵗ⁺¹) + (1 - b₁) g / (1 - b₁ᵗ)] / (√v̂ + ε)",
    "mlcommons": "MLCommons, timm: u = [(b₁ m + (1 - b₁) g) / (1 - b₁ᵗ)] / (√v̂ + ε)",
}


def _dozat(b1: ScalarOrSchedule, psi: ScalarOrSchedule) -> optax.Schedule:
    def evaluate(scalar, count):
        value = value_at(scalar, count)
        return cast(value, at_least_float32(jnp.result_type(value)))

    def momentum(count):
        t = jnp.asarray(count, float) + 1
        return evaluate(b1, count) * (1 - 0.5 * 0.96 ** (t * evaluate(psi, count)))

    return momentum


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
    eps_root: ScalarOrSchedule = 0.0,
    momentum_decay: ScalarOrSchedule = 0.004,
    style: str = "torch",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the NAdam rule.

    Args:
      b1: decay rate of the momentum m and limit of μ, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      eps_root: added inside the square root.
      momentum_decay: ψ for style "torch". Other styles ignore it.
      style: implementation to follow, "torch", "keras", "optax" or "mlcommons".
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAdamState`, inside a `ScheduledBetaState` that carries
      1 - P for styles "torch" and "keras".

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_nadam(style="mlcommons"), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    1.9
    """
    check_not_negative("momentum_decay", momentum_decay)
    momentum = lookup_or_suggest("style", style, _MOMENTA)(b1, momentum_decay)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(abs_sq(g, moments.nu), moments.nu, step.b2)
        if style == "mlcommons":
            average = step.b1.value * debias(mu, step.b1)
        else:
            after = cast(value_at(momentum, moments.count), g.dtype)  # μₜ₊₁
            correction = step.momentum.bias_correction
            average = after * mu / (correction + (1 - correction) * (1 - after))
        u = average + debias(step.momentum.one_minus * g, step.momentum)
        return divide(u, denominator(nu, step), step.eps), moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype, square=True)}
    scalars = {"eps": eps, "eps_root": eps_root}
    betas = {"b1": b1, "b2": b2, "momentum": momentum}
    return lift(rule, optax.ScaleByAdamState, slots, betas=betas, scalars=scalars)


NADAM = register(
    scale_by_nadam,
    Paper(
        "Incorporating Nesterov Momentum into Adam",
        "Dozat, Timothy",
        2016,
        "ICLR 2016 workshop",
        url="https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
    ),
    summary="Nesterov momentum, which gives the present gradient a direct share",
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
    NADAM.paper,
    name="nadamw",
    summary="NAdam with decoupled weight decay",
    learning_rate=2e-3,
    weight_decay=1e-2,
    formula="u = [μₜ₊₁ m / (1 - P μₜ₊₁) + (1 - μₜ) g / (1 - P)] / (√v̂ + ε) + λ p",
    styles=STYLES,
    reduces_to=(Reduction({"weight_decay": 0.0}, "nadam", {}),),
)
nadamw = NADAMW.optimizer
