"""Shardings of an optimizer state, from those of the parameters or with ZeRO."""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import NamedSharding, PartitionSpec

from adamjax.rule import sharding_beside
from adamjax.trees import PyTree, expand_prefix, is_masked, leaf_name

# Smaller arrays cost more to collect than to keep.
MIN_SIZE = 16_384


def state_shardings(
    tx: optax.GradientTransformation,
    params: PyTree,
    shardings: PyTree = None,
    *,
    zero: str | None = None,
    min_size: int = MIN_SIZE,
    memory_kind: str | None = None,
) -> PyTree:
    """Return the shardings of an optimizer's state, from those of the parameters.

    A moment has the sharding of its parameter. A moment of another shape (factored, or a window of
    gradients) keeps the axes of the dimensions that it shares with the parameter, counted from the
    last. Scalars are replicated. Nothing is allocated. Use the result as `in_shardings` and
    `out_shardings` of `jax.jit`, and for checkpoints.

        ZeRO (stage 1, over an axis of n devices):  bytes per device  8 N  ->  8 N / n  for Adam

    With `zero`, each moment is also divided over that axis. In a jitted step with these shardings
    for the state and the parameters' own for the parameters, the compiler computes each part of the
    update next to its moments, and collects the new parameters with one all-gather each.

    Args:
      tx: any optimizer that `optax.tree_utils.tree_map_params` supports.
      params: the parameters, arrays or `jax.ShapeDtypeStruct`s.
      shardings: a tree of `jax.sharding.NamedSharding`, or a prefix of one. None uses those of the
        parameters. The axes of the mesh may be of type Auto or Explicit.
      zero: the mesh axis that divides the state, along the first dimension of fitting size,
        preferably an undivided one. Arrays without such a dimension are not divided, and means over
        rows or columns follow their parameter.
      min_size: arrays of fewer elements are not divided further.
      memory_kind: the memory for moments of at least `min_size` elements, such as "pinned_host"
        (see `sharded`). None is the device's memory.

    Returns:
      A tree like the state, with a `NamedSharding` for each array.

    Raises:
      ValueError: for parameters without a mesh, shardings that do not fit, an axis that the mesh
        does not have, or a memory that the devices do not have.

    References:
      Rajbhandari, Rasley, Ruwase and He, ZeRO, 2019, https://arxiv.org/abs/1910.02054;
      Xu et al., Automatic Cross-Replica Sharding of Weight Update, 2020,
      https://arxiv.org/abs/2004.13336

    >>> import adamjax
    >>> from jax.sharding import AxisType, NamedSharding, PartitionSpec
    >>> mesh = jax.make_mesh((1,), ("data",), axis_types=(AxisType.Auto,))
    >>> params = {"w": jax.ShapeDtypeStruct((256, 128), jnp.float32)}
    >>> tx = adamjax.adam(1e-3)
    >>> state = state_shardings(tx, params, NamedSharding(mesh, PartitionSpec()), zero="data")
    >>> state[0].nu["w"].spec == PartitionSpec("data", None)
    True
    """
    whole = param_shardings(params, shardings)
    mesh = jax.tree.leaves(whole)[0].mesh
    if zero is not None and zero not in list(mesh.shape):
        raise ValueError(f"zero: the mesh has no axis {zero!r}; it has {', '.join(mesh.shape)}")
    if memory_kind is not None and hasattr(mesh, "devices"):
        kinds = [memory.kind for memory in mesh.devices.flat[0].addressable_memories()]
        if memory_kind not in kinds:
            message = f"these devices have no {memory_kind!r}; they have {kinds}"
            raise ValueError(f"memory_kind: {message}")
    shapes = jax.tree.map(lambda p: jax.ShapeDtypeStruct(jnp.shape(p), jnp.result_type(p)), params)
    state = jax.eval_shape(tx.init, shapes)

    def of_moment(leaf: Any, param: Any, sharding: NamedSharding) -> Any:
        if is_masked(leaf):
            return leaf
        at = sharding_beside(leaf.shape, param.shape, spread(param.shape, sharding, zero, min_size))
        sizes = zip(leaf.shape, param.shape, strict=False)
        if leaf.ndim != param.ndim or any(a not in (1, b) for a, b in sizes):  # not a mean of it
            at = spread(leaf.shape, at, zero, min_size)
        large = math.prod(leaf.shape) >= min_size
        return at.with_memory_kind(memory_kind) if memory_kind and large else at

    return optax.tree_utils.tree_map_params(
        partial(jax.eval_shape, tx.init),  # Optax would make the scalars, on a device
        of_moment,
        state,
        shapes,
        whole,
        transform_non_params=lambda leaf: NamedSharding(mesh, PartitionSpec()),
        is_leaf=is_masked,
    )


def param_shardings(params: PyTree, shardings: PyTree) -> PyTree:
    """Return a `NamedSharding` for each parameter, or raise ValueError if it does not fit."""
    if shardings is None:
        shardings = jax.tree.map(lambda leaf: getattr(leaf, "sharding", None), params)
    else:
        shardings = expand_prefix("shardings: the tree", shardings, params)
    leaves = jax.tree_util.tree_leaves_with_path(params)
    given = jax.tree.structure(params).flatten_up_to(shardings)
    if not leaves:
        raise ValueError("params: there are none, so there is no mesh")
    for (path, leaf), sharding in zip(leaves, given, strict=True):
        name = f"params[{leaf_name(path)!r}]"
        if not isinstance(sharding, NamedSharding):
            raise ValueError(
                f"{name} has no place on a mesh ({sharding}): put it there with jax.device_put and "
                "a jax.sharding.NamedSharding, or give a tree of them as shardings"
            )
        if sharding.mesh != given[0].mesh:
            raise ValueError(f"{name} is on another mesh than the first parameter; use one")
        shape = jnp.shape(leaf)
        try:
            fits = len(sharding.spec) <= len(shape) and sharding.shard_shape(shape) is not None
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(
                f"{name} of shape {shape} cannot be divided by {sharding.spec} on the mesh "
                f"{dict(sharding.mesh.shape)}"
            )
    return shardings


def spread(
    shape: tuple[int, ...], sharding: NamedSharding, axis: str | None, min_size: int
) -> NamedSharding:
    """Divide a dimension of fitting size over one more axis, preferably an undivided one."""
    mesh, entries = sharding.mesh, [*sharding.spec, *[None] * (len(shape) - len(sharding.spec))]
    used = {name for entry in entries for name in axes_of(entry)}
    if axis is None or axis in used or math.prod(shape) < max(min_size, 1):
        return sharding
    for k in sorted(range(len(shape)), key=lambda k: entries[k] is not None):
        axes = (*axes_of(entries[k]), axis)
        if shape[k] % math.prod(mesh.shape[name] for name in axes) == 0:
            entries[k] = axes if len(axes) > 1 else axis
            break
    return NamedSharding(mesh, PartitionSpec(*entries))


def axes_of(entry: Any) -> tuple[str, ...]:
    """List the mesh axes in an entry of a spec."""
    if entry is None:
        return ()
    return entry if isinstance(entry, tuple) else (entry,)
