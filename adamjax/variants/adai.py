"""Adaptive Inertia: Disentangling the Effects of Adaptive Learning Rate and Momentum. Xie et al.,
2020. arXiv:2006.15815.

One step size for all, but a momentum for each element: the larger its v, of all the parameters'
together, the less it remembers.

    v = b₂ v + (1 - b₂) g²
    k = clip(b₀ v / mean(v), ε, 1)          the mean over all leaves
    m = m + k (g - m),  w = w + k (1 - w)
    u = m / w
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.moments import Array, divide, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree


class AdaiState(NamedTuple):
    """Steps done, the average m, v, and the weight that m has gathered, 1 - b₁b₂…b_t of its own."""

    count: Array
    mu: PyTree
    nu: PyTree
    weight: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits; m remembers longer than v does."""
        return {"mu": "signed", "nu": "square"}


def scale_by_adai(
    b0: ScalarOrSchedule = 0.1,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-3,
    *,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of Adai: an average of the gradients that forgets each at a rate of its own.

    Args:
      b0: b₀, how fast an element of the mean v forgets.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, the slowest rate; without it, what has no gradient for long never forgets.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `AdaiState`. It couples the leaves that it is given, those alone
      where `optax.masked` or `optax.partition` gives it a part.

    Raises:
      ValueError: for b2 outside [0, 1), a negative b0 or eps.

    >>> tx, g = scale_by_adai(0.5), jnp.array([0.0, 2.0])
    >>> u, state = tx.update(g, tx.init(g))
    >>> u, state.mu  # k = 0.001, 0.5 · 4/2
    (Array([0., 2.], dtype=float32), Array([0., 2.], dtype=float32))
    """

    def tree_scalars(gradients, moments, step):
        nus = [ema(g * g, m.nu, step.b2) for g, m in zip(gradients, moments, strict=True)]
        total = sum(nu.size for nu in nus)
        return {"mean": sum(jnp.sum(nu / total) for nu in nus)}

    def rule(g, moments, step):
        nu = ema(g * g, moments.nu, step.b2)
        share = jnp.clip(step.b0 * divide(nu, step.mean), step.eps, 1)
        mu = moments.mu + share * (g - moments.mu)
        weight = moments.weight + share * (1 - moments.weight)
        return divide(mu, weight), moments._replace(mu=mu, nu=nu, weight=weight)

    return lift(
        rule,
        AdaiState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype), "weight": Slot()},
        betas={"b2": b2},
        scalars={"b0": b0, "eps": eps},
        tree_scalars=tree_scalars,
    )


ADAI = register(
    scale_by_adai,
    Paper(
        "Adaptive Inertia: Disentangling the Effects of Adaptive Learning Rate and Momentum",
        "Xie, Zeke and Wang, Xinrui and Zhang, Huishuai and Sato, Issei and Sugiyama, Masashi",
        2020,
        "International Conference on Machine Learning, 2022",
        arxiv="2006.15815",
    ),
    summary="one step size for all elements; it is momentum that is adapted, by v",
    learning_rate=1.0,
    notes='With `weight_decay`, "decoupled", it is AdaiW.',
)
adai = ADAI.optimizer
