"""Adaptive Methods for Nonconvex Optimization. Zaheer, Reddi, Sachan, Kale and Kumar, 2018.

Adam whose v moves towards g² by a step of the size of g², whatever their distance, so that it
forgets large gradients no faster than it can learn of small ones.

    m = b₁ m + (1 - b₁) g
    v = v - (1 - b₂) sign(v - g²) g²
    u = m̂ / (√v̂ + ε)
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative, lookup_or_suggest
from adamjax.moments import adam_update, adam_update_eps_hat, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift

STYLES = {
    "tensorflow": "TensorFlow Addons: u = m̂ √(1 - b₂ᵗ) / (√v + ε), v from 1e-6, m from 0",
    "optax": "Optax, torch-optimizer: u = m̂ / (√v̂ + ε), both v and m from 1e-6",
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
    """The direction of Yogi: Adam's with v <- v - (1 - b₂) sign(v - g²) g².

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: 1 - b2 is the share of g² by which v moves, 0 <= b2 < 1.
      eps: ε, placed as `style` says.
      eps_root: added under the root.
      initial_accumulator_value: v before the first step, not negative; with style "optax" m, too.
      style: "tensorflow" or "optax", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, an unknown style.

    >>> tx, g = scale_by_yogi(eps=0.0, initial_accumulator_value=0.0), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    1.0
    """
    direction = lookup_or_suggest("style", style, _DIRECTIONS)
    check_not_negative("initial_accumulator_value", initial_accumulator_value)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        square = g * g
        nu = moments.nu + step.b2.one_minus * jnp.sign(square - moments.nu) * square
        return direction(mu, nu, step), moments._replace(mu=mu, nu=nu)

    first = initial_accumulator_value if style == "optax" else 0.0
    return lift(
        rule,
        optax.ScaleByAdamState,
        {
            "mu": Slot(fill=first, dtype=mu_dtype),
            "nu": Slot(fill=initial_accumulator_value, dtype=nu_dtype),
        },
        betas={"b1": b1, "b2": b2},
        scalars={"eps": eps, "eps_root": eps_root},
    )


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
    summary="v moves towards g² by a share of g², not of their distance",
    learning_rate=1e-2,
    styles=STYLES,
)
yogi = YOGI.optimizer
