"""Cautious Optimizers: Improving Training with One Line of Code. Liang et al., 2024.

arXiv:2411.16085. Adam that moves no element against its present gradient; the elements that do
move, move the further.

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
    "author": "the authors' code: Adam with ε̂ (in √v + ε)",
    "timm": "timm: Adam with ε outside (√v̂ + ε)",
}
_STYLES_OF_ADAM = {"author": "keras", "timm": "torch"}


def scale_by_c_adamw(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-6,
    *,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of C-AdamW, `adamjax.cautious(adamjax.scale_by_adam(...))`.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, placed as `style` says.
      style: "author" or "timm", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_c_adamw(), jnp.array([2.0, 2.0])
    >>> _, state = tx.update(g, tx.init(g))
    >>> jnp.round(tx.update(jnp.array([2.0, -0.5]), state)[0], 4).tolist()
    [2.0, 0.0]
    """
    style = lookup_or_suggest("style", style, _STYLES_OF_ADAM)
    return cautious(scale_by_adam(b1, b2, eps, style=style, mu_dtype=mu_dtype, nu_dtype=nu_dtype))


C_ADAMW = register(
    scale_by_c_adamw,
    Paper(
        "Cautious Optimizers: Improving Training with One Line of Code",
        "Liang, Kaizhao and Chen, Lizhang and Liu, Bo and Liu, Qiang",
        2024,
        arxiv="2411.16085",
    ),
    summary="drops what of a step points against the present gradient, and lengthens the rest",
    learning_rate=1e-3,
    styles=STYLES,
)
c_adamw = C_ADAMW.optimizer
