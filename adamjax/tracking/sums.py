"""Sums over the leaves of a step, in the pass of the optimizer."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.moments import ZERO, Array
from adamjax.rule import as_real, at_least_float32, is_complex, real

STACK_SIZE = 2**18
"""The largest stack of small leaves on a CPU, in elements. Larger ones do not fit its cache."""

Row = tuple[Array, Array, Any]
"""Gradient, update, and parameter or None of a leaf."""

Terms = Callable[..., tuple[Array, ...]]


def tree_terms(gradient: Array, update: Array, param: Any) -> tuple[Array, ...]:
    """Return g², Δθ², θ² and 1 for each g that is not finite.

    XLA's TPU backend fuses a reduction that reads the new parameters into the pass of the step.
    Before one of the updates alone, it writes them to memory and reads them again. So Δθ is NaN
    where the new parameter is.
    """
    g, step = as_real(gradient, jnp.float32), as_real(update, jnp.float32)
    p = jnp.zeros_like(step)
    if param is not None:
        p = as_real(param, jnp.float32)
        if is_complex(update) == is_complex(param):
            after = p + step
            step = jnp.where(after == after, step, after)
    return g * g, step * step, p * p, _nonfinite(g)


def layer_terms(gradient: Array, update: Array, param: Any) -> tuple[Array, ...]:
    """Return g², Δθ², θ², -g Δθ, and 1 for each element that is lost, and that is not finite."""
    g, u = as_real(gradient, jnp.float32), as_real(update, jnp.float32)
    p, lost = jnp.zeros_like(u), jnp.zeros_like(u)
    step = u
    if param is not None:
        p, step = as_real(param, jnp.float32), applied(update, param)
        lost = jnp.where((step == 0) & (u != 0), jnp.float32(1), ZERO)
    return g * g, step * step, p * p, -g * step, lost, _nonfinite(g)


def _nonfinite(g: Array) -> Array:
    return jnp.where(jnp.isfinite(g), ZERO, jnp.float32(1))


def applied(update: Array, param: Any) -> Array:
    """Return the change of the parameter by `optax.apply_updates`, in float32.

    XLA's TPU backend fuses reductions of it into the pass of the step. Before reductions of the
    update, it would write the update to memory and read it again.
    """
    wide = real(at_least_float32(jnp.result_type(param)))
    p, kind = as_real(param, wide), jnp.finfo(jnp.result_type(param))
    # A cast to bfloat16 and back may be removed by the compiler.
    after = jax.lax.reduce_precision(p + as_real(update, wide), kind.nexp, kind.nmant)
    return (after - p).astype(jnp.float32)


def count_layers(axis: int | None, leaf: Array) -> int:
    """Return the number of layers of a leaf, 1 without an axis that stacks them."""
    return 1 if axis is None else jnp.shape(leaf)[axis]


@partial(jax.jit, static_argnums=(0, 1))
def sum_terms(terms: Terms, axes: tuple[int | None, ...], rows: Sequence[Row]) -> Array:
    """Return the sums of the terms over each layer, of shape (terms, layers).

    Args:
      terms: `tree_terms` or `layer_terms`.
      axes: the axis of each leaf that stacks layers.
      rows: one leaf or more.
    """
    # XLA's CPU backend compiles several kernels for each sum, so it gets stacks of small leaves.
    run = partial(_sum_stacks, terms, axes)
    rows = jax.lax.stop_gradient(rows)
    return jax.lax.platform_dependent(rows, cpu=partial(run, STACK_SIZE), default=partial(run, 0))


def _sum_stacks(terms: Terms, axes: tuple[int | None, ...], size: int, rows: Any) -> Array:
    """Sum stacks of equal leaves, of at most `size` elements or one leaf."""
    alike: dict[Any, list[int]] = {}
    for i, (axis, row) in enumerate(zip(axes, rows, strict=True)):
        alike.setdefault((axis, *jax.tree.map(jax.typeof, row)), []).append(i)
    sums = []
    for (axis, gradient, *_), places in alike.items():
        run = jax.jit(partial(_sum_stack, terms, axis))
        step = max(size // max(gradient.size, 1), 1)
        parts = [places[i : i + step] for i in range(0, len(places), step)]
        sums += [run([rows[i] for i in part]) for part in parts]
    # Behind the barrier, XLA's TPU backend fuses these reductions into the pass of the step.
    sums = jax.lax.optimization_barrier(sums)
    joined = jnp.stack([join(column) for column in zip(*sums, strict=True)])
    counts = [count_layers(axis, row[0]) for axis, row in zip(axes, rows, strict=True)]
    columns = np.split(np.arange(sum(counts)), np.cumsum(counts)[:-1])
    order = np.concatenate([columns[i] for places in alike.values() for i in places])
    return joined[:, np.argsort(order)]


def _sum_stack(terms: Terms, axis: int | None, rows: Sequence[Row]) -> tuple[Array, ...]:
    """Return the sums of leaves of one shape, of shape (leaves,) or (leaves, layers)."""
    if len(rows) == 1:  # XLA's GPU backend writes another array to memory for a stack of one
        values = terms(*rows[0])
        return tuple(jnp.sum(x, tuple({*range(x.ndim)} - {axis}))[None] for x in values)
    values = terms(*jax.tree.map(lambda *leaves: jnp.stack(leaves), *rows))
    layers = {0} if axis is None else {0, axis + 1}
    return tuple(jnp.sum(x, tuple({*range(x.ndim)} - layers)) for x in values)


def join(arrays: Sequence[Array]) -> Array:
    """Return all elements as one float32 vector."""
    return jnp.concatenate([jnp.asarray(x, jnp.float32).reshape(-1) for x in arrays])
