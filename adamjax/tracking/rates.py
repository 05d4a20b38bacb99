"""The learning rates in an optimizer state: the global one, and that of each element."""

import math
import operator
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from adamjax.moments import divide
from adamjax.rule import explicit_sharding
from adamjax.storage.formats import Code
from adamjax.tracking.decode import SECOND_MOMENTS, Coded, Moments, has_field, moments_of

SAMPLE_SIZE = 1024
"""The largest sample of the second moment for the quantiles. A larger sample slows the step of a
small model, and the rank of a quantile is already accurate to a percentile or two."""

Path = tuple[Any, ...]


class Readout(NamedTuple):
    """The tracked parts of an optimizer state: the outermost nodes, with their key paths."""

    rates: list[tuple[Path, jax.Array]]
    holders: list[tuple[Path, Any, Moments]]  # nodes with a second moment
    coded: list[Coded]  # parameters whose moments are in integer codes
    groups: dict[str, jax.Array]  # the rates of `adamjax.groups`


def read_state(state: Any) -> Readout:
    """Find the learning rates and moments in a state, in one walk."""
    readout = Readout([], [], [], {})

    def visit(path: Path, node: Any) -> bool:
        if not hasattr(node, "_fields"):
            return False
        rate = None
        if has_field(node, "last_learning_rate"):
            rate = node.last_learning_rate
        elif has_field(node, "hyperparams"):
            rate = node.hyperparams.get("learning_rate")
        elif has_field(node, "learning_rates") and node.learning_rates:
            readout.groups.update(node.learning_rates)
            rate = largest(list(node.learning_rates.values()))
        if rate is not None and not _inside(path, readout.rates):
            readout.rates.append((path, jnp.max(jnp.asarray(rate, jnp.float32))))
        moments = moments_of(node)
        if has_field(node, "nu") and not _inside(path, readout.holders):
            readout.holders.append((path, node, moments))
        readout.coded.extend(moments.coded)
        return False

    jax.tree_util.tree_leaves_with_path(state, is_leaf=visit, is_leaf_takes_path=True)
    return readout


def _inside(path: Path, nodes: Sequence[tuple]) -> bool:
    return any(path[: len(outer)] == outer for outer, *_ in nodes)


def largest(rates: Sequence[jax.Array]) -> jax.Array:
    """Return the largest of some scalars."""
    return jnp.max(jnp.stack(rates))


def effective_quantiles(
    readout: Readout, b2: float | None, labels: dict[str, float]
) -> dict[str, jax.Array]:
    """Compute quantiles of η / √v over a sample of the elements of every second moment.

    Without η or v there are none. They are 0 if no element of the sample has v > 0.
    """
    if not (labels and readout.rates and readout.holders):
        return {}
    stored = [_second_moment(*holder) for holder in readout.holders]
    size = sum(arrays[0].size for leaves in stored for _, _, arrays in leaves)
    # An odd stride does not always meet rows of a power of two in the same column.
    stride = -(-size // SAMPLE_SIZE) | 1
    samples, start = [], 0
    for (path, node, _), leaves in zip(readout.holders, stored, strict=False):
        parts: dict[tuple[Code | None, int], list[list[jax.Array]]] = {}
        for code, place, arrays in leaves:
            parts.setdefault((code, place), []).append([_every(x, start, stride) for x in arrays])
            start += arrays[0].size
        for (code, place), rows in parts.items():
            columns = tuple(map(jnp.concatenate, zip(*rows, strict=True)))
            v = columns[0].astype(jnp.float32) if code is None else code.decode(columns)[place]
            if b2 is not None and has_field(node, "count"):
                t = jnp.asarray(node.count, jnp.float32)
                v /= -jnp.expm1(t * (math.log(b2) if b2 else -math.inf))
            rate = _nearest_rate(path, readout.rates)
            samples.append(jnp.where(v > 0, divide(rate, jnp.sqrt(v)), -1))
    if not start:
        return {key: jnp.zeros((), jnp.float32) for key in labels}
    values = jnp.sort(jnp.concatenate(samples))  # those without v come first
    count = jnp.sum(values >= 0)
    last = jnp.maximum(count - 1, 0).astype(jnp.float32)
    ranks = jnp.array(list(labels.values()), jnp.float32) * last
    low = jnp.floor(ranks)  # jnp.interp fails inside jax.shard_map on JAX 0.6
    place = values.size - count + low.astype(jnp.int32)
    after = values[jnp.minimum(place + 1, values.size - 1)]
    quantiles = values[place] + (ranks - low) * (after - values[place])
    return dict(zip(labels, jnp.where(count > 0, quantiles, 0), strict=True))


def _second_moment(
    path: Path, node: Any, moments: Moments
) -> list[tuple[Code | None, int, tuple[jax.Array, ...]]]:
    """List each leaf's code, its place in the code, and the stored arrays."""
    field = next(f for f in SECOND_MOMENTS if f in moments.leaves)
    leaves = moments.leaves[field]
    floats = [x for x in leaves if jnp.issubdtype(jnp.result_type(x), jnp.floating)]
    return [
        *((None, 0, (jnp.asarray(x),)) for x in floats),
        *(
            (code, fields.index(field), one.arrays(fields))
            for one in moments.coded
            for fields, code in one.groups
            if field in fields
        ),
    ]


def _nearest_rate(path: Path, rates: Sequence[tuple[Path, jax.Array]]) -> jax.Array:
    """Return the learning rate whose key path shares most with `path`."""
    shared = [len(list(takewhile(bool, map(operator.eq, path, other)))) for other, _ in rates]
    pairs = zip(shared, rates, strict=True)
    return largest([rate for n, (_, rate) in pairs if n == max(shared)])


def _every(x: jax.Array, start: int, stride: int) -> jax.Array:
    """Return each element of `x` whose place in the whole tree is a multiple of `stride`."""
    # Flattening would reshard `x`, so they are gathered by index.
    x = x.reshape(x.shape or (1,))
    places = np.unravel_index(np.arange(-start % stride, x.size, stride), x.shape)
    sharding = explicit_sharding(x)
    replicated = sharding and NamedSharding(sharding.mesh, PartitionSpec())
    return x.at[places].get(out_sharding=replicated).reshape(-1)
