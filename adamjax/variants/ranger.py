"""Ranger - a synergistic optimizer. Wright, 2019.
https://github.com/lessw2020/Ranger-Deep-Learning-Optimizer.

RAdam with gradient centralization and Lookahead.

    g = g - mean(g)                 over the inputs of each neuron
    p = p - lr u                    u of RAdam
    s = s + α (p - s), p = s        every k steps
"""

from typing import Any

import optax

from adamjax.modifiers.gradient_centralization import gradient_centralization
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule
from adamjax.storage.rounding import with_param_rounding
from adamjax.variants.radam import scale_by_radam
from adamjax.wrappers.lookahead import lookahead


def _ranger(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-5,
    *,
    threshold: ScalarOrSchedule = 5.0,
    sync_period: int = 6,
    slow_step_size: ScalarOrSchedule = 0.5,
    centralize: bool = True,
    out_axis: int = -1,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
    param_rounding: str | None = None,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Compose gradient centralization, RAdam and Lookahead.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, see `adamjax.radam`.
      threshold: see `adamjax.radam`.
      sync_period: k, at least 1.
      slow_step_size: α, 0 <= α <= 1.
      centralize: whether to centralize gradients. The first versions of Ranger did not.
      out_axis: axis of the outputs of a kernel: -1 in Flax, 0 in torch.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), or a negative number.
    """
    radam = scale_by_radam(b1, b2, eps, threshold=threshold, mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    if centralize:
        radam = optax.chain(gradient_centralization(out_axis), radam)
    tx = lookahead(optimizer(radam, learning_rate, **options), sync_period, slow_step_size)
    return with_param_rounding(tx, param_rounding=param_rounding)


RANGER = register(
    _ranger,
    Paper(
        "Ranger - a synergistic optimizer",
        "Wright, Less",
        2019,
        url="https://github.com/lessw2020/Ranger-Deep-Learning-Optimizer",
    ),
    summary="RAdam with gradient centralization and Lookahead",
    learning_rate=1e-3,
    reduces_to=(
        Reduction({"centralize": False, "slow_step_size": 1.0}, "radam", {"b1": 0.95, "eps": 1e-5}),
    ),
)
ranger = RANGER.optimizer
