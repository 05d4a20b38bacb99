"""LaProp: Separating Momentum and Adaptivity in Adam. Ziyin, Wang and Ueda, 2020. arXiv:2002.04839.

Adam in the other order: gradients are divided by √v first and averaged then, so that no gradient is
measured by a v that has not seen it and b₁ may be larger than b₂ allows in Adam.

    v = b₂ v + (1 - b₂) g²
    m = b₁ m + (1 - b₁) lr g / (√v̂ + ε)
    l = b₁ l + (1 - b₁) lr
    u = m / l                          with a constant lr: the average of g / (√v̂ + ε), debiased
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import is_number, lookup_or_suggest
from adamjax.moments import Array, debias, divide, ema
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree

STYLES = {
    "author": "the authors' code: each gradient counts by the learning rate of its step",
    "paper": "the paper: all count alike, and go by the present learning rate",
}
_WEIGHTED = {"author": True, "paper": False}
# The authors' code centres v after this many steps, when ḡ has seen enough.
NOT_YET_CENTERED = 10


class LapropState(NamedTuple):
    """Steps done, the average m of normalised gradients, v; where used ḡ, the largest v, and l."""

    count: Array
    mu: PyTree
    nu: PyTree
    average: PyTree = None
    nu_max: PyTree = None
    rate: PyTree = None

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits: not two moments that are subtracted."""
        squares = {"nu": "square", "nu_max": "maximum"}
        return {"mu": "signed"} | ({} if self.average is not None else squares)


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
    """The direction of LaProp: the average of g / (√v̂ + ε), free of bias.

    Args:
      b1: decay of the average m of the normalised gradients, 0 <= b1 < 1.
      b2: decay of the average v of the squared gradients, 0 <= b2 < 1.
      eps: ε, outside the root.
      learning_rate: how much each gradient counts in m: the learning rate of the rest of the
        chain, where it is a schedule. A constant one makes no difference, nor does "paper".
      amsgrad: whether to divide by the largest v so far.
      centered: whether to take v - ḡ², ḡ the average of g with b₂, for v after ten steps.
      style: "author" or "paper", see `STYLES`.
      mu_dtype: dtype in which m and ḡ are stored; None for float32.
      nu_dtype: dtype in which v and its maximum are stored; None for float32.

    Returns:
      A transformation with a `LapropState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or learning_rate, an unknown style.

    >>> tx, g = scale_by_laprop(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    1.0
    """
    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)}
    if centered:
        slots["average"] = Slot(mu_dtype)
    if amsgrad:
        slots["nu_max"] = Slot(nu_dtype)
    if lookup_or_suggest("style", style, _WEIGHTED) and not is_number(learning_rate):
        slots["rate"] = Slot(shape=lambda shape: (1,) * len(shape))

    def rule(g, moments, step):
        nu = ema(g * g, moments.nu, step.b2)
        spread, moments = _spread(g, nu, moments, step)
        n = divide(g, jnp.sqrt(debias(spread, step.b2)) + step.eps)
        if moments.rate is None:
            mu = ema(n, moments.mu, step.b1)
            return debias(mu, step.b1), moments._replace(mu=mu, nu=nu)
        mu = ema(step.learning_rate * n, moments.mu, step.b1)
        rate = ema(step.learning_rate, moments.rate, step.b1)
        return divide(mu, rate), moments._replace(mu=mu, nu=nu, rate=rate)

    scalars = {"eps": eps, "learning_rate": learning_rate}
    return lift(rule, LapropState, slots, betas={"b1": b1, "b2": b2}, scalars=scalars)


def _spread(g: Array, nu: Array, moments: LapropState, step: Any) -> tuple[Array, LapropState]:
    """What a gradient is measured by: v, centred or the largest so far where that is kept."""
    spread, early = nu, False
    if moments.average is not None:
        center, early = ema(g, moments.average, step.b2), step.count <= NOT_YET_CENTERED
        spread = jnp.where(early, nu, jnp.maximum(nu - center * center, 0))  # rounding is below
        moments = moments._replace(average=center)
    if moments.nu_max is not None:
        nu_max = jnp.where(early, 0, jnp.maximum(moments.nu_max, spread))
        spread = jnp.where(early, spread, nu_max)
        moments = moments._replace(nu_max=nu_max)
    return spread, moments


LAPROP = register(
    scale_by_laprop,
    Paper(
        "LaProp: Separating Momentum and Adaptivity in Adam",
        "Ziyin, Liu and Wang, Zhikang T. and Ueda, Masahito",
        2020,
        arxiv="2002.04839",
    ),
    summary="divides by √v first and averages then",
    learning_rate=4e-4,
    decay_mode="independent_after",
    notes="As in the authors' code weight decay comes after the step and is not multiplied by "
    'the learning rate; timm\'s is: "decoupled_after". And a schedule of the learning rate '
    "is averaged with the gradients: so it reaches past ones later, as many steps as m "
    'remembers; with "paper" at once.',
    styles=STYLES,
    reduces_to=(Reduction({"learning_rate": 1e-3, "b1": 0.0, "eps": 1e-8}, "adam", {"b1": 0.0}),),
)
laprop = LAPROP.optimizer
