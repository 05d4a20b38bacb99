"""Where each array lies, with its bytes, as a table."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adamjax.sharding.specs import axes_of, param_shardings
from adamjax.trees import PyTree, leaf_name


class Placement(NamedTuple):
    """Where an array lies.

    Attributes:
      name: its path, keys joined by "/".
      shape, dtype: of the whole array.
      spec: the mesh axes that divide each of its dimensions; () where every device has all of it.
      bytes: of the whole array.
      bytes_per_device: of the part that one device has.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    spec: tuple[Any, ...]
    bytes: int
    bytes_per_device: int


def placements(tree: PyTree, shardings: PyTree = None) -> list[Placement]:
    """Where each array of a tree lies, in order; of parameters or of a state.

    Args:
      tree: arrays or `jax.ShapeDtypeStruct`s.
      shardings: a tree of `NamedSharding`; None reads them off the arrays.

    >>> from jax.sharding import AxisType, NamedSharding, PartitionSpec
    >>> mesh = jax.make_mesh((1,), ("data",), axis_types=(AxisType.Auto,))
    >>> tree = {"w": jax.ShapeDtypeStruct((4, 2), jnp.float32)}
    >>> placements(tree, NamedSharding(mesh, PartitionSpec("data")))[0].bytes_per_device
    32
    """
    found = jax.tree.leaves(param_shardings(tree, shardings))
    result = []
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    for (path, leaf), sharding in zip(leaves, found, strict=True):
        shape, dtype = jnp.shape(leaf), jnp.result_type(leaf)
        spec = tuple(sharding.spec) if any(sharding.spec) else ()
        sizes = [math.prod(s) * dtype.itemsize for s in (shape, sharding.shard_shape(shape))]
        result.append(Placement(leaf_name(path), shape, dtype.name, spec, *sizes))
    return result


def table(places: list[Placement]) -> str:
    """Placements as text: a line for each array, largest share of a device first, and the sum.

    >>> print(table([Placement("nu/w", (4, 2), "float32", ("data", None), 32, 16)]))
    array  shape  dtype    divided by  bytes  bytes per device
    nu/w   4x2    float32  data, -        32                16
    total                                 32                16
    """
    rows = [("array", "shape", "dtype", "divided by", "bytes", "bytes per device")]
    for place in sorted(places, key=lambda place: -place.bytes_per_device):
        axes = ", ".join("+".join(axes_of(entry)) or "-" for entry in place.spec)
        shape = "x".join(map(str, place.shape)) or "scalar"
        sizes = f"{place.bytes:,}", f"{place.bytes_per_device:,}"
        rows.append((place.name, shape, place.dtype, axes or "nothing", *sizes))
    whole, part = sum(p.bytes for p in places), sum(p.bytes_per_device for p in places)
    rows.append(("total", "", "", "", f"{whole:,}", f"{part:,}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        words = [f"{x:<{w}}" for x, w in zip(row[:4], widths, strict=False)]
        words += [f"{x:>{w}}" for x, w in zip(row[4:], widths[4:], strict=True)]
        lines.append("  ".join(words).rstrip())
    return "\n".join(lines)
