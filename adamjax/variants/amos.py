"""Amos: An Adam-style Optimizer with Adaptive Weight Decay towards Model-Oriented Scale. Tian and
Parikh, 2022. arXiv:2210.11693.

Adam without momentum that computes weight decay and learning rate decay from the expected size η of
the weights.

    v = b₂ v + (1 - b₂) g²
    w = (1 - b₂ᵗ) / max(v, ε)
    γ = ξ² w g² / √(1 + c √ξ B)              ξ the learning rate
    D = 1 / (1 + d √(ξ η) B)
    p <- p - D (γ p / 2 + ξ η √w g)
    B <- B + γ (1 + B)
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.moments import Array, divide, ema, root
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree

Shape = tuple[int, ...]


class AmosState(NamedTuple):
    """Step `count`, v in `nu`, and B in `b`, which reduces the steps."""

    count: Array
    nu: PyTree
    b: PyTree


def expected_scale(shape: Shape) -> float:
    """Return η of a Flax layer: 1/√n for kernels with n inputs, 1 for scales and biases.

    >>> expected_scale((16, 3)), expected_scale((3,))
    (0.25, 1.0)
    """
    return 1 / math.sqrt(max(1, math.prod(shape[:-1])))


def _mean_to(shape: Shape, x: Array) -> Array:
    """Return the mean of x over the axes that have size 1 in `shape`."""
    for axis, size in enumerate(shape):
        if size < x.shape[axis]:
            x = jnp.mean(x, axis, keepdims=True)
    return x


def scale_by_amos(
    learning_rate: ScalarOrSchedule = 1e-2,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 2**-125,
    *,
    c: ScalarOrSchedule = 0.25,
    d: ScalarOrSchedule = 0.25,
    eta_fn: Callable[[Shape], float] = expected_scale,
    shape_fn: Callable[[Shape], Shape] | None = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Amos rule, D (γ p / 2 + ξ η √w g).

    Args:
      learning_rate: ξ, about 1/√n for n independent batches of data. It needs no schedule.
      b2: decay rate of the second moment v, 0 <= b2 < 1, with 1 - b2 of the order of ξ.
      eps: ε, lower bound of v.
      c: rate at which weight decay decreases.
      d: rate at which the learning rate decreases.
      eta_fn: function from the shape of a leaf to η, the expected size of its elements. The default
        is `expected_scale`.
      shape_fn: function from the shape of a leaf to that of v and B, where axes of size 1 store the
        mean of g². None keeps the shape.
      nu_dtype: dtype in which v and B are stored, float32 if None.

    Returns:
      A transformation with an `AmosState` that requires the parameters.

    Raises:
      ValueError: for a number out of range.

    >>> tx, g = scale_by_amos(0.5), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g), jnp.float32(0.8))[0]), 4)  # 0.5² · 0.8 / 2 + 0.5
    0.6
    """

    def rule(g, moments, step, p):
        eta, xi = eta_fn(g.shape), step.learning_rate
        q = _mean_to(moments.nu.shape, g * g)
        nu = ema(q, moments.nu, step.b2)
        limited = jnp.maximum(nu, step.eps)
        wq = divide(step.b2.bias_correction * q, limited)
        gamma = xi**2 * wq / jnp.sqrt(1 + step.c * jnp.sqrt(xi) * moments.b)
        decay = 1 + step.d * jnp.sqrt(xi * eta) * moments.b  # 1 / D
        normalized = divide(jnp.sqrt(step.b2.bias_correction) * g, root(limited))
        u = (gamma / 2 * p + xi * eta * normalized) / decay
        return u, moments._replace(nu=nu, b=moments.b + gamma * (1 + moments.b))

    slot = Slot(nu_dtype, shape=shape_fn)
    slots = {"nu": slot, "b": slot}
    scalars = {"learning_rate": learning_rate, "eps": eps, "c": c, "d": d}
    return lift(
        rule, AmosState, slots, betas={"b2": b2}, scalars=scalars, needs_params=True, uses_axes=True
    )


AMOS = register(
    scale_by_amos,
    Paper(
        "Amos: An Adam-style Optimizer with Adaptive Weight Decay towards Model-Oriented Scale",
        "Tian, Ran and Parikh, Ankur P.",
        2022,
        arxiv="2210.11693",
    ),
    summary="no momentum, step size and weight decay decrease according to the expected scale η",
    learning_rate=1e-2,
    notes="The default of eta_fn is for Flax. Use `optax.partition` if η depends on names.",
    includes_learning_rate=True,
)
amos = AMOS.optimizer
