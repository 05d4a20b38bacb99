"""An optimizer that shards its own state and update."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import AxisType, NamedSharding

from adamjax.sharding.specs import MIN_SIZE, param_shardings, spread, state_shardings
from adamjax.trees import PyTree, leaf_name


def sharded(
    tx: optax.GradientTransformation,
    params: PyTree,
    shardings: PyTree = None,
    *,
    zero: str | None = None,
    min_size: int = MIN_SIZE,
    memory_kind: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Shard the state and the update of an optimizer as `state_shardings` describes.

    Use it with third-party training loops (`flax.nnx.Optimizer`, `TrainState`), and for meshes of
    Explicit axes. The updates have the shardings of the parameters, so with `zero` the updates are
    collected. If you jit the step yourself, `state_shardings` as `out_shardings` of `jax.jit`
    collects only the new parameters.

        init:    the state is made in parts, no device holds all of it
        update:  gradients and parameters -> parts, state -> device memory, tx.update,
                 state -> its own memory, updates -> the parameters' shardings

    Args:
      tx: the optimizer.
      params: the parameters, of which only the shapes and shardings are used.
      shardings: as for `state_shardings`.
      zero: as for `state_shardings`.
      min_size: as for `state_shardings`.
      memory_kind: "pinned_host" keeps the moments in the host's memory and moves them to the device
        and back at each step: for Adam in float32, 16 bytes per parameter over the bus.

    Returns:
      A transformation with the state of `tx`. On Explicit axes, functions among the extra arguments
      of `update` (as for `sam`) must not close over arrays of the mesh.

    Raises:
      ValueError: as in `state_shardings`, and for Explicit axes beside others or on a JAX before
        0.7, a memory other than "pinned_host", and in `init` and `update` arrays of other shapes.

    >>> import adamjax
    >>> from jax.sharding import AxisType, NamedSharding, PartitionSpec
    >>> mesh = jax.make_mesh((1,), ("data",), axis_types=(AxisType.Auto,))
    >>> params = jax.device_put({"w": jnp.ones((256, 128))}, NamedSharding(mesh, PartitionSpec()))
    >>> tx = sharded(adamjax.adam(1e-3), params, zero="data")
    >>> tx.init(params)[0].mu["w"].sharding.spec == PartitionSpec("data", None)
    True
    """
    tx = optax.with_extra_args_support(tx)
    whole = param_shardings(params, shardings)
    mesh = jax.tree.leaves(whole)[0].mesh
    _check_mesh(mesh)
    lie = partial(state_shardings, tx, params, whole, zero=zero, min_size=min_size)
    kept = computed = lie(memory_kind=memory_kind)
    if memory_kind is not None:
        if memory_kind not in ("device", "pinned_host"):
            raise ValueError(
                f"memory_kind: a step can leave it in 'pinned_host', not {memory_kind!r}"
            )
        computed = lie(memory_kind=mesh.devices.flat[0].default_memory().kind)
    shapes = [jnp.shape(param) for param in jax.tree.leaves(params)]
    parts = jax.tree.map(
        lambda param, at: spread(jnp.shape(param), at, zero, min_size), params, whole
    )

    def init(params: PyTree) -> Any:
        _check_shapes(params, shapes)
        leaves = jax.tree.leaves(params)
        if all(isinstance(x, jax.Array) and not isinstance(x, jax.core.Tracer) for x in leaves):
            state = jax.eval_shape(tx.init, params)
            return jax.jit(tx.init, out_shardings=_as_in(state, kept))(params)
        return _move(_place(tx.init(params), computed), kept)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        _check_shapes(updates, shapes)
        updates, state = _place(updates, parts), _place(_move(state, computed), computed)
        params = None if params is None else _place(params, parts)
        step: Any = partial(tx.update, **extra_args)
        if _is_explicit(mesh):
            # Products of matrices would have to say where they lie.
            after = _as_in(updates, parts), _as_in(state, computed)
            step = jax.sharding.auto_axes(step, out_sharding=after)
        updates, state = step(updates, state, params)
        return _place(updates, whole), _move(_place(state, computed), kept)

    return optax.GradientTransformationExtraArgs(init, update)


def _as_in(tree: PyTree, shardings: PyTree) -> PyTree:
    """Put the shardings into the containers of a tree, of which Flax has several kinds."""
    treedef, leaves = jax.tree.structure(tree), jax.tree.leaves(shardings)
    if treedef.num_leaves != len(leaves):
        raise ValueError(
            f"sharded: it was made for {len(leaves)} arrays, but got {treedef.num_leaves}; "
            "give it the parameters that the optimizer is for"
        )
    return treedef.unflatten(leaves)


def _move(tree: PyTree, shardings: PyTree) -> PyTree:
    """Move each array to the memory of its sharding, if it names one."""
    return jax.tree.map(
        lambda x, at: x if at.memory_kind is None else jax.device_put(x, at),
        tree,
        _as_in(tree, shardings),
    )


def _place(tree: PyTree, shardings: PyTree) -> PyTree:
    """Move each array to its sharding, or constrain it under tracing."""

    def place(x: Any, sharding: NamedSharding) -> Any:
        if not isinstance(x, jax.core.Tracer):
            return jax.device_put(x, sharding)
        if _is_explicit(sharding.mesh):
            return jax.sharding.reshard(x, sharding)
        return jax.lax.with_sharding_constraint(x, sharding)

    return jax.tree.map(place, tree, _as_in(tree, shardings))


def _is_explicit(mesh: Any) -> bool:
    return AxisType.Explicit in mesh.axis_types


def _check_mesh(mesh: Any) -> None:
    if not _is_explicit(mesh):
        return
    if set(mesh.axis_types) != {AxisType.Explicit}:
        raise ValueError("shardings: the mesh has axes of several types; make all Auto or Explicit")
    if not hasattr(jax.sharding, "auto_axes"):
        raise ValueError(
            "shardings: a mesh of Explicit axes needs JAX 0.7 or newer here; make it of Auto axes"
        )


def _check_shapes(tree: PyTree, shapes: Sequence[tuple[int, ...]]) -> None:
    """Raise ValueError that names the first array of another shape."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    for (path, leaf), shape in zip(leaves, shapes, strict=False):
        if jnp.shape(leaf) != shape:
            raise ValueError(
                f"sharded: {leaf_name(path)!r} has shape {jnp.shape(leaf)}, but it was made for "
                f"{shape}; give it the parameters that the optimizer is for"
            )
