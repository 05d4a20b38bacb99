"""Ranger - a synergistic optimizer. Wright, 2019.

https://github.com/lessw2020/Ranger-Deep-Learning-Optimizer. RAdam of centralized gradients, whose
parameters are drawn back, every k steps, towards a slow copy that follows them.

    g = g - mean(g)                 over the inputs of each neuron
    p = p - lr u                    u RAdam's
    s = s + α (p - s), p = s        every k steps
"""

from typing import Any

import optax

from adamjax.modifiers.gradient_centralization import gradient_centralization
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Reduction, Variant, register
from adamjax.rule import ScalarOrSchedule
from adamjax.storage.rounding import with_param_rounding
from adamjax.trees import Mask
from adamjax.variants.radam import scale_by_radam
from adamjax.wrappers.lookahead import lookahead


def ranger(
    learning_rate: ScalarOrSchedule = 1e-3,
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-5,
    *,
    threshold: ScalarOrSchedule = 5.0,
    sync_period: int = 6,
    slow_step_size: ScalarOrSchedule = 0.5,
    centralize: bool = True,
    out_axis: int = -1,
    weight_decay: ScalarOrSchedule = 0.0,
    decay_mode: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Ranger as a ready-made optimizer: RAdam behind gradient centralization, in Lookahead.

    Args:
      learning_rate, b1, b2, eps, threshold, weight_decay, decay_mode, mask, storage: those of
        `adamjax.radam`.
      sync_period: k, at least 1.
      slow_step_size: α.
      centralize: whether gradients are centralized; the first versions did not.
      out_axis: the axis of a kernel's outputs: the last in Flax, the first in torch (0).
      param_rounding: as in `adamjax.optimizer`, of the parameters that result.
      mu_dtype, nu_dtype: dtypes in which m and v are stored; None for float32.

    >>> import jax.numpy as jnp
    >>> tx = ranger(0.5, sync_period=1)
    >>> p, g = jnp.zeros((2, 1)), jnp.array([[3.0], [1.0]])
    >>> jnp.round(tx.update(g, tx.init(p), p)[0], 4).tolist()  # half of what RAdam does
    [[-0.25], [0.25]]
    """
    direction = scale_by_radam(
        b1, b2, eps, threshold=threshold, mu_dtype=mu_dtype, nu_dtype=nu_dtype
    )
    if centralize:
        direction = optax.chain(gradient_centralization(out_axis), direction)
    fast = optimizer(
        direction,
        learning_rate,
        weight_decay=weight_decay,
        decay_mode=decay_mode,
        mask=mask,
        storage=storage,
    )
    tx = lookahead(fast, sync_period, slow_step_size)
    return with_param_rounding(tx, param_rounding=param_rounding)


VARIANT = register(
    Variant(
        name="ranger",
        make=ranger,
        direction=None,
        paper=Paper(
            "Ranger - a synergistic optimizer",
            "Wright, Less",
            2019,
            url="https://github.com/lessw2020/Ranger-Deep-Learning-Optimizer",
        ),
        changes="RAdam of centralized gradients, drawn back every few steps towards a slow copy",
        formula="g = g - mean(g);  u = RAdam's;  every k steps: s = s + α (p - s), p = s",
        slots=("mu", "nu", "slow"),
        reduces_to=(
            Reduction(
                {"centralize": False, "slow_step_size": 1.0}, "radam", {"b1": 0.95, "eps": 1e-5}
            ),
        ),
        static=("centralize", "out_axis", "sync_period"),
    )
)
