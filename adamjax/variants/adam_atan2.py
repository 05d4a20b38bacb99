"""Scaling Exponents Across Parameterizations and Optimizers. Everett et al., 2024.
arXiv:2407.05872.

Adam without ε: the quotient becomes an angle, which is bounded, defined at 0 / 0 and the same for
gradients of any size.

    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) g²
    u = a · atan2(m̂, b √v̂)
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.moments import debias, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift


def scale_by_adam_atan2(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    *,
    a: ScalarOrSchedule = 1.27,
    b: ScalarOrSchedule = 1.0,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of Adam-atan2, a · atan2(m̂, b √v̂) elementwise.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      a: the scale of the angle; 4/π, about 1.27, makes u = 1 where m̂ = √v̂.
      b: how far m̂ / √v̂ may go before the angle saturates.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative a or b.

    >>> tx, g = scale_by_adam_atan2(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    0.9975
    """

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        size = step.b * jnp.sqrt(debias(nu, step.b2))
        return step.a * jnp.atan2(debias(mu, step.b1), size), moments._replace(mu=mu, nu=nu)

    return lift(
        rule,
        optax.ScaleByAdamState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)},
        betas={"b1": b1, "b2": b2},
        scalars={"a": a, "b": b},
    )


ADAM_ATAN2 = register(
    scale_by_adam_atan2,
    Paper(
        "Scaling Exponents Across Parameterizations and Optimizers",
        "Everett, Katie and Xiao, Lechao and Wortsman, Mitchell and Alemi, Alexander A. and "
        "Novak, Roman and Liu, Peter J. and Gur, Izzeddin and Sohl-Dickstein, Jascha and "
        "Kaelbling, Leslie Pack and Lee, Jaehoon and Pennington, Jeffrey",
        2024,
        "International Conference on Machine Learning, 2024",
        arxiv="2407.05872",
    ),
    summary="an angle in place of the quotient, and no ε",
    learning_rate=1e-3,
)
adam_atan2 = ADAM_ATAN2.optimizer
