"""SOAP: Improving and Stabilizing Shampoo using Adam. Vyas et al., 2024. arXiv:2409.11321.

An optimizer that treats each element by itself is given the gradients of a matrix in the basis of
the eigenvectors of their covariances, where its elements have the least to do with each other.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_count
from adamjax.modifiers.map_updates import map_leaves, select_unmasked
from adamjax.moments import Array, clamp, increment
from adamjax.rule import ScalarOrSchedule, at_least_float32, beta_at, value_at
from adamjax.storage.roles import roles_of
from adamjax.trees import PyTree, check_real, check_same_tree, leaf_name


class EigenbasisState(NamedTuple):
    """What is between the steps of an optimizer in an eigenbasis.

    Attributes:
      count: steps done.
      left, right: the average of G Gᵀ and Gᵀ G, of shapes (rows, rows) and (columns, columns), or a
        single element for a side that is not turned.
      left_basis, right_basis: their eigenvectors, in columns.
      inner_state: that of the optimizer, in the basis.
    """

    count: Array
    left: PyTree
    right: PyTree
    left_basis: PyTree
    right_basis: PyTree
    inner_state: Any


def eigenbasis(
    inner: optax.GradientTransformation,
    decay: ScalarOrSchedule = 0.95,
    *,
    every: int = 10,
    max_size: int = 10_000,
) -> optax.GradientTransformationExtraArgs:
    """Turns gradients into the eigenbasis of their covariances, and directions back out of it.

        L = β L + (1-β) G Gᵀ,  R = β R + (1-β) Gᵀ G
        U = Q_L inner(Q_Lᵀ G Q_R) Q_Rᵀ
        every few steps  Q_L = the Q of qr(L Q_L),  Q_R likewise

    The first step is for finding a basis, and moves nothing. When the basis turns, averages of
    gradients in the state of `inner` turn with it, and squares stay with their eigenvector: those
    are its fields of the roles "mean" and "signed", and "square" and "maximum"
    (`adamjax.storage.roles`).

    Args:
      inner: a transformation from gradients to directions, `scale_by_adam(style="keras")` for SOAP.
        Its state may hold nothing but such moments, of the shapes of their leaves, and single
        numbers: no factored moments, windows or codes. `adamjax.store` goes around the eigenbasis.
      decay: β of the covariances, 0 <= decay < 1.
      every: how many steps a basis is kept.
      max_size: sides with more elements are not turned, as they are not for vectors. The matrices
        of a leaf with more than two axes are its last two.

    Returns:
      A transformation with an `EigenbasisState`: beside that of `inner`, twice (rows² + columns²)
      for each matrix.

    Raises:
      ValueError: for a decay outside [0, 1), no whole number of steps; in `init`, for a state that
        cannot turn.

    >>> tx = eigenbasis(optax.scale_by_sign(), every=1)
    >>> g = jnp.array([[3.0, 0.0], [0.0, 1.0]])
    >>> _, state = tx.update(g, tx.init(g))
    >>> jnp.abs(tx.update(g, state)[0]).tolist()  # here as muon: as far in each direction
    [[1.0, 0.0], [0.0, 1.0]]
    """
    check_beta("decay", decay)
    check_count("every", every)
    check_count("max_size", max_size)
    inner = optax.with_extra_args_support(inner)

    def init(params: PyTree) -> EigenbasisState:
        check_real("params", params)

        def squares(side: int) -> PyTree:
            return jax.tree.map(lambda p: _zeros(p, side, max_size), params)

        bases = squares(-2), squares(-1), squares(-2), squares(-1)
        state = inner.init(params)
        _check_turns(state, params)
        return EigenbasisState(jnp.zeros([], jnp.int32), *bases, state)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        check_real("updates", updates)
        shape = lambda shape: _shape(shape, -2, max_size)  # noqa: E731
        check_same_tree("updates", updates, "the state's left", state.left, shape=shape)
        first = state.count == 0
        bases = state.left_basis, state.right_basis
        seen = None if params is None else map_leaves(_into, params, *bases)
        updates = map_leaves(clamp, updates)
        turned = map_leaves(_into, updates, *bases)
        turned, after = inner.update(turned, state.inner_state, seen, **extra_args)
        after = jax.tree.map(lambda a, b: jnp.where(first, a, b), state.inner_state, after)
        turned = jax.tree.map(lambda u: jnp.where(first, 0 * u, u), turned)  # NaN stays
        directions = map_leaves(_out_of, turned, *bases)
        b = value_at(decay, state.count)

        def average(a: Array, square: Array) -> Array:
            return a + beta_at(b, jnp.ones([], a.dtype)).one_minus * (square - a)

        left = map_leaves(lambda a, g: average(a, _gram(g, -2, a)), state.left, updates)
        right = map_leaves(lambda a, g: average(a, _gram(g, -1, a)), state.right, updates)
        due = jnp.where(first, 2, jnp.where(state.count % every == 0, 1, 0))
        work = left, right, *bases, after
        new_left, new_right, after = jax.lax.switch(due, [_kept, _refined, _found], *work)
        count = increment(state.count)
        return directions, EigenbasisState(count, left, right, new_left, new_right, after)

    return optax.GradientTransformationExtraArgs(init, update)


def _is_node(node: Any) -> bool:
    return bool(roles_of(node, {}))


def _check_turns(state: Any, params: PyTree) -> None:
    """Raises ValueError if a state holds what cannot turn when the basis does."""
    others = []
    for node in jax.tree.leaves(state, is_leaf=_is_node):
        moments = {field: getattr(node, field) for field in roles_of(node, {})}
        for field, moment in moments.items():
            own = jax.tree.leaves(select_unmasked(params, moment))
            paths = jax.tree_util.tree_leaves_with_path(moment)
            for (path, x), p in zip(paths, own, strict=True):
                _check_moment(f"inner: its state's {field} of {leaf_name(path)!r}", x, p)
        others.append(node._replace(**dict.fromkeys(moments)) if moments else node)
    for x in jax.tree.leaves(others):
        if jnp.issubdtype(jnp.result_type(x), jnp.floating) and jnp.size(x) > 1:
            raise ValueError(
                f"inner: its state has an array of shape {jnp.shape(x)} that is no moment with a "
                "role (adamjax.storage.roles), and cannot turn with the basis"
            )


def _check_moment(name: str, moment: Any, param: Any) -> None:
    if not jnp.issubdtype(jnp.result_type(moment), jnp.floating):
        raise ValueError(
            f"{name} is a code, {jnp.result_type(moment)}, and cannot turn with the basis; put the "
            "storage around both, adamjax.store(adamjax.eigenbasis(...))"
        )
    if jnp.shape(moment) != jnp.shape(param):
        raise ValueError(
            f"{name} has shape {jnp.shape(moment)}, not that of its leaf, {jnp.shape(param)}, and "
            "cannot turn with the basis"
        )


def _shape(shape: tuple[int, ...], side: int, max_size: int) -> tuple[int, ...]:
    """That of a covariance of the rows (-2) or columns (-1)."""
    if len(shape) < 2 or shape[side] > max_size or 0 in shape:
        return (1,) * len(shape)
    return (*shape[:-2], shape[side], shape[side])


def _zeros(param: Any, side: int, max_size: int) -> Array:
    shape = _shape(jnp.shape(param), side, max_size)
    return jnp.zeros(shape, at_least_float32(jnp.result_type(param)))


def _turns(matrix: Array) -> bool:
    """Whether there is something to turn: a single element stands for no covariance."""
    return matrix.ndim >= 2 and matrix.shape[-1] > 1


def _gram(g: Array, side: int, like: Array) -> Array:
    if not _turns(like):
        return like
    limit = 2.0 ** (jnp.finfo(g.dtype).maxexp // 4 - 2)  # the squares of its squares are finite
    g = jnp.clip(g, -limit, limit)
    return _dot(g, _t(g)) if side == -2 else _dot(_t(g), g)


def _into(g: Array, left: Array, right: Array) -> Array:
    """Q_Lᵀ G Q_R."""
    g = _dot(_t(left), g) if _turns(left) else g
    return _dot(g, right) if _turns(right) else g


def _out_of(u: Array, left: Array, right: Array) -> Array:
    """Q_L U Q_Rᵀ."""
    u = _dot(left, u) if _turns(left) else u
    return _dot(u, _t(right)) if _turns(right) else u


def _power(a: Array, q: Array) -> Array:
    return _dot(a, q) if _turns(q) else q


def _dot(a: Array, b: Array) -> Array:
    """In float32 on GPU and TPU too: with fewer digits a basis is none."""
    return jnp.matmul(a, b, precision="highest")


def _t(x: Array) -> Array:
    return jnp.matrix_transpose(x)


def _kept(left: PyTree, right: PyTree, left_basis: PyTree, right_basis: PyTree, state: Any) -> Any:
    del left, right
    return left_basis, right_basis, state


def _found(left: PyTree, right: PyTree, left_basis: PyTree, right_basis: PyTree, state: Any) -> Any:
    """The eigenvectors themselves, largest first."""
    del left_basis, right_basis

    def vectors(a: Array) -> Array:
        return jnp.flip(jnp.linalg.eigh(a)[1], axis=-1) if _turns(a) else a

    return map_leaves(vectors, left), map_leaves(vectors, right), state


def _refined(left: PyTree, right: PyTree, *bases_and_state: Any) -> Any:
    """One step of a power iteration, the vectors in the order of what they stretch."""
    *bases, state = bases_and_state

    def order(power: Array, q: Array) -> Array:
        stretch = jnp.sum(q * power, axis=-2) if _turns(q) else jnp.zeros_like(q)
        return jnp.argsort(-stretch, axis=-1).astype(q.dtype) if _turns(q) else stretch

    def step(power: Array, rank: Array) -> Array:
        if not _turns(power):
            return power
        return jnp.linalg.qr(jnp.take_along_axis(power, _index(rank, -2), -1))[0]

    powers = [map_leaves(_power, a, q) for a, q in zip((left, right), bases, strict=True)]
    ranks = [map_leaves(order, *each) for each in zip(powers, bases, strict=True)]
    new = [map_leaves(step, *each) for each in zip(powers, ranks, strict=True)]

    def moved(role: str) -> Callable[..., Array]:
        return _permuted if role in ("square", "maximum") else _turned

    def follow(node: Any) -> Any:
        fields = {}
        for field, role in roles_of(node, {}).items():
            moment = getattr(node, field)
            theirs = (select_unmasked(tree, moment) for tree in (*bases, *new, *ranks))
            fields[field] = map_leaves(moved(role), moment, *theirs)
        return node._replace(**fields) if fields else node

    return *new, jax.tree.map(follow, state, is_leaf=_is_node)


def _turned(m: Array, *old_new_ranks: Array) -> Array:
    left, right, new_left, new_right, *_ = old_new_ranks
    return _into(_out_of(m, left, right), new_left, new_right)


def _permuted(v: Array, *old_new_ranks: Array) -> Array:
    left, right, _, _, rows, columns = old_new_ranks
    v = jnp.take_along_axis(v, _index(rows, -1), -2) if _turns(left) else v
    return jnp.take_along_axis(v, _index(columns, -2), -1) if _turns(right) else v


def _index(rank: Array, axis: int) -> Array:
    return jnp.expand_dims(rank.astype(jnp.int32), axis)
