"""Muon: An optimizer for hidden layers in neural networks. Jordan et al., 2024.
https://kellerjordan.github.io/posts/muon.

Momentum with orthogonalized updates for matrices, and Adam for all other leaves.

    m = β m + (1 - β) g
    u = β m + (1 - β) g                         Nesterov
    u = √max(1, outputs / inputs) U Vᵀ          of u = U S Vᵀ, by Newton-Schulz iteration
"""

from typing import Any

import optax

from adamjax.checks import check_not_negative
from adamjax.derive import extends
from adamjax.matrices.resolve import Layouts
from adamjax.modifiers.orthogonal_momentum import Preset, newton_schulz, orthogonal_momentum
from adamjax.modifiers.partition_matrices import partition_matrices
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule
from adamjax.variants.adam import scale_by_adam

STYLES = {
    "author": "Jordan: m is an average, scale √max(1, outputs / inputs)",
    "torch": "torch: the same, with X = u / max(‖u‖, ε)",
    "optax": "Optax: the same for matrices, with bias correction of m and g",
    "keras": "Keras, Moonlight: m is a sum, scale 0.2 √max(rows, columns)",
    "dion": "Dion: m is a sum, no Nesterov, Polar Express, scale √(outputs / inputs)",
    "nvidia": "NVIDIA: no Nesterov, You's coefficients, scale √max(rows, columns)",
    "timm": "timm: no Nesterov, You's coefficients, scale 0.2 √max(rows, columns)",
}


@extends(newton_schulz)
@extends(orthogonal_momentum)
def scale_by_muon(
    momentum: ScalarOrSchedule = 0.95,
    *,
    layouts: Layouts = None,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-10,
    adam_scale: ScalarOrSchedule = 0.015,
    style: str | Preset = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Muon rule for matrices, and with Adam for other leaves.

    Args:
      layouts: the axes of each parameter that form matrices, see `adamjax.matrix_layouts`: "flax",
        "torch", a layout such as "embed heads dim -> (heads dim) embed", or a dict from patterns to
        these. None takes parameters with two axes as (inputs, outputs), except biases, embeddings,
        output heads and similar ones.
      b1: b₁ of Adam.
      b2: b₂ of Adam.
      eps: ε of Adam.
      adam_scale: factor of Adam's update, the ratio of its learning rate to Muon's.
      style: implementation to follow, a key of `STYLES` in the module.
      mu_dtype: dtype in which momenta are stored, float32 if None.
      nu_dtype: dtype in which v of Adam is stored, float32 if None.

    Returns:
      A transformation with an `optax.transforms.PartitionState` of a `MuonState` and an
      `optax.ScaleByAdamState`.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative number, or an unknown style or scale;
        in `init`, for a parameter with three or more axes and no layout.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_muon(ns_steps=1), jnp.array([[2.0]])
    >>> round(float(tx.update(g, tx.init(g))[0][0, 0]), 3)  # 3.4445 - 4.775 + 2.0315
    0.701
    """
    check_not_negative("adam_scale", adam_scale)
    matrices = orthogonal_momentum(momentum, style, mu_dtype=mu_dtype, **options)
    adam = scale_by_adam(b1, b2, eps, mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    others = optax.chain(adam, optax.scale_by_learning_rate(adam_scale, flip_sign=False))
    return partition_matrices(matrices, others, layouts)


MUON = register(
    scale_by_muon,
    Paper(
        "Muon: An optimizer for hidden layers in neural networks",
        "Jordan, Keller and Jin, Yuchen and Boza, Vlado and You, Jiacheng and Cesista, Franz "
        "and Newhouse, Laker and Bernstein, Jeremy",
        2024,
        url="https://kellerjordan.github.io/posts/muon",
    ),
    summary="orthogonalized momentum for matrices, Adam for other leaves",
    learning_rate=0.02,
    notes="The learning rate and the weight decay apply to all leaves. `adam_scale` is the ratio "
    "of Adam's learning rate to Muon's, by default 3e-4 to 0.02. For separate schedules or "
    "weight decays, use `adamjax.partition_matrices(adamjax.muon(0.02), adamjax.adamw(3e-4, "
    "weight_decay=0.1))`. Print `adamjax.matrix_layouts(params, layouts)` to see which parameters "
    "are trained as matrices.",
    styles=STYLES,
    reduces_to=(
        Reduction(
            {"layouts": "other", "adam_scale": 1.0},
            "adam",
            {"learning_rate": 0.02, "b2": 0.95, "eps": 1e-10},
        ),
    ),
)
muon = MUON.optimizer
