"""Adaptivity without Compromise: A Momentumized, Adaptive, Dual Averaged Gradient Method for
Stochastic Optimization. Defazio and Jelassi, 2021. arXiv:2101.11075.

Dual averaging: each step starts from the initial parameters p₀, with a weighted sum of all
gradients over the cube root of the sum of their squares.

    λ = (lr + ε) √t,  S = S + λ g,  V = V + λ g²
    z = p₀ - S / (∛V + ε)
    p <- β p + (1 - β) z
"""

from typing import NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_beta
from adamjax.moments import Array, divide, root
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree


class MadgradState(NamedTuple):
    """Step count, initial parameters p₀, and the sums S and V."""

    count: Array
    start: PyTree
    total: PyTree
    squares: PyTree


def scale_by_madgrad(
    learning_rate: ScalarOrSchedule = 1e-2,
    momentum: ScalarOrSchedule = 0.9,
    eps: ScalarOrSchedule = 1e-6,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the MADGRAD rule, which includes the learning rate.

    Args:
      learning_rate: lr. The step is not proportional to it.
      momentum: β, how slowly p follows z, 0 <= momentum < 1.
      eps: ε, added to lr and to ∛V.

    Returns:
      A transformation with a `MadgradState`. Its `update` needs the parameters.

    Raises:
      ValueError: for momentum outside [0, 1), or a negative learning_rate or eps.

    >>> tx, g = scale_by_madgrad(1.0, momentum=0.5, eps=0.0), jnp.float32(8.0)
    >>> round(float(tx.update(g, tx.init(g), g)[0]), 4)  # 8 / ∛64 / 2
    1.0
    """
    check_beta("momentum", momentum)

    def rule(g, moments, step, p):
        start = jnp.where(step.count == 1, p, moments.start)
        weight = (step.learning_rate + step.eps) * jnp.sqrt(step.count)
        total = moments.total + weight * g
        squares = moments.squares + weight * (g * g)
        gap = (p - start) + divide(total, root(squares, 3) + step.eps)  # p - z
        u = (1 - step.momentum) * gap
        return u, moments._replace(start=start, total=total, squares=squares)

    slots = {"start": Slot(), "total": Slot(), "squares": Slot()}
    scalars = {"learning_rate": learning_rate, "momentum": momentum, "eps": eps}
    return lift(rule, MadgradState, slots, scalars=scalars, needs_params=True)


MADGRAD = register(
    scale_by_madgrad,
    Paper(
        "Adaptivity without Compromise: A Momentumized, Adaptive, Dual Averaged Gradient "
        "Method for Stochastic Optimization",
        "Defazio, Aaron and Jelassi, Samy",
        2021,
        "Journal of Machine Learning Research 23(144), 2022",
        arxiv="2101.11075",
    ),
    summary="dual averaging from the initial parameters, with a cube root",
    learning_rate=1e-2,
    includes_learning_rate=True,
)
madgrad = MADGRAD.optimizer
