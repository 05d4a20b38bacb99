"""Apply a function to many matrices together, with whole matrices on each device.

An iteration on a sharded matrix communicates in every product. Here the matrices of the same shape
form a stack, which is resharded once, so that each device has some whole matrices, and back.
"""

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from adamjax.matrices.layout import Layout, from_matrices, to_matrices
from adamjax.moments import Array
from adamjax.trees import PyTree

MAX_BYTES = 2**26
_FREE = PartitionSpec.UNCONSTRAINED


def map_stacks(
    function: Callable[..., PyTree],
    rows: Sequence[tuple[PyTree, ...]],
    *,
    wire_dtype: Any = None,
    max_bytes: int = MAX_BYTES,
) -> list[PyTree]:
    """Apply a function to rows of arrays, those of the same shapes together.

    Args:
      function: from trees of stacks (n, ...), one for each tree of a row, to a tree of stacks. It
        treats each element of the stacks alone, and returns finite numbers for 0.
      rows: trees of arrays (m, ...), with the same m in a row.
      wire_dtype: dtype in which devices exchange arrays. None keeps their dtypes.
      max_bytes: largest size of the stacks of several rows, for each device of the mesh.

    Returns:
      The results of each row.

    >>> rows = [(jnp.ones((1, 2)), jnp.ones((1, 3))), (jnp.zeros((2, 2)), jnp.ones((2, 3)))]
    >>> [y.tolist() for y in map_stacks(lambda a, b: a.sum(1) + b.sum(1), rows)]
    [[5.0], [3.0, 3.0]]
    """
    results: list[Any] = [None] * len(rows)
    for members in _groups(rows, max_bytes * math.prod(_mesh_sizes(rows).values())):
        stacks = jax.tree.map(lambda *xs: jnp.concatenate(xs), *(rows[i] for i in members))
        stacks = _over_devices(function, stacks, wire_dtype)
        sizes = [len(jax.tree.leaves(rows[i])[0]) for i in members]
        # A CPU's compiler takes as long for one slice as for many, unless places are constants.
        starts = jax.lax.optimization_barrier(
            [jnp.int32(x) for x in itertools.accumulate([0, *sizes[:-1]])]
        )
        for i, start, size in zip(members, starts, sizes, strict=True):
            place = {"start_index": start, "slice_size": size}
            take = functools.partial(jax.lax.dynamic_slice_in_dim, **place)
            results[i] = jax.tree.map(take, stacks)
    return results


def map_matrices(
    function: Callable[[Array], Array], arrays: Sequence[Array], **options: Any
) -> list[Array]:
    """Apply a function to stacks of the matrices in the last two axes of many arrays.

    Args:
      function: from a stack (n, rows, columns) to one of the same shape and dtype. It treats each
        matrix alone, and returns 0 for 0.
      arrays: arrays (..., rows, columns).
      **options: `wire_dtype` and `max_bytes`, see `map_stacks`.

    >>> a, b = map_matrices(jnp.negative, [jnp.ones((2, 3)), jnp.ones((4, 2, 3))])
    >>> a.shape, b.shape, float(b[0, 0, 0])
    ((2, 3), (4, 2, 3), -1.0)
    """
    results = map_stacks(function, [(x.reshape(-1, *x.shape[-2:]),) for x in arrays], **options)
    return [y.reshape(x.shape) for x, y in zip(arrays, results, strict=True)]


def map_layouts(
    function: Callable[[Array], Array],
    leaves: Sequence[Array],
    layouts: Sequence[Layout | None],
    **options: Any,
) -> list[Array]:
    """Apply a function of stacks of matrices to the leaves with a layout, see `map_matrices`."""
    rows = [to_matrices(x, at) if at else [] for x, at in zip(leaves, layouts, strict=True)]
    blocks = iter(map_matrices(function, list(itertools.chain(*rows)), **options))
    return [
        from_matrices(list(itertools.islice(blocks, len(row))), at, x.shape) if at else x
        for x, at, row in zip(leaves, layouts, rows, strict=True)
    ]


