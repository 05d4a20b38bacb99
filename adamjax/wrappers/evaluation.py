"""The parameters to evaluate, if an optimizer trains others."""

from functools import partial
from typing import Any

import jax
import optax

from adamjax.modifiers.map_updates import fill_absent
from adamjax.trees import PyTree, find_nodes, unbox
from adamjax.wrappers.schedule_free import ScheduleFreeState


def eval_params(state: Any, params: PyTree) -> PyTree:
    """Return the parameters to evaluate and save: x of a schedule-free optimizer, or an average.

    Args:
      state: the state of an optimizer with `adamjax.schedule_free`, `adamjax.ema_params`,
        `adamjax.swa` or `optax.contrib.schedule_free` anywhere in it. The outermost one is used.
        Parameters that it does not have (`optax.partition`, `adamjax.partition_matrices`) are taken
        from `params`. Or an object with the attribute `opt_state`, such as `flax.nnx.Optimizer`.
      params: the trained parameters: a tree, `nnx.state(model, nnx.Param)`, an Equinox model.

    Returns:
      A tree like `params`.

    Raises:
      ValueError: if the state has none of these wrappers.

    >>> import adamjax
    >>> import jax.numpy as jnp
    >>> tx = adamjax.schedule_free_sgd(1.0, b1=0.5)
    >>> params = {"w": jnp.float32(3.0)}
    >>> eval_params(tx.init(params), params)
    {'w': Array(3., dtype=float32)}
    """
    opt_state = unbox(getattr(state, "opt_state", state))
    nodes = find_nodes(opt_state, _has_others)
    if not nodes:
        raise ValueError(
            f"state: this {type(state).__name__} has no other parameters to evaluate; use those "
            "you train"
        )
    result = plain = unbox(params)
    for node in reversed(nodes):  # The first overwrites the others.
        evaluate = getattr(node, "eval_params", partial(ScheduleFreeState.eval_params, node))
        result = fill_absent(evaluate(plain), result)
    return jax.tree.structure(params).unflatten(jax.tree.leaves(result))


def evaluated(state: Any, params: PyTree) -> PyTree:
    """Return `eval_params(state, params)`, or the parameters if the state has no others."""
    return eval_params(state, params) if find_nodes(state, _has_others) else params


def _has_others(node: Any) -> bool:
    return hasattr(node, "eval_params") or isinstance(node, optax.contrib.ScheduleFreeState)
