"""diffGrad: An Optimization Method for Convolutional Neural Networks. Dubey et al., 2019.
arXiv:1909.11015.

Adam whose step is halved where the gradient stays as it was, and whole where it changes: a friction
of the last change.

    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) g²
    u = σ(|g' - g|) · m̂ √(1 - b₂ᵗ) / (√v + ε)        g' the gradient before, 0 at first
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
    """Steps done, both averages, and the gradient of the last step."""

    count: Array
    mu: PyTree
    nu: PyTree
    previous: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits, and as what."""
        return {"mu": "mean", "nu": "square", "previous": "signed"}


def scale_by_diffgrad(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of diffGrad: Adam's, times σ of how much each gradient has changed.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √v + ε.
      eps_root: added under the root.
      mu_dtype: dtype in which m and the last gradient are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with a `DiffgradState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or eps_root.

    >>> tx, g = scale_by_diffgrad(), jnp.float32(2.0)
    >>> u, state = tx.update(g, tx.init(g))
    >>> round(float(u), 4)  # σ(2), then σ(0)
    0.8808
    >>> round(float(tx.update(g, state)[0]), 4)
    0.5
    """

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        friction = jax.nn.sigmoid(jnp.abs(moments.previous - g))
        u = friction * adam_update_eps_hat(mu, nu, step)
        return u, moments._replace(mu=mu, nu=nu, previous=g)

    return lift(
        rule,
        DiffgradState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype), "previous": Slot(mu_dtype)},
        betas={"b1": b1, "b2": b2},
        scalars={"eps": eps, "eps_root": eps_root},
    )


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
    summary="shortens the step, down to a half, where the gradient stays as it was",
    learning_rate=1e-3,
    notes='The authors decay with "l2".',
)
diffgrad = DIFFGRAD.optimizer
