"""Decoupled Weight Decay Regularization. Loshchilov and Hutter, 2017. arXiv:1711.05101.

Adam with weight decay taken from the parameter itself, so that it is not divided by √v as an L2
term in the gradient is.

    u = m̂ / (√v̂ + ε) + λ p
"""

from typing import Any

import optax

from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Reduction, Variant, register
from adamjax.rule import ScalarOrSchedule
from adamjax.trees import Mask
from adamjax.variants.adam import STYLES, scale_by_adam


def adamw(
    learning_rate: ScalarOrSchedule = 1e-3,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    style: str = "torch",
    weight_decay: ScalarOrSchedule = 1e-2,
    decay: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """AdamW (arXiv:1711.05101) as a ready-made optimizer: p <- p - lr (m̂ / (√v̂ + ε) + λ p).

    The arguments of `scale_by_adam`, and those of `adamjax.optimizer`: `learning_rate`,
    `weight_decay` (λ: torch takes 1e-2, Optax 1e-4, Keras 4e-3), `decay`, `mask`.

    >>> import jax.numpy as jnp
    >>> tx = adamw(0.1, weight_decay=0.5)
    >>> params = {"w": jnp.float32(1.0)}
    >>> updates, state = tx.update({"w": jnp.float32(2.0)}, tx.init(params), params)
    >>> round(float(updates["w"]), 6)
    -0.15
    """
    direction = scale_by_adam(
        b1, b2, eps, eps_root=eps_root, style=style, mu_dtype=mu_dtype, nu_dtype=nu_dtype
    )
    return optimizer(
        direction,
        learning_rate,
        weight_decay=weight_decay,
        decay=decay,
        mask=mask,
        storage=storage,
        param_rounding=param_rounding,
    )


VARIANT = register(
    Variant(
        name="adamw",
        make=adamw,
        direction=scale_by_adam,
        paper=Paper(
            "Decoupled Weight Decay Regularization",
            "Loshchilov, Ilya and Hutter, Frank",
            2017,
            "International Conference on Learning Representations, 2019",
            arxiv="1711.05101",
        ),
        changes="takes weight decay from the parameter itself, not through the gradient",
        formula="u = m̂ / (√v̂ + ε) + λ p",
        styles=STYLES,
        reduces_to=(Reduction({"weight_decay": 0.0}, "adam", {}),),
    )
)
