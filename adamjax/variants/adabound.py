"""Adaptive Gradient Methods with Dynamic Bound of Learning Rate. Luo et al., 2019.
arXiv:1902.09843.

Adam with a step size per element that is clipped to two bounds. The bounds converge to one number,
so that training starts as Adam and ends as SGD with momentum. AMSBound divides by max v.

    k = √(1 - b₂ᵗ) / (1 - b₁ᵗ) / (√v + ε)
    f = final_lr / base_lr
    u = clip(k, f (1 - 1/(γ t + 1)), f (1 + 1/(γ t))) m
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_constants, check_not_negative, check_positive
from adamjax.moments import Array, denominator_eps_hat, divide, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift, value_at


def _scale_by_bounded(
    state_type: type, b1: Any, b2: Any, mu_dtype: Any, nu_dtype: Any, **scalars: Any
) -> optax.GradientTransformationExtraArgs:
    """Return the transformation with this state. AMSBound stores the running maximum of v."""
    maximum = state_type is optax.ScaleByAmsgradState
    check_positive("gamma", scalars["gamma"])

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = seen = ema(g * g, moments.nu, step.b2)
        moments = moments._replace(mu=mu, nu=nu)
        if maximum:
            seen = jnp.maximum(moments.nu_max, nu)
            moments = moments._replace(nu_max=seen)
        progress = step.gamma * step.count
        lower = step.final_ratio * progress / (progress + 1)  # 1 - 1/(γt + 1) without cancellation
        upper = step.final_ratio * (1 + 1 / progress)
        step_size = 1 / (denominator_eps_hat(seen, step) * step.b1.bias_correction)
        return jnp.clip(step_size, lower, upper) * mu, moments

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)}
    if maximum:
        slots["nu_max"] = Slot(nu_dtype)
    return lift(rule, state_type, slots, betas={"b1": b1, "b2": b2}, scalars=scalars)


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
    """Rescale updates with the AdaBound rule.

    Args:
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v.
      final_ratio: f, the final step size in units of the learning rate.
      gamma: γ > 0, the convergence rate of the bounds per step.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for a number out of range.

    >>> tx, g = scale_by_adabound(gamma=1.0), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)  # the lower bound 50 times m
    10.0
    """
    scalars = {"eps": eps, "eps_root": 0.0, "final_ratio": final_ratio, "gamma": gamma}
    return _scale_by_bounded(optax.ScaleByAdamState, b1, b2, mu_dtype, nu_dtype, **scalars)


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
    """Rescale updates with the AMSBound rule.

    Args:
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to the root of the maximum of v.
      final_ratio: f, the final step size in units of the learning rate.
      gamma: γ > 0, the convergence rate of the bounds per step.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v and its maximum are stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAmsgradState`.

    Raises:
      ValueError: for a number out of range.

    >>> tx, g = scale_by_amsbound(gamma=1.0), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    10.0
    """
    scalars = {"eps": eps, "eps_root": 0.0, "final_ratio": final_ratio, "gamma": gamma}
    return _scale_by_bounded(optax.ScaleByAmsgradState, b1, b2, mu_dtype, nu_dtype, **scalars)


def _final_ratio(
    learning_rate: ScalarOrSchedule,
    *,
    final_lr: ScalarOrSchedule = 0.1,
    base_lr: float | None = None,
) -> dict[str, Any]:
    """Return final_lr / base_lr, where base_lr is the learning rate unless that is a schedule.

    Args:
      final_lr: learning rate of SGD at the end of training, if lr is `base_lr`.
      base_lr: learning rate that `final_lr` is relative to. Required if `learning_rate`, the
        default, is a schedule or injected (`optax.inject_hyperparams`).
    """
    check_constants(base_lr=base_lr)
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
        # An injected learning rate may be 0 at the start of a warm-up.
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
    summary="clips the step size of each element to bounds that converge to that of SGD",
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
    formula="w = max(w, v)\nu as in AdaBound, with w in place of v",
    adjust=_final_ratio,
    hidden=("final_ratio",),
)
amsbound = AMSBOUND.optimizer
