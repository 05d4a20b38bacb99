"""Sparse embeddings in dense arrays: rows that no gradient touches stay as they are.

As in LazyAdam of TensorFlow Addons and torch.optim.SparseAdam, but around any optimizer.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.modifiers.map_updates import is_masked
from adamjax.moments import ZERO, Array
from adamjax.trees import Mask, PyTree, leaf_name, resolve_mask


def lazy_rows(
    inner: optax.GradientTransformation, mask: Mask = None, *, axis: int = 0
) -> optax.GradientTransformationExtraArgs:
    """Leaves rows without a gradient, and their moments, bit for bit as they are.

        u, s' = inner(g, s, p)
        row r of u and of each moment in s':  u_r, s'_r  if any element of g_r is not 0
                                              0,   s_r   else: no weight decay either

    A batch has few words of a large vocabulary, and the gradients of the others are 0: their
    moments would decay, and go on moving them for a while. Steps are counted for all rows together,
    as in torch and TensorFlow, and so are bias correction and schedules; a row that is first seen
    late moves by up to (1 - b₁) / √(1 - b₂) ≈ 3 learning rates.

    Put it around all that makes a step, so that it sees the gradients themselves; but inside of
    `optax.MultiSteps`, `lookahead` and averages of parameters. Moments are read and written once,
    the gradient is read once more. Inside `jax.shard_map`, rows must not be split.

    Args:
      inner: a direction, a ready-made optimizer or a chain, with any `storage`, that has trees like
        the parameters' in its state (`optax.sm3` has others). Of one that mixes rows, such as SOAP
        or Muon, touched rows feel the others.
      mask: which leaves are lazy, in any of the forms of `adamjax.optimizer`; None: those of at
        least two axes. In a dense layer a row of zeros may be a coincidence: better name the
        embeddings, "*embedding".
      axis: the axis whose elements are the rows.

    Returns:
      A transformation with the state of `inner`, so that a run can go on with it or without it.
      Rows are kept in arrays that have the parameter's shape, or broadcast to it and have all its
      rows (row means of factored moments). What else there is goes on as `inner` makes it: counts,
      scalars, means over rows, windows of gradients.

    Raises:
      ValueError: for a mask that does not fit, a leaf that has no such axis; in `update`, if the
        state of `inner` has other trees in place of the parameters'.

    Around `adam(style="keras")`, which has the epsilon of both, it is torch's SparseAdam and
    LazyAdam; only that there a row which is listed counts as touched, be its gradient 0.

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
        steps = jax.tree.map(lambda u, rows: _where(rows, u, ZERO), steps, touched)
        rows_of = _rows_in_state(inner, after, updates, touched, axis)
        after = jax.tree.map(lambda new, rows, old: _where(rows, new, old), after, rows_of, state)
        return steps, after

    return optax.GradientTransformationExtraArgs(init, update)


def _where(rows: Array | None, new: Array, old: Any) -> Array:
    """The new rows, or the old; all new if no rows are given.

    Chosen in at least 32 bits, which hold all smaller numbers exactly: XLA for TPU would make a
    loop by itself of a choice of smaller ones.
    """
    if rows is None:
        return new
    dtype = jnp.result_type(new)
    wide = dtype if dtype.itemsize >= 4 else jnp.float32
    return jnp.where(rows, new.astype(wide), jnp.asarray(old, wide)).astype(dtype)


def _check_axis(tree: PyTree, mask: Mask, axis: int) -> list[bool]:
    """Which leaves have lazy rows; ValueError for one that has no such axis."""
    named = jax.tree_util.tree_leaves_with_path(tree)
    axes = [len(jnp.shape(x)) for _, x in named]
    # Of a tree without leaves there may be nothing that a mask could fit.
    chosen = [n > 1 for n in axes] if mask is None or not named else resolve_mask(mask, tree)
    for (path, leaf), n, on in zip(named, axes, chosen, strict=True):
        if on and not -n <= axis < n:
            raise ValueError(
                f"axis: {leaf_name(path)!r} of shape {jnp.shape(leaf)} has no axis {axis}, whose "
                "elements would be its rows; leave it out by mask"
            )
    return chosen


def _touched(updates: PyTree, mask: Mask, axis: int) -> PyTree:
    """For each leaf whether its rows have a gradient, with axes of size 1; None if it has none."""
    leaves, treedef = jax.tree.flatten(updates)

    def rows(g: Array) -> Array:
        others = tuple(i for i in range(g.ndim) if i != axis % g.ndim)
        return jnp.any(g != ZERO, others, keepdims=True)  # NaN is not 0

    chosen = _check_axis(updates, mask, axis)
    found = [rows(jnp.asarray(g)) if on else None for g, on in zip(leaves, chosen, strict=True)]
    return treedef.unflatten(found)


def _rows_in_state(
    inner: optax.GradientTransformation, state: Any, updates: PyTree, touched: PyTree, axis: int
) -> Any:
    """The state's tree, with the touched rows at each array that has rows, else None."""

    def rows_of(leaf: Any, g: Array, rows: Array | None) -> Any:
        if rows is None or is_masked(leaf):
            return leaf if is_masked(leaf) else None
        sizes, wanted = jnp.shape(leaf), jnp.shape(g)
        fits = len(sizes) == len(wanted) and sizes[axis] == wanted[axis]
        fits = fits and all(a in (1, b) for a, b in zip(sizes, wanted, strict=True))
        return rows if fits else None

    try:
        return optax.tree_utils.tree_map_params(
            inner.init,
            rows_of,
            state,
            updates,
            touched,
            transform_non_params=lambda _: None,
            is_leaf=is_masked,
        )
    except (ValueError, TypeError) as error:
        raise ValueError(
            "inner: cannot tell which parts of its state belong to the rows of which parameter: "
            f"{str(error).splitlines()[0]}"
        ) from error
