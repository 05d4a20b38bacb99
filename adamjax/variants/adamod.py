"""An Adaptive and Momental Bound Method for Stochastic Learning. Ding et al., 2019.
arXiv:1910.12249.

Adam with a step size per element that is at most its own average, so that a sudden drop of v causes
no large step. The average starts at 0, which is a warmup.

    h = lr √(1 - b₂ᵗ) / (1 - b₁ᵗ) / (√v + ε)
    H = b₃ H + (1 - b₃) h
    p <- p - min(h, H) m
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.moments import Array, denominator_eps_hat, divide, ema
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree


class AdamodState(NamedTuple):
    """Step `count`, the average step size in `step_size`, m in `mu`, and v in `nu`."""

    count: Array
    step_size: PyTree
    mu: PyTree
    nu: PyTree
    roles = {"step_size": "square", "mu": "mean", "nu": "square"}


def scale_by_adamod(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    b3: ScalarOrSchedule = 0.999,
    eps_root: ScalarOrSchedule = 0.0,
    learning_rate: ScalarOrSchedule = 1.0,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the AdaMod rule.

    Args:
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v.
      b3: decay rate of H, the average of the step sizes, 0 <= b3 < 1.
      eps_root: added under the root.
      learning_rate: lr, inside the average, so that H lags behind a schedule.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v and H are stored, float32 if None.

    Returns:
      A transformation with an `AdamodState`.

    Raises:
      ValueError: for a number out of range.

    >>> tx, g = scale_by_adamod(b3=0.75), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    0.25
    """

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        size = divide(step.learning_rate, denominator_eps_hat(nu, step) * step.b1.bias_correction)
        average = ema(size, moments.step_size, step.b3)
        return jnp.minimum(size, average) * mu, moments._replace(mu=mu, nu=nu, step_size=average)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype), "step_size": Slot(nu_dtype)}
    scalars = {"eps": eps, "eps_root": eps_root, "learning_rate": learning_rate}
    return lift(rule, AdamodState, slots, betas={"b1": b1, "b2": b2, "b3": b3}, scalars=scalars)


ADAMOD = register(
    scale_by_adamod,
    Paper(
        "An Adaptive and Momental Bound Method for Stochastic Learning",
        "Ding, Jianbang and Ren, Xuancheng and Luo, Ruixuan and Sun, Xu",
        2019,
        arxiv="1910.12249",
    ),
    summary="limits each step size to its own average",
    learning_rate=1e-3,
    includes_learning_rate=True,
    reduces_to=(Reduction({"b3": 0.0, "eps": 0.125}, "adam", {"style": "keras", "eps": 0.125}),),
)
adamod = ADAMOD.optimizer
