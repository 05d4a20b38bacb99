"""ADOPT: Modified Adam Can Converge with Any β₂ with the Optimal Rate. Taniguchi et al., 2024.
arXiv:2411.02853.

Adam whose gradient is divided by the v of the step before, which does not know it, and averaged
after that. The first gradient makes no step, it starts v.

    n = clip(g / max(√v, ε), ±(t - 1)^¼)        v of step t - 1
    m = b₁ m + (1 - b₁) n
    v = b₂ v + (1 - b₂) g²                      v = g² at t = 1
    u = m
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.moments import Array, divide, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.schedules import zero_on_first_step
from adamjax.trees import PyTree


class AdoptState(NamedTuple):
    """Steps done, the average m of normalised gradients, and v."""

    count: Array
    mu: PyTree
    nu: PyTree


def scale_by_adopt(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.9999,
    eps: ScalarOrSchedule = 1e-6,
    *,
    clip_exponent: ScalarOrSchedule | None = 0.25,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of ADOPT: the average of g / max(√v, ε), v from before g, without correction.

    Args:
      b1: decay of the average m of the normalised gradients, 0 <= b1 < 1.
      b2: decay of the average v of the squared gradients, 0 <= b2 < 1.
      eps: ε, the least size that a gradient is measured by.
      clip_exponent: no normalised gradient is longer than (t - 1)^clip_exponent; None for no clip.
        timm takes 0.333.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `AdoptState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or exponent.

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
        n = divide(g, jnp.maximum(jnp.sqrt(moments.nu), step.eps))
        if clip_exponent is not None:
            longest = (step.count - 1) ** step.clip_exponent
            n = jnp.clip(n, -longest, longest)
        mu = ema(jnp.where(first, 0, n), moments.mu, step.b1)
        nu = jnp.where(first, g * g, ema(g * g, moments.nu, step.b2))
        return mu, moments._replace(mu=mu, nu=nu)

    return lift(
        rule,
        AdoptState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)},
        betas={"b1": b1, "b2": b2},
        scalars=scalars,
    )


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
    summary="divides by the v of the step before and averages then; no bias correction",
    learning_rate=1e-3,
    notes="As in the authors' code, the first step leaves the parameters alone, weight decay "
    'included (except for "l2", a term of the gradient).',
    adjust=zero_on_first_step,
)
adopt = ADOPT.optimizer
