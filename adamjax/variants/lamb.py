"""Large Batch Optimization for Deep Learning: Training BERT in 76 minutes. You et al., 2019.
arXiv:1904.00962.

AdamW with the update of each layer scaled to the norm of its parameters, so that one learning rate
suits all layers in large-batch training.

    r = m̂ / (√v̂ + ε) + λ p
    u = r · ‖p‖ / ‖r‖            u = r where a norm is 0
"""

import math
from typing import Any, NamedTuple

import optax

from adamjax.checks import lookup_or_suggest
from adamjax.modifiers.trust_ratio import trust_ratio
from adamjax.moments import Array, add_decay
from adamjax.optimizer import DecayMode
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, lift
from adamjax.trees import Mask
from adamjax.variants.adam import scale_by_adam

STYLES = {
    "paper": "the paper, Optax, timm, TensorFlow Addons, PaddlePaddle: bias correction",
    "torch_optimizer": "torch-optimizer: no bias correction, ‖p‖ limited to 10",
}
# Adam's style and the limit of ‖p‖.
_PRESETS = {"paper": ("torch", math.inf), "torch_optimizer": ("mlx", 10.0)}


class DecayState(NamedTuple):
    """Step count, for schedules of λ."""

    count: Array


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
      A chain of an `optax.ScaleByAdamState`, a `DecayState` and no state.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, p = scale_by_lamb(), jnp.array([0.0, 2.0])
    >>> tx.update(p, tx.init(p), p)[0].round(4).tolist()
    [0.0, 2.0]
    """
    adam_style, cap = lookup_or_suggest("style", style, _PRESETS)
    adam = scale_by_adam(
        b1, b2, eps, eps_root=eps_root, style=adam_style, mu_dtype=mu_dtype, nu_dtype=nu_dtype
    )

    def rule(u, moments, step, p):
        return add_decay(u, p, step.weight_decay), moments

    scalars = {"weight_decay": weight_decay}
    decay = lift(rule, DecayState, {}, scalars=scalars, needs_params=True, mask=mask)
    ratio = trust_ratio(norm_cap=cap if norm_cap is None else norm_cap)
    return optax.chain(adam, decay, ratio)


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
