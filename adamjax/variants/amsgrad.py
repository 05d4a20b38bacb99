"""On the Convergence of Adam and Beyond. Reddi, Kale and Kumar, 2018. arXiv:1904.09237.

Adam that divides by the running maximum of v, so that step sizes do not increase.

    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) g²
    w = max(w, v)
    u = m̂ / (√ŵ + ε)
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.moments import abs_sq, debias, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.variants.adam import DIRECTIONS

STYLES = {
    "torch": "torch, PaddlePaddle: u = m̂ / (√(w / (1 - b₂ᵗ)) + ε), w = max v",
    "keras": "Keras, TensorFlow: u = m̂ √(1 - b₂ᵗ) / (√w + ε), w = max v",
    "paper": "the paper: u = m / (√w + ε), no bias correction",
    "optax": "Optax: u = m̂ / (√w + ε), w = max v̂",
}
_STYLES_OF_ADAM = {"torch": "torch", "keras": "keras", "paper": "mlx", "optax": "mlx"}


def scale_by_amsgrad(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    style: str = "torch",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the AMSGrad rule.

    Args:
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √ŵ or √w, see `style`.
      eps_root: added under the root.
      style: implementation to follow, "torch", "keras", "paper" or "optax", see `STYLES`.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v and its maximum are stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAmsgradState`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> tx, g = scale_by_amsgrad(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    1.0
    """
    direction = DIRECTIONS[lookup_or_suggest("style", style, _STYLES_OF_ADAM)]

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(abs_sq(g, moments.nu), moments.nu, step.b2)
        numerator, square = mu, nu
        if style == "optax":
            numerator, square = debias(mu, step.b1), debias(nu, step.b2)
        nu_max = jnp.maximum(moments.nu_max, square)
        return direction(numerator, nu_max, step), moments._replace(mu=mu, nu=nu, nu_max=nu_max)

    slot = Slot(nu_dtype, square=True)
    slots = {"mu": Slot(mu_dtype), "nu": slot, "nu_max": slot}
    scalars = {"eps": eps, "eps_root": eps_root}
    return lift(rule, optax.ScaleByAmsgradState, slots, betas={"b1": b1, "b2": b2}, scalars=scalars)


AMSGRAD = register(
    scale_by_amsgrad,
    Paper(
        "On the Convergence of Adam and Beyond",
        "Reddi, Sashank J. and Kale, Satyen and Kumar, Sanjiv",
        2018,
        "International Conference on Learning Representations, 2018",
        arxiv="1904.09237",
    ),
    summary="divides by the running maximum of v",
    learning_rate=1e-3,
    styles=STYLES,
)
amsgrad = AMSGRAD.optimizer
