"""CAME: Confidence-guided Adaptive Memory Efficient Optimization. Luo et al., 2023.
arXiv:2307.02047.

Adafactor with momentum. The momentum is divided by the root of S, an average of the squared
distances between momentum and updates, which is factored as well.

    V = average with b₂ of g² + ε₁, factored
    r = g / √V;  r = r / max(1, RMS(r) / d)
    m = b₁ m + (1 - b₁) r
    S = average with b₃ of (r - m)² + ε₂, factored
    u = m / √S                                          u = m for vectors and scalars
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_positive
from adamjax.moments import Array, divide, ema, factored, rms, root
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree
from adamjax.variants.adafactor import factored_slots, second_moment


class CameState(NamedTuple):
    """Step count, V and S of matrices as row and column means, V of other leaves, and m."""

    count: Array
    v_row: PyTree
    v_col: PyTree
    v: PyTree
    mu: PyTree
    s_row: PyTree
    s_col: PyTree
    roles = {"v": "square", "mu": "signed"}


def _axes(shape: tuple[int, ...]) -> tuple[int, int] | None:
    return (len(shape) - 2, len(shape) - 1) if len(shape) > 1 else None


def scale_by_came(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    b3: ScalarOrSchedule = 0.9999,
    *,
    eps1: ScalarOrSchedule = 1e-30,
    eps2: ScalarOrSchedule = 1e-16,
    clip_threshold: ScalarOrSchedule = 1.0,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the CAME rule.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the average V of the squared gradients, 0 <= b2 < 1.
      b3: decay rate of the average S of the squared distances from m, 0 <= b3 < 1.
      eps1: ε₁, added to g².
      eps2: ε₂, added to (r - m)².
      clip_threshold: d, the largest RMS of g / √V over a leaf. `math.inf` disables clipping.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which V and S are stored, float32 if None.

    Returns:
      A transformation with a `CameState`. Leaves with two or more axes are factored along the last
      two. A dropped axis has size 1, so that each moment shards as its leaf does.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative number, or a threshold of 0.

    >>> tx, g = scale_by_came(b1=0.5), jnp.full((2, 3), 2.0)
    >>> round(float(tx.update(g, tx.init(g))[0][0, 0]), 2)  # m = r / 2, S = (r / 2)² / 10⁴
    100.0
    """
    check_positive("clip_threshold", clip_threshold)

    def rule(g, moments, step):
        axes = _axes(g.shape)
        v, moments = second_moment(g * g + step.eps1, moments, step.b2, axes, 0.0)
        r = divide(g, root(v))
        r = r / jnp.maximum(1, rms(r) / step.clip_threshold)
        distance = step.b1.value * (r - moments.mu)  # r - m, exactly 0 if b1 is 0
        mu = ema(r, moments.mu, step.b1)
        if axes is None:
            return mu, moments._replace(mu=mu)
        square = distance * distance + step.eps2
        s, row, col = factored(square, moments.s_row, moments.s_col, step.b3, axes, 0.0)
        return divide(mu, root(s)), moments._replace(mu=mu, s_row=row, s_col=col)

    slots = factored_slots(_axes, nu_dtype)
    slots = slots | {"mu": Slot(mu_dtype), "s_row": slots["v_row"], "s_col": slots["v_col"]}
    scalars = {"eps1": eps1, "eps2": eps2, "clip_threshold": clip_threshold}
    betas = {"b1": b1, "b2": b2, "b3": b3}
    return lift(rule, CameState, slots, betas=betas, scalars=scalars, uses_axes=True)


CAME = register(
    scale_by_came,
    Paper(
        "CAME: Confidence-guided Adaptive Memory Efficient Optimization",
        "Luo, Yang and Ren, Xiaozhe and Zheng, Zangwei and Jiang, Zhuo and Jiang, Xin and You, "
        "Yang",
        2023,
        "Annual Meeting of the Association for Computational Linguistics, 2023",
        arxiv="2307.02047",
    ),
    summary="Adafactor with momentum and a factored estimate of its instability",
    learning_rate=2e-4,
    notes="S starts at 0 and has no bias correction, so the first steps are long.",
)
came = CAME.optimizer
