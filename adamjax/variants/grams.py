"""Grams: Gradient Descent with Adaptive Momentum Scaling. Cao et al., 2024. arXiv:2412.17107.

The magnitude of Adam's update with the sign of the present gradient.

    u = sign(g) |m̂ √(1 - b₂ᵗ) / (√v + ε)|
"""

from typing import Any

import optax

from adamjax.checks import lookup_or_suggest
from adamjax.modifiers.grams import align_sign_with_gradient
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule
from adamjax.variants.adam import scale_by_adam

STYLES = {
    "author": "the authors' code: Adam with m̂ √(1 - b₂ᵗ) / (√v + ε)",
    "pytorch_optimizer": "pytorch_optimizer: Adam with m̂ / (√v̂ + ε)",
}
_ADAM_STYLES = {"author": "keras", "pytorch_optimizer": "torch"}


def scale_by_grams(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-6,
    *,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Grams rule, `adamjax.align_sign_with_gradient` of Adam.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, placed according to `style`.
      style: implementation to follow, "author" or "pytorch_optimizer".
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_grams(b1=0.5, b2=0.0), jnp.float32(2.0)
    >>> _, state = tx.update(g, tx.init(g))
    >>> round(float(tx.update(-g / 4, state)[0]), 4)  # |m̂| = 1/3, √v̂ = 1/2
    -0.6667
    """
    style = lookup_or_suggest("style", style, _ADAM_STYLES)
    adam = scale_by_adam(b1, b2, eps, style=style, mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    return align_sign_with_gradient(adam)


GRAMS = register(
    scale_by_grams,
    Paper(
        "Grams: Gradient Descent with Adaptive Momentum Scaling",
        "Cao, Yang and Li, Xiaoyu and Song, Zhao",
        2024,
        arxiv="2412.17107",
    ),
    summary="magnitude of Adam's update with the sign of the present gradient",
    learning_rate=1e-3,
    styles=STYLES,
    reduces_to=(Reduction({"b1": 0.0}, "adam", {"b1": 0.0, "eps": 1e-6, "style": "keras"}),),
)
grams = GRAMS.optimizer
