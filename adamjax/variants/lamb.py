"""Large Batch Optimization for Deep Learning: Training BERT in 76 minutes. You et al., 2019.
arXiv:1904.00962.

AdamW with the update of each layer scaled to the norm of its parameters, so that one learning rate
suits all layers in large-batch training.

    r = m̂ / (√v̂ + ε) + λ p
    u = r · ‖p‖ / ‖r‖            u = r where a norm is 0
"""

import math
from typing import Any

import optax

from adamjax.checks import check_constants, check_not_negative, lookup_or_suggest
from adamjax.modifiers.trust_ratio import scale_to_norm
from adamjax.moments import (
    abs_sq,
    adam_update,
    adam_update_no_bias_correction,
    add_decay,
    clamp,
    ema,
)
from adamjax.optimizer import DecayMode
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import Mask

STYLES = {
    "paper": "the paper, Optax, timm, TensorFlow Addons, PaddlePaddle: bias correction",
    "torch_optimizer": "torch-optimizer: no bias correction, ‖p‖ limited to 10",
}
# Adam's direction and the limit of ‖p‖.
_PRESETS = {
    "paper": (adam_update, math.inf),
    "torch_optimizer": (adam_update_no_bias_correction, 10.0),
}


def scale_by_lamb(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-6,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    norm_cap: float | None = None,
    style: str = "paper",
    weight_decay: ScalarOrSchedule = 0.0,
    mask: Mask = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the LAMB rule.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      eps_root: added inside the square root.
      norm_cap: limit of ‖p‖. None is the default of `style`, `math.inf` no limit.
      style: implementation to follow, "paper" or "torch_optimizer".
      weight_decay: λ, a number, an array or a schedule.
      mask: leaves with weight decay, in any form that `adamjax.optimizer` accepts.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, p = scale_by_lamb(), jnp.array([0.0, 2.0])
    >>> tx.update(p, tx.init(p), p)[0].round(4).tolist()
    [0.0, 2.0]
    """
    direction, cap = lookup_or_suggest("style", style, _PRESETS)
    cap = cap if norm_cap is None else norm_cap
    check_constants(norm_cap=norm_cap)
    check_not_negative("norm_cap", cap)

    def rule(g, moments, step, p):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(abs_sq(g, moments.nu), moments.nu, step.b2)
        r = clamp(add_decay(direction(mu, nu, step), p, step.weight_decay))
        return scale_to_norm(r, clamp(p), cap=cap), moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype, square=True)}
    options: dict[str, Any] = {"betas": {"b1": b1, "b2": b2}, "needs_params": True, "mask": mask}
    options["scalars"] = {"eps": eps, "eps_root": eps_root, "weight_decay": weight_decay}
    return lift(rule, optax.ScaleByAdamState, slots, **options)


LAMB = register(
    scale_by_lamb,
    Paper(
        "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes",
        "You, Yang and Li, Jing and Reddi, Sashank and Hseu, Jonathan and Kumar, Sanjiv and "
        "Bhojanapalli, Srinadh and Song, Xiaodan and Demmel, James and Keutzer, Kurt and "
        "Hsieh, Cho-Jui",
        2019,
        "International Conference on Learning Representations, 2020",
        arxiv="1904.00962",
    ),
    summary="scales each layer's update to the norm of its parameters",
    learning_rate=1e-3,
    weight_decay=1e-2,
    decay_mode="inside",
    notes="Keras applies weight decay outside the trust ratio, after the step: "
    '`decay_mode="decoupled_after"`.',
    own_modes=(DecayMode("inside", "r <- r + λ p, before the trust ratio"),),
    styles=STYLES,
)
lamb = LAMB.optimizer
