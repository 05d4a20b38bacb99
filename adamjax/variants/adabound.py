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
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Variant, register
from adamjax.rule import ScalarOrSchedule, Slot, lift, value_at
from adamjax.trees import Mask


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
    learning_rate: ScalarOrSchedule, final_lr: ScalarOrSchedule, base_lr: float | None
) -> ScalarOrSchedule:
    """final_lr / base_lr, where base_lr is the learning rate unless that is a schedule."""
    check_not_negative("learning_rate", learning_rate)
    if base_lr is None and callable(learning_rate):
        raise ValueError(
            "base_lr: with a schedule as learning_rate, give the learning rate that final_lr "
            "belongs to, such as the schedule's peak"
        )
    base = learning_rate if base_lr is None else base_lr
    check_positive("base_lr (by default the learning rate)", base)
    check_not_negative("final_lr", final_lr)
    # An array may be 0, at the start of a warm-up, say; then there is no step to bound.
    return lambda count: divide(jnp.asarray(value_at(final_lr, count)), jnp.asarray(base))


def adabound(
    learning_rate: ScalarOrSchedule = 1e-3,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    final_lr: ScalarOrSchedule = 0.1,
    gamma: ScalarOrSchedule = 1e-3,
    base_lr: float | None = None,
    weight_decay: ScalarOrSchedule = 0.0,
    decay_mode: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """AdaBound (arXiv:1902.09843) as a ready-made optimizer: p <- p - lr u.

    The arguments of `scale_by_adabound`, and those of `adamjax.optimizer`: `learning_rate`,
    `weight_decay`, `decay_mode`, `mask`, `storage`, `param_rounding`.

    Args:
      final_lr: the learning rate of the gradient descent it ends as, when lr is `base_lr`; a
        schedule scales both.
      base_lr: the learning rate that `final_lr` belongs to; None for `learning_rate` itself, and
        must be given if that is a schedule. Give it, too, when the learning rate is injected
        (`optax.inject_hyperparams`): else `final_lr` stays while the learning rate changes.

    >>> import jax.numpy as jnp
    >>> tx, g = adabound(0.1, final_lr=1.0, gamma=1.0), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    -0.1
    """
    ratio = _final_ratio(learning_rate, final_lr, base_lr)
    direction = scale_by_adabound(
        b1, b2, eps, final_ratio=ratio, gamma=gamma, mu_dtype=mu_dtype, nu_dtype=nu_dtype
    )
    return optimizer(
        direction,
        learning_rate,
        weight_decay=weight_decay,
        decay_mode=decay_mode,
        mask=mask,
        storage=storage,
        param_rounding=param_rounding,
    )


def amsbound(
    learning_rate: ScalarOrSchedule = 1e-3,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    final_lr: ScalarOrSchedule = 0.1,
    gamma: ScalarOrSchedule = 1e-3,
    base_lr: float | None = None,
    weight_decay: ScalarOrSchedule = 0.0,
    decay_mode: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """AMSBound (arXiv:1902.09843) as a ready-made optimizer; the arguments of `adabound`.

    >>> import jax.numpy as jnp
    >>> tx, g = amsbound(0.1, final_lr=1.0, gamma=1.0), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    -0.1
    """
    ratio = _final_ratio(learning_rate, final_lr, base_lr)
    direction = scale_by_amsbound(
        b1, b2, eps, final_ratio=ratio, gamma=gamma, mu_dtype=mu_dtype, nu_dtype=nu_dtype
    )
    return optimizer(
        direction,
        learning_rate,
        weight_decay=weight_decay,
        decay_mode=decay_mode,
        mask=mask,
        storage=storage,
        param_rounding=param_rounding,
    )


ADABOUND = register(
    Variant(
        name="adabound",
        make=adabound,
        direction=scale_by_adabound,
        paper=Paper(
            "Adaptive Gradient Methods with Dynamic Bound of Learning Rate",
            "Luo, Liangchen and Xiong, Yuanhao and Liu, Yan and Sun, Xu",
            2019,
            "International Conference on Learning Representations, 2019",
            arxiv="1902.09843",
        ),
        changes="holds each step size between two closing bounds, to end as SGD with momentum",
        formula="u = clip(√(1-b₂ᵗ) / (1-b₁ᵗ) / (√v + ε), f (1 - 1/(γt+1)), f (1 + 1/(γt))) m",
    )
)
AMSBOUND = register(
    ADABOUND._replace(
        name="amsbound",
        make=amsbound,
        direction=scale_by_amsbound,
        changes="AdaBound with the running maximum of v",
        formula="w = max(w, v);  u = clip(√(1-b₂ᵗ) / (1-b₁ᵗ) / (√w + ε), f (…), f (…)) m",
        slots=("mu", "nu", "nu_max"),
    )
)
