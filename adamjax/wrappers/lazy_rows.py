"""Sparse embeddings in dense arrays: rows without a gradient do not change.

As in LazyAdam of TensorFlow Addons and torch.optim.SparseAdam, for any optimizer.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.modifiers.map_updates import choose
from adamjax.moments import ZERO, Array
from adamjax.trees import Mask, PyTree, leaf_name, resolve_mask
from adamjax.wrappers.state_leaves import map_state


def lazy_rows(
    inner: optax.GradientTransformation, mask: Mask = None, *, axis: int = 0
) -> optax.GradientTransformationExtraArgs:
    """Leave rows without a gradient, and their moments, unchanged bit for bit.

        u, s' = inner(g, s, p)
        row r of u and of each moment in s':  u_r, s'_r  if any element of g_r is not 0
                                              0,   s_r   otherwise, without weight decay

    A batch has few words of a large vocabulary. The gradients of the others are 0, but their
    moments would still move them. Step count, bias correction and schedules are common to all rows,
    as in torch and TensorFlow. A row that is first seen late moves by up to
    (1 - b₁) / √(1 - b₂) ≈ 3 learning rates.

    Put it around the complete step, so that it sees the original gradients, but inside of
    `optax.MultiSteps`, `lookahead` and averages of parameters. Inside `jax.shard_map`, rows must
    not be split.

    Around `adam(style="keras")` it equals torch's SparseAdam and LazyAdam, except that these also
    update a listed row whose gradient is 0.

    Args:
      inner: a direction, a ready-made optimizer or a chain, with any `storage`, whose state has
        trees like the parameters (unlike `optax.sm3`). If it mixes rows, such as SOAP or Muon, the
        other rows affect the touched ones.
      mask: the lazy leaves, in any of the forms of `adamjax.optimizer`. None: those with at least
        two axes. In a dense layer a row of zeros may be a coincidence, so better name the
        embeddings, "*embedding".
      axis: the axis of the rows.

    Returns:
      A transformation with the state of `inner`. A run can continue with it or without it. Rows
      are kept in arrays of the parameter's shape, and in those that broadcast to it and have all
      its rows (row means of factored moments). All other state is updated by `inner`.

    Raises:
      ValueError: for a mask that does not fit or a leaf without this axis. In `update`, if the
        state of `inner` has other trees in place of the parameters'.

    >>> from adamjax import adam
    >>> tx = lazy_rows(adam(0.5), "*embedding")
    >>> p = {"embedding": jnp.ones((3, 2))}
    >>> g = {"embedding": jnp.zeros((3, 2)).at[1].set(4.0)}
    >>> updates, state = tx.update(g, tx.init(p), p)
    >>> optax.apply_updates(p, updates)["embedding"].tolist()
    [[1.0, 1.0], [0.5, 0.5], [1.0, 1.0]]
    """
    inner = optax.with_extra_args_support(inner)

    def init(params: PyTree) -> Any:
        _check_axis(params, mask, axis)
        return inner.init(params)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        touched = _touched(updates, mask, axis)
        steps, after = inner.update(updates, state, params, **extra_args)
        steps = jax.tree.map(lambda u, rows: _choose(rows, u, ZERO), steps, touched)
        in_state = partial(_rows_in_leaf, axis=axis)
        rows_of = map_state(inner, in_state, after, updates, touched, other=lambda _: None)
        after = jax.tree.map(lambda new, rows, old: _choose(rows, new, old), after, rows_of, state)
        return steps, after

    return optax.GradientTransformationExtraArgs(init, update)


def _choose(rows: Array | None, new: Array, old: Any) -> Array:
    """Select the new rows, and the old ones elsewhere. Without rows, all are new."""
    return new if rows is None else choose(rows, new, old)


def _check_axis(tree: PyTree, mask: Mask, axis: int) -> list[bool]:
    """Return which leaves have lazy rows, or raise ValueError if one has no such axis."""
    named = jax.tree_util.tree_leaves_with_path(tree)
    # No pattern fits a tree without leaves.
    by_axes = [jnp.ndim(x) > 1 for _, x in named]
    lazy = by_axes if mask is None or not named else resolve_mask(mask, tree)
    for (path, leaf), on in zip(named, lazy, strict=True):
        if on and not -jnp.ndim(leaf) <= axis < jnp.ndim(leaf):
            raise ValueError(
                f"axis: {leaf_name(path)!r} of shape {jnp.shape(leaf)} has no axis {axis}, whose "
                "elements would be its rows; leave it out by mask"
            )
    return lazy


def _touched(updates: PyTree, mask: Mask, axis: int) -> PyTree:
    """Return which rows have a gradient, with other axes of size 1. None for other leaves."""
    leaves, treedef = jax.tree.flatten(updates)

    def rows(g: Array) -> Array:
        others = tuple(i for i in range(g.ndim) if i != axis % g.ndim)
        return jnp.any(g != ZERO, others, keepdims=True)  # NaN is not 0

    lazy = _check_axis(updates, mask, axis)
    return treedef.unflatten(
        [rows(jnp.asarray(g)) if on else None for g, on in zip(leaves, lazy, strict=True)]
    )


def _rows_in_leaf(leaf: Any, g: Array, rows: Array | None, axis: int) -> Array | None:
    """Return the touched rows for an array of the state that has rows, or None."""
    sizes, full = jnp.shape(leaf), jnp.shape(g)
    fits = rows is not None and len(sizes) == len(full) and sizes[axis] == full[axis]
    return rows if fits and all(a in (1, b) for a, b in zip(sizes, full, strict=True)) else None
