"""Lookahead Optimizer: k steps forward, 1 step back. Zhang et al., 2019. arXiv:1907.08610.

Adam with a slow copy s of the parameters. Every k steps the copy moves towards the parameters, and
the parameters are reset to it.

    p = p - lr m̂ / (√v̂ + ε)
    s = s + α (p - s), p = s        every k steps
"""

from typing import Any

import optax

from adamjax.checks import lookup_or_suggest
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule
from adamjax.storage.rounding import with_param_rounding
from adamjax.variants.adam import adam
from adamjax.wrappers.lookahead import lookahead

STYLES = {
    "author": "the authors' code, Optax: s starts as the initial parameters",
    "timm": "timm: s starts as the parameters after k steps",
}


def _lookahead_adam(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    sync_period: int = 5,
    slow_step_size: ScalarOrSchedule = 0.8,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
    param_rounding: str | None = None,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Compose Adam and Lookahead.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      sync_period: k, at least 1.
      slow_step_size: α. With 1 it is Adam.
      style: implementation to follow, "author" or "timm".
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.
    """
    lookup_or_suggest("style", style, STYLES)
    fast = adam(learning_rate, b1, b2, eps, mu_dtype=mu_dtype, nu_dtype=nu_dtype, **options)
    tx = lookahead(fast, sync_period, slow_step_size, lazy=style == "timm")
    return with_param_rounding(tx, param_rounding=param_rounding)


LOOKAHEAD_ADAM = register(
    _lookahead_adam,
    Paper(
        "Lookahead Optimizer: k steps forward, 1 step back",
        "Zhang, Michael R. and Lucas, James and Hinton, Geoffrey and Ba, Jimmy",
        2019,
        "Advances in Neural Information Processing Systems 32",
        arxiv="1907.08610",
    ),
    summary="resets the parameters every k steps to a slowly moving copy",
    learning_rate=1e-3,
    notes="The optimizer is `adamjax.lookahead(adamjax.adam(...))`. `adamjax.lookahead` works with "
    "any other optimizer as well.",
    styles=STYLES,
    reduces_to=(Reduction({"slow_step_size": 1.0}, "adam", {}),),
)
lookahead_adam = LOOKAHEAD_ADAM.optimizer
