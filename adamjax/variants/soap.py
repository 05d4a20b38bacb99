"""SOAP: Improving and Stabilizing Shampoo using Adam. Vyas et al., 2024. arXiv:2409.11321.

Adam in the basis of the eigenvectors that Shampoo takes the roots of: of the covariances of each
matrix's rows and columns.

    L = β L + (1 - β) G Gᵀ,  R = β R + (1 - β) Gᵀ G,  their eigenvectors Q_L, Q_R, from time to time
    H = Q_Lᵀ G Q_R
    U = Q_L (m̂ √(1 - b₂ᵗ) / (√v + ε)) Q_Rᵀ              m, v the averages of H and H²
"""

from typing import Any

import optax

from adamjax.checks import check_beta, check_count
from adamjax.modifiers.eigenbasis import eigenbasis
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule
from adamjax.schedules import zero_on_first_step
from adamjax.variants.adam import scale_by_adam


def scale_by_soap(
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-8,
    *,
    shampoo_beta: ScalarOrSchedule | None = None,
    precondition_frequency: int = 10,
    max_size: int = 10_000,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of SOAP, `adamjax.eigenbasis(adamjax.scale_by_adam(..., style="keras"))`.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √v + ε.
      shampoo_beta: β, the decay of the covariances, 0 <= β < 1; None for b2.
      precondition_frequency: how many steps a basis is kept.
      max_size: sides of a matrix with more elements are not turned.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `EigenbasisState` around an `optax.ScaleByAdamState`. Its first step
      is 0. Leaves with more than two axes are stacks of matrices, each with two bases of its own,
      where the authors' code turns each axis by one basis; vectors have Adam's direction.

    Raises:
      ValueError: for a decay outside [0, 1), a negative eps, no whole number of steps.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_soap(precondition_frequency=1), jnp.array([[3.0, 0.0], [0.0, 1.0]])
    >>> _, state = tx.update(g, tx.init(g))
    >>> jnp.round(tx.update(g, state)[0], 3).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    beta = b2 if shampoo_beta is None else shampoo_beta
    check_beta("b2" if shampoo_beta is None else "shampoo_beta", beta)
    check_count("precondition_frequency", precondition_frequency)
    later = [_later(value) for value in (b1, b2, eps)]
    adam = scale_by_adam(*later, style="keras", mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    return eigenbasis(adam, beta, every=precondition_frequency, max_size=max_size)


def _later(value: ScalarOrSchedule) -> ScalarOrSchedule:
    """For Adam, which begins at the second step: a schedule of all steps done."""
    return (lambda count: value(count + 1)) if callable(value) else value


SOAP = register(
    scale_by_soap,
    Paper(
        "SOAP: Improving and Stabilizing Shampoo using Adam",
        "Vyas, Nikhil and Morwani, Depen and Zhao, Rosie and Kwun, Mujin and Shapira, Itai and "
        "Brandfonbrener, David and Janson, Lucas and Kakade, Sham",
        2024,
        "International Conference on Learning Representations, 2025",
        arxiv="2409.11321",
    ),
    summary="takes Adam's averages in the eigenbasis of the gradients' covariances",
    learning_rate=3e-3,
    weight_decay=1e-2,
    decay_mode="decoupled_after",
    notes="The first step only finds a basis: no parameter moves and none decays.",
    adjust=zero_on_first_step,
)
soap = SOAP.optimizer
