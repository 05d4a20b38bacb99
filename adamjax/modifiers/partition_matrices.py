"""One transformation for matrices, another for the other leaves."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.trees import Mask, PyTree, resolve_mask


def partition_matrices(
    matrices: optax.GradientTransformation,
    others: optax.GradientTransformation,
    mask: Mask = None,
) -> optax.GradientTransformationExtraArgs:
    """Gives matrices to one transformation and the other leaves to another (`optax.partition`).

    Args:
      matrices: for leaves of exactly two axes, or for those that `mask` names.
      others: for the others.
      mask: which leaves `matrices` gets, in any of the forms of `adamjax.optimizer`. Embeddings and
        output layers are often left out: ["*kernel", "!head*"].

    Returns:
      A transformation with an `optax.transforms.PartitionState`, which `flax.nnx.Optimizer` can
      keep from Flax 0.12 on.

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
