"""Large Batch Optimization for Deep Learning: Training BERT in 76 minutes. You et al., 2019.
arXiv:1904.00962.

AdamW whose step is made as long, leaf by leaf, as the parameters are: with large batches one
learning rate then suits all layers.

    r = m̂ / (√v̂ + ε) + λ p
    u = r · ‖p‖ / ‖r‖            1 in place of the ratio where a norm is 0
"""

import math
from typing import Any, NamedTuple

import optax

from adamjax.checks import lookup_or_suggest
from adamjax.modifiers.trust_ratio import trust_ratio
from adamjax.moments import Array
from adamjax.optimizer import DecayMode
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, lift
from adamjax.trees import Mask
from adamjax.variants.adam import scale_by_adam

STYLES = {
    "paper": "the paper, Optax, timm, TensorFlow Addons, PaddlePaddle: m̂ and v̂ free of bias",
    "torch_optimizer": "torch-optimizer: no bias correction, ‖p‖ at most 10",
}
# Adam's style, and the largest ‖p‖ that counts.
_PRESETS = {"paper": ("torch", math.inf), "torch_optimizer": ("mlx", 10.0)}


class DecayState(NamedTuple):
    """Steps done, of which a schedule of λ is a function."""

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
    """The direction of LAMB: Adam's and λ p, made as long as p.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, outside the root.
      eps_root: added under the root.
      norm_cap: the largest ‖p‖ that counts; None for what `style` says, `math.inf` for none.
      style: "paper" or "torch_optimizer", see `STYLES`.
      weight_decay: λ, a number, array or schedule.
      mask: which leaves decay, in any of the forms of `adamjax.optimizer`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A chain of an `optax.ScaleByAdamState`, a `DecayState` and no state.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, an unknown style.

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
        return u + step.weight_decay * p, moments

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
    summary="the step of a leaf is as long as its parameters are",
    learning_rate=1e-3,
    weight_decay=1e-2,
    decay_mode="inside",
    notes='Keras has the decay outside of the ratio. This is "decoupled_after", since its ratio '
    "sees the decayed parameters.",
    own_modes=(DecayMode("inside", "r <- r + λ p, in the ratio"),),
    styles=STYLES,
)
lamb = LAMB.optimizer
