"""Neural Networks for Machine Learning, lecture 6e. Hinton, Srivastava and Swersky, 2012.
Centered form: Generating Sequences with Recurrent Neural Networks. Graves, 2013. arXiv:1308.0850.

Each element divided by the root of a moving average of its squares, without bias correction.

    v = b₂ v + (1 - b₂) g²
    d = g / (√v + ε)         centered: v - ḡ² in place of v, ḡ the average of g
    u = d                    with momentum: B = β B + d, u = B
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_not_negative, lookup_or_suggest
from adamjax.moments import ZERO, Array, divide, ema, sqrt_eps_inside
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree

STYLES = {
    "torch": "torch, MLX: d = g / (√v + ε); torch takes b₂ = 0.99, ε = 1e-8",
    "keras": "Keras, Optax: d = g / √(v + ε); b₂ = 0.9; TensorFlow's first form starts v at 1",
}
_DENOMINATORS = {"torch": lambda nu, eps: jnp.sqrt(nu) + eps, "keras": sqrt_eps_inside}


class RmspropState(NamedTuple):
    """Steps done, the average of squares v; the average ḡ and the buffer B where used."""

    count: Array
    nu: PyTree
    mean: PyTree = None
    mu: PyTree = None

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits: not two moments that are subtracted."""
        return {"mu": "signed"} | ({} if self.mean is not None else {"nu": "square"})


def scale_by_rmsprop(
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-8,
    *,
    momentum: ScalarOrSchedule | None = None,
    centered: bool = False,
    initial_accumulator_value: float = 0.0,
    style: str = "torch",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of RMSProp, g / (√v + ε) elementwise, with momentum on top if asked.

    Args:
      b2: decay of the averages, 0 <= b2 < 1 (torch's `alpha`, Keras's `rho`).
      eps: ε, placed as `style` says.
      momentum: β, 0 <= β < 1; None for none, which keeps no buffer.
      centered: whether to divide by the standard deviation rather than the root mean square.
      initial_accumulator_value: v before the first step, not negative.
      style: "torch" or "keras", see `STYLES`.
      mu_dtype: dtype in which B and ḡ are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `RmspropState`.

    Raises:
      ValueError: for b2 or momentum outside [0, 1), a negative number, an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_rmsprop(b2=0.75), jnp.float32(3.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    2.0
    """
    denominator = lookup_or_suggest("style", style, _DENOMINATORS)
    check_not_negative("initial_accumulator_value", initial_accumulator_value)
    slots = {"nu": Slot(fill=initial_accumulator_value, dtype=nu_dtype)}
    scalars = {"eps": eps}
    if centered:
        slots["mean"] = Slot(mu_dtype)
    if momentum is not None:
        check_beta("momentum", momentum)
        slots["mu"] = Slot(mu_dtype)
        scalars["momentum"] = momentum

    def rule(g, moments, step):
        nu = spread = ema(g * g, moments.nu, step.b2)
        moments = moments._replace(nu=nu)
        if centered:
            average = ema(g, moments.mean, step.b2)
            spread = jnp.maximum(nu - average**2, ZERO)  # rounding may take it below
            moments = moments._replace(mean=average)
        u = divide(g, denominator(spread, step.eps))
        if momentum is not None:
            u = step.momentum * moments.mu + u
            moments = moments._replace(mu=u)
        return u, moments

    return lift(rule, RmspropState, slots, betas={"b2": b2}, scalars=scalars)


RMSPROP = register(
    scale_by_rmsprop,
    Paper(
        "Neural Networks for Machine Learning, lecture 6e: RMSProp",
        "Hinton, Geoffrey and Srivastava, Nitish and Swersky, Kevin",
        2012,
        "Coursera lecture slides",
        url="https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf",
    ),
    summary="no average of the gradient and no bias correction",
    learning_rate=1e-2,
    styles=STYLES,
    reduces_to=(Reduction({"momentum": 0.0}, "rmsprop", {}),),
)
rmsprop = RMSPROP.optimizer
