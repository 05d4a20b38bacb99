"""One transformation for matrices, another for the other leaves."""

from typing import Any

import jax
import optax

from adamjax.matrices.resolve import Layouts, default_layouts, resolve_layouts
from adamjax.trees import PyTree


def partition_matrices(
    matrices: optax.GradientTransformation,
    others: optax.GradientTransformation,
    layouts: Layouts = None,
) -> optax.GradientTransformationExtraArgs:
    """Apply one transformation to matrices and another to the other leaves (`optax.partition`).

    Args:
      matrices: the transformation of matrices.
      others: the transformation of the other leaves.
      layouts: which parameters are matrices, see `adamjax.matrix_layouts`. The transformation of
        matrices takes them as well, unless it has its own.

    Returns:
      A transformation with an `optax.transforms.PartitionState`. `flax.nnx.Optimizer` needs
      Flax 0.12 for it.

    Raises:
      ValueError: in `init`, for a parameter with three or more axes and no layout, or a layout that
        does not fit.

    >>> import jax.numpy as jnp
    >>> tx = partition_matrices(optax.scale(2.0), optax.scale(3.0))
    >>> g = {"bias": jnp.ones(1), "kernel": jnp.ones((1, 1))}
    >>> jax.tree.leaves(tx.update(g, tx.init(g))[0])
    [Array([3.], dtype=float32), Array([[2.]], dtype=float32)]
    """

    def labels(params: PyTree) -> Any:
        chosen = resolve_layouts(params, layouts)
        labels = ["others" if layout is None else "matrices" for layout in chosen]
        return jax.tree.structure(params).unflatten(labels)

    if layouts is not None:
        inner, within = optax.with_extra_args_support(matrices), default_layouts(layouts)
        matrices = optax.GradientTransformationExtraArgs(within(inner.init), within(inner.update))
    return optax.with_extra_args_support(
        optax.partition({"matrices": matrices, "others": others}, labels)
    )
