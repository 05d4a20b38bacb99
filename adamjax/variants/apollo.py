"""Apollo: An Adaptive Parameter-wise Diagonal Quasi-Newton Method for Nonconvex Stochastic
Optimization. Ma, 2020. arXiv:2009.13586.

A diagonal quasi-Newton method: B is corrected by how the average of the gradients has changed along
the last step, and its size, bounded from below, divides.

    α = (1 - b₁) / (1 - b₁ᵗ),  y = g - m,  m = m + α y
    n = ‖d‖₄ + ε / 0.01,  d = d / n
    B = B - d² (α Σ(y d / n) + Σ(B d²))        d of the step before, sums over the leaf
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

LEAST = 0.01  # the least |B|


class ApolloState(NamedTuple):
    """Steps done, the average m free of bias, B as `hessian`, and the last direction."""

    count: Array
    mu: PyTree
    hessian: PyTree
    last: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits; B, a sum of corrections, is not in it."""
        return {"mu": "signed", "last": "signed"}


def scale_by_apollo(
    b1: ScalarOrSchedule = 0.9,
    eps: ScalarOrSchedule = 1e-4,
    *,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of Apollo: the average of the gradients over the size of a diagonal B.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1, which is kept free of bias.
      eps: ε, in hundredths of the length that the last step is measured with.
      mu_dtype: dtype in which m and the last direction are stored; None for float32.
      nu_dtype: dtype in which B is stored; None for float32.

    Returns:
      A transformation with an `ApolloState`.

    Raises:
      ValueError: for b1 outside [0, 1), a negative eps.

    >>> tx, g = scale_by_apollo(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    200.0
    """

    def rule(g, moments, step):
        share = step.b1.one_minus / step.b1.bias_correction
        change = g - moments.mu
        mu = moments.mu + share * change
        length = norm(moments.last, order=4) + step.eps / LEAST
        last = divide(moments.last, length)
        missing = share * jnp.sum(divide(change, length) * last)
        missing = missing + jnp.sum(moments.hessian * last**2)
        hessian = moments.hessian - last**2 * missing
        u = mu / jnp.maximum(jnp.abs(hessian), LEAST)
        return u, moments._replace(mu=mu, hessian=hessian, last=u)

    return lift(
        rule,
        ApolloState,
        {"mu": Slot(mu_dtype), "hessian": Slot(nu_dtype), "last": Slot(mu_dtype)},
        betas={"b1": b1},
        scalars={"eps": eps},
    )


def _warmup(
    learning_rate: ScalarOrSchedule,
    *,
    warmup_steps: int = 500,
    init_lr: ScalarOrSchedule | None = None,
) -> dict[str, Any]:
    """Warm up, since the first gradients have no B.

    Args:
      warmup_steps: number of steps in which the learning rate rises.
      init_lr: the learning rate at the start. None is a thousandth of the learning rate.
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
    summary="divides by a diagonal that learns from how gradients change along steps",
    learning_rate=1e-2,
    notes='The authors use the decay mode "l2".',
    adjust=_warmup,
)
apollo = APOLLO.optimizer
