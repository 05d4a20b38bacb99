"""SOAP: Improving and Stabilizing Shampoo using Adam. Vyas et al., 2024. arXiv:2409.11321.

Adam in the basis of Shampoo, the eigenvectors of the row and column covariances of each matrix.

    L = β L + (1 - β) G Gᵀ,  R = β R + (1 - β) Gᵀ G,  with eigenvectors Q_L, Q_R
    H = Q_Lᵀ G Q_R
    U = Q_L (m̂ √(1 - b₂ᵗ) / (√v + ε)) Q_Rᵀ              m, v the averages of H and H²
"""

import math
from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.derive import extends
from adamjax.matrices.resolve import Layouts
from adamjax.modifiers.eigenbasis import covariance_basis, inner_settings
from adamjax.modifiers.map_blocks import lift_matrices
from adamjax.moments import divide, norm
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule
from adamjax.schedules import zero_on_first_step
from adamjax.variants.adam import scale_by_adam

STYLES = {
    "author": "the authors' code: the first step is 0, and a gradient enters after its step",
    "nvidia": "NVIDIA: a gradient enters L and R before its step, all averages are free of bias, "
    "and v is not permuted with the eigenvectors",
}


@extends(covariance_basis)
def scale_by_soap(
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-8,
    *,
    normalize: bool = False,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the SOAP rule, Adam inside `adamjax.eigenbasis`.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v.
      normalize: whether to divide the update of each matrix by its root mean square.
      style: implementation to follow, "author" or "nvidia".
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `EigenbasisState` of an `optax.ScaleByAdamState`. Its first update is
      0 with the style "author".

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative eps, a precondition_frequency below 1,
        or an unknown style; in `init`, for a parameter with three or more axes and no layout.

    >>> tx, g = scale_by_soap(precondition_frequency=1), jnp.array([[3.0, 0.0], [0.0, 1.0]])
    >>> _, state = tx.update(g, tx.init(g))
    >>> jnp.round(tx.update(g, state)[0], 3).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    lookup_or_suggest("style", style, STYLES)
    settings = inner_settings(style, b1, b2, eps)
    of_adam = "torch" if style == "nvidia" else "keras"
    inner = scale_by_adam(*settings, style=of_adam, mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    if normalize:
        inner = optax.chain(inner, _normalize(style, settings, options.get("layouts")))
    return covariance_basis(inner, b2, style=style, **options)


def skip_first_decay(weight_decay: ScalarOrSchedule, decay_mode: str, style: str) -> dict[str, Any]:
    """Return λ as a schedule that is 0 at the first step, where the updates are 0."""
    return {} if style == "nvidia" else zero_on_first_step(weight_decay, decay_mode)


def _normalize(
    style: str, settings: list[ScalarOrSchedule], layouts: Layouts
) -> optax.GradientTransformation:
    """Divide matrices, and leaves without a matrix, by their root mean square.

    The authors multiply by √(1 - b₂ᵗ) / (1 - b₁ᵗ) after that.
    """

    def by_rms(step, u):
        axes = (-2, -1) if step.layout else tuple(range(u.ndim))
        u = divide(u, norm(u, axes)) * math.sqrt(math.prod(u.shape[axis] for axis in axes))
        correction = jnp.sqrt(step.b2.bias_correction) / step.b1.bias_correction
        return [u * correction if style == "author" else u]

    betas = dict(zip(("b1", "b2"), settings, strict=False))
    layouts = "other" if layouts == "axes" else layouts  # a leaf is one tensor
    return lift_matrices(by_rms, betas=betas, layouts=layouts)


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
    notes='With the style "author" the first step only initializes the bases: the update and the '
    "weight decay are 0. Without `layouts`, parameters with two axes are matrices, except biases, "
    "embeddings, output heads and similar ones, which Adam trains.\n\n"
    "The update is not reproducible while a covariance is rank deficient, as in the first steps of "
    "a matrix that is not square. Rounding then decides the eigenvectors of eigenvalue 0, so that "
    "updates differ between devices and compilers. Later steps inherit the difference. With "
    "`max_size` below the longer side only the shorter side has a basis, which has full rank.",
    styles=STYLES,
    adjust=skip_first_decay,
)
soap = SOAP.optimizer
