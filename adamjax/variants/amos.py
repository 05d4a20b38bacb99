"""Amos: An Adam-style Optimizer with Adaptive Weight Decay towards Model-Oriented Scale. Tian and
Parikh, 2022. arXiv:2210.11693.

Adam without momentum that knows how large its weights will get, η, and makes of it, with each
gradient, a weight decay and a decay of the learning rate of their own.

    v = b₂ v + (1 - b₂) g²,  w = (1 - b₂ᵗ) / max(v, ε)
    γ = ξ² w g² / √(1 + c √ξ B),  D = 1 / (1 + d √(ξ η) B)
    p <- p - D (γ p / 2 + ξ η √w g)          ξ the learning rate
    B <- B + γ (1 + B)
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.moments import Array, divide, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree

Shape = tuple[int, ...]


class AmosState(NamedTuple):
    """Steps done, the average v of squares, and B, how far the leaf has come."""

    count: Array
    nu: PyTree
    b: PyTree


def expected_scale(shape: Shape) -> float:
    """η of a layer in Flax: 1/√n for kernels with n inputs to a neuron, 1 for scales and biases.

    >>> expected_scale((16, 3)), expected_scale((3,))
    (0.25, 1.0)
    """
    return 1 / math.sqrt(max(1, math.prod(shape[:-1])))


def _mean_to(shape: Shape, x: Array) -> Array:
    """The mean of x over the axes that are longer than those of a shape it is to have."""
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
    """The step of Amos, D (γ p / 2 + ξ η √w g), the learning rate in it.

    Args:
      learning_rate: ξ. The authors recommend about 1/√n for n independent batches of data; it needs
        no schedule.
      b2: decay of the average v of the squared gradients, 0 <= b2 < 1; 1 - b2 of the order of ξ.
      eps: ε, the least v.
      c: how fast the weight decay fades.
      d: how fast the steps fade.
      eta_fn: from a leaf's shape to η, the size that its elements are expected to reach. The
        default is meant for the layers of Flax; where names decide, use `optax.partition`.
      shape_fn: from a leaf's shape to that of v and B, which keep the mean of g² over the axes that
        it makes 1; None for the same shape.
      nu_dtype: dtype in which v and B are stored; None for float32.

    Returns:
      A transformation with an `AmosState`, that needs the parameters.

    Raises:
      ValueError: for b2 outside [0, 1), a negative number.

    >>> tx, g = scale_by_amos(0.5), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g), jnp.float32(0.8))[0]), 4)  # 0.5² · 0.8 / 2 + 0.5
    0.6
    """

    def rule(g, moments, step, p):
        eta, xi = eta_fn(g.shape), step.learning_rate
        q = _mean_to(moments.nu.shape, g * g)
        nu = ema(q, moments.nu, step.b2)
        w = divide(step.b2.bias_correction, jnp.maximum(nu, step.eps))
        gamma = xi**2 * (w * q) / jnp.sqrt(1 + step.c * jnp.sqrt(xi) * moments.b)
        fade = 1 + step.d * jnp.sqrt(xi * eta) * moments.b
        u = (gamma / 2 * p + xi * eta * jnp.sqrt(w) * g) / fade
        return u, moments._replace(nu=nu, b=moments.b + gamma * (1 + moments.b))

    slot = Slot(nu_dtype, shape=shape_fn)
    return lift(
        rule,
        AmosState,
        {"nu": slot, "b": slot},
        betas={"b2": b2},
        scalars={"learning_rate": learning_rate, "eps": eps, "c": c, "d": d},
        needs_params=True,
    )


AMOS = register(
    scale_by_amos,
    Paper(
        "Amos: An Adam-style Optimizer with Adaptive Weight Decay towards Model-Oriented Scale",
        "Tian, Ran and Parikh, Ankur P.",
        2022,
        arxiv="2210.11693",
    ),
    summary="no momentum; steps and weight decay fade by themselves, from the expected scale η",
    learning_rate=1e-2,
    includes_learning_rate=True,
)
amos = AMOS.optimizer
