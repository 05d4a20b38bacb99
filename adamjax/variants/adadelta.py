"""ADADELTA: An Adaptive Learning Rate Method. Zeiler, 2012. arXiv:1212.5701.

RMSProp multiplied by the root mean square of its recent updates. The update has the units of the
parameter, so that no learning rate is needed.

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
    """Step `count`, average of squared gradients `nu` and of squared updates `delta`."""

    count: Array
    nu: PyTree
    delta: PyTree
    roles = {"nu": "square", "delta": "square"}


def scale_by_adadelta(
    b2: ScalarOrSchedule = 0.9, eps: ScalarOrSchedule = 1e-6, *, nu_dtype: Any = None
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Adadelta rule.

    Args:
      b2: decay rate of both averages, 0 <= b2 < 1 (ρ in the paper).
      eps: ε, added under both roots. It determines the size of the first updates.
      nu_dtype: dtype in which v and x are stored, float32 if None.

    Returns:
      A transformation with an `AdadeltaState`.

    Raises:
      ValueError: for a number out of range.

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
        "ADADELTA: An Adaptive Learning Rate Method", "Zeiler, Matthew D.", 2012, arxiv="1212.5701"
    ),
    summary="multiplies by the size of recent updates, no momentum, no bias correction",
    learning_rate=1.0,
)
adadelta = ADADELTA.optimizer
