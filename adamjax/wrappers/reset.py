"""Reset the optimizer state of some parameters."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.modifiers.map_updates import choose
from adamjax.trees import Mask, PyTree, check_patterns, resolve_mask, unbox
from adamjax.wrappers.state_leaves import map_state


def reset(tx: optax.GradientTransformation, state: Any, params: PyTree, where: Mask = None) -> Any:
    """Reset the state of some parameters to that of `tx.init`, and keep the rest.

    Step counts and the state of the other parameters do not change.

    Use it once on a run whose moments a bad step has poisoned. `adamjax.guard` prevents that.

    Args:
      tx: the optimizer.
      state: its state, as `tx.update` takes it, or `opt_state` of a `flax.nnx.Optimizer`.
      params: the parameters. Repair those that are not finite first, for example from a checkpoint.
      where: the parameters whose state is reset, in any of the forms of `adamjax.optimizer`. None:
        those with a number in the state that is not finite, and scalars that are not. Codes of
        `storage="8bit"` do not show NaN, so name the parameters there.

    Returns:
      The new state, with the structure of `state`.

    Raises:
      ValueError: if a pattern matches no parameter, or the state has other trees in place of the
        parameters'.

    >>> tx, params = optax.adam(0.1), {"a": jnp.float32(1.0), "b": jnp.float32(1.0)}
    >>> _, state = tx.update({"a": jnp.float32(jnp.nan), "b": jnp.float32(1.0)}, tx.init(params))
    >>> state = reset(tx, state, params)
    >>> jax.tree.map(float, state[0].nu), int(state[0].count)
    ({'a': 0.0, 'b': 0.0010000000474974513}, 1)
    """
    check_patterns("where", where, params)
    structure = jax.tree.structure(state)
    if jax.tree.structure(jax.eval_shape(tx.init, params)) != structure:  # boxes of an optimizer
        params, state = unbox((params, state))
    treedef = jax.tree.structure(params)
    chosen: list[Any] = [False] * treedef.num_leaves
    other = _poisoned if where is None else lambda _: False

    def inspect(x: Any, i: int) -> None:
        chosen[i] |= _poisoned(x)

    if where is None:
        map_state(tx, inspect, state, treedef.unflatten(range(len(chosen))), other=other)
    else:
        chosen = resolve_mask(where, params)
    marks = map_state(tx, lambda _, on: on, state, treedef.unflatten(chosen), other=other)
    fixed = jax.tree.map(choose, marks, tx.init(params), state)
    return structure.unflatten(jax.tree.leaves(fixed))


def _poisoned(x: Any) -> Any:
    """Return whether an array has numbers that are not finite."""
    inexact = jnp.issubdtype(jnp.result_type(x), jnp.inexact)
    return ~jnp.isfinite(x).all() if inexact else False
