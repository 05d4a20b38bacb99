"""Stable rank and orthogonality error of the matrices of a model."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from adamjax.matrices.layout import to_matrices
from adamjax.matrices.resolve import resolve_layouts
from adamjax.moments import Array, divide
from adamjax.trees import PyTree, leaf_names

ITERATIONS = 30


def matrix_metrics(tree: PyTree, layouts: Any = None) -> dict[str, Array]:
    """Return the stable rank and the orthogonality error of each matrix of a tree.

    The stable rank of a matrix X with singular values σ is Σ σ² / max σ², between 1 and its rank.
    The orthogonality error is the root mean square of kσ² / Σ σ² - 1 over its k singular values:
    0 if all are equal. Both come from the smaller of XXᵀ and XᵀX, the first by 30 power iterations.

    This costs more than a pass over memory, so `track` does not measure it. Call it in a jit of its
    own every hundred steps or so, and record the result with the metrics.

    Args:
      tree: parameters, or the updates of an optimizer.
      layouts: layouts, in any form that `adamjax.matrix_layouts` accepts.

    Returns:
      "stable_rank/path" and "orthogonality_error/path", of shape () for one matrix or (n,) for a
      stack of n matrices. Both are 0 for zeros.

    Raises:
      ValueError: for a leaf with three or more axes and no layout.

    >>> x = matrix_metrics({"a": jnp.eye(4), "b": jnp.diag(jnp.array([2.0, 1.0]))})
    >>> {name: round(float(value), 3) for name, value in x.items()}["stable_rank/b"]
    1.25
    >>> float(x["stable_rank/a"]), float(x["orthogonality_error/a"])
    (4.0, 0.0)
    """
    measured: dict[str, Array] = {}
    leaves = zip(
        leaf_names(tree), jax.tree.leaves(tree), resolve_layouts(tree, layouts), strict=True
    )
    for name, leaf, layout in leaves:
        if layout is None or not jnp.issubdtype(leaf.dtype, jnp.floating):
            continue
        blocks = [x.reshape(-1, *x.shape[-2:]) for x in to_matrices(leaf, layout)]
        values = [jnp.concatenate(each) for each in zip(*map(_measure, blocks), strict=True)]
        one = len(values[0]) == 1
        for metric, x in zip(("stable_rank", "orthogonality_error"), values, strict=True):
            measured[f"{metric}/{name}"] = x[0] if one else x
    return measured


@jax.jit
def _measure(x: Array) -> tuple[Array, Array]:
    """Return both metrics of a stack of matrices."""
    times: Callable[..., Array] = partial(jnp.matmul, precision="highest")
    x = x.astype(jnp.float32)
    x = divide(x, jnp.max(jnp.abs(x), (-2, -1), keepdims=True))
    transpose = x.mT
    gram = times(x, transpose) if x.shape[-2] <= x.shape[-1] else times(transpose, x)
    total, k = jnp.trace(gram, axis1=-2, axis2=-1), gram.shape[-1]

    def iterate(_: Any, v: Array) -> Array:
        v = times(gram, v)
        return divide(v, jnp.linalg.norm(v, axis=-2, keepdims=True))

    start = jnp.cos(jnp.arange(k, dtype=jnp.float32) ** 2)[:, None]
    v = jax.lax.fori_loop(0, ITERATIONS, iterate, jnp.broadcast_to(start, (*gram.shape[:-1], 1)))
    largest = jnp.linalg.norm(times(gram, v), axis=(-2, -1))
    scaled = divide(k * gram, total[:, None, None]) - jnp.eye(k) * (total > 0)[:, None, None]
    error = jnp.linalg.norm(scaled, axis=(-2, -1)) / jnp.sqrt(jnp.float32(k))
    return divide(total, largest), error
