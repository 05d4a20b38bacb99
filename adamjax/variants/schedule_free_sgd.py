"""The Road Less Scheduled. Defazio et al., 2024. arXiv:2405.15682.

Gradient descent moves a point z; the parameters, where gradients are taken, lie between z and the
average x of all z. No learning rate that has to fall.

    z = z - lr (g + λ y)                    lr after a linear warm-up
    x = (1-c) x + c z                       c = lr² / Σ lr²
    y = b₁ x + (1-b₁) z                     the parameters; x is what to evaluate
"""

from typing import Any

import optax

from adamjax.registry import register
from adamjax.rule import ScalarOrSchedule
from adamjax.schedules import with_linear_warmup
from adamjax.storage.rounding import with_param_rounding
from adamjax.variants.schedule_free_adamw import SCHEDULE_FREE_ADAMW
from adamjax.variants.sgd import sgd
from adamjax.wrappers.schedule_free import schedule_free


def _schedule_free_sgd(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    *,
    warmup_steps: int = 0,
    weight_lr_power: float = 2.0,
    r: float = 0.0,
    param_rounding: str | None = None,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Average the iterates of gradient descent.

    Args:
      learning_rate: a number, or a schedule that does not fall.
      b1: b₁, the weight of x in y, where gradients are taken, 0 <= b1 < 1.
      warmup_steps: number of steps in which the learning rate rises linearly.
      weight_lr_power: the weights of the average are tʳ max(lr)^power.
      r: see `weight_lr_power`.

    Raises:
      ValueError: for b1 outside [0, 1), a negative number.
    """
    rate = with_linear_warmup(learning_rate, warmup_steps)
    tx = schedule_free(sgd(rate, **options), rate, b1, weight_lr_power=weight_lr_power, r=r)
    return with_param_rounding(tx, param_rounding=param_rounding)


SCHEDULE_FREE_SGD = register(
    _schedule_free_sgd,
    SCHEDULE_FREE_ADAMW.paper,
    summary="one step size for all elements; averages the points it visits",
    learning_rate=1.0,
    notes="The parameters are y. Evaluate and keep x, `adamjax.eval_params(state, params)`.",
)
schedule_free_sgd = SCHEDULE_FREE_SGD.optimizer
