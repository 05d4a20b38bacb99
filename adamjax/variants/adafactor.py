"""Adafactor: Adaptive Learning Rates with Sublinear Memory Cost. Shazeer and Stern, 2018.
arXiv:1804.04235.

The second moment of a matrix is stored as its row and column means, and there is no momentum. The
update is clipped by its root mean square and scaled by that of the parameter.

    b = 1 - t^-0.8
    R, C = averages with b of the row and column means of g² + ε₁
    V = R Cᵀ / mean(R)
    u = g / √V
    u = u / max(1, RMS(u) / d)
    p <- p - max(ε₂, RMS(p)) · min(10⁻², 1/√t) · u
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import optax

from adamjax.checks import check_positive, lookup_or_suggest
from adamjax.moments import Array, Beta, divide, ema, factored, factored_axes, rms, root
from adamjax.optimizer import DecayMode
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.schedules import relative_step
from adamjax.trees import PyTree

STYLES = {
    "paper": "the paper, Hugging Face, Tensor2Tensor: factor the last two axes of every matrix",
    "t5": "T5X, Optax: factor the two largest axes if both have at least 128 elements",
    "torch": "torch: ε₁ is a lower bound of V instead of an addend, relative step min(lr, 1/√t)",
    "bigvision": "Big Vision: factor the two largest axes from size 32, b at most 0.999, no "
    "clipping, no scaling by the parameter, momentum 0.9 in bfloat16",
}
Axes = tuple[int, int] | None


class _Preset(NamedTuple):
    """Defaults of a style."""

    eps1: float = 1e-30
    b2_cap: float = 1.0
    clip_threshold: float = 1.0
    momentum: float | None = None
    mu_dtype: Any = None
    scale_parameter: bool = True
    min_dim_size_to_factor: int = 1
    largest_axes: bool = False


_PRESETS = {
    "paper": _Preset(),
    "t5": _Preset(min_dim_size_to_factor=128, largest_axes=True),
    "torch": _Preset(eps1=float(np.finfo(np.float32).eps)),
    "bigvision": _Preset(
        b2_cap=0.999,
        clip_threshold=1e38,  # none
        momentum=0.9,
        mu_dtype=jnp.bfloat16,
        scale_parameter=False,
        min_dim_size_to_factor=32,
        largest_axes=True,
    ),
}


class AdafactorState(NamedTuple):
    """The fields of `optax.FactoredState`, and the momentum `mu`."""

    count: Array
    v_row: PyTree
    v_col: PyTree
    v: PyTree
    mu: PyTree
    roles = {"v": "square", "mu": "signed"}


def second_moment(
    q: Array, moments: Any, beta: Beta, axes: Axes, floor: Any = 0.0
) -> tuple[Array, Any]:
    """Return the average V of q, stored in `v`, or factored in `v_row` and `v_col`."""
    if axes is None:
        v = ema(q, moments.v, beta)
        return v, moments._replace(v=v)
    v, row, col = factored(q, moments.v_row, moments.v_col, beta, axes, floor)
    return v, moments._replace(v_row=row, v_col=col)


def factored_slots(axes_of: Callable[[tuple[int, ...]], Axes], dtype: Any) -> dict[str, Slot]:
    """Return slots of the row means, the column means and V. Axes that are not kept have size 1."""

    def means(shape, averaged):
        axes = axes_of(shape)
        ones = [axes[averaged]] if axes else range(len(shape))
        return tuple(1 if i in ones else size for i, size in enumerate(shape))

    def whole(shape):
        return (1,) * len(shape) if axes_of(shape) else shape

    return {
        "v_row": Slot(dtype, shape=partial(means, averaged=1)),
        "v_col": Slot(dtype, shape=partial(means, averaged=0)),
        "v": Slot(dtype, shape=whole),
    }


def scale_by_adafactor(
    learning_rate: ScalarOrSchedule | None = 1.0,
    *,
    decay_rate: ScalarOrSchedule = 0.8,
    decay_offset: ScalarOrSchedule = 0,
    b2_cap: ScalarOrSchedule | None = None,
    eps1: ScalarOrSchedule | None = None,
    eps2: ScalarOrSchedule = 1e-3,
    clip_threshold: ScalarOrSchedule | None = None,
    momentum: ScalarOrSchedule | None = None,
    scale_parameter: bool | None = None,
    min_dim_size_to_factor: int | None = None,
    style: str = "paper",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Adafactor rule. `style` sets the arguments that are None.

    Args:
      learning_rate: factor of the update, inside the momentum. None is the relative step of the
        paper, min(10⁻², 1/√t). With 1, scale the updates elsewhere in the chain.
      decay_rate: exponent of the decay rate of V, b = 1 - t^-decay_rate.
      decay_offset: number of steps to subtract from t in b.
      b2_cap: upper bound of b, 1 or set by `style` if None.
      eps1: ε₁, added to g², or a lower bound with style "torch". 1e-30 or set by `style` if None.
      eps2: ε₂, lower bound of RMS(p).
      clip_threshold: d, upper bound of RMS(u), `math.inf` for no clipping. 1 or set by `style` if
        None.
      momentum: decay rate of the average of the updates, 0 <= momentum < 1, without bias
        correction. No average is stored, or as set by `style`, if None.
      scale_parameter: whether to multiply by max(ε₂, RMS(p)). True or set by `style` if None.
      min_dim_size_to_factor: minimum size of both axes of a factored leaf, set by `style` if None.
      style: implementation to follow, "paper", "t5", "torch" or "bigvision", see `STYLES`.
      mu_dtype: dtype in which the momentum is stored, float32 or set by `style` if None.
      nu_dtype: dtype in which V is stored, float32 if None.

    Returns:
      A transformation with an `optax.FactoredState`, or with an `AdafactorState` if there is
      momentum. Averaged axes have size 1, so each moment has the sharding of its parameter.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> tx, p = scale_by_adafactor(), jnp.full((2, 3), 0.5)
    >>> round(float(tx.update(p, tx.init(p), p)[0][0, 0]), 4)
    0.5
    """
    if clip_threshold is not None:
        check_positive("clip_threshold", clip_threshold)
    preset = lookup_or_suggest("style", style, _PRESETS)
    given = {"eps1": eps1, "b2_cap": b2_cap, "clip_threshold": clip_threshold, "momentum": momentum}
    given |= {"mu_dtype": mu_dtype, "scale_parameter": scale_parameter}
    given |= {"min_dim_size_to_factor": min_dim_size_to_factor}
    setting = preset._replace(**{k: x for k, x in given.items() if x is not None})
    least, largest = setting.min_dim_size_to_factor, setting.largest_axes
    axes_of = partial(factored_axes, min_size=least, largest=largest)

    def rule(g, moments, step, p=None):
        power = (step.count - step.decay_offset) ** -step.decay_rate
        one_minus = jnp.maximum(power, 1 - step.b2_cap)
        beta = Beta(1 - one_minus, one_minus)
        addend, floor = (0.0, step.eps1) if style == "torch" else (step.eps1, 0.0)
        v, moments = second_moment(g * g + addend, moments, beta, axes_of(g.shape), floor)
        u = divide(g, root(jnp.maximum(v, floor**2)))
        u = u * step.learning_rate / jnp.maximum(1, rms(u) / step.clip_threshold)
        if p is not None:
            u = u * jnp.maximum(step.eps2, rms(p))
        if setting.momentum is not None:
            u = ema(u, moments.mu, step.momentum)
            moments = moments._replace(mu=u)
        return u, moments

    slots, betas = factored_slots(axes_of, nu_dtype), {}
    if setting.momentum is not None:
        slots["mu"], betas["momentum"] = Slot(setting.mu_dtype), setting.momentum
    scalars = {
        "learning_rate": relative_step(1e-2) if learning_rate is None else learning_rate,
        "decay_rate": decay_rate,
        "decay_offset": decay_offset,
        "eps2": eps2,
        **{name: getattr(setting, name) for name in ("b2_cap", "eps1", "clip_threshold")},
    }
    state_type = AdafactorState if betas else optax.FactoredState
    options = {"needs_params": setting.scale_parameter, "uses_axes": True}
    return lift(rule, state_type, slots, betas=betas, scalars=scalars, **options)


