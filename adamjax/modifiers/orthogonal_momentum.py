"""Muon: An optimizer for hidden layers in neural networks. Jordan et al., 2024.

https://kellerjordan.github.io/posts/muon. The momentum and the orthogonalization of Muon and of its
descendants, with the settings of several implementations.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import optax

from adamjax.checks import (
    check_constants,
    check_count,
    check_dtype,
    check_not_negative,
    lookup_or_suggest,
)
from adamjax.matrices.polar import COEFFICIENTS, Coefficients, Triples
from adamjax.modifiers.orthogonalize import orthogonalize
from adamjax.moments import Array, ema
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree


class Preset(NamedTuple):
    """The settings of an implementation.

    Attributes:
      momentum: "average", "sum" or "debiased".
      nesterov: whether to use Nesterov momentum.
      coefficients: polynomials of the Newton-Schulz iteration.
      scale: factor of the orthogonal matrices, a key of `SCALES`.
      before: transformation between momentum and orthogonalization.
      after: from the scale to a transformation that takes its place.
      wrap: wrapper of all of these.
    """

    momentum: str
    nesterov: bool
    coefficients: str | Triples | Coefficients
    scale: str
    before: optax.GradientTransformation | None = None
    after: Callable[..., optax.GradientTransformation] | None = None
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


def orthogonal_momentum(
    momentum: ScalarOrSchedule,
    style: str | Preset,
    *,
    nesterov: bool | None = None,
    coefficients: str | Triples | None = None,
    scale: str | None = None,
    mu_dtype: Any = None,
    **iteration: Any,
) -> optax.GradientTransformation:
    """Return a momentum, its orthogonalization by `newton_schulz`, and the stages of a preset.

    Args:
      momentum: β, 0 <= momentum < 1.
      style: a key of `PRESETS`, or a preset.
      nesterov: whether to use Nesterov momentum. None is the default of `style`.
      coefficients: polynomials of the Newton-Schulz iteration, see `adamjax.orthogonalize`. None is
        the default of `style`.
      scale: "aspect", "rms", "rms_to_rms", "spectral" or "none", see `adamjax.orthogonalize`. None
        is the default of `style`. With "rms" (arXiv:2502.16982) use Adam's learning rate and
        `adam_scale=1`.
      mu_dtype: dtype in which the momentum is stored, float32 if None.
    """
    preset = style if isinstance(style, Preset) else lookup_or_suggest("style", style, PRESETS)
    own: dict[str, Any] = {"nesterov": nesterov, "coefficients": coefficients, "scale": scale}
    preset = preset._replace(**{k: value for k, value in own.items() if value is not None})
    tx = optax.chain(
        matrix_momentum(momentum, preset.nesterov, preset.momentum, mu_dtype),
        *([preset.before] if preset.before else []),
        newton_schulz(preset.coefficients, "none" if preset.after else preset.scale, **iteration),
        *([preset.after(preset.scale)] if preset.after else []),
    )
    return preset.wrap(tx) if preset.wrap else tx


def matrix_momentum(
    momentum: ScalarOrSchedule,
    nesterov: bool = False,
    kind: str = "average",
    mu_dtype: Any = None,
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


def newton_schulz(
    coefficients: str | Triples | Coefficients,
    scale: str,
    *,
    ns_steps: int | None = None,
    ns_eps: float | None = None,
    ns_dtype: Any = None,
    wire_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Return `orthogonalize`, with the names of Muon's arguments in errors.

    Args:
      coefficients, scale: as in `orthogonalize`.
      ns_steps: number of Newton-Schulz steps. None is that of the coefficients.
      ns_eps: ε of the Newton-Schulz iteration. None is that of the coefficients.
      ns_dtype: dtype of its products, such as "bfloat16". None is float32.
      wire_dtype: dtype in which devices exchange matrices. None is float32.
    """
    if ns_steps is not None:
        check_count("ns_steps", ns_steps)
    if ns_eps is not None:
        check_constants(ns_eps=ns_eps)
        check_not_negative("ns_eps", ns_eps)
    check_dtype("ns_dtype", ns_dtype, 2)
    options = {"steps": ns_steps, "eps": ns_eps, "dtype": ns_dtype, "wire_dtype": wire_dtype}
    return orthogonalize(coefficients, scale=scale, **options)
