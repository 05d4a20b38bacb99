"""Adaptive Gradient Methods with Dynamic Bound of Learning Rate. Luo et al., 2019.
arXiv:1902.09843.

Adam whose step size per element is held between two bounds that close in on one number: it starts
as Adam and ends as gradient descent with momentum.

    k = √(1 - b₂ᵗ) / (1 - b₁ᵗ) / (√v + ε)
    f = final_lr / base_lr
    u = clip(k, f (1 - 1/(γ t + 1)), f (1 + 1/(γ t))) m          AMSBound: max v in place of v
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative, check_positive
from adamjax.moments import Array, denominator_eps_hat, divide, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift, value_at


def _bounded(mu: Array, nu: Array, step: Any) -> Array:
    closeness = step.gamma * step.count
    lower = step.final_ratio * closeness / (closeness + 1)  # 1 - 1/(γt + 1), without cancellation
    upper = step.final_ratio * (1 + 1 / closeness)
    return (
        jnp.clip(1 / (denominator_eps_hat(nu, step) * step.b1.bias_correction), lower, upper) * mu
    )


def scale_by_adabound(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    final_ratio: ScalarOrSchedule = 100.0,
    gamma: ScalarOrSchedule = 1e-3,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of AdaBound: m times a step size between two closing bounds.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √v + ε.
      final_ratio: f, the step size in the end, in units of the learning rate.
      gamma: γ, how fast the bounds close, per step.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, or a gamma of 0.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_adabound(gamma=1.0), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)  # the lower bound 50 times m
    10.0
    """

    check_positive("gamma", gamma)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        return _bounded(mu, nu, step), moments._replace(mu=mu, nu=nu)

    return lift(
        rule,
        optax.ScaleByAdamState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)},
        betas={"b1": b1, "b2": b2},
        scalars={"eps": eps, "eps_root": 0.0, "final_ratio": final_ratio, "gamma": gamma},
    )


def scale_by_amsbound(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    final_ratio: ScalarOrSchedule = 100.0,
    gamma: ScalarOrSchedule = 1e-3,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of AMSBound: AdaBound's with the running maximum of v.

    The arguments and errors of `scale_by_adabound`; the state is an `optax.ScaleByAmsgradState`.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_amsbound(gamma=1.0), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    10.0
    """

    check_positive("gamma", gamma)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        nu_max = jnp.maximum(moments.nu_max, nu)
        return _bounded(mu, nu_max, step), moments._replace(mu=mu, nu=nu, nu_max=nu_max)

    return lift(
        rule,
        optax.ScaleByAmsgradState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype), "nu_max": Slot(nu_dtype)},
        betas={"b1": b1, "b2": b2},
        scalars={"eps": eps, "eps_root": 0.0, "final_ratio": final_ratio, "gamma": gamma},
    )


def _final_ratio(
    learning_rate: ScalarOrSchedule,
    *,
    final_lr: ScalarOrSchedule = 0.1,
    base_lr: float | None = None,
) -> dict[str, Any]:
    """Return final_lr / base_lr, where base_lr is the learning rate unless that is a schedule.

    Args:
      final_lr: learning rate of the gradient descent at the end, when lr is `base_lr`. A schedule
        scales both.
      base_lr: the learning rate that `final_lr` belongs to. None is `learning_rate` itself. Needed
        if that is a schedule or injected (`optax.inject_hyperparams`).
    """
    check_not_negative("learning_rate", learning_rate)
    if base_lr is None and callable(learning_rate):
        raise ValueError(
            "base_lr: with a schedule as learning_rate, give the learning rate that final_lr "
            "belongs to, such as the schedule's peak"
        )
    base = learning_rate if base_lr is None else base_lr
    check_positive("base_lr (by default the learning rate)", base)
    check_not_negative("final_lr", final_lr)

    def ratio(count: Any) -> Array:
        # An array may be 0 at the start of a warm-up. There is no step to bound then.
        return divide(jnp.asarray(value_at(final_lr, count)), jnp.asarray(base))

    return {"final_ratio": ratio}


PAPER = Paper(
    "Adaptive Gradient Methods with Dynamic Bound of Learning Rate",
    "Luo, Liangchen and Xiong, Yuanhao and Liu, Yan and Sun, Xu",
    2019,
    "International Conference on Learning Representations, 2019",
    arxiv="1902.09843",
)

ADABOUND = register(
    scale_by_adabound,
    PAPER,
    summary="holds each step size between two closing bounds, to end as SGD with momentum",
    learning_rate=1e-3,
    adjust=_final_ratio,
    hidden=("final_ratio",),
)
adabound = ADABOUND.optimizer
AMSBOUND = register(
    scale_by_amsbound,
    PAPER,
    summary="AdaBound with the running maximum of v",
    learning_rate=1e-3,
    formula="w = max(w, v);  u = clip(√(1-b₂ᵗ) / (1-b₁ᵗ) / (√w + ε), f (…), f (…)) m",
    adjust=_final_ratio,
    hidden=("final_ratio",),
)
amsbound = AMSBOUND.optimizer
