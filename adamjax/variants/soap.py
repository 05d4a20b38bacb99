"""SOAP: Improving and Stabilizing Shampoo using Adam. Vyas et al., 2024. arXiv:2409.11321.

Adam in the basis of Shampoo, the eigenvectors of the row and column covariances of each matrix.

    L = β L + (1 - β) G Gᵀ,  R = β R + (1 - β) Gᵀ G,  with eigenvectors Q_L, Q_R
    H = Q_Lᵀ G Q_R
    U = Q_L (m̂ √(1 - b₂ᵗ) / (√v + ε)) Q_Rᵀ              m, v the averages of H and H²
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_count, lookup_or_suggest
from adamjax.matrices.resolve import Layouts
from adamjax.matrices.tensors import Tensors, tensors_of
from adamjax.modifiers.eigenbasis import eigenbasis
from adamjax.modifiers.map_updates import auto_sharded
from adamjax.moments import Array, divide, norm, rms
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, lift
from adamjax.schedules import zero_on_first_step
from adamjax.trees import PyTree
from adamjax.variants.adam import scale_by_adam

STYLES = {
    "author": "the authors' code: the first step is 0, and a gradient enters after its step",
    "nvidia": "NVIDIA: a gradient enters L and R before its step, all averages are free of bias, "
    "and v is not permuted with the eigenvectors",
}


def scale_by_soap(
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-8,
    *,
    shampoo_beta: ScalarOrSchedule | None = None,
    precondition_frequency: int = 10,
    max_size: int = 10_000,
    layouts: Layouts = None,
    normalize: bool = False,
    style: str = "author",
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
      max_size: axes of a matrix with more elements are not rotated.
      layouts: the axes of each parameter that form matrices, see `adamjax.matrix_layouts`, or
        "axes", the authors' choice: each axis of all parameters with two or more has a basis.
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
    beta = covariance_beta(b2, shampoo_beta, precondition_frequency)
    lookup_or_suggest("style", style, STYLES)
    b1, b2, eps = settings = (b1, b2, eps) if style == "nvidia" else shifted(b1, b2, eps)
    dtypes = {"mu_dtype": mu_dtype, "nu_dtype": nu_dtype}
    inner = scale_by_adam(*settings, style="torch" if style == "nvidia" else "keras", **dtypes)
    if normalize and style == "author":
        raw = scale_by_adam(*settings, style="mlx", **dtypes)
        inner = optax.chain(raw, _normalize(layouts), _correct_bias(b1, b2))
    elif normalize:
        inner = optax.chain(inner, _normalize(layouts))
    options = {"max_size": max_size, "layouts": layouts, "style": style}
    return eigenbasis(inner, beta, every=precondition_frequency, **options)


def covariance_beta(
    b2: ScalarOrSchedule, shampoo_beta: ScalarOrSchedule | None, precondition_frequency: int
) -> ScalarOrSchedule:
    """Return the decay rate of the covariances, and check it and the frequency."""
    name, beta = ("b2", b2) if shampoo_beta is None else ("shampoo_beta", shampoo_beta)
    check_beta(name, beta)
    check_count("precondition_frequency", precondition_frequency)
    return beta


def shifted(*values: ScalarOrSchedule) -> list[ScalarOrSchedule]:
    """Return the schedules one step ahead, since the inner optimizer starts with step 2."""

    def shift(value: ScalarOrSchedule) -> ScalarOrSchedule:
        return (lambda count: value(count + 1)) if callable(value) else value

    return [shift(value) for value in values]


def skip_first_decay(weight_decay: ScalarOrSchedule, decay_mode: str, style: str) -> dict[str, Any]:
    """Return λ as a schedule that is 0 at the first step, where the updates are 0."""
    return {} if style == "nvidia" else zero_on_first_step(weight_decay, decay_mode)


def _normalize(layouts: Layouts) -> optax.GradientTransformation:
    """Divide matrices, and leaves without a matrix, by their root mean square."""

    def normalize(x: Array, t: Tensors) -> Array:
        blocks = [divide(y, norm(y, tuple(range(1, y.ndim)))) for y in t.split(x)]
        return (
            t.join([y * math.sqrt(y[0].size) for y in blocks], x) if blocks else divide(x, rms(x))
        )

    def update(updates: PyTree, params: PyTree) -> PyTree:
        tensors = tensors_of(updates, layouts, 0)
        leaves, treedef = jax.tree.flatten(updates)
        on_leaves = lambda leaves: list(map(normalize, leaves, tensors))  # noqa: E731
        return treedef.unflatten(auto_sharded(on_leaves, leaves))

    return optax.stateless(update)


def _correct_bias(b1: ScalarOrSchedule, b2: ScalarOrSchedule) -> optax.GradientTransformation:
    """Multiply by √(1 - b₂ᵗ) / (1 - b₁ᵗ)."""

    def rule(u, moments, step):
        return u * (jnp.sqrt(step.b2.bias_correction) / step.b1.bias_correction), moments

    return lift(rule, optax.ScaleByScheduleState, {}, betas={"b1": b1, "b2": b2})


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
    "embeddings, output heads and similar ones, which Adam trains.",
    styles=STYLES,
    adjust=skip_first_decay,
)
soap = SOAP.optimizer
