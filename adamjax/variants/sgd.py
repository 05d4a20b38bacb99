"""Some methods of speeding up the convergence of iteration methods. Polyak, 1964.

Stochastic gradient descent with momentum, optionally in Nesterov's form (1983).

    B = β B + g
    u = B            Nesterov: u = g + β B
"""

from typing import Any, NamedTuple

import optax

from adamjax.checks import check_beta
from adamjax.moments import Array
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree


class SgdState(NamedTuple):
    """Step count, and the momentum buffer B or None."""

    count: Array
    mu: PyTree = None


def scale_by_sgd(
    momentum: ScalarOrSchedule | None = None, nesterov: bool = False, *, mu_dtype: Any = None
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the momentum rule.

    Args:
      momentum: β, 0 <= momentum < 1. None is no momentum.
      nesterov: whether to use Nesterov momentum. It needs a `momentum`.
      mu_dtype: dtype in which B is stored, float32 if None.

    Returns:
      A transformation with an `SgdState`.

    Raises:
      ValueError: for momentum outside [0, 1), or Nesterov without momentum.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_sgd(0.5), jnp.float32(2.0)
    >>> _, state = tx.update(g, tx.init(g))
    >>> float(tx.update(g, state)[0])
    3.0
    """
    if momentum is None:
        if nesterov:
            raise ValueError("nesterov needs a momentum; set it, for example momentum=0.9")
        return lift(lambda g, moments, step: (g, moments), SgdState, {})
    check_beta("momentum", momentum)

    def rule(g, moments, step):
        mu = step.momentum * moments.mu + g
        u = g + step.momentum * mu if nesterov else mu
        return u, moments._replace(mu=mu)

    return lift(rule, SgdState, {"mu": Slot(mu_dtype)}, scalars={"momentum": momentum})


SGD = register(
    scale_by_sgd,
    Paper(
        "Some methods of speeding up the convergence of iteration methods",
        "Polyak, Boris T.",
        1964,
        "USSR Computational Mathematics and Mathematical Physics 4(5), 1-17",
        url="https://doi.org/10.1016/0041-5553(64)90137-5",
    ),
    summary="one step size for all elements, no second moment",
    learning_rate=1e-2,
    notes="As in torch and Optax, the learning rate is not part of the buffer.",
    reduces_to=(Reduction({"momentum": 0.0}, "sgd", {}),),
)
sgd = SGD.optimizer
