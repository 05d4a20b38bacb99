"""Neural Networks for Machine Learning, lecture 6e. Hinton, Srivastava and Swersky, 2012.
Centered form: Generating Sequences with Recurrent Neural Networks. Graves, 2013. arXiv:1308.0850.

Gradients divided by the root of a moving average of their squares, without bias correction.

    v = b₂ v + (1 - b₂) g²
    d = g / (√v + ε)         centered: v - ḡ² in place of v, ḡ the average of g
    u = d                    with momentum: B = β B + d, u = B
"""

from typing import Any, NamedTuple

import optax

from adamjax.checks import check_beta, check_constants, check_not_negative, lookup_or_suggest
from adamjax.moments import Array, abs_sq, divide, ema, root, sqrt_eps_inside, variance
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree

STYLES = {
    "torch": "torch, MLX: d = g / (√v + ε)",
    "keras": "Keras, Optax: d = g / √(v + ε)",
}
_DENOMINATORS = {"torch": lambda nu, eps: root(nu) + eps, "keras": sqrt_eps_inside}


class RmspropState(NamedTuple):
    """Step count, second moment v; and if used: the average ḡ and the buffer B."""

    count: Array
    nu: PyTree
    mean: PyTree = None
    mu: PyTree = None

    @property
    def roles(self) -> dict[str, str]:
        """Roles of the moments for `adamjax.store`."""
        if self.mean is not None:  # v - ḡ² would amplify the rounding of v
            return {"mu": "signed"}
        return {"mu": "signed", "nu": "square"}


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
    """Rescale updates with the RMSProp rule.

    Args:
      b2: decay rate of v and ḡ, 0 <= b2 < 1.
      eps: ε, placed according to `style`.
      momentum: β, 0 <= momentum < 1. None is no momentum.
      centered: whether to divide by the standard deviation instead of the root mean square.
      initial_accumulator_value: v before the first step.
      style: implementation to follow, "torch" or "keras".
      mu_dtype: dtype in which B and ḡ are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `RmspropState`.

    Raises:
      ValueError: for b2 or momentum outside [0, 1), a negative number or an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_rmsprop(b2=0.75), jnp.float32(3.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    2.0
    """
    denominator = lookup_or_suggest("style", style, _DENOMINATORS)
    check_constants(initial_accumulator_value=initial_accumulator_value)
    check_not_negative("initial_accumulator_value", initial_accumulator_value)
    slots = {"nu": Slot(nu_dtype, initial_accumulator_value, square=True)}
    scalars = {"eps": eps}
    if centered:
        slots["mean"] = Slot(mu_dtype)
    if momentum is not None:
        check_beta("momentum", momentum)
        slots["mu"] = Slot(mu_dtype)
        scalars["momentum"] = momentum

    def rule(g, moments, step):
        nu = ema(abs_sq(g, moments.nu), moments.nu, step.b2)
        moments = moments._replace(nu=nu)
        if centered:
            moments = moments._replace(mean=ema(g, moments.mean, step.b2))
            nu = variance(nu, moments.mean)
        u = divide(g, denominator(nu, step.eps))
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
    summary="no momentum and no bias correction",
    learning_rate=1e-2,
    notes="The defaults are those of torch. Keras and TensorFlow use b₂ = 0.9, and the first "
    "RMSProp of TensorFlow starts with v = 1.",
    styles=STYLES,
    reduces_to=(Reduction({"momentum": 0.0}, "rmsprop", {}),),
)
rmsprop = RMSPROP.optimizer
