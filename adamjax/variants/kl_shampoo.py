"""Understanding and Improving Shampoo and SOAP via KL Minimization. Lin et al., 2025.
arXiv:2509.03378.

Shampoo with the covariances of gradients that are whitened along the other axes, as in KL-SOAP.

    m = b₁ m + (1 - b₁) G
    U = Q_L (Q_Lᵀ m Q_R / (√(λ_L λ_Rᵀ) + ε)) Q_Rᵀ       Q and λ of `adamjax.kl_soap`
"""

import optax

from adamjax.matrices.resolve import Layouts
from adamjax.matrices.tensors import with_axes
from adamjax.modifiers.eigenbasis import eigenbasis
from adamjax.modifiers.partition_matrices import partition_matrices
from adamjax.moments import ema
from adamjax.registry import register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.schedules import zero_on_first_step
from adamjax.variants.adam import scale_by_adam
from adamjax.variants.kl_soap import PAPER
from adamjax.variants.muon import MuonState
from adamjax.variants.soap import covariance_beta, shifted


def scale_by_kl_shampoo(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.98,
    eps: ScalarOrSchedule = 1e-8,
    *,
    shampoo_beta: ScalarOrSchedule | None = None,
    precondition_frequency: int = 10,
    max_size: int = 10_000,
    layouts: Layouts = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the KL-Shampoo rule for matrices, and with Adam for other leaves.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment of Adam, 0 <= b2 < 1.
      eps: ε, also of Adam.
      shampoo_beta: decay rate of covariances and eigenvalues, from 0 to below 1. None is b2.
      precondition_frequency: number of steps between updates of the bases.
      max_size: axes of a matrix with more elements are not preconditioned.
      layouts: the axes of each parameter that form matrices, see `adamjax.soap`.

    Returns:
      A transformation with an `EigenbasisState`. Its first update is 0.

    Raises:
      ValueError: for a number out of range; in `init`, for a parameter with three or more axes and
        no layout.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_kl_shampoo(0.0), jnp.array([[3.0, 0.0], [0.0, 1.0]])
    >>> _, state = tx.update(g, tx.init(g))
    >>> jnp.round(tx.update(g, state)[0]).astype(int).tolist()  # eigenvalues are 0.1 at first
    [[30, 0], [0, 10]]
    """
    beta = covariance_beta(b2, shampoo_beta, precondition_frequency)
    b1, b2, inner_eps = shifted(b1, b2, eps)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        return mu, moments._replace(mu=mu)

    momentum = lift(rule, MuonState, {"mu": Slot()}, betas={"b1": b1})
    adam = scale_by_adam(b1, b2, inner_eps)
    inner = partition_matrices(momentum, adam, with_axes(layouts))
    options = {"layouts": layouts, "whiten": True, "precondition": True, "eps": eps}
    return eigenbasis(inner, beta, every=precondition_frequency, max_size=max_size, **options)


KL_SHAMPOO = register(
    scale_by_kl_shampoo,
    PAPER,
    summary="Shampoo with whitened covariances, Adam for other leaves",
    learning_rate=1e-3,
    weight_decay=1e-2,
    decay_mode="decoupled_after",
    notes="See `adamjax.soap` for the first step and for layouts.",
    adjust=zero_on_first_step,
)
kl_shampoo = KL_SHAMPOO.optimizer
