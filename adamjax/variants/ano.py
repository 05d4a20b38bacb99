"""ANO: Faster is Better in Noisy Landscape. Kegreisz, 2025. arXiv:2508.18258.

The sign of the average and the size of the present gradient: what noise does to one it does not do
to the other.

    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) sign(g² - v) g²
    u = sign(m) |g| / √(v̂ + ε)
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_scalar, is_number
from adamjax.moments import debias, divide, ema, inside
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Variant, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import Mask


def scale_by_ano(
    b1: ScalarOrSchedule = 0.92,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-8,
    *,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of Ano: the sign of the average, the size of the gradient.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the second moment v, 1/2 <= b2 < 1: below, v may become negative.
      eps: ε, under the root.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 outside [0, 1), b2 outside [1/2, 1), a negative eps.

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
        u = divide(jnp.sign(mu) * jnp.abs(g), inside(debias(nu, step.b2), step.eps))
        return u, moments._replace(mu=mu, nu=nu)

    return lift(
        rule,
        optax.ScaleByAdamState,
        {"mu": Slot(dtype=mu_dtype), "nu": Slot(dtype=nu_dtype)},
        decays={"b1": b1, "b2": b2},
        scalars={"eps": eps},
    )


def ano(
    learning_rate: ScalarOrSchedule = 1e-4,
    b1: ScalarOrSchedule = 0.92,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-8,
    *,
    weight_decay: ScalarOrSchedule = 0.0,
    decay: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Ano (arXiv:2508.18258) as a ready-made optimizer: p <- p - lr sign(m) |g| / √(v̂ + ε).

    The arguments of `scale_by_ano`, and those of `adamjax.optimizer`: `learning_rate`,
    `weight_decay`, `decay`, `mask`, `storage`, `param_rounding`.

    >>> tx, g = ano(0.5), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    -0.5
    """
    direction = scale_by_ano(b1, b2, eps, mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    return optimizer(
        direction,
        learning_rate,
        weight_decay=weight_decay,
        decay=decay,
        mask=mask,
        storage=storage,
        param_rounding=param_rounding,
    )


VARIANT = register(
    Variant(
        name="ano",
        make=ano,
        direction=scale_by_ano,
        paper=Paper(
            "ANO: Faster is Better in Noisy Landscape",
            "Kegreisz, Adrien",
            2025,
            arxiv="2508.18258",
        ),
        changes="takes the sign from the average and the size from the present gradient",
        formula="v = b₂ v + (1-b₂) sign(g² - v) g²;  u = sign(m) |g| / √(v̂ + ε)",
    )
)
