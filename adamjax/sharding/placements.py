"""The sharding and size of each array, as a table."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adamjax.sharding.specs import axes_of, param_shardings
from adamjax.trees import PyTree, leaf_name


class Placement(NamedTuple):
    """The sharding and size of an array.

    Attributes:
      name: its path, keys joined by "/".
      shape: the shape of the whole array.
      dtype: its dtype.
      spec: the mesh axes that divide each dimension, () if it is replicated.
      bytes: the size of the whole array.
      bytes_per_device: the size of the part on one device.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    spec: tuple[Any, ...]
    bytes: int
    bytes_per_device: int


def placements(tree: PyTree, shardings: PyTree = None) -> list[Placement]:
    """List the sharding and size of each array in a tree, such as an optimizer state.

    Args:
      tree: arrays or `jax.ShapeDtypeStruct`s.
      shardings: a tree of `NamedSharding`, or a prefix of one. None uses those of the arrays.

    Returns:
      A `Placement` for each array, in order.

    Raises:
      ValueError: if an array has no sharding on a mesh.

    >>> from jax.sharding import AxisType, NamedSharding, PartitionSpec
    >>> mesh = jax.make_mesh((1,), ("data",), axis_types=(AxisType.Auto,))
    >>> tree = {"w": jax.ShapeDtypeStruct((4, 2), jnp.float32)}
    >>> placements(tree, NamedSharding(mesh, PartitionSpec("data")))[0].bytes_per_device
    32
    """
    at = jax.tree.leaves(param_shardings(tree, shardings))
    result = []
    for (path, leaf), sharding in zip(jax.tree_util.tree_leaves_with_path(tree), at, strict=True):
        shape, dtype = jnp.shape(leaf), jnp.result_type(leaf)
        spec = tuple(sharding.spec) if any(sharding.spec) else ()
        sizes = [math.prod(s) * dtype.itemsize for s in (shape, sharding.shard_shape(shape))]
        result.append(Placement(leaf_name(path), shape, dtype.name, spec, *sizes))
    return result


def table(places: list[Placement]) -> str:
    """Format placements as text, the largest per device first, with the sum.

    Args:
      places: the result of `placements`.

    Returns:
      A line for each array.

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
    form = "  ".join(f"{{:{'<' if k < 4 else '>'}{width}}}" for k, width in enumerate(widths))
    return "\n".join(form.format(*row).rstrip() for row in rows)
