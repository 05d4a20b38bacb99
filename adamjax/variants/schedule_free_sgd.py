"""The Road Less Scheduled. Defazio et al., 2024. arXiv:2405.15682.

Gradient descent moves a point z; the parameters, where gradients are taken, lie between z and the
average x of all z. No learning rate that has to fall.

    z = z - lr (g + λ y)                    lr after a linear warm-up
    x = (1-c) x + c z                       c = lr² / Σ lr²
    y = b₁ x + (1-b₁) z                     the parameters; x is what to evaluate
"""

import optax

from adamjax.registry import Variant, register
from adamjax.rule import ScalarOrSchedule
from adamjax.schedules import with_linear_warmup
from adamjax.storage.rounding import with_param_rounding
from adamjax.trees import Mask
from adamjax.variants.schedule_free_adamw import VARIANT as SCHEDULE_FREE_ADAMW
from adamjax.variants.sgd import sgd
from adamjax.wrappers.schedule_free import schedule_free


def schedule_free_sgd(
    learning_rate: ScalarOrSchedule = 1.0,
    b1: ScalarOrSchedule = 0.9,
    *,
    warmup_steps: int = 0,
    weight_lr_power: float = 2.0,
    r: float = 0.0,
    weight_decay: ScalarOrSchedule = 0.0,
    decay_mode: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Schedule-Free SGD (arXiv:2405.15682) as a ready-made optimizer.

    The parameters are y; evaluate and keep x, `adamjax.eval_params(state, params)`.

    Args:
      learning_rate: a number, or a schedule that does not fall; the authors take it 10 to 50 times
        as large as with momentum.
      b1: b₁, how near to x gradients are taken, 0 <= b1 < 1; the authors call it momentum.
      warmup_steps: over how many steps the learning rate rises linearly.
      weight_lr_power, r: the weights of the average are tʳ max(lr)^power.
      weight_decay, decay_mode, mask: as in `adamjax.optimizer`, taken at y.
      storage: as in `adamjax.optimizer`: it keeps no moments, so this has to stay "float32".
      param_rounding: as in `adamjax.optimizer`, of y.

    >>> import jax.numpy as jnp
    >>> tx, p = schedule_free_sgd(0.5), jnp.float32(2.0)
    >>> float(tx.update(p, tx.init(p), p)[0])
    -1.0
    """
    rate = with_linear_warmup(learning_rate, warmup_steps)
    z = sgd(rate, weight_decay=weight_decay, decay_mode=decay_mode, mask=mask, storage=storage)
    tx = schedule_free(z, rate, b1, weight_lr_power=weight_lr_power, r=r)
    return with_param_rounding(tx, param_rounding=param_rounding)


VARIANT = register(
    Variant(
        name="schedule_free_sgd",
        make=schedule_free_sgd,
        direction=None,
        paper=SCHEDULE_FREE_ADAMW.paper,
        changes="one step size for all elements; averages the points it visits",
        formula="z = z - lr (g + λ y);  x = (1-c) x + c z;  y = b₁ x + (1-b₁) z",
        slots=("z",),
        static=("warmup_steps", "weight_lr_power", "r"),
    )
)
