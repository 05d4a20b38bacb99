"""ANO: Faster is Better in Noisy Landscape. Kegreisz, 2025. arXiv:2508.18258.

The update has the sign of the momentum and the magnitude of the present gradient, which makes it
robust to noise.

    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) sign(g² - v) g²
    u = sign(m) |g| / √(v̂ + ε)
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_scalar, is_number
from adamjax.moments import debias, divide, ema, sqrt_eps_inside
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift


def scale_by_ano(
    b1: ScalarOrSchedule = 0.92,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-8,
    *,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Ano rule.

    Args:
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 1/2 <= b2 < 1. v could be negative below 1/2.
      eps: ε, added under the root.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for a number out of range.

    >>> tx, g = scale_by_ano(), jnp.float32(2.0)
    >>> u, state = tx.update(g, tx.init(g))
    >>> round(float(u), 4)
    1.0
    >>> round(float(tx.update(-g / 4, state)[0]), 4)  # 0.5 √0.0199 / √(0.99·0.04 + 0.01·0.25)
    0.3438
    """
    check_scalar("b2", b2)
    if is_number(b2) and 0 <= b2 < 0.5:
        raise ValueError(f"b2 must be at least 0.5, so that v is not negative, got {b2}")

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        change = jnp.sign(g * g - moments.nu) * (g * g)
        nu = ema(change, moments.nu, step.b2)
        u = divide(jnp.sign(mu) * jnp.abs(g), sqrt_eps_inside(debias(nu, step.b2), step.eps))
        return u, moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)}
    return lift(
        rule, optax.ScaleByAdamState, slots, betas={"b1": b1, "b2": b2}, scalars={"eps": eps}
    )


ANO = register(
    scale_by_ano,
    Paper("ANO: Faster is Better in Noisy Landscape", "Kegreisz, Adrien", 2025, arxiv="2508.18258"),
    summary="sign of the momentum, magnitude of the present gradient",
    learning_rate=1e-4,
)
ano = ANO.optimizer
