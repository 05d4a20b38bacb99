"""One transformation for matrices, another for the other leaves."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.trees import Mask, PyTree, resolve_mask


def partition_matrices(
    matrices: optax.GradientTransformation, others: optax.GradientTransformation, mask: Mask = None
) -> optax.GradientTransformationExtraArgs:
    """Apply one transformation to matrices and another to the other leaves (`optax.partition`).

    Args:
      matrices: the transformation of matrices.
      others: the transformation of the other leaves.
      mask: leaves that count as matrices, in any form that `adamjax.optimizer` accepts. None is the
        leaves with exactly two axes. ["*kernel", "!head*"] excludes an output layer.

    Returns:
      A transformation with an `optax.transforms.PartitionState`. `flax.nnx.Optimizer` needs
      Flax 0.12 for it.

    Raises:
      ValueError: in `init`, for a mask that does not fit.

    >>> tx = partition_matrices(optax.scale(2.0), optax.scale(3.0))
    >>> g = {"bias": jnp.ones(1), "kernel": jnp.ones((1, 1))}
    >>> jax.tree.leaves(tx.update(g, tx.init(g))[0])
    [Array([3.], dtype=float32), Array([[2.]], dtype=float32)]
    """

    def labels(params: PyTree) -> Any:
        leaves, treedef = jax.tree.flatten(params)
        axes = [jnp.ndim(x) == 2 for x in leaves]
        chosen = axes if mask is None else resolve_mask(mask, params)
        return treedef.unflatten(["matrices" if on else "others" for on in chosen])

    return optax.with_extra_args_support(
        optax.partition({"matrices": matrices, "others": others}, labels)
    )
