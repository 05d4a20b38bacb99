"""Apollo: An Adaptive Parameter-wise Diagonal Quasi-Newton Method for Nonconvex Stochastic
Optimization. Ma, 2020. arXiv:2009.13586.

A quasi-Newton method. It estimates a diagonal Hessian B of each leaf from the change of the average
gradient along the previous update d.

    α = (1 - b₁) / (1 - b₁ᵗ)
    y = g - m
    m = m + α y
    n = ‖d‖₄ + ε / 0.01
    d = d / n
    B = B - d² (α Σ(y d / n) + Σ(B d²))        sums over the leaf
    u = d = m / max(|B|, 0.01)
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative
from adamjax.moments import Array, divide, norm
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift, value_at
from adamjax.schedules import with_linear_warmup
from adamjax.trees import PyTree

LEAST = 0.01  # lower bound of |B|


class ApolloState(NamedTuple):
    """Step `count`, the unbiased m in `mu`, B in `hessian`, and the previous update `last`."""

    count: Array
    mu: PyTree
    hessian: PyTree
    last: PyTree
    roles = {"mu": "signed", "last": "signed"}


def scale_by_apollo(
    b1: ScalarOrSchedule = 0.9,
    eps: ScalarOrSchedule = 1e-4,
    *,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Apollo rule.

    Args:
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      eps: ε, added to the norm of the previous update as ε / 0.01.
      mu_dtype: dtype in which m and the previous update are stored, float32 if None.
      nu_dtype: dtype in which B is stored, float32 if None.

    Returns:
      A transformation with an `ApolloState`.

    Raises:
      ValueError: for a number out of range.

    >>> tx, g = scale_by_apollo(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    200.0
    """

    def rule(g, moments, step):
        weight = step.b1.one_minus / step.b1.bias_correction
        change = g - moments.mu
        mu = moments.mu + weight * change
        length = norm(moments.last, order=4) + step.eps / LEAST
        last = divide(moments.last, length)
        correction = weight * jnp.sum(divide(change, length) * last)
        correction = correction + jnp.sum(moments.hessian * last**2)
        hessian = moments.hessian - last**2 * correction
        u = mu / jnp.maximum(jnp.abs(hessian), LEAST)
        return u, moments._replace(mu=mu, hessian=hessian, last=u)

    slots = {"mu": Slot(mu_dtype), "hessian": Slot(nu_dtype), "last": Slot(mu_dtype)}
    return lift(rule, ApolloState, slots, betas={"b1": b1}, scalars={"eps": eps})


def _warmup(
    learning_rate: ScalarOrSchedule,
    *,
    warmup_steps: int = 500,
    init_lr: ScalarOrSchedule | None = None,
) -> dict[str, Any]:
    """Return the learning rate with a linear warmup, since B is unknown at first.

    Args:
      warmup_steps: number of steps of a linear warmup.
      init_lr: initial learning rate, a thousandth of the learning rate if None.
    """
    if init_lr is not None:
        check_not_negative("init_lr", init_lr)
    start = init_lr if init_lr is not None else lambda count: value_at(learning_rate, count) / 1000
    return {"learning_rate": with_linear_warmup(learning_rate, warmup_steps, start=start, lag=1)}


APOLLO = register(
    scale_by_apollo,
    Paper(
        "Apollo: An Adaptive Parameter-wise Diagonal Quasi-Newton Method for Nonconvex "
        "Stochastic Optimization",
        "Ma, Xuezhe",
        2020,
        arxiv="2009.13586",
    ),
    summary="quasi-Newton method with a diagonal Hessian",
    learning_rate=1e-2,
    notes='The authors use the decay mode "l2".',
    adjust=_warmup,
)
apollo = APOLLO.optimizer
