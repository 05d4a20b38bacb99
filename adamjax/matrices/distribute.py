"""Apply a function to many matrices together, with whole matrices on each device.

An iteration on a sharded matrix communicates in every product. Here the matrices of the same shape
form a stack, which is resharded once, so that each device has some whole matrices, and back.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from adamjax.matrices.layout import Layout, from_matrices, to_matrices
from adamjax.moments import Array

MAX_BYTES = 2**26
_FREE = PartitionSpec.UNCONSTRAINED


def map_matrices(
    function: Callable[[Array], Array],
    arrays: Sequence[Array],
    *,
    wire_dtype: Any = None,
    max_bytes: int = MAX_BYTES,
) -> list[Array]:
    """Apply a function to stacks of the matrices in the last two axes of many arrays.

    Args:
      function: from a stack (n, rows, columns) to one of the same shape and dtype. It treats each
        matrix alone, and returns 0 for 0.
      arrays: arrays (..., rows, columns).
      wire_dtype: dtype in which devices exchange matrices. None keeps their dtype.
      max_bytes: largest size of a stack of several arrays.

    >>> a, b = map_matrices(jnp.negative, [jnp.ones((2, 3)), jnp.ones((4, 2, 3))])
    >>> a.shape, b.shape, float(b[0, 0, 0])
    ((2, 3), (4, 2, 3), -1.0)
    """
    results: list[Any] = [None] * len(arrays)
    for members in _groups(arrays, max_bytes):
        parts = [arrays[i].reshape(-1, *arrays[i].shape[-2:]) for i in members]
        stack = _over_devices(function, jnp.concatenate(parts), wire_dtype)
        start = 0
        for i, part in zip(members, parts, strict=True):
            results[i] = stack[start : start + len(part)].reshape(arrays[i].shape)
            start += len(part)
    return results


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


def _groups(arrays: Sequence[Array], max_bytes: int) -> list[list[int]]:
    """Return the indices of arrays whose matrices have the same shape and dtype."""
    groups: dict[Any, list[list[int]]] = {}
    for i, x in enumerate(arrays):
        chunks = groups.setdefault((x.shape[-2:], x.dtype), [])
        if not chunks or sum(arrays[j].nbytes for j in chunks[-1]) + x.nbytes > max_bytes:
            chunks.append([])
        chunks[-1].append(i)
    return list(itertools.chain(*groups.values()))


def _over_devices(function: Callable[[Array], Array], stack: Array, wire_dtype: Any) -> Array:
    mesh = jax.typeof(stack).sharding.mesh
    axes = _axes(mesh, len(stack))
    if not axes:
        return function(stack)
    count, dtype = len(stack), stack.dtype
    size = math.prod(mesh.shape[axis] for axis in axes)
    wire_dtype = dtype if wire_dtype is None else wire_dtype

    def place(x: Array, *spec: Any) -> Array:
        return jax.lax.with_sharding_constraint(x, NamedSharding(mesh, PartitionSpec(*spec)))

    def local(x: Array) -> Array:
        return function(x.astype(dtype)).astype(wire_dtype)

    stack = jnp.pad(stack.astype(wire_dtype), ((0, -count % size), (0, 0), (0, 0)))
    spec = PartitionSpec(axes)
    alone = jax.shard_map(local, mesh=mesh, in_specs=spec, out_specs=spec)
    return place(alone(place(stack, axes, None, None)), None, _FREE, _FREE)[:count].astype(dtype)


def _axes(mesh: Any, count: int) -> tuple[str, ...]:
    """Return the mesh axes over which a stack takes the least time, and of these the fewest."""
    kinds = zip(mesh.axis_names, mesh.axis_types, strict=True) if not mesh.empty else ()
    names = [name for name, kind in kinds if kind != AxisType.Manual]
    choices = (c for k in range(len(names) + 1) for c in itertools.combinations(names, k))

    def time_and_devices(chosen: tuple[str, ...]) -> tuple[int, int]:
        size = math.prod(mesh.shape[name] for name in chosen)
        return -(-count // size), size

    return min(choices, key=time_and_devices)
