"""Lookahead Optimizer: k steps forward, 1 step back. Zhang et al., 2019. arXiv:1907.08610.

Adam whose parameters are drawn back, every k steps, towards a slow copy that follows them.

    p = p - lr m̂ / (√v̂ + ε)
    s = s + α (p - s), p = s        every k steps
"""

from typing import Any

import optax

from adamjax.checks import lookup_or_suggest
from adamjax.registry import Paper, Reduction, Variant, register
from adamjax.rule import ScalarOrSchedule
from adamjax.storage.rounding import with_param_rounding
from adamjax.trees import Mask
from adamjax.variants.adam import adam
from adamjax.wrappers.lookahead import lookahead

STYLES = {
    "author": "the authors' code, Optax: the slow parameters are those of the start",
    "timm": "timm: they are first taken at the k-th step",
}
_LAZY = {"author": False, "timm": True}


def lookahead_adam(
    learning_rate: ScalarOrSchedule = 1e-3,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    sync_period: int = 5,
    slow_step_size: ScalarOrSchedule = 0.8,
    style: str = "author",
    weight_decay: ScalarOrSchedule = 0.0,
    decay_mode: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Adam in Lookahead (arXiv:1907.08610) as a ready-made optimizer.

    `adamjax.lookahead(adamjax.adam(...))`, for any other optimizer alike.

    Args:
      learning_rate, b1, b2, eps, weight_decay, decay_mode, mask, storage: those of `adamjax.adam`.
      sync_period: k, at least 1.
      slow_step_size: α; with 1 it is Adam.
      style: "author" or "timm", see `STYLES`.
      param_rounding: as in `adamjax.optimizer`, of the parameters that result.
      mu_dtype, nu_dtype: dtypes in which m and v are stored; None for float32.

    >>> import jax.numpy as jnp
    >>> tx = lookahead_adam(0.5, sync_period=1, slow_step_size=0.5)
    >>> p = jnp.float32(2.0)
    >>> round(float(tx.update(p, tx.init(p), p)[0]), 4)
    -0.25
    """
    lazy = lookup_or_suggest("style", style, _LAZY)
    fast = adam(
        learning_rate,
        b1,
        b2,
        eps,
        weight_decay=weight_decay,
        decay_mode=decay_mode,
        mask=mask,
        storage=storage,
        mu_dtype=mu_dtype,
        nu_dtype=nu_dtype,
    )
    tx = lookahead(fast, sync_period, slow_step_size, lazy=lazy)
    return with_param_rounding(tx, param_rounding=param_rounding)


VARIANT = register(
    Variant(
        name="lookahead_adam",
        make=lookahead_adam,
        direction=None,
        paper=Paper(
            "Lookahead Optimizer: k steps forward, 1 step back",
            "Zhang, Michael R. and Lucas, James and Hinton, Geoffrey and Ba, Jimmy",
            2019,
            "Advances in Neural Information Processing Systems 32",
            arxiv="1907.08610",
        ),
        changes="is drawn back every few steps towards a slow copy of the parameters",
        formula="p = p - lr m̂ / (√v̂ + ε);  every k steps: s = s + α (p - s), p = s",
        slots=("mu", "nu", "slow"),
        styles=STYLES,
        reduces_to=(Reduction({"slow_step_size": 1.0}, "adam", {}),),
        static=("sync_period",),
    )
)
