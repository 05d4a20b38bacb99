"""Modifiers without state, and helpers that map over leaves."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import NamedSharding, PartitionSpec

from adamjax.matrices.layers import Stack, over_layers, stacks_of
from adamjax.moments import Array, clamp
from adamjax.rule import as_real, at_least_float32, cast_like, explicit_sharding, real
from adamjax.trees import (
    PyTree,
    check_same_tree,
    flatten_floating,
    is_masked,
    like_updates,
    map_columns,
    require_params,
)


def map_updates(
    inner: optax.GradientTransformation,
    modify: Callable[..., Array],
    *,
    needs_params: bool = False,
    uses_axes: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Change the updates of a transformation leaf by leaf.

    Args:
      inner: any transformation from gradients to updates. `optax.identity()` makes a modifier for a
        chain.
      modify: `(update, gradient)` or, with `needs_params`, `(update, gradient, param)` to the new
        update. Arrays are float32 (float64 for float64 updates), limited to ±2⁶³.
      needs_params: whether `modify` takes the parameter.
      uses_axes: whether `modify` depends on the axes of an array, see `adamjax.lift`.

    Returns:
      A transformation with the state of `inner`. The updates keep their dtypes.

    Raises:
      TypeError: in `update`, for gradients that are not floating-point arrays, or complex ones
        with `uses_axes`.
      ValueError: in `update`, if the parameters are needed and missing or do not fit.

    >>> tx = map_updates(optax.identity(), lambda u, g: 2 * u)
    >>> float(tx.update(jnp.float32(3.0), tx.init(jnp.float32(0.0)))[0])
    6.0
    """
    inner = optax.with_extra_args_support(inner)

    def update(updates: PyTree, state: PyTree, params: PyTree = None, **extra_args: Any) -> Any:
        flatten_floating("updates", updates, real=uses_axes)
        params = like_updates(updates, params)
        others = [updates, check_params(params, updates)] if needs_params else [updates]
        new, state = inner.update(updates, state, params, **extra_args)
        stacks = stacks_of(updates)
        return map_leaves(lambda *x: modify(*map(clamp, x)), new, *others, stacks=stacks), state

    return optax.GradientTransformationExtraArgs(inner.init, update)


def map_leaves(
    function: Callable[..., Array], tree: PyTree, *others: PyTree, stacks: Sequence[Stack] = ()
) -> PyTree:
    """Apply a function to aligned leaves in float32 or above, with results in the first's dtype.

    Complex leaves are pairs of real numbers, see `adamjax.lift`. With `stacks`, the function acts
    on each layer alone.

    >>> map_leaves(jnp.add, {"none": None, "w": jnp.float32(1.0)}, {"none": None, "w": 2.0})
    {'none': None, 'w': Array(3., dtype=float32)}
    """
    leaves, treedef = jax.tree.flatten(tree)

    def wide(first: Array, stack: Stack, *rest: Array) -> Array:
        dtype = real(at_least_float32(jnp.result_type(first)))
        each = (as_real(x, dtype) for x in (first, *rest))
        return cast_like(over_layers(function, stack, *each), first)

    columns = [treedef.flatten_up_to(other) for other in others]
    return treedef.unflatten(map_columns(wide, leaves, stacks or [()] * len(leaves), *columns))


def choose(on: Array, new: Array, old: Any) -> Array:
    """Select new elements, and old ones elsewhere, in at least 32 bits.

    XLA for TPU does not fuse a selection of smaller types.
    """
    dtype = jnp.result_type(new)
    if jnp.issubdtype(dtype, jax.dtypes.extended) or dtype.itemsize >= 4:
        return jnp.where(on, new, old)
    return jnp.where(on, new.astype(jnp.float32), jnp.asarray(old, jnp.float32)).astype(dtype)


def auto_sharded(function: Callable[..., Any], first: Any, *others: Any) -> Any:
    """Apply a function to trees, with a result that has the shardings of the first one.

    On a mesh of Explicit axes, products of matrices need the sharding of their result.
    """
    shardings = [explicit_sharding(x) for x in jax.tree.leaves(first)]
    if not any(shardings):
        return function(first, *others)
    whole = NamedSharding(next(filter(None, shardings)).mesh, PartitionSpec())
    out = jax.tree.structure(first).unflatten([sharding or whole for sharding in shardings])
    return jax.sharding.auto_axes(function, out_sharding=out)(first, *others)


def select_unmasked(tree: PyTree, part: PyTree) -> PyTree:
    """Replace the leaves of `tree` that are absent in `part` by its `optax.MaskedNode` or None."""
    return jax.tree.map(lambda x, y: x if is_absent(x) else y, part, tree, is_leaf=is_absent)


def fill_absent(part: PyTree, tree: PyTree) -> PyTree:
    """Replace the absent leaves of `part` by those of `tree`."""
    return jax.tree.map(lambda x, y: y if is_absent(x) else x, part, tree, is_leaf=is_absent)


def is_absent(node: Any) -> bool:
    """Return whether a node is masked, or None as a leaf that a filter has removed."""
    return node is None or is_masked(node)


def check_params(params: PyTree, updates: PyTree) -> PyTree:
    """Return the parameters that have updates, or raise ValueError if some are missing."""
    require_params(params, "this transformation")
    params = like_updates(updates, params)
    check_same_tree("params", params, "updates", updates)
    return params
