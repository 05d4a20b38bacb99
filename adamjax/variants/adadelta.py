"""ADADELTA: An Adaptive Learning Rate Method. Zeiler, 2012. arXiv:1212.5701.

RMSProp times the root mean square of the steps taken before, which gives the step the parameter's
units and needs no learning rate of its own.

    v = b₂ v + (1 - b₂) g²
    u = √(x + ε) / √(v + ε) · g
    x = b₂ x + (1 - b₂) u²
"""

from typing import Any, NamedTuple

import optax

from adamjax.moments import Array, divide, ema, sqrt_eps_inside
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree


class AdadeltaState(NamedTuple):
    """Steps done, the average v of squared gradients and the average x of squared steps."""

    count: Array
    nu: PyTree
    delta: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits, and as what."""
        return {"nu": "square", "delta": "square"}


def scale_by_adadelta(
    b2: ScalarOrSchedule = 0.9,
    eps: ScalarOrSchedule = 1e-6,
    *,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of Adadelta, u = √(x + ε) / √(v + ε) · g elementwise.

    Args:
      b2: decay of both averages, 0 <= b2 < 1 (the paper's ρ).
      eps: ε under both roots; it sets the size of the first steps.
      nu_dtype: dtype in which v and x are stored; None for float32.

    Returns:
      A transformation with an `AdadeltaState`.

    Raises:
      ValueError: for b2 outside [0, 1) or a negative eps.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_adadelta(b2=0.75, eps=1e-4), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    0.02
    """

    def rule(g, moments, step):
        nu = ema(g * g, moments.nu, step.b2)
        u = divide(sqrt_eps_inside(moments.delta, step.eps), sqrt_eps_inside(nu, step.eps)) * g
        return u, moments._replace(nu=nu, delta=ema(u * u, moments.delta, step.b2))

    slots = {"nu": Slot(nu_dtype), "delta": Slot(nu_dtype)}
    return lift(rule, AdadeltaState, slots, betas={"b2": b2}, scalars={"eps": eps})


ADADELTA = register(
    scale_by_adadelta,
    Paper(
        "ADADELTA: An Adaptive Learning Rate Method",
        "Zeiler, Matthew D.",
        2012,
        arxiv="1212.5701",
    ),
    summary="multiplies by the size of its own recent steps; no momentum, no bias correction",
    learning_rate=1.0,
)
adadelta = ADADELTA.optimizer
