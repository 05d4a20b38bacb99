"""An optimizer that puts its state and its update where they belong by itself."""

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
    """An optimizer that keeps its state, and computes its update, where `state_shardings` says.

    For training loops that one does not jit oneself (`flax.nnx.Optimizer`, `TrainState`), and for
    meshes of Explicit axes. The updates come back as the parameters lie, so with `zero` it is they
    that are collected. In a step of one's own, `state_shardings` as `out_shardings` of `jax.jit`
    does with less: there the new parameters are.

        init:    the state is made in parts; no device ever holds all of it
        update:  gradients and parameters -> parts, state -> device's memory, tx.update,
                 state -> where it is kept, updates -> as the parameters lie

    Args:
      tx: the optimizer.
      params, shardings, zero, min_size, memory_kind: as for `state_shardings`. The parameters serve
        for their shapes alone.

    Returns:
      A transformation with the state of `tx`. "pinned_host" keeps the moments in the host's memory
      and moves them through the device's at each step, both ways: for Adam in float32, 16 bytes
      per parameter over the bus. On Explicit axes, functions among the extra arguments of `update`
      (`sam`'s) must not close over arrays of the mesh.

    Raises:
      ValueError: as `state_shardings`; for Explicit axes beside others, or on a JAX before 0.7; for
        another memory than "pinned_host"; in `init` and `update`, for arrays of other shapes.

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
    """The shardings in the containers of another tree: Flax has several for the same arrays."""
    treedef, given = jax.tree.structure(tree), jax.tree.leaves(shardings)
    if treedef.num_leaves != len(given):
        raise ValueError(
            f"sharded: it was made for {len(given)} arrays, but here are {treedef.num_leaves}; "
            "give it the parameters that the optimizer is for"
        )
    return treedef.unflatten(given)


def _move(tree: PyTree, shardings: PyTree) -> PyTree:
    """A tree of arrays, each moved to the memory that its sharding names, if it names one."""
    return jax.tree.map(
        lambda x, at: x if at.memory_kind is None else jax.device_put(x, at),
        tree,
        _as_in(tree, shardings),
    )


def _place(tree: PyTree, shardings: PyTree) -> PyTree:
    """A tree of arrays, each moved to its sharding; or made to lie there, while it is traced."""

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
    """Raises ValueError that names the first array of another shape than it was made for."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    for (path, leaf), shape in zip(leaves, shapes, strict=False):
        if jnp.shape(leaf) != shape:
            raise ValueError(
                f"sharded: {leaf_name(path)!r} has shape {jnp.shape(leaf)}, but it was made for "
                f"{shape}; give it the parameters that the optimizer is for"
            )
