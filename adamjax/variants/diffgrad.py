"""diffGrad: An Optimization Method for Convolutional Neural Networks. Dubey et al., 2019.
arXiv:1909.11015.

Adam with a friction factor between 1/2, for an unchanged gradient, and 1.

    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) g²
    u = σ(|g' - g|) · m̂ √(1 - b₂ᵗ) / (√v + ε)        g' the previous gradient, 0 at first
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.moments import Array, adam_update_eps_hat, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree


class DiffgradState(NamedTuple):
    """Step count, momentum m, second moment v and the previous gradient."""

    count: Array
    mu: PyTree
    nu: PyTree
    previous: PyTree
    roles = {"mu": "mean", "nu": "square", "previous": "signed"}


def scale_by_diffgrad(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the diffGrad rule.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v.
      eps_root: added inside the square root.
      mu_dtype: dtype in which m and the previous gradient are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with a `DiffgradState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or eps_root.

    >>> tx, g = scale_by_diffgrad(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)  # σ(2)
    0.8808
    """

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        friction = jax.nn.sigmoid(jnp.abs(moments.previous - g))
        u = friction * adam_update_eps_hat(mu, nu, step)
        return u, moments._replace(mu=mu, nu=nu, previous=g)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype), "previous": Slot(mu_dtype)}
    scalars = {"eps": eps, "eps_root": eps_root}
    return lift(rule, DiffgradState, slots, betas={"b1": b1, "b2": b2}, scalars=scalars)


DIFFGRAD = register(
    scale_by_diffgrad,
    Paper(
        "diffGrad: An Optimization Method for Convolutional Neural Networks",
        "Dubey, Shiv Ram and Chakraborty, Soumendu and Roy, Swalpa Kumar and Mukherjee, "
        "Snehasis and Singh, Satish Kumar and Chaudhuri, Bidyut Baran",
        2019,
        "IEEE Transactions on Neural Networks and Learning Systems 31(11), 2020",
        arxiv="1909.11015",
    ),
    summary="shortens steps, down to one half, where the gradient does not change",
    learning_rate=1e-3,
    notes='The authors use `decay_mode="l2"`.',
)
diffgrad = DIFFGRAD.optimizer
