"""The Road Less Scheduled. Defazio et al., 2024. arXiv:2405.15682.

Schedule-Free AdamW with the rectification of RAdam instead of a warm-up. There is no step until v
is reliable.

    r∞ = 2 / (1 - b₂) - 1
    r  = r∞ - 2 t b₂ᵗ / (1 - b₂ᵗ)
    lr = lr √((r - 4)(r - 2) r∞ / ((r∞ - 4)(r∞ - 2) r))    if r > 4, else 0
    z  = z - lr (g / (√v̂ + ε) + λ y)
    x  = (1-c) x + c z                                      c = lr² / Σ lr²
    y  = b₁ x + (1-b₁) z                                    the parameters; evaluate the model at x
"""

from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative
from adamjax.moments import Array
from adamjax.optimizer import optimizer
from adamjax.registry import register
from adamjax.rule import ScalarOrSchedule, beta_at, value_at
from adamjax.storage.rounding import with_param_rounding
from adamjax.variants.radam import rectification
from adamjax.variants.schedule_free_adamw import SCHEDULE_FREE_ADAMW, scale_by_normalized
from adamjax.wrappers.schedule_free import schedule_free


def _schedule_free_radam(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    weight_lr_power: float = 2.0,
    r: float = 0.0,
    nu_dtype: Any = None,
    param_rounding: str | None = None,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Average the iterates of RAdam without momentum.

    Args:
      learning_rate: a number, or a schedule that does not decrease.
      b1: b₁, weight of x in y, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      weight_lr_power: power of the largest lr so far in the weights of the average.
      r: power of t in the weights of the average.
      nu_dtype: dtype in which v is stored, float32 if None.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), or a negative number.
    """
    check_not_negative("learning_rate", learning_rate)

    def rate(count: Any) -> Array:
        t = jnp.asarray(count, float) + 1
        step = SimpleNamespace(count=t, b2=beta_at(value_at(b2, count), t))
        rectified, factor = rectification(step, 4.0, jnp.greater)
        return value_at(learning_rate, count) * jnp.where(rectified, factor, 0.0)

    z = optimizer(scale_by_normalized(b2, eps, corrected=True, nu_dtype=nu_dtype), rate, **options)
    tx = schedule_free(z, rate, b1, weight_lr_power=weight_lr_power, r=r)
    return with_param_rounding(tx, param_rounding=param_rounding)


SCHEDULE_FREE_RADAM = register(
    _schedule_free_radam,
    SCHEDULE_FREE_ADAMW.paper,
    summary="Schedule-Free AdamW with RAdam's rectification",
    learning_rate=2.5e-3,
    notes="The parameters are y. Evaluate and save x, `adamjax.eval_params(state, params)`.",
)
schedule_free_radam = SCHEDULE_FREE_RADAM.optimizer
