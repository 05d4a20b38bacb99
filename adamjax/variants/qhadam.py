"""Quasi-hyperbolic momentum and Adam for deep learning. Ma and Yarats, 2018. arXiv:1810.06801.

Adam with both averages interpolated with the present gradient, a trade-off between the noise of the
gradient and the lag of the averages.

    u = ((1 - ν₁) g + ν₁ m̂) / (√((1 - ν₂) g² + ν₂ v̂) + ε)
"""

from typing import Any

import optax

from adamjax.checks import check_not_negative, is_number
from adamjax.moments import debias, divide, ema, root
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift


def scale_by_qhadam(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    nu1: ScalarOrSchedule = 1.0,
    nu2: ScalarOrSchedule = 1.0,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the QHAdam rule.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      nu1: ν₁, weight of m. 1 is Adam, 0 has no momentum.
      nu2: ν₂, weight of v, 0 <= nu2 <= 1. With 0 the denominator is |g| + ε.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), nu2 outside [0, 1], or a negative eps or nu1.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_qhadam(nu1=0.5), jnp.float32(2.0)
    >>> u, state = tx.update(g, tx.init(g))
    >>> round(float(tx.update(-g, state)[0]), 4)  # (-1 - (1 - 0.9) / (1 + 0.9)) / 2
    -0.5263
    """
    check_not_negative("nu2", nu2)
    if is_number(nu2) and nu2 > 1:
        raise ValueError(f"nu2 must be at most 1, got {nu2}")

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        numerator = g + step.nu1 * (debias(mu, step.b1) - g)
        squares = (1 - step.nu2) * (g * g) + step.nu2 * debias(nu, step.b2)
        u = divide(numerator, root(squares) + step.eps, step.eps)
        return u, moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)}
    scalars = {"eps": eps, "nu1": nu1, "nu2": nu2}
    return lift(rule, optax.ScaleByAdamState, slots, betas={"b1": b1, "b2": b2}, scalars=scalars)


QHADAM = register(
    scale_by_qhadam,
    Paper(
        "Quasi-hyperbolic momentum and Adam for deep learning",
        "Ma, Jerry and Yarats, Denis",
        2018,
        "International Conference on Learning Representations, 2019",
        arxiv="1810.06801",
    ),
    summary="interpolates both averages with the present gradient",
    learning_rate=1e-3,
    notes="The authors recommend `nu1=0.7`, or `nu1=0.8` with `b1=0.95`.",
    reduces_to=(Reduction({"nu1": 1.0, "nu2": 1.0}, "adam", {}),),
)
qhadam = QHADAM.optimizer
