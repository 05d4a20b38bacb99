"""An Adaptive and Momental Bound Method for Stochastic Learning. Ding et al., 2019.
arXiv:1910.12249.

Adam whose step size per element is held below its own average over the past, so that no sudden drop
of v makes a leap. The average starts at 0: a warm-up without a knob.

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
    """Steps done, the average of the step sizes, and both of Adam's."""

    count: Array
    step_size: PyTree
    mu: PyTree
    nu: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits, and as what; v, which goes with m, last."""
        return {"step_size": "square", "mu": "mean", "nu": "square"}


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
    """The direction of AdaMod: m times the smaller of Adam's step size and its average.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √v + ε. Where both are 0, so that nothing but zeros was seen, h is 0.
      b3: decay of the average H of the step sizes, 0 <= b3 < 1.
      eps_root: added under the root.
      learning_rate: multiplies the direction, inside of the average: H lags behind a schedule.
        1 leaves it to the rest of the chain.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v and H are stored; None for float32.

    Returns:
      A transformation with an `AdamodState`.

    Raises:
      ValueError: for b1, b2 or b3 outside [0, 1), a negative number.

    >>> tx, g = scale_by_adamod(b3=0.75), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    0.25
    """

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        size = divide(step.learning_rate, denominator_eps_hat(nu, step) * step.b1.bias_correction)
        step_size = ema(size, moments.step_size, step.b3)
        u = jnp.minimum(size, step_size) * mu
        return u, moments._replace(mu=mu, nu=nu, step_size=step_size)

    return lift(
        rule,
        AdamodState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype), "step_size": Slot(nu_dtype)},
        betas={"b1": b1, "b2": b2, "b3": b3},
        scalars={"eps": eps, "eps_root": eps_root, "learning_rate": learning_rate},
    )


ADAMOD = register(
    scale_by_adamod,
    Paper(
        "An Adaptive and Momental Bound Method for Stochastic Learning",
        "Ding, Jianbang and Ren, Xuancheng and Luo, Ruixuan and Sun, Xu",
        2019,
        arxiv="1910.12249",
    ),
    summary="holds each step size below its own average over the past",
    learning_rate=1e-3,
    includes_learning_rate=True,
    reduces_to=(Reduction({"b3": 0.0, "eps": 0.125}, "adam", {"style": "keras", "eps": 0.125}),),
)
adamod = ADAMOD.optimizer
