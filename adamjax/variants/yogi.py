"""Adaptive Methods for Nonconvex Optimization. Zaheer, Reddi, Sachan, Kale and Kumar, 2018.

Adam with additive changes of v. They are proportional to g² instead of v - g², so v does not forget
large gradients faster than it adapts to small ones.

    m = b₁ m + (1 - b₁) g
    v = v - (1 - b₂) sign(v - g²) g²
    u = m̂ / (√v̂ + ε)
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_constants, check_not_negative, lookup_or_suggest
from adamjax.moments import abs_sq, adam_update, adam_update_eps_hat, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift

STYLES = {
    "tensorflow": "TensorFlow Addons: u = m̂ √(1 - b₂ᵗ) / (√v + ε), initially v = 1e-6, m = 0",
    "optax": "Optax, torch-optimizer: u = m̂ / (√v̂ + ε), initially v = m = 1e-6",
}
_DIRECTIONS = {"tensorflow": adam_update_eps_hat, "optax": adam_update}


def scale_by_yogi(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-3,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    initial_accumulator_value: float = 1e-6,
    style: str = "tensorflow",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Yogi rule.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: 1 - b2 is the rate at which v changes, 0 <= b2 < 1.
      eps: ε, placed according to `style`.
      eps_root: added inside the square root.
      initial_accumulator_value: v, and m for style "optax", before the first step.
      style: implementation to follow, "tensorflow" or "optax".
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.

    >>> tx, g = scale_by_yogi(eps=0.0, initial_accumulator_value=0.0), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    1.0
    """
    direction = lookup_or_suggest("style", style, _DIRECTIONS)
    check_constants(initial_accumulator_value=initial_accumulator_value)
    check_not_negative("initial_accumulator_value", initial_accumulator_value)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        square = abs_sq(g, moments.nu)
        nu = moments.nu + step.b2.one_minus * jnp.sign(square - moments.nu) * square
        return direction(mu, nu, step), moments._replace(mu=mu, nu=nu)

    first = initial_accumulator_value if style == "optax" else 0.0
    nu_slot = Slot(nu_dtype, initial_accumulator_value, square=True)
    slots = {"mu": Slot(mu_dtype, first), "nu": nu_slot}
    scalars = {"eps": eps, "eps_root": eps_root}
    return lift(rule, optax.ScaleByAdamState, slots, betas={"b1": b1, "b2": b2}, scalars=scalars)


YOGI = register(
    scale_by_yogi,
    Paper(
        "Adaptive Methods for Nonconvex Optimization",
        "Zaheer, Manzil and Reddi, Sashank J. and Sachan, Devendra and Kale, Satyen and "
        "Kumar, Sanjiv",
        2018,
        "Advances in Neural Information Processing Systems 31",
        url="https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization",
    ),
    summary="v changes by a multiple of g² instead of v - g²",
    learning_rate=1e-2,
    styles=STYLES,
)
yogi = YOGI.optimizer
