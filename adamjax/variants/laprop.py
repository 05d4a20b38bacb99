"""LaProp: Separating Momentum and Adaptivity in Adam. Ziyin, Wang and Ueda, 2020. arXiv:2002.04839.

Adam in the reverse order: gradients are divided by √v̂ first and averaged afterwards. Each gradient
is normalized by a v that includes it, so b₁ can be larger than b₂ allows in Adam.

    v = b₂ v + (1 - b₂) g²
    m = b₁ m + (1 - b₁) lr g / (√v̂ + ε)
    l = b₁ l + (1 - b₁) lr
    u = m / l                          with a constant lr: the average of g / (√v̂ + ε), debiased
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import is_number, lookup_or_suggest
from adamjax.moments import Array, debias, divide, ema, root, variance
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree

STYLES = {
    "author": "the authors' code: each gradient is weighted by the learning rate of its step",
    "paper": "the paper: gradients have equal weights",
}
UNCENTERED_STEPS = 10  # as in the authors' code


class LapropState(NamedTuple):
    """Step count, momentum m, second moment v; and if used: ḡ, the largest v, and l."""

    count: Array
    mu: PyTree
    nu: PyTree
    average: PyTree = None
    nu_max: PyTree = None
    rate: PyTree = None

    @property
    def roles(self) -> dict[str, str]:
        """Roles of the moments for `adamjax.store`."""
        if self.average is not None:  # v - ḡ² would amplify the rounding of v
            return {"mu": "signed"}
        return {"mu": "signed", "nu": "square", "nu_max": "maximum"}


def scale_by_laprop(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-15,
    *,
    learning_rate: ScalarOrSchedule = 1.0,
    amsgrad: bool = False,
    centered: bool = False,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the LaProp rule.

    Args:
      b1: decay rate of the average m of the normalized gradients, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      learning_rate: lr, the weight of a gradient in m. A constant cancels in u. Style "paper" does
        not weight gradients.
      amsgrad: whether to divide by the largest v so far.
      centered: whether to replace v by v - ḡ² after ten steps, where ḡ is an average of g with b₂.
      style: implementation to follow, "author" or "paper".
      mu_dtype: dtype in which m and ḡ are stored, float32 if None.
      nu_dtype: dtype in which v and its maximum are stored, float32 if None.

    Returns:
      A transformation with a `LapropState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.

    >>> tx, g = scale_by_laprop(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    1.0
    """
    lookup_or_suggest("style", style, STYLES)
    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)}
    if centered:
        slots["average"] = Slot(mu_dtype)
    if amsgrad:
        slots["nu_max"] = Slot(nu_dtype)
    if style == "author" and not is_number(learning_rate):
        slots["rate"] = Slot(shape=lambda shape: (1,) * len(shape))

    def rule(g, moments, step):
        nu = ema(g * g, moments.nu, step.b2)
        normalizer, moments = _normalizer(g, nu, moments, step)
        n = divide(g, root(debias(normalizer, step.b2)) + step.eps, step.eps)
        if moments.rate is None:
            mu = ema(n, moments.mu, step.b1)
            return debias(mu, step.b1), moments._replace(mu=mu, nu=nu)
        mu = ema(step.learning_rate * n, moments.mu, step.b1)
        rate = ema(step.learning_rate, moments.rate, step.b1)
        return divide(mu, rate), moments._replace(mu=mu, nu=nu, rate=rate)

    scalars = {"eps": eps, "learning_rate": learning_rate}
    return lift(rule, LapropState, slots, betas={"b1": b1, "b2": b2}, scalars=scalars)


def _normalizer(g: Array, nu: Array, moments: LapropState, step: Any) -> tuple[Array, LapropState]:
    """Return v, centered or its maximum if so configured."""
    early: Any = False
    if moments.average is not None:
        mean, early = ema(g, moments.average, step.b2), step.count <= UNCENTERED_STEPS
        nu = jnp.where(early, nu, variance(nu, mean))
        moments = moments._replace(average=mean)
    if moments.nu_max is not None:
        nu_max = jnp.where(early, 0, jnp.maximum(moments.nu_max, nu))
        nu = jnp.where(early, nu, nu_max)
        moments = moments._replace(nu_max=nu_max)
    return nu, moments


LAPROP = register(
    scale_by_laprop,
    Paper(
        "LaProp: Separating Momentum and Adaptivity in Adam",
        "Ziyin, Liu and Wang, Zhikang T. and Ueda, Masahito",
        2020,
        arxiv="2002.04839",
    ),
    summary="normalizes gradients by √v̂ first and averages them afterwards",
    learning_rate=4e-4,
    decay_mode="independent_after",
    notes="As in the authors' code, weight decay is applied after the step and is not multiplied "
    'by the learning rate. timm multiplies it: `decay_mode="decoupled_after"`. With style '
    '"author" a change of the learning rate takes effect as gradually as m forgets, with '
    '"paper" at once.',
    styles=STYLES,
    reduces_to=(Reduction({"learning_rate": 1e-3, "b1": 0.0, "eps": 1e-8}, "adam", {"b1": 0.0}),),
)
laprop = LAPROP.optimizer
