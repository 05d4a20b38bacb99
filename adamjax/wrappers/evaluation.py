"""The parameters to evaluate, where an optimizer trains others."""

from typing import Any

import jax

from adamjax.modifiers.map_updates import is_masked
from adamjax.trees import PyTree


def eval_params(state: Any, params: PyTree) -> PyTree:
    """The parameters to evaluate and to keep: x of a schedule-free optimizer, or an average.

    Args:
      state: the state of an optimizer with `adamjax.schedule_free`, `adamjax.ema_params` or
        `adamjax.swa` somewhere in it; the outermost counts. Where they have but a part of the
        parameters (`optax.partition`, `adamjax.partition_matrices`), the others are those that are trained.
      params: the parameters that are trained.

    Raises:
      ValueError: if the state has none of them.

    >>> import adamjax
    >>> import jax.numpy as jnp
    >>> tx = adamjax.schedule_free_sgd(1.0, b1=0.5)
    >>> params = {"w": jnp.float32(3.0)}
    >>> eval_params(tx.init(params), params)
    {'w': Array(3., dtype=float32)}
    """
    has = lambda node: hasattr(node, "eval_params")  # noqa: E731
    nodes = list(filter(has, jax.tree.leaves(state, is_leaf=has)))
    if not nodes:
        raise ValueError(
            f"state: this {type(state).__name__} has no other parameters to evaluate; use those "
            "you train"
        )
    found = params
    for node in reversed(nodes):  # so that of two for the same leaf the first counts
        own = node.eval_params(params)
        found = jax.tree.map(lambda x, y: y if is_masked(x) else x, own, found, is_leaf=is_masked)
    return found
