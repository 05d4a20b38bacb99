"""The Road Less Scheduled. Defazio et al., 2024. arXiv:2405.15682.

Schedule-Free AdamW with RAdam's rectification in the place of a warm-up: no step until v can be
trusted, and then longer and longer ones.

    r∞ = 2 / (1 - b₂) - 1
    r  = r∞ - 2 t b₂ᵗ / (1 - b₂ᵗ)
    lr = lr √((r - 4)(r - 2) r∞ / ((r∞ - 4)(r∞ - 2) r))    if r > 4, else 0
    z  = z - lr (g / (√v̂ + ε) + λ y)
    x  = (1-c) x + c z                                      c = lr² / Σ lr²
    y  = b₁ x + (1-b₁) z                                    the parameters; x is what to evaluate
"""

from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative
from adamjax.moments import Array
from adamjax.optimizer import optimizer
from adamjax.registry import Variant, register
from adamjax.rule import ScalarOrSchedule, beta_at, value_at
from adamjax.storage.rounding import with_param_rounding
from adamjax.trees import Mask
from adamjax.variants.radam import rectification
from adamjax.variants.schedule_free_adamw import VARIANT as SCHEDULE_FREE_ADAMW, scale_by_normalized
from adamjax.wrappers.schedule_free import schedule_free


def schedule_free_radam(
    learning_rate: ScalarOrSchedule = 2.5e-3,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    weight_lr_power: float = 2.0,
    r: float = 0.0,
    weight_decay: ScalarOrSchedule = 0.0,
    decay_mode: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Schedule-Free RAdam (the code of arXiv:2405.15682) as a ready-made optimizer.

    The arguments of `adamjax.schedule_free_adamw`, without warm-up and styles. With b2 from 0.6
    down it never moves.

    >>> tx, p = schedule_free_radam(0.5), jnp.float32(2.0)
    >>> float(abs(tx.update(p, tx.init(p), p)[0]))  # v is not to be trusted yet
    0.0
    """
    check_not_negative("learning_rate", learning_rate)

    def rate(count: Any) -> Array:
        t = jnp.asarray(count, float) + 1
        step = SimpleNamespace(count=t, b2=beta_at(value_at(b2, count), t))
        trusted, rectify = rectification(step, 4.0, jnp.greater)
        return value_at(learning_rate, count) * jnp.where(trusted, rectify, 0.0)

    direction = scale_by_normalized(b2, eps, corrected=True, nu_dtype=nu_dtype)
    z = optimizer(
        direction,
        rate,
        weight_decay=weight_decay,
        decay_mode=decay_mode,
        mask=mask,
        storage=storage,
    )
    tx = schedule_free(z, rate, b1, weight_lr_power=weight_lr_power, r=r)
    return with_param_rounding(tx, param_rounding=param_rounding)


VARIANT = register(
    Variant(
        name="schedule_free_radam",
        make=schedule_free_radam,
        direction=None,
        paper=SCHEDULE_FREE_ADAMW.paper,
        changes="averages the points it visits; its first steps are as long as v can be trusted",
        formula="z = z - lr rect (g / (√v̂ + ε) + λ y);  x = (1-c) x + c z;  y = b₁ x + (1-b₁) z",
        slots=("nu", "z"),
        static=("weight_lr_power", "r"),
    )
)
