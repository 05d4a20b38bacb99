"""Cautious Optimizers: Improving Training with One Line of Code. Liang et al., 2024.
arXiv:2411.16085.

Adam with a mask. Update components whose sign disagrees with the gradient are set to 0, and the
others are scaled up.

    u = m̂ √(1 - b₂ᵗ) / (√v + ε)
    k = [u g > 0]
    u = k u / max(mean(k), 10⁻³)
"""

from typing import Any

import optax

from adamjax.checks import lookup_or_suggest
from adamjax.modifiers.cautious import cautious
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule
from adamjax.variants.adam import scale_by_adam

STYLES = {
    "author": "the authors' code: Adam with m̂ √(1 - b₂ᵗ) / (√v + ε)",
    "timm": "timm: Adam with m̂ / (√v̂ + ε)",
}
_ADAM_STYLES = {"author": "keras", "timm": "torch"}


def scale_by_c_adamw(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-6,
    *,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the C-AdamW rule, `adamjax.cautious` of `adamjax.scale_by_adam`.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, placed according to `style`.
      style: implementation to follow, "author" or "timm".
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_c_adamw(), jnp.array([2.0, 2.0])
    >>> _, state = tx.update(g, tx.init(g))
    >>> jnp.round(tx.update(jnp.array([2.0, -0.5]), state)[0], 4).tolist()
    [2.0, 0.0]
    """
    style = lookup_or_suggest("style", style, _ADAM_STYLES)
    return cautious(scale_by_adam(b1, b2, eps, style=style, mu_dtype=mu_dtype, nu_dtype=nu_dtype))


C_ADAMW = register(
    scale_by_c_adamw,
    Paper(
        "Cautious Optimizers: Improving Training with One Line of Code",
        "Liang, Kaizhao and Chen, Lizhang and Liu, Bo and Liu, Qiang",
        2024,
        arxiv="2411.16085",
    ),
    summary="masks update components whose sign disagrees with the gradient",
    learning_rate=1e-3,
    notes="The authors keep the hyperparameters of AdamW.",
    styles=STYLES,
)
c_adamw = C_ADAMW.optimizer
