"""The Road Less Scheduled. Defazio et al., 2024. arXiv:2405.15682.

SGD without a decaying learning rate. It moves a point z, and averages the iterates z to x.
Gradients are evaluated at y, between the two.

    z = z - lr (g + λ y)                    lr after a linear warm-up
    x = (1-c) x + c z                       c = lr² / Σ lr²
    y = b₁ x + (1-b₁) z                     the parameters; evaluate the model at x
"""

from typing import Any

import optax

from adamjax.checks import lookup_or_suggest
from adamjax.registry import register
from adamjax.rule import ScalarOrSchedule
from adamjax.schedules import with_linear_warmup
from adamjax.storage.rounding import with_param_rounding
from adamjax.variants.schedule_free_adamw import SCHEDULE_FREE_ADAMW, STYLES as ADAMW_STYLES
from adamjax.variants.sgd import sgd
from adamjax.wrappers.schedule_free import schedule_free

STYLES = {"author": "the authors' code", "optax": ADAMW_STYLES["optax"]}


def _schedule_free_sgd(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    *,
    warmup_steps: int = 0,
    weight_lr_power: float = 2.0,
    r: float = 0.0,
    style: str = "author",
    param_rounding: str | None = None,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Average the iterates of SGD.

    Args:
      learning_rate: a number, or a schedule that does not decrease.
      b1: b₁, weight of x in y, 0 <= b1 < 1.
      warmup_steps: number of steps in which the learning rate rises linearly.
      weight_lr_power: power of the largest lr so far in the weights of the average.
      r: power of t in the weights of the average.
      style: implementation to follow, "author" or "optax".

    Raises:
      ValueError: for b1 outside [0, 1), a negative number or an unknown style.
    """
    lag = int(lookup_or_suggest("style", style, STYLES) == STYLES["optax"])
    rate = with_linear_warmup(learning_rate, warmup_steps)
    z_rate = with_linear_warmup(learning_rate, warmup_steps, lag=lag)
    tx = schedule_free(sgd(z_rate, **options), rate, b1, weight_lr_power=weight_lr_power, r=r)
    return with_param_rounding(tx, param_rounding=param_rounding)


SCHEDULE_FREE_SGD = register(
    _schedule_free_sgd,
    SCHEDULE_FREE_ADAMW.paper,
    summary="SGD with averaged iterates instead of learning rate decay",
    learning_rate=1.0,
    styles=STYLES,
    notes="The parameters are y. Evaluate and save x, `adamjax.eval_params(state, params)`.",
)
schedule_free_sgd = SCHEDULE_FREE_SGD.optimizer
