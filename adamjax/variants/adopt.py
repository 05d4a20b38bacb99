"""ADOPT: Modified Adam Can Converge with Any β₂ with the Optimal Rate. Taniguchi et al., 2024.
arXiv:2411.02853.

Adam that divides the gradient by the previous v before it averages. The divisor does not depend on
the present gradient. The first gradient only initializes v.

    n = clip(g / max(√v, ε), ±(t - 1)^¼)        v before this step
    m = b₁ m + (1 - b₁) n
    v = b₂ v + (1 - b₂) g²                      v = g² at t = 1
    u = m
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.moments import ZERO, abs_sq, divide, ema, root
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.schedules import zero_on_first_step


def scale_by_adopt(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.9999,
    eps: ScalarOrSchedule = 1e-6,
    *,
    clip_exponent: ScalarOrSchedule | None = 0.25,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the ADOPT rule.

    Args:
      b1: decay rate of m, the average of the normalized gradients n, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, lower bound of √v.
      clip_exponent: elements of n are clipped to (t - 1)^clip_exponent. None for no clipping, and
        0.333 in timm.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByBeliefState`.

    Raises:
      ValueError: for a number out of range.

    >>> tx, g = scale_by_adopt(b1=0.5), jnp.float32(2.0)
    >>> _, state = tx.update(g, tx.init(g))
    >>> float(tx.update(g, state)[0])
    0.5
    """
    scalars = {"eps": eps}
    if clip_exponent is not None:
        scalars["clip_exponent"] = clip_exponent

    def rule(g, moments, step):
        first = step.count == 1
        n = divide(g, jnp.maximum(root(moments.nu), step.eps))
        if clip_exponent is not None:
            limit = (step.count - 1) ** step.clip_exponent
            n = jnp.clip(n, -limit, limit)
        mu = ema(jnp.where(first, ZERO, n), moments.mu, step.b1)
        square = abs_sq(g, moments.nu)
        nu = jnp.where(first, square, ema(square, moments.nu, step.b2))
        return mu, moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype, square=True)}
    return lift(rule, optax.ScaleByBeliefState, slots, betas={"b1": b1, "b2": b2}, scalars=scalars)


ADOPT = register(
    scale_by_adopt,
    Paper(
        "ADOPT: Modified Adam Can Converge with Any β2 with the Optimal Rate",
        "Taniguchi, Shohei and Harada, Keno and Minegishi, Gouki and Oshima, Yuta and Jeong, "
        "Seong Cheol and Nagahara, Go and Iiyama, Tomoshi and Suzuki, Masahiro and Iwasawa, "
        "Yusuke and Matsuo, Yutaka",
        2024,
        "Advances in Neural Information Processing Systems 37",
        arxiv="2411.02853",
    ),
    summary="divides by the previous v before averaging, no bias correction",
    learning_rate=1e-3,
    notes="The first step changes no parameter and has no weight decay, as in the authors' code.",
    adjust=zero_on_first_step,
)
adopt = ADOPT.optimizer
