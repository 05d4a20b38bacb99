"""The learning rates that an optimizer's state shows: the global one, and that of each element."""

import math
import operator
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.tracking.decode import Decoder, kept_as

SAMPLE_SIZE = 1024
"""Most elements of the second moment that the quantiles look at: sorting more costs a small
model's step, and a quantile's rank is already within a percentile or two."""


def learning_rates(state: Any) -> list[tuple[tuple, jax.Array]]:
    """Every learning rate that a state shows, with the key path of what holds it.

    That is a named tuple with a field `learning_rate`, or with `hyperparams` that have one
    (`optax.inject_hyperparams`), in any nesting.

    >>> import optax
    >>> state = optax.inject_hyperparams(optax.sgd)(learning_rate=0.5).init(jnp.ones(2))
    >>> [float(rate) for _, rate in learning_rates((state, optax.EmptyState()))]
    [0.5]
    """

    def shown(node):
        if _has(node, "learning_rate"):
            return node.learning_rate
        return node.hyperparams.get("learning_rate") if _has(node, "hyperparams") else None

    found = _find(state, lambda node: shown(node) is not None)
    return [(path, jnp.max(jnp.asarray(shown(node), jnp.float32))) for path, node in found]


def largest(rates: Sequence[jax.Array]) -> jax.Array:
    """The largest of some scalars, NaN of none.

    >>> float(largest([jnp.float32(0.5), jnp.float32(2.0)])), float(largest([]))
    (2.0, nan)
    """
    return jnp.max(jnp.stack(rates)) if rates else jnp.full((), jnp.nan, jnp.float32)


def effective_quantiles(
    state: Any, b2: float | None, labels: dict[str, float]
) -> dict[str, jax.Array]:
    """Quantiles of η / √v over the elements of every `nu` in a state, from a sample.

    Where the state has a `nu_max` (AMSGrad), that is the v that divides. Of a `nu` in codes
    (`adamjax.store`) the sample alone is decoded.

    Args:
      state: an optimizer's state.
      b2: decay rate of v, to correct its bias where a `count` stands beside `nu`, or None.
      labels: the quantiles in [0, 1], by the names that the results shall have.

    >>> import optax
    >>> state = optax.inject_hyperparams(optax.adam)(learning_rate=0.5).init(jnp.ones(2))
    >>> adam, scale = state.inner_state
    >>> state = state._replace(inner_state=(adam._replace(nu=jnp.array([0.0, 0.25])), scale))
    >>> float(effective_quantiles(state, None, {"median": 0.5})["median"])
    1.0
    """
    rates = learning_rates(state)
    holders = _find(state, lambda node: _has(node, "nu")) if labels else []
    kept = [kept_as(node, "nu_max" if _has(node, "nu_max") else "nu") for _, node in holders]
    size = sum(arrays[0].size for leaves in kept for _, arrays in leaves)
    # Odd, so that a row length that is a power of two is not always met at the same column.
    stride = -(-size // SAMPLE_SIZE) | 1
    samples, start = [], 0
    for (path, node), leaves in zip(holders, kept, strict=True):
        taken: dict[Decoder, list[list[jax.Array]]] = {}
        for decoder, arrays in leaves:
            taken.setdefault(decoder, []).append([_every(x, start, stride) for x in arrays])
            start += arrays[0].size
        for decoder, parts in taken.items():
            v = decoder(*map(jnp.concatenate, zip(*parts, strict=True)))
            if b2 is not None and _has(node, "count"):
                v /= -jnp.expm1(node.count * (math.log(b2) if b2 else -math.inf))
            samples.append(jnp.where(v > 0, _nearest_rate(path, rates) / jnp.sqrt(v), jnp.nan))
    if not start:
        return {key: jnp.full((), jnp.nan, jnp.float32) for key in labels}
    found = jnp.nanquantile(jnp.concatenate(samples), jnp.array(list(labels.values())))
    return dict(zip(labels, found, strict=True))


def _nearest_rate(path: tuple, rates: Sequence[tuple[tuple, jax.Array]]) -> jax.Array:
    """Of the learning rates, the one whose key path shares most with `path`."""
    shared = [len(list(takewhile(bool, map(operator.eq, path, other)))) for other, _ in rates]
    pairs = zip(shared, rates, strict=True)
    return largest([rate for n, (_, rate) in pairs if n == max(shared)])


def _find(tree: Any, holds: Callable[[Any], bool]) -> list[tuple[tuple, Any]]:
    """The outermost nodes for which `holds`, with their key paths."""
    flat = jax.tree_util.tree_leaves_with_path(tree, is_leaf=holds)
    return [(path, node) for path, node in flat if holds(node)]


def _has(node: Any, field: str) -> bool:
    # Named tuples alone: a module among the parameters may well have an attribute called nu.
    return field in getattr(node, "_fields", ())


def _every(x: jax.Array, start: int, stride: int) -> jax.Array:
    """The elements of `x` whose place in the whole tree is a multiple of `stride`.

    `start` is the place of the first. Gathered by index: flattening would reshard `x`.
    """
    x = x.reshape(x.shape or (1,))
    places = np.arange(-start % stride, x.size, stride)
    return x.at[np.unravel_index(places, x.shape)].get(out_sharding=_replicated(x)).reshape(-1)


def _replicated(x: jax.Array) -> jax.sharding.NamedSharding | None:
    """Where the sample goes: on a mesh of explicit axes, and only there, it has to be said."""
    mesh = jax.typeof(x).sharding.mesh
    if mesh.empty or any(kind != jax.sharding.AxisType.Explicit for kind in mesh.axis_types):
        return None
    return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
