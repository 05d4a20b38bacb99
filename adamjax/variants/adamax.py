"""Adam: A Method for Stochastic Optimization, section 7.1. Kingma and Ba, 2014. arXiv:1412.6980.

Adam with a decayed maximum of |g| in place of the root of the average of squares.

    m = b₁ m + (1 - b₁) g
    v = max(b₂ v, |g| + ε)
    u = m / (1 - b₁ᵗ) / v
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.moments import debias, divide, ema, modulus
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift

STYLES = {
    "torch": "torch, Optax: v = max(b₂ v, |g| + ε), u = m̂ / v",
    "keras": "Keras: v = max(b₂ v, |g|), u = m̂ / (v + ε)",
    "paddle": "PaddlePaddle: v = max(b₂ v + ε, |g|), u = m̂ / v",
}
_EPS_PLACES = {"torch": (0, 1, 0), "keras": (0, 0, 1), "paddle": (1, 0, 0)}


def scale_by_adamax(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    style: str = "torch",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Adamax rule.

    Args:
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the maximum v, 0 <= b2 < 1.
      eps: ε, added inside or outside the maximum, see `style`.
      style: implementation to follow, "torch", "keras" or "paddle", see `STYLES`.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByBeliefState`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> tx, g = scale_by_adamax(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    1.0
    """
    in_decayed, in_gradient, after_max = lookup_or_suggest("style", style, _EPS_PLACES)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        decayed = step.b2.value * moments.nu + in_decayed * step.eps
        nu = jnp.maximum(decayed, modulus(g, moments.nu) + in_gradient * step.eps)
        u = divide(debias(mu, step.b1), nu + after_max * step.eps)
        return u, moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype, square=True)}
    return lift(
        rule, optax.ScaleByBeliefState, slots, betas={"b1": b1, "b2": b2}, scalars={"eps": eps}
    )


PAPER = Paper(
    "Adam: A Method for Stochastic Optimization",
    "Kingma, Diederik P. and Ba, Jimmy",
    2014,
    "International Conference on Learning Representations, 2015 (section 7.1)",
    arxiv="1412.6980",
)
ADAMAX = register(
    scale_by_adamax,
    PAPER,
    summary="divides by a decayed maximum of |g|",
    learning_rate=2e-3,
    styles=STYLES,
)
adamax = ADAMAX.optimizer
ADAMAXW = register(
    scale_by_adamax,
    PAPER,
    name="adamaxw",
    summary="Adamax with decoupled weight decay",
    learning_rate=2e-3,
    weight_decay=1e-2,
    formula="v = max(b₂ v, |g| + ε)\nu = m̂ / v + λ p",
    styles=STYLES,
    reduces_to=(Reduction({"weight_decay": 0.0}, "adamax", {}),),
)
adamaxw = ADAMAXW.optimizer
