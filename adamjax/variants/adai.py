"""Adaptive Inertia: Disentangling the Effects of Adaptive Learning Rate and Momentum. Xie et al.,
2020. arXiv:2006.15815.

One step size for all elements, and momentum that decays fast where v is large relative to its mean.

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
    """Step `count`, m in `mu`, v in `nu`, and w, the bias correction of m, in `weight`."""

    count: Array
    mu: PyTree
    nu: PyTree
    weight: PyTree


def scale_by_adai(
    b0: ScalarOrSchedule = 0.1,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-3,
    *,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Adai rule.

    Args:
      b0: b₀, weight of the gradient in m for an element with the mean v.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, the smallest weight of the gradient in m.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `AdaiState`. The mean of v is over the leaves of `updates`.

    Raises:
      ValueError: for a number out of range.

    >>> tx, g = scale_by_adai(0.5), jnp.array([0.0, 2.0])
    >>> tx.update(g, tx.init(g))[1].weight.tolist()  # 0.001, 0.5 · 4/2
    [0.001..., 1.0]
    """

    def shared(gradients, moments, step):
        nus = [ema(g * g, m.nu, step.b2) for g, m in zip(gradients, moments, strict=True)]
        total = sum(nu.size for nu in nus)
        return {"mean": sum(jnp.sum(nu / total) for nu in nus)}

    def rule(g, moments, step):
        nu = ema(g * g, moments.nu, step.b2)
        gain = jnp.clip(step.b0 * divide(nu, step.mean), step.eps, 1)
        mu = moments.mu + gain * (g - moments.mu)
        weight = moments.weight + gain * (1 - moments.weight)
        return divide(mu, weight), moments._replace(mu=mu, nu=nu, weight=weight)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype), "weight": Slot()}
    scalars = {"b0": b0, "eps": eps}
    return lift(rule, AdaiState, slots, betas={"b2": b2}, scalars=scalars, tree_scalars=shared)


ADAI = register(
    scale_by_adai,
    Paper(
        "Adaptive Inertia: Disentangling the Effects of Adaptive Learning Rate and Momentum",
        "Xie, Zeke and Wang, Xinrui and Zhang, Huishuai and Sato, Issei and Sugiyama, Masashi",
        2020,
        "International Conference on Machine Learning, 2022",
        arxiv="2006.15815",
    ),
    summary="adapts the momentum of each element, one step size for all",
    learning_rate=1.0,
    notes="With `weight_decay` it is AdaiW.",
)
adai = ADAI.optimizer
