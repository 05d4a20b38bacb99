"""Cautious Optimizers: Improving Training with One Line of Code. Liang et al., 2024.
arXiv:2411.16085.

Lion with a mask. Update components whose sign disagrees with the gradient are set to 0, and the
others are scaled up.

    u = sign(b₁ m + (1 - b₁) g)
    k = [u g > 0]
    u = k u n / (Σ k + 1)            n elements in the leaf
"""

from typing import Any

import optax

from adamjax.checks import lookup_or_suggest
from adamjax.modifiers.cautious import cautious
from adamjax.registry import register
from adamjax.rule import ScalarOrSchedule
from adamjax.variants.c_adamw import C_ADAMW
from adamjax.variants.lion import scale_by_lion

STYLES = {
    "author": "the authors' code: u = k u n / (Σ k + 1)",
    "timm": "timm: u = k u / max(mean(k), 10⁻³), as in C-AdamW",
}
_SCALES = {"author": "count", "timm": "mean"}


def scale_by_c_lion(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.99,
    *,
    style: str = "author",
    mu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the C-Lion rule, `adamjax.cautious` of `adamjax.scale_by_lion`.

    Args:
      b1: weight of the momentum in the update, 0 <= b1 < 1.
      b2: decay rate of the momentum m, 0 <= b2 < 1.
      style: implementation to follow, "author" or "timm".
      mu_dtype: dtype in which m is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByLionState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), or an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_c_lion(), jnp.array([2.0, 2.0, 0.0])
    >>> tx.update(g, tx.init(g))[0].tolist()
    [1.0, 1.0, 0.0]
    """
    scale = lookup_or_suggest("style", style, _SCALES)
    return cautious(scale_by_lion(b1, b2, mu_dtype=mu_dtype), scale=scale)


C_LION = register(
    scale_by_c_lion,
    C_ADAMW.paper,
    summary="Lion that masks components whose sign disagrees with the gradient",
    learning_rate=1e-4,
    notes="The authors keep the hyperparameters of Lion.",
    styles=STYLES,
)
c_lion = C_LION.optimizer
