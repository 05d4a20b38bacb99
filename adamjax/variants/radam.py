"""On the Variance of the Adaptive Learning Rate and Beyond. Liu et al., 2019. arXiv:1908.03265.

Adam with a built-in warm-up: updates are scaled down while v has seen too few gradients to be
reliable. The first steps, about five, use the momentum alone.

    r∞ = 2 / (1 - b₂) - 1
    r  = r∞ - 2 t b₂ᵗ / (1 - b₂ᵗ)
    u  = √((r - 4)(r - 2) r∞ / ((r∞ - 4)(r∞ - 2) r)) · m̂ / (√v̂ + ε)    if r > 5, else m̂
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_scalar, is_number, lookup_or_suggest
from adamjax.moments import (
    Array,
    Beta,
    Scalar,
    abs_sq,
    adam_update,
    adam_update_eps_hat,
    debias,
    ema,
)
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift

STYLES = {
    "torch": "torch: m̂ √(1 - b₂ᵗ) / (√v + ε), rectified if r > threshold, else m̂",
    "optax": "Optax, optimi: m̂ / (√v̂ + ε), rectified if r >= threshold, else m̂",
    "author": "the authors' code: as torch, rectified if r >= threshold, else no step",
}
_DIRECTIONS = {"torch": adam_update_eps_hat, "optax": adam_update, "author": adam_update_eps_hat}


def sma_length(count: Array, beta: Beta) -> Array:
    """Return r, the length of a simple moving average with the variance of v.

    r∞ - 2 t bᵗ / (1 - bᵗ) is a difference of numbers near 2 / (1 - b), which leaves three digits in
    float32 where the rectification starts. The equivalent (2/w - 2/λ - 1) + t - 2 t h(λ t) does
    not cancel, with w = 1 - b, λ = -log b and h(x) = 1/(eˣ - 1) - 1/x + 1/2.
    """
    x = beta.neg_log * count
    series = x / 12 * (1 - x**2 / 60 * (1 - x**2 / 42 * (1 - x**2 / 40)))
    large = jnp.maximum(x, 0.5)
    h = jnp.where(x < 0.5, series, 1 / jnp.expm1(large) - 1 / large + 0.5)
    return (2 / beta.one_minus - 2 / beta.neg_log - 1) + count - 2 * count * h


def rectification(step: Any, threshold: Scalar, reaches: Callable) -> tuple[Array, Array]:
    """Return whether r reaches the threshold, and the factor of the update if it does.

    `reaches` is `jnp.greater` or `jnp.greater_equal`.
    """
    limit = 2 / step.b2.one_minus - 1
    r = sma_length(step.count, step.b2)
    rectified = reaches(r, threshold)
    factor = (r - 4) * (r - 2) * limit / ((limit - 4) * (limit - 2) * r)
    return rectified, jnp.sqrt(jnp.where(rectified, factor, 1))  # it may be negative below


def scale_by_radam(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    threshold: ScalarOrSchedule = 5.0,
    style: str = "torch",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the RAdam rule.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1. Below 2/3 the rectification never starts.
      eps: ε, placed according to `style`.
      eps_root: added inside the square root.
      threshold: the value of r from which updates are rectified, at least 4.
      style: implementation to follow, "torch", "optax" or "author".
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, a threshold below 4 or an unknown
        style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_radam(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    2.0
    """
    direction = lookup_or_suggest("style", style, _DIRECTIONS)
    check_scalar("threshold", threshold)
    if is_number(threshold) and not threshold >= 4:
        raise ValueError(f"threshold must be at least 4, got {threshold}")
    reaches = jnp.greater if style == "torch" else jnp.greater_equal

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(abs_sq(g, moments.nu), moments.nu, step.b2)
        rectified, factor = rectification(step, step.threshold, reaches)
        unrectified = 0.0 if style == "author" else debias(mu, step.b1)
        u = jnp.where(rectified, factor * direction(mu, nu, step), unrectified)
        return u, moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype, square=True)}
    scalars = {"eps": eps, "eps_root": eps_root, "threshold": threshold}
    return lift(rule, optax.ScaleByAdamState, slots, betas={"b1": b1, "b2": b2}, scalars=scalars)


RADAM = register(
    scale_by_radam,
    Paper(
        "On the Variance of the Adaptive Learning Rate and Beyond",
        "Liu, Liyuan and Jiang, Haoming and He, Pengcheng and Chen, Weizhu and Liu, Xiaodong "
        "and Gao, Jianfeng and Han, Jiawei",
        2019,
        "International Conference on Learning Representations, 2020",
        arxiv="1908.03265",
    ),
    summary="scales down the first updates while v is unreliable: a built-in warm-up",
    learning_rate=1e-3,
    styles=STYLES,
)
radam = RADAM.optimizer
