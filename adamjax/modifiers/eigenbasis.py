"""SOAP: Improving and Stabilizing Shampoo using Adam. Vyas et al., 2024. arXiv:2409.11321.

An elementwise optimizer runs in the eigenbasis of the covariances of a matrix's gradients, in which
its elements are least correlated.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_count
from adamjax.modifiers.map_updates import auto_sharded, map_leaves, select_unmasked
from adamjax.moments import Array, clamp, ema, increment
from adamjax.rule import (
    ScalarOrSchedule,
    Slot,
    at_least_float32,
    beta_at,
    check_precision,
    value_at,
)
from adamjax.storage.roles import roles_of
from adamjax.trees import (
    PyTree,
    check_same_tree,
    flatten_floating,
    is_masked,
    leaf_name,
    like_updates,
)


class EigenbasisState(NamedTuple):
    """State of an optimizer in an eigenbasis.

    Attributes:
      step_count: number of steps done.
      left, right: averages of G Gᵀ and Gᵀ G, of shapes (rows, rows) and (columns, columns). A side
        that is not rotated has a single element.
      left_basis, right_basis: eigenvectors of `left` and `right`, in columns.
      inner_state: state of the inner optimizer, in the basis.
    """

    step_count: Array
    left: PyTree
    right: PyTree
    left_basis: PyTree
    right_basis: PyTree
    inner_state: Any


class _Rotation(NamedTuple):
    """Change of the basis of one side of a leaf.

    Attributes:
      old: the old basis.
      new: the new basis.
      order: for each vector of the new basis, the index of the old vector that it comes from.
    """

    old: Array
    new: Array
    order: Array


def eigenbasis(
    inner: optax.GradientTransformation,
    decay: ScalarOrSchedule = 0.95,
    *,
    every: int = 10,
    max_size: int = 10_000,
) -> optax.GradientTransformationExtraArgs:
    """Run an optimizer in the eigenbasis of the covariances of the gradients.

        L = β L + (1-β) G Gᵀ,  R = β R + (1-β) Gᵀ G
        U = Q_L inner(Q_Lᵀ G Q_R) Q_Rᵀ
        every few steps  Q_L = the Q of qr(L Q_L),  Q_R likewise

    The first step only computes a basis, and its updates are 0. When the basis changes, moments of
    the roles "mean" and "signed" (`adamjax.storage.roles`) in the state of `inner` are rotated, and
    those of the roles "square" and "maximum" are permuted with their eigenvectors.

    Args:
      inner: a transformation from gradients to updates, `scale_by_adam(style="keras")` for SOAP.
        Its state may only have moments of the shapes of their leaves, and scalars. For storage, use
        `adamjax.store(adamjax.eigenbasis(...))`.
      decay: β, decay rate of the covariances, 0 <= decay < 1.
      every: number of steps between updates of the basis.
      max_size: sides with more elements are not rotated, nor are vectors. The last two axes of a
        leaf form matrices.

    Returns:
      A transformation with an `EigenbasisState`. In addition to the state of `inner`, it has
      2 (rows² + columns²) numbers for each matrix.

    Raises:
      ValueError: for a decay outside [0, 1) or an invalid number of steps; in `init`, for a state
        that cannot be rotated.

    >>> tx = eigenbasis(optax.scale_by_sign(), every=1)
    >>> g = jnp.array([[3.0, 0.0], [0.0, 1.0]])
    >>> _, state = tx.update(g, tx.init(g))
    >>> jnp.abs(tx.update(g, state)[0]).tolist()  # orthogonal, as with Muon
    [[1.0, 0.0], [0.0, 1.0]]
    """
    check_beta("decay", decay)
    check_count("every", every)
    check_count("max_size", max_size)
    inner = optax.with_extra_args_support(inner)

    def init(params: PyTree) -> EigenbasisState:
        flatten_floating("params", params, real=True)

        def zeros(side: int) -> PyTree:
            return jax.tree.map(lambda p: _zeros(p, side, max_size), params)

        state = inner.init(params)
        _check_state(state, params)
        count = jnp.zeros([], jnp.int32)
        return EigenbasisState(count, zeros(-2), zeros(-1), zeros(-2), zeros(-1), state)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        leaves, _ = flatten_floating("updates", updates, real=True)
        shapes = [_shape(jnp.shape(g), -2, max_size) for g in leaves]
        left = check_same_tree("updates", updates, "the state's left", state.left, shapes=shapes)
        check_precision("left", updates, left, Slot())
        first = state.step_count == 0
        bases, into = (state.left_basis, state.right_basis), partial(auto_sharded, _into)
        updates = map_leaves(clamp, updates)
        rotated = map_leaves(into, updates, *bases)
        params = like_updates(updates, params)
        rotated_params = None if params is None else map_leaves(into, params, *bases)
        rotated, after = inner.update(rotated, state.inner_state, rotated_params, **extra_args)
        after = jax.tree.map(partial(jnp.where, first), state.inner_state, after)
        rotated = jax.tree.map(lambda u: jnp.where(first, 0 * u, u), rotated)  # NaN stays
        b = value_at(decay, state.step_count)

        def average(side: int, covariance: Array, g: Array) -> Array:
            if not _rotates(covariance):
                return covariance
            gram = auto_sharded(lambda _, g: _gram(g, side), covariance, g)
            return ema(gram, covariance, beta_at(b, jnp.ones([], covariance.dtype)))

        left = map_leaves(partial(average, -2), state.left, updates)
        right = map_leaves(partial(average, -1), state.right, updates)
        due = jnp.where(first, 2, jnp.where(state.step_count % every == 0, 1, 0))
        changes = [lambda _, bases, state: (bases, state), _refine, _diagonalize]
        (first, second), after = jax.lax.switch(due, changes, (left, right), bases, after)
        count = increment(state.step_count)
        new_state = EigenbasisState(count, left, right, first, second, after)
        return map_leaves(partial(auto_sharded, _out_of), rotated, *bases), new_state

    return optax.GradientTransformationExtraArgs(init, update)


def _is_node(node: Any) -> bool:
    return bool(roles_of(node, {}))


def _check_state(state: Any, params: PyTree) -> None:
    """Raise ValueError for an array that is not a moment of the shape of its leaf."""
    others = []
    for node in jax.tree.leaves(state, is_leaf=_is_node):
        moments = {field: getattr(node, field) for field in roles_of(node, {})}
        for field, moment in moments.items():
            named = jax.tree_util.tree_leaves_with_path(moment)
            leaves = jax.tree.leaves(select_unmasked(params, moment))
            for (path, x), p in zip(named, leaves, strict=True):
                is_float = jnp.issubdtype(jnp.result_type(x), jnp.floating)
                if not is_float or jnp.shape(x) != jnp.shape(p):
                    raise ValueError(
                        f"inner: its state's {field} of {leaf_name(path)!r} is "
                        f"{jnp.result_type(x)} of shape {jnp.shape(x)}, and cannot be rotated; a "
                        f"moment must be floating, of the leaf's shape {jnp.shape(p)}. For "
                        "storage, use adamjax.store(adamjax.eigenbasis(...))"
                    )
        others.append(node._replace(**dict.fromkeys(moments)) if moments else node)
    for x in jax.tree.leaves(others):
        if jnp.issubdtype(jnp.result_type(x), jnp.floating) and jnp.size(x) > 1:
            raise ValueError(
                f"inner: its state has an array of shape {jnp.shape(x)} that is not a moment with "
                "a role (adamjax.storage.roles), and cannot be rotated"
            )


def _shape(shape: tuple[int, ...], side: int, max_size: int) -> tuple[int, ...]:
    """Return the shape of the covariance of the rows (-2) or columns (-1)."""
    if len(shape) < 2 or shape[side] > max_size or 0 in shape:
        return (1,) * len(shape)
    return (*shape[:-2], shape[side], shape[side])


def _zeros(param: Any, side: int, max_size: int) -> Array:
    shape = _shape(jnp.shape(param), side, max_size)
    return jnp.zeros(shape, at_least_float32(jnp.result_type(param)))


def _rotates(matrix: Array) -> bool:
    return matrix.ndim >= 2 and matrix.shape[-1] > 1


def _gram(g: Array, side: int) -> Array:
    """Return G Gᵀ (-2) or Gᵀ G (-1)."""
    limit = 2.0 ** (jnp.finfo(g.dtype).maxexp // 4 - 2)  # the squares of its squares are finite
    g = jnp.clip(g, -limit, limit)
    return _dot(g, _t(g)) if side == -2 else _dot(_t(g), g)


def _into(g: Array, left: Array, right: Array) -> Array:
    """Return Q_Lᵀ G Q_R."""
    g = _dot(_t(left), g) if _rotates(left) else g
    return _dot(g, right) if _rotates(right) else g


def _out_of(u: Array, left: Array, right: Array) -> Array:
    """Return Q_L U Q_Rᵀ."""
    u = _dot(left, u) if _rotates(left) else u
    return _dot(u, _t(right)) if _rotates(right) else u


def _dot(a: Array, b: Array) -> Array:
    """Multiply in float32 on GPU and TPU too. In a lower precision a basis is not orthogonal."""
    return jnp.matmul(a, b, precision="highest")


def _t(x: Array) -> Array:
    return jnp.matrix_transpose(x)


def _diagonalize(covariances: Any, bases: Any, state: Any) -> Any:
    """Return the eigenvectors, largest eigenvalue first."""
    del bases

    def vectors(a: Array) -> Array:
        return jnp.flip(jnp.linalg.eigh(a)[1], axis=-1) if _rotates(a) else a

    return tuple(map_leaves(vectors, tree) for tree in covariances), state


def _refine(covariances: Any, bases: Any, state: Any) -> Any:
    """Do one step of a power iteration, with the vectors sorted by their eigenvalues."""
    sides = [jax.tree.map(_rotate, *side) for side in zip(covariances, bases, strict=True)]
    is_side = lambda node: isinstance(node, _Rotation)  # noqa: E731
    new = tuple(jax.tree.map(lambda side: side.new, tree, is_leaf=is_side) for tree in sides)

    def follow(node: Any) -> Any:
        for field, role in roles_of(node, {}).items():
            move = partial(auto_sharded, partial(_move, role))
            moved = jax.tree.map(move, getattr(node, field), *sides, is_leaf=is_masked)
            node = node._replace(**{field: moved})
        return node

    return new, jax.tree.map(follow, state, is_leaf=_is_node)


@jax.jit
def _rotate(covariance: Array, basis: Array) -> _Rotation:
    if not _rotates(basis):
        return _Rotation(basis, basis, basis)
    power = _dot(covariance, basis)
    order = jnp.argsort(-jnp.sum(basis * power, axis=-2), axis=-1)
    power = jnp.take_along_axis(power, order[..., None, :], -1)
    return _Rotation(basis, jnp.linalg.qr(power)[0], order)


@partial(jax.jit, static_argnums=0)
def _move(role: str, x: Any, left: _Rotation, right: _Rotation) -> Any:
    """Rotate averages, and permute squares."""
    if is_masked(x):
        return x
    if role not in ("square", "maximum"):
        m = _out_of(x, left.old, right.old)
        return _into(m, left.new, right.new).astype(x.dtype)
    x = jnp.take_along_axis(x, left.order[..., None], -2) if _rotates(left.old) else x
    return jnp.take_along_axis(x, right.order[..., None, :], -1) if _rotates(right.old) else x
