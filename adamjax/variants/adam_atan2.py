"""Scaling Exponents Across Parameterizations and Optimizers. Everett et al., 2024.
arXiv:2407.05872.

Adam with an arctangent in place of the quotient. The update is bounded, needs no ε and does not
depend on the scale of the gradients.

    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) g²
    u = a · atan2(m̂, b √v̂)
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.moments import ZERO, debias, ema, root
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
    """Rescale updates with the Adam-atan2 rule.

    Args:
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      a: scale of the update. With 4/π, about 1.27, u = 1 where m̂ = √v̂.
      b: scale of √v̂. The update saturates where m̂ / √v̂ is much larger.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for a number out of range.

    >>> tx, g = scale_by_adam_atan2(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    0.9975
    """

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        y, x = debias(mu, step.b1), step.b * root(debias(nu, step.b2))
        x = jnp.where((x == ZERO) & (y == ZERO), 1, x)  # atan2 has no derivative at (0, 0)
        u = step.a * jnp.atan2(y, x)
        return u, moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)}
    return lift(
        rule, optax.ScaleByAdamState, slots, betas={"b1": b1, "b2": b2}, scalars={"a": a, "b": b}
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
    summary="atan2(m̂, √v̂) in place of the quotient, no ε",
    learning_rate=1e-3,
)
adam_atan2 = ADAM_ATAN2.optimizer
