"""Muown: Row-Norm Control for Muon Optimization. Lion et al., 2026. arXiv:2605.10797.

Muon on the directions of the rows of a matrix, and Adam on their lengths.

    W = r v / ‖v‖                       row by row
    d = W / r
    Δr = Σ g d                          over each row
    Δv = (r / n) (g - d Δr)             n = ‖v‖, at first r
    v = n d - lr · muon(Δv)
    r = r - lr · adam(Δr)
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative, lookup_or_suggest
from adamjax.derive import extends
from adamjax.modifiers.map_blocks import lift_matrices, means_shape
from adamjax.modifiers.orthogonal_momentum import PRESETS
from adamjax.moments import Array, adam_update, clamp, divide, ema, norm
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, times
from adamjax.trees import PyTree
from adamjax.variants.muon import scale_by_muon

STYLES = {
    "author": "the authors' code: Muon's style \"keras\"",
    "nvidia": 'NVIDIA: Muon\'s style "nvidia", with `scale="rms"`',
}
_PRESETS = {"author": PRESETS["keras"], "nvidia": PRESETS["nvidia"]._replace(scale="rms")}


class RowsState(NamedTuple):
    """Step count, n of each row, and Adam's moments of its length."""

    step_count: Array
    length: PyTree
    row_mu: PyTree
    row_nu: PyTree


@extends(scale_by_muon)
def scale_by_muown(
    learning_rate: ScalarOrSchedule = 3e-4,
    momentum: ScalarOrSchedule = 0.95,
    *,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-8,
    adam_scale: ScalarOrSchedule = 1.0,
    norm_fn: Callable[[Array, Array], Array] | None = None,
    style: str = "author",
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Muown rule for matrices, and with Adam for other leaves.

    Args:
      learning_rate: lr, a number, an array or a schedule. The updates include it.
      b1: b₁ of Adam, for lengths and for other leaves.
      b2: b₂ of Adam.
      eps: ε of Adam.
      norm_fn: a function of n before the first step and of the number of steps done, which returns
        n of this step. None is ‖v‖.

    Returns:
      A transformation with an `optax.transforms.PartitionState`, as `scale_by_muon`, whose matrices
      have a `RowsState` as well.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative number, or an unknown style or scale;
        in `init`, for a parameter with three or more axes and no layout; in `update`, if the
        parameters are missing.

    >>> tx, p = scale_by_muown(0.1), jnp.array([[3.0], [4.0]])
    >>> u, _ = tx.update(p, tx.init(p), p)  # one output, and a gradient along its weights
    >>> round(float(jnp.linalg.norm(p - u)), 2)
    4.9
    """
    preset = lookup_or_suggest("style", style, _PRESETS)
    check_not_negative("learning_rate", learning_rate)
    wrap = partial(
        _normalize_weights,
        norm_fn=norm_fn,
        betas={"b1": b1, "b2": b2},
        scalars={"eps": eps, "eps_root": 0.0, "learning_rate": learning_rate},
    )
    options |= {"b1": b1, "b2": b2, "eps": eps, "style": preset._replace(wrap=wrap)}
    return scale_by_muon(momentum, adam_scale=times(learning_rate, adam_scale), **options)


def _normalize_weights(
    inner: optax.GradientTransformationExtraArgs,
    norm_fn: Callable[[Array, Array], Array] | None,
    **settings: Any,
) -> optax.GradientTransformationExtraArgs:
    """Run a transformation on the directions of rows, and Adam on their lengths."""
    slots = dict.fromkeys(RowsState._fields[1:], Slot(shape=means_shape))

    def split(step, g, p, start):
        """Return n before the first step, r, n, d and Δr."""
        r = norm(p, (-1,))
        start = jnp.where(step.count == 1, r, start)
        d = divide(p, r)
        slope = clamp(jnp.sum(g * d, -1, keepdims=True))
        return start, r, norm_fn(start, step.count - 1) if norm_fn else start, d, slope

    def direction(step, g, p, start, *moments):
        _, r, n, d, slope = split(step, g, p, start)
        return divide(r, n) * (g - d * slope), start, *moments

    def step_of(step, y, p, g, start, mu, nu):
        start, r, n, d, slope = split(step, g, p, start)
        mu, nu = ema(slope, mu, step.b1), ema(slope * slope, nu, step.b2)
        lr, adam = step.learning_rate, step.learning_rate * adam_update(mu, nu, step)
        length = norm(n * d - lr * y, (-1,))
        # p less the new row, without the difference of two near numbers.
        squares = lr * jnp.sum(lr * y * y - 2 * n * d * y, -1, keepdims=True)
        shorter = r * divide(squares, length * (length + n))
        u = d * (adam * divide(n, length) + shorter) + (r - adam) * lr * divide(y, length)
        return u, start if norm_fn else length, mu, nu

    both = partial(lift_matrices, state_type=RowsState, slots=slots, needs_params=True, **settings)
    first, last = both(direction), both(step_of, inputs=["gradient"])

    def init(params: PyTree) -> Any:
        return inner.init(params), last.init(params)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        inner_state, rows = state
        u, _ = first.update(updates, rows, params)
        u, inner_state = inner.update(u, inner_state, params, **extra_args)
        u, rows = last.update(u, rows, params, gradient=updates)
        return u, (inner_state, rows)

    return optax.GradientTransformationExtraArgs(init, update)


MUOWN = register(
    scale_by_muown,
    Paper(
        "Muown: Row-Norm Control for Muon Optimization",
        "Lion, Kai and Hübler, Florian and Li, Bingcong and Orvieto, Antonio and He, Niao",
        2026,
        arxiv="2605.10797",
    ),
    summary="Muon for directions of rows, Adam for their lengths",
    learning_rate=3e-4,
    notes="A row of zeros stays zero. NVIDIA's implementation decays lengths alone: use "
    '`decay_mode="decoupled_after"` with its style.',
    styles=STYLES,
    includes_learning_rate=True,
)
muown = MUOWN.optimizer