def _learning_rates(
    learning_rate: ScalarOrSchedule | None, eps2: ScalarOrSchedule, decay_mode: str, style: str
) -> dict[str, Any]:
    """Return the learning rates of the rule and of the weight decay.

    Args:
      learning_rate: lr, the relative step min(10⁻², 1/√t) if None. With style "torch", lr is the
        cap in place of 10⁻², and the factor of weight decay. Style "bigvision" requires a number.
    """
    if decay_mode == "scaled" and callable(eps2):
        raise ValueError('eps2: give a number; a schedule does not go with decay_mode="scaled"')
    if learning_rate is None and style == "bigvision":
        raise ValueError('learning_rate: style "bigvision" has no relative step; give a number')
    cap = 1e-2 if learning_rate is None else learning_rate
    rate = relative_step(cap) if learning_rate is None or style == "torch" else cap
    in_rule = style != "bigvision"
    values = {
        "learning_rate": cap if style == "torch" else rate,
        "rule": {"learning_rate": rate if in_rule else 1.0},
        "includes_learning_rate": in_rule,
    }
    if decay_mode == "scaled":
        values["decay_mode"] = "decoupled"
        values["decay_scale"] = lambda p, g: jnp.maximum(eps2, rms(p))
    return values


ADAFACTOR = register(
    scale_by_adafactor,
    Paper(
        "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost",
        "Shazeer, Noam and Stern, Mitchell",
        2018,
        "International Conference on Machine Learning, 2018",
        arxiv="1804.04235",
    ),
    summary="row and column means of g², no momentum, steps relative to RMS(p)",
    learning_rate=None,
    notes="`style` sets the arguments that are None. T5X and Optax do not multiply weight decay by "
    'the learning rate, which is the decay mode "independent".',
    own_modes=(DecayMode("scaled", "p <- p - lr (u + λ max(ε₂, RMS(p)) p), as in Hugging Face"),),
    adjust=_learning_rates,
    styles=STYLES,
)
adafactor = ADAFACTOR.optimizer
