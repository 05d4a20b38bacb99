"""Understanding and Improving Shampoo and SOAP via KL Minimization. Lin et al., 2025.
arXiv:2509.03378.

Shampoo with the covariances of gradients that are whitened along the other axes, as in KL-SOAP.

    m = b₁ m + (1 - b₁) G
    U = Q_L (Q_Lᵀ m Q_R / (√(λ_L λ_Rᵀ) + ε)) Q_Rᵀ       Q and λ of `adamjax.kl_soap`
"""

from typing import Any

import optax

from adamjax.derive import extends
from adamjax.matrices.tensors import with_axes
from adamjax.modifiers.eigenbasis import covariance_basis, inner_settings
from adamjax.modifiers.orthogonal_momentum import matrix_momentum
from adamjax.modifiers.partition_matrices import partition_matrices
from adamjax.registry import register
from adamjax.rule import ScalarOrSchedule
from adamjax.schedules import zero_on_first_step
from adamjax.variants.adam import scale_by_adam
from adamjax.variants.kl_soap import PAPER
from adamjax.variants.soap import scale_by_soap


@extends(scale_by_soap, "shampoo_beta precondition_frequency max_size layouts")
def scale_by_kl_shampoo(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.98,
    eps: ScalarOrSchedule = 1e-8,
    *,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the KL-Shampoo rule for matrices, and with Adam for other leaves.

    Args:
      b2: decay rate of the second moment of Adam, 0 <= b2 < 1.
      eps: ε, also of Adam.

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
    settings = inner_settings("author", b1, b2, eps)
    adam = scale_by_adam(*settings, mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    layouts = with_axes(options.get("layouts"))
    inner = partition_matrices(matrix_momentum(settings[0], mu_dtype=mu_dtype), adam, layouts)
    options |= {"whiten": True, "precondition": True, "eps": eps}
    return covariance_basis(inner, b2, **options)


KL_SHAMPOO = register(
    scale_by_kl_shampoo,
    PAPER,
    summary="Shampoo with whitened covariances, Adam for other leaves",
    learning_rate=1e-3,
    weight_decay=1e-2,
    decay_mode="decoupled_after",
    notes="See `adamjax.soap` for the first step, reproducibility and layouts.",
    adjust=zero_on_first_step,
)
kl_shampoo = KL_SHAMPOO.optimizer
