"""On the Variance of the Adaptive Learning Rate and Beyond. Liu et al., 2019. arXiv:1908.03265.

Adam whose steps are shortened while v has seen too few gradients to be trusted, a warm-up without
a knob; until there are about five, plain momentum.

    r∞ = 2 / (1 - b₂) - 1
    r  = r∞ - 2 t b₂ᵗ / (1 - b₂ᵗ)
    u  = √((r - 4)(r - 2) r∞ / ((r∞ - 4)(r∞ - 2) r)) · m̂ / (√v̂ + ε)    if r > 5, else m̂
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_scalar, is_number, lookup_or_suggest
from adamjax.moments import Array, Beta, Scalar, adam_update, adam_update_eps_hat, debias, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift

STYLES = {
    "torch": "torch: ε̂ (in √v + ε), rectified where r > threshold, m̂ below",
    "optax": "Optax, optimi: ε outside (√v̂ + ε), rectified where r >= threshold, m̂ below",
    "author": "the authors' code: ε̂, rectified where r >= threshold, no step below",
}
_DIRECTIONS = {"torch": adam_update_eps_hat, "optax": adam_update, "author": adam_update_eps_hat}


def sma_length(count: Array, beta: Beta) -> Array:
    """r: how many gradients a simple moving average would need to vary as little as v does.

    r∞ - 2 t bᵗ / (1 - bᵗ) is the difference of numbers near 2 / (1 - b): in float32 that leaves
    three digits where the rectification starts. The same is (2/w - 2/λ - 1) + t - 2 t h(λ t) with
    w = 1 - b, λ = -log b and h(x) = 1/(eˣ - 1) - 1/x + 1/2, small where x is.

    >>> beta = Beta(0.5, 0.5, 0.6931471805599453, 0.75)
    >>> round(float(sma_length(jnp.float32(2.0), beta)), 4)  # 3 - 4/3
    1.6667
    """
    x = beta.neg_log * count
    series = x / 12 * (1 - x**2 / 60 * (1 - x**2 / 42 * (1 - x**2 / 40)))
    large = jnp.maximum(x, 0.5)
    h = jnp.where(x < 0.5, series, 1 / jnp.expm1(large) - 1 / large + 0.5)
    return (2 / beta.one_minus - 2 / beta.neg_log - 1) + count - 2 * count * h


def rectification(step: Any, threshold: Scalar, reaches: Callable) -> tuple[Array, Array]:
    """Whether v can be trusted by now, and the factor of an adaptive step where it can.

    Args:
      step: what `lift` tells a rule, with a `b2`.
      threshold: the length r from which v is trusted.
      reaches: `jnp.greater` or `jnp.greater_equal`.
    """
    limit = 2 / step.b2.one_minus - 1
    r = sma_length(step.count, step.b2)
    trusted = reaches(r, threshold)
    part = (r - 4) * (r - 2) * limit / ((limit - 4) * (limit - 2) * r)
    return trusted, jnp.sqrt(jnp.where(trusted, part, 1))  # where it is not used it may be below 0


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
    """The direction of RAdam: Adam's, times a rectification that rises from 0 to 1.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1. From b2 = 2/3 (r∞ = 5) down the
        rectification never starts.
      eps: ε, placed as `style` says.
      eps_root: added under the root.
      threshold: the length r from which the step is adaptive, at least 4.
      style: "torch", "optax" or "author", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or eps_root, an unknown style.

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
        nu = ema(g * g, moments.nu, step.b2)
        trusted, rectify = rectification(step, step.threshold, reaches)
        below = 0.0 if style == "author" else debias(mu, step.b1)
        u = jnp.where(trusted, rectify * direction(mu, nu, step), below)
        return u, moments._replace(mu=mu, nu=nu)

    return lift(
        rule,
        optax.ScaleByAdamState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)},
        betas={"b1": b1, "b2": b2},
        scalars={"eps": eps, "eps_root": eps_root, "threshold": threshold},
    )


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
    summary="shortens the first steps by how little v has seen: a warm-up without a knob",
    learning_rate=1e-3,
    styles=STYLES,
)
radam = RADAM.optimizer
