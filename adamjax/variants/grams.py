"""Grams: Gradient Descent with Adaptive Momentum Scaling. Cao et al., 2024. arXiv:2412.17107.

Adam that takes the size of each step from its averages, and the sign from the present gradient.

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
    "author": "the authors' code: Adam with ε̂ (in √v + ε)",
    "pytorch_optimizer": "pytorch_optimizer: Adam with ε outside (√v̂ + ε)",
}
_STYLES_OF_ADAM = {"author": "keras", "pytorch_optimizer": "torch"}


def scale_by_grams(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-6,
    *,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of Grams, `adamjax.align_sign_with_gradient(adamjax.scale_by_adam(...))`.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, placed as `style` says.
      style: "author" or "pytorch_optimizer", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_grams(b1=0.5, b2=0.0), jnp.float32(2.0)
    >>> _, state = tx.update(g, tx.init(g))
    >>> round(float(tx.update(-g / 4, state)[0]), 4)  # |m̂| = 1/3, √v̂ = 1/2
    -0.6667
    """
    style = lookup_or_suggest("style", style, _STYLES_OF_ADAM)
    direction = scale_by_adam(b1, b2, eps, style=style, mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    return align_sign_with_gradient(direction)


GRAMS = register(
    scale_by_grams,
    Paper(
        "Grams: Gradient Descent with Adaptive Momentum Scaling",
        "Cao, Yang and Li, Xiaoyu and Song, Zhao",
        2024,
        arxiv="2412.17107",
    ),
    summary="takes the sign of each step from the present gradient",
    learning_rate=1e-3,
    styles=STYLES,
    reduces_to=(Reduction({"b1": 0.0}, "adam", {"b1": 0.0, "eps": 1e-6, "style": "keras"}),),
)
grams = GRAMS.optimizer
