"""SOAP: Improving and Stabilizing Shampoo using Adam. Vyas et al., 2024. arXiv:2409.11321.

Adam in the basis of Shampoo, the eigenvectors of the row and column covariances of each matrix.

    L = β L + (1 - β) G Gᵀ,  R = β R + (1 - β) Gᵀ G,  with eigenvectors Q_L, Q_R
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
    """Rescale updates with the SOAP rule, Adam inside `adamjax.eigenbasis`.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v.
      shampoo_beta: β, decay rate of the covariances, 0 <= β < 1. None is b2.
      precondition_frequency: number of steps between updates of the bases.
      max_size: sides of a matrix with more elements are not rotated.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `EigenbasisState` of an `optax.ScaleByAdamState`. Its first update is
      0.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative eps, or a precondition_frequency below
        1.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_soap(precondition_frequency=1), jnp.array([[3.0, 0.0], [0.0, 1.0]])
    >>> _, state = tx.update(g, tx.init(g))
    >>> jnp.round(tx.update(g, state)[0], 3).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    beta = b2 if shampoo_beta is None else shampoo_beta
    check_beta("b2" if shampoo_beta is None else "shampoo_beta", beta)
    check_count("precondition_frequency", precondition_frequency)
    settings = [_shifted(value) for value in (b1, b2, eps)]
    adam = scale_by_adam(*settings, style="keras", mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    return eigenbasis(adam, beta, every=precondition_frequency, max_size=max_size)


def _shifted(value: ScalarOrSchedule) -> ScalarOrSchedule:
    """Return the schedule one step ahead, since Adam starts with the second step."""
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
    summary="Adam in the eigenbasis of the gradient covariances",
    learning_rate=3e-3,
    weight_decay=1e-2,
    decay_mode="decoupled_after",
    notes="The first step only initializes the bases: the update and the weight decay are 0. A "
    "leaf with more than two axes is a stack of matrices. The authors' code uses one basis "
    "for each axis instead. Vectors use Adam.",
    adjust=zero_on_first_step,
)
soap = SOAP.optimizer