def _groups(rows: Sequence[PyTree], max_bytes: int) -> list[list[int]]:
    """Return the indices of rows whose arrays have the same shapes and dtypes, in even groups."""
    same: dict[Any, list[int]] = {}
    for i, row in enumerate(rows):
        leaves, treedef = jax.tree.flatten(row)
        same.setdefault((treedef, *((x.shape[1:], x.dtype) for x in leaves)), []).append(i)
    groups: list[list[int]] = []
    for members in same.values():
        sizes = {i: sum(x.nbytes for x in jax.tree.leaves(rows[i])) for i in members}
        total = sum(sizes.values())
        # A TPU's compiler takes no time for a second group of the same size.
        limit, free = total / max(1, -(-total // max_bytes)), 0.0
        for i in members:
            if free < sizes[i]:
                groups.append([])
                free = limit
            groups[-1].append(i)
            free -= sizes[i]
    return groups


def _over_devices(function: Callable[..., PyTree], stacks: Any, wire_dtype: Any) -> PyTree:
    first = jax.tree.leaves(stacks)[0]
    count, mesh = len(first), jax.typeof(first).sharding.mesh
    sizes = _mesh_sizes(stacks)
    axes = _axes(sizes, count)
    if not axes:
        return function(*stacks)
    size = math.prod(sizes[axis] for axis in axes)
    dtypes = jax.tree.map(lambda x: x.dtype, stacks)
    # XLA divides a stack over one axis by an all-to-all. Over several at once it gathers.
    parts = [axes[:i] for i in range(len(axes))]

    def wire(x: Array) -> Array:
        return x if wire_dtype is None else x.astype(wire_dtype)

    def place(x: Array, axes: Any, others: Any = _FREE) -> Array:
        spec = PartitionSpec(axes, *[others] * (x.ndim - 1))
        return jax.lax.with_sharding_constraint(x, NamedSharding(mesh, spec))

    def divide(x: Array) -> Array:
        x = jnp.pad(wire(x), ((0, -count % size), *[(0, 0)] * (x.ndim - 1)))
        return place(functools.reduce(place, parts, x), axes, None)

    def local(*stacks: PyTree) -> PyTree:
        return jax.tree.map(wire, function(*jax.tree.map(jnp.astype, stacks, dtypes)))

    def collect(y: Array) -> Array:
        y = functools.reduce(place, reversed(parts), y)[:count]
        return y if wire_dtype is None else y.astype(first.dtype)

    spec = PartitionSpec(axes)
    alone = jax.shard_map(local, mesh=mesh, in_specs=spec, out_specs=spec)
    return jax.tree.map(collect, alone(*jax.tree.map(divide, stacks)))


def _mesh_sizes(tree: PyTree) -> dict[str, int]:
    """Return the sizes of the axes of the mesh over which stacks can be divided, minor ones first.

    XLA moves the minor axis of an array without the others, but not a major one.
    """
    leaves = jax.tree.leaves(tree)
    mesh = jax.typeof(leaves[0]).sharding.mesh if leaves else None
    if mesh is None or mesh.empty:
        return {}
    kinds = zip(mesh.axis_names, mesh.axis_types, strict=True)
    names = [name for name, kind in kinds if kind != AxisType.Manual]
    return {name: mesh.shape[name] for name in reversed(names)}


def _axes(sizes: dict[str, int], count: int) -> tuple[str, ...]:
    """Return the mesh axes over which a stack takes the least time, and of these the fewest."""
    choices = (c for k in range(len(sizes) + 1) for c in itertools.combinations(sizes, k))

    def time_and_devices(chosen: tuple[str, ...]) -> tuple[int, int]:
        size = math.prod(sizes[name] for name in chosen)
        return -(-count // size), size

    return min(choices, key=time_and_devices)
