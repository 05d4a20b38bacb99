"""Adafactor: Adaptive Learning Rates with Sublinear Memory Cost. Shazeer and Stern, 2018.
arXiv:1804.04235.

The second moment of a matrix kept as its row and column means, no first moment, an update clipped
by its root mean square and scaled by the parameter's.

    b = 1 - t^-0.8
    R, C = averages with b of the row and column means of g² + ε₁;  V = R Cᵀ / mean(R)
    u = g / √V;  u = u / max(1, RMS(u) / d)
    p <- p - max(ε₂, RMS(p)) · min(10⁻², 1/√t) · u
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import optax

from adamjax.checks import check_positive, lookup_or_suggest
from adamjax.moments import Array, Beta, divide, ema, factored, factored_axes, rms
from adamjax.optimizer import DecayMode
from adamjax.registry import Paper, register
from adamjax.rule import Rule, ScalarOrSchedule, Slot, lift
from adamjax.schedules import relative_step
from adamjax.trees import PyTree

STYLES = {
    "paper": "the paper, Hugging Face, Tensor2Tensor: the last two axes of every matrix factored",
    "t5": "T5X, Optax: the two largest axes, if both have 128 elements or more",
    "torch": "torch: ε₁ is a floor of V instead of an addend; the learning rate is the cap of the "
    "relative step, min(lr, 1/√t)",
    "bigvision": "Big Vision: the two largest axes from 32 up, b at most 0.999, no clipping, not "
    "scaled by the parameter, momentum 0.9 kept in bfloat16",
}
AxesOf = Callable[[tuple[int, ...]], tuple[int, int] | None]


class _Preset(NamedTuple):
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
        clip_threshold=math.inf,
        momentum=0.9,
        mu_dtype=jnp.bfloat16,
        scale_parameter=False,
        min_dim_size_to_factor=32,
        largest_axes=True,
    ),
}


class AdafactorState(NamedTuple):
    """An `optax.FactoredState` and the average of the updates."""

    count: Array
    v_row: PyTree
    v_col: PyTree
    v: PyTree
    mu: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits, and as what."""
        return {"v": "square", "mu": "signed"}


def second_moment(
    q: Array, moments: Any, beta: Beta, axes: tuple[int, int] | None, floor: Any
) -> tuple[Array, Any]:
    """The average V of q, kept in `v`, or its row and column means in `v_row` and `v_col`."""
    if axes is None:
        v = ema(q, moments.v, beta)
        return v, moments._replace(v=v)
    v, row, col = factored(q, moments.v_row, moments.v_col, beta, axes, floor)
    return v, moments._replace(v_row=row, v_col=col)


def factored_slots(axes_of: AxesOf, dtype: Any) -> dict[str, Slot]:
    """Row means, column means and the whole, each of size 1 along what it does not keep."""

    def slot(dropped):
        def shape(full):
            gone = dropped(axes_of(full), range(len(full)))
            return tuple(1 if i in gone else size for i, size in enumerate(full))

        return Slot(dtype, shape=shape)

    return {
        "v_row": slot(lambda axes, every: axes[1:] if axes else every),
        "v_col": slot(lambda axes, every: axes[:1] if axes else every),
        "v": slot(lambda axes, every: every if axes else ()),
    }


def _rule(setting: _Preset, axes_of: AxesOf, floors: bool) -> Rule:
    def rule(g, moments, step, p=None):
        complement = jnp.maximum(step.count**-step.decay_rate, 1 - step.b2_cap)
        beta = Beta(None, complement, None, None)
        floor = step.eps1 if floors else 0.0
        q = g * g + (step.eps1 - floor)
        v, moments = second_moment(q, moments, beta, axes_of(g.shape), floor)
        u = divide(g, jnp.sqrt(jnp.maximum(v, floor**2)))
        u = u * step.learning_rate / jnp.maximum(1, rms(u) / step.clip_threshold)
        if p is not None:
            u = u * jnp.maximum(step.eps2, rms(p))
        if setting.momentum is not None:
            u = ema(u, moments.mu, step.momentum)
            moments = moments._replace(mu=u)
        return u, moments

    return rule


