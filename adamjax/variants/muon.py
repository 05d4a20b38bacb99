"""Muon: An optimizer for hidden layers in neural networks. Jordan et al., 2024.
https://kellerjordan.github.io/posts/muon.

Momentum with orthogonalized updates for matrices, and Adam for all other leaves.

    m = β m + (1 - β) g
    u = β m + (1 - β) g                         Nesterov
    u = √max(1, outputs / inputs) U Vᵀ          of u = U S Vᵀ, by Newton-Schulz iteration
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import optax

from adamjax.checks import check_count, check_dtype, check_not_negative, lookup_or_suggest
from adamjax.matrices.polar import COEFFICIENTS, Coefficients, Triples
from adamjax.matrices.resolve import Layouts
from adamjax.modifiers.orthogonalize import orthogonalize
from adamjax.modifiers.partition_matrices import partition_matrices
from adamjax.moments import Array, ema
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree
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


class Preset(NamedTuple):
    """The settings of an implementation.

    Attributes:
      momentum: "average", "sum" or "debiased".
      nesterov, coefficients, scale: defaults of these arguments.
      before: transformation between momentum and orthogonalization.
      after: from the scale to a transformation that takes the place of the scale.
      wrap: a wrapper of the transformation of matrices.
    """

    momentum: str
    nesterov: bool
    coefficients: str | Coefficients
    scale: str
    before: optax.GradientTransformation | None = None
    after: Callable[[str], optax.GradientTransformation] | None = None
    wrap: Callable[..., optax.GradientTransformation] | None = None


_JORDAN, _YOU = COEFFICIENTS["jordan"], COEFFICIENTS["you"]._replace(eps_mode="clamp")
_EXPRESS = COEFFICIENTS["polar_express_102"]._replace(eps=1e-8)
PRESETS = {
    "author": Preset("average", True, _JORDAN, "aspect"),
    "torch": Preset("average", True, _JORDAN._replace(eps_mode="clamp"), "aspect"),
    "optax": Preset("debiased", True, _JORDAN._replace(eps=1e-8), "aspect"),
    "keras": Preset("sum", True, _JORDAN, "rms"),
    "dion": Preset("sum", False, _EXPRESS, "rms_to_rms"),
    "nvidia": Preset("average", False, _YOU._replace(eps=1e-15), "spectral"),
    "timm": Preset("average", False, _YOU._replace(extend="repeat_last"), "rms"),
}


class MuonState(NamedTuple):
    """Step count and momentum m."""

    step_count: Array
    mu: PyTree


def scale_by_muon(
    momentum: ScalarOrSchedule = 0.95,
    *,
    nesterov: bool | None = None,
    coefficients: str | Triples | None = None,
    ns_steps: int | None = None,
    ns_eps: float | None = None,
    ns_dtype: Any = None,
    wire_dtype: Any = None,
    scale: str | None = None,
    layouts: Layouts = None,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-10,
    adam_scale: ScalarOrSchedule = 0.015,
    style: str | Preset = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Muon rule for matrices, and with Adam for other leaves.

    Args:
      momentum: β, 0 <= momentum < 1.
      nesterov: whether to use Nesterov momentum. None is the default of `style`.
      coefficients: polynomials of the Newton-Schulz iteration, see `adamjax.orthogonalize`. None is
        the default of `style`.
      ns_steps: number of its steps. None is that of the coefficients.
      ns_eps: its ε. None is that of the coefficients.
      ns_dtype: dtype of its products, such as "bfloat16". None is float32.
      wire_dtype: dtype in which devices exchange matrices. None is float32.
      scale: "aspect", "rms", "rms_to_rms", "spectral" or "none", see `adamjax.orthogonalize`. None
        is the default of `style`. With "rms" (arXiv:2502.16982) use Adam's learning rate and
        `adam_scale=1`.
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
    preset = style if isinstance(style, Preset) else lookup_or_suggest("style", style, PRESETS)
    nesterov = preset.nesterov if nesterov is None else nesterov
    check_not_negative("adam_scale", adam_scale)
    scale = preset.scale if scale is None else scale
    orthogonal = muon_orthogonalize(
        preset.coefficients if coefficients is None else coefficients,
        "none" if preset.after else scale,
        layouts,
        ns_steps=ns_steps,
        ns_eps=ns_eps,
        ns_dtype=ns_dtype,
        wire_dtype=wire_dtype,
    )
    moving = muon_momentum(momentum, nesterov, preset.momentum, mu_dtype)
    before = [preset.before] if preset.before else []
    after = [preset.after(scale)] if preset.after else []
    for_matrices = optax.chain(moving, *before, orthogonal, *after)
    for_matrices = preset.wrap(for_matrices) if preset.wrap else for_matrices
    for_others = optax.chain(
        scale_by_adam(b1, b2, eps, mu_dtype=mu_dtype, nu_dtype=nu_dtype), scale_by(adam_scale)
    )
    return partition_matrices(for_matrices, for_others, layouts)


def scale_by(factor: ScalarOrSchedule) -> optax.GradientTransformation:
    """Multiply updates by a number or a schedule."""
    return optax.scale_by_schedule(factor) if callable(factor) else optax.scale(factor)


def muon_orthogonalize(
    coefficients: str | Triples | Coefficients,
    scale: str,
    layouts: Layouts,
    *,
    ns_steps: int | None = None,
    ns_eps: float | None = None,
    ns_dtype: Any = None,
    wire_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Return `orthogonalize`, with the arguments of Muon."""
    if ns_steps is not None:
        check_count("ns_steps", ns_steps)
    if ns_eps is not None:
        check_not_negative("ns_eps", ns_eps)
    check_dtype("ns_dtype", ns_dtype)
    return orthogonalize(
        coefficients,
        steps=ns_steps,
        eps=ns_eps,
        scale=scale,
        layouts=layouts,
        dtype=ns_dtype,
        wire_dtype=wire_dtype,
    )


def muon_momentum(
    momentum: ScalarOrSchedule,
    nesterov: bool,
    kind: str,
    mu_dtype: Any,
    state_type: Any = MuonState,
) -> optax.GradientTransformationExtraArgs:
    """Return the momentum of a `Preset`."""

    def rule(g, moments, step):
        b, mu = step.momentum, ema(g, moments.mu, step.momentum)
        if kind == "sum":
            mu = b.value * moments.mu + g
            u = b.value * mu + g if nesterov else mu
        elif kind == "debiased":
            correction = 1 - b.value * (1 - b.bias_correction)  # of the next step
            u = b.value * mu / correction + b.one_minus * g / b.bias_correction if nesterov else mu
        else:
            u = ema(g, mu, b) if nesterov else mu
        return u, moments._replace(mu=mu)

    return lift(rule, state_type, {"mu": Slot(mu_dtype)}, betas={"momentum": momentum})


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