def scale_by_adafactor(
    learning_rate: ScalarOrSchedule | None = 1.0,
    *,
    decay_rate: ScalarOrSchedule = 0.8,
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
    """The update of Adafactor, g / √V clipped and scaled by the parameter.

    Args (those that are None are what `style` says, see `STYLES`):
      learning_rate: multiplies the update before the momentum averages it; a schedule, too. None
        is the paper's relative step, min(10⁻², 1/√t); 1 leaves it to the rest of the chain.
      decay_rate: b = 1 - t^-decay_rate.
      b2_cap: the largest b.
      eps1: ε₁, added to g²; with style "torch" the floor of the mean row moment, and squared of V.
      eps2: ε₂, the least scale of a parameter.
      clip_threshold: d, the largest root mean square of a leaf's update; `math.inf` for none.
      momentum: decay of an average of the updates, not corrected; None for none, which keeps none.
      scale_parameter: whether to multiply by max(ε₂, RMS(p)).
      min_dim_size_to_factor: both axes must have this size for a leaf to be factored.
      style: "paper", "t5", "torch" or "bigvision".
      mu_dtype: dtype in which the momentum is stored.
      nu_dtype: dtype in which the second moments are stored; None for float32.

    Returns:
      A transformation with an `optax.FactoredState`, or an `AdafactorState` with momentum. For a
      factored leaf (…, r, …, c, …) v_row is (…, r, …, 1, …), v_col (…, 1, …, c, …) and v ones; for
      the others v has the leaf's shape and the rest ones. So each shards as the leaf does.

    Raises:
      ValueError: for a negative number, a momentum outside [0, 1), an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, p = scale_by_adafactor(), jnp.full((2, 3), 0.5)
    >>> round(float(tx.update(p, tx.init(p), p)[0][0, 0]), 4)
    0.5
    """
    given = (eps1, b2_cap, clip_threshold, momentum, mu_dtype, scale_parameter)
    changes: Any = zip(_Preset._fields, (*given, min_dim_size_to_factor), strict=False)
    if clip_threshold is not None:
        check_positive("clip_threshold", clip_threshold)
    setting = lookup_or_suggest("style", style, _PRESETS)._replace(
        **{name: value for name, value in changes if value is not None}
    )

    def axes_of(shape):
        return factored_axes(shape, setting.min_dim_size_to_factor, setting.largest_axes)

    slots = factored_slots(axes_of, nu_dtype)
    betas = {}
    if setting.momentum is not None:
        slots["mu"] = Slot(setting.mu_dtype)
        betas["momentum"] = setting.momentum
    return lift(
        _rule(setting, axes_of, floors=style == "torch"),
        AdafactorState if betas else optax.FactoredState,
        slots,
        betas=betas,
        scalars={
            "learning_rate": relative_step(1e-2) if learning_rate is None else learning_rate,
            "decay_rate": decay_rate,
            "b2_cap": setting.b2_cap,
            "eps1": setting.eps1,
            "eps2": eps2,
            "clip_threshold": setting.clip_threshold,
        },
        needs_params=setting.scale_parameter,
    )


def _learning_rates(
    learning_rate: ScalarOrSchedule | None, eps2: ScalarOrSchedule, decay_mode: str, style: str
) -> dict[str, Any]:
    """Return the learning rates of the rule and of the weight decay.

    Args:
      learning_rate: None is the paper's relative step, min(10⁻², 1/√t). With style "torch" it is
        the cap of that step, 10⁻² if None, and weight decay is multiplied by the cap, as in torch.
        Style "bigvision" needs one.
    """
    if decay_mode == "scaled" and callable(eps2):
        raise ValueError('eps2: give a number; a schedule does not go with decay_mode="scaled"')
    if learning_rate is None and style == "bigvision":
        raise ValueError('learning_rate: style "bigvision" has no relative step; give a number')
    cap = 1e-2 if learning_rate is None else learning_rate
    rate = relative_step(cap) if learning_rate is None or style == "torch" else cap
    in_rule = style != "bigvision"
    return {
        "learning_rate": cap if style == "torch" else rate,
        "rule": {"learning_rate": rate if in_rule else 1.0},
        "includes_learning_rate": in_rule,
    } | (
        {"decay_mode": "decoupled", "decay_scale": lambda p, g: jnp.maximum(eps2, rms(p))}
        if decay_mode == "scaled"
        else {}
    )


ADAFACTOR = register(
    scale_by_adafactor,
    Paper(
        "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost",
        "Shazeer, Noam and Stern, Mitchell",
        2018,
        "International Conference on Machine Learning, 2018",
        arxiv="1804.04235",
    ),
    summary="keeps row and column means of g² only, no momentum; steps relative to RMS(p)",
    learning_rate=None,
    notes='T5X and Optax do not multiply the decay by the learning rate: this is "independent".',
    own_modes=(DecayMode("scaled", "p <- p - lr (u + λ max(ε₂, RMS(p)) p), as in Hugging Face"),),
    adjust=_learning_rates,
    styles=STYLES,
)
adafactor = ADAFACTOR.optimizer
