"""SOAP: Improving and Stabilizing Shampoo using Adam. Vyas et al., 2024. arXiv:2409.11321.

An elementwise optimizer runs in the eigenbasis of the covariances of a matrix's gradients, in which
its elements are least correlated.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_count, check_not_negative, lookup_or_suggest
from adamjax.matrices.resolve import Layouts
from adamjax.matrices.tensors import (
    Pair,
    Tensors,
    join,
    map_tensors,
    pack,
    split,
    tensors_of,
    unpack,
)
from adamjax.modifiers.map_updates import auto_sharded, map_leaves, select_unmasked
from adamjax.moments import Array, Beta, clamp, divide, ema, increment
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
    leaf_name,
    like_updates,
    unbox,
)

STYLES = ("author", "nvidia", "modded_nanogpt")
SOLVERS = ("qr", "eigh")
SQUARES = ("square", "maximum")
# Of KL-Shampoo: eigenvalues at first, the highest limit of 1/√λ, and NVIDIA's least λ.
FIRST_EIGENVALUE, LARGEST_ROOT, LEAST_EIGENVALUE = 0.1, 4000, 2.0**-30


class EigenbasisState(NamedTuple):
    """State of an optimizer in an eigenbasis.

    Attributes:
      step_count: number of steps done.
      covariances: averages of G Gᵀ and Gᵀ G: a tree of (rows, rows) and a tree of (columns,
        columns). A tensor with more axes has those of its first axis in one tree and the others in
        the other, see `adamjax.matrices.tensors`. An axis that is not rotated has none.
      bases: eigenvectors of the covariances, in columns.
      eigenvalues: with `whiten`, eigenvalues of the covariances. Otherwise None.
      inner_state: state of the inner optimizer, in the basis.
    """

    step_count: Array
    covariances: tuple[PyTree, PyTree]
    bases: tuple[PyTree, PyTree]
    eigenvalues: tuple[PyTree, PyTree] | None
    inner_state: Any


def eigenbasis(
    inner: optax.GradientTransformation,
    decay: ScalarOrSchedule = 0.95,
    *,
    every: int = 10,
    max_size: int = 10_000,
    layouts: Layouts = None,
    style: str = "author",
    solver: str = "qr",
    whiten: bool = False,
    precondition: bool = False,
    eps: ScalarOrSchedule = 1e-8,
) -> optax.GradientTransformationExtraArgs:
    """Run an optimizer in the eigenbasis of the covariances of the gradients.

        L = β L + (1-β) G Gᵀ,  R = β R + (1-β) Gᵀ G
        U = Q_L inner(Q_Lᵀ G Q_R) Q_Rᵀ
        every few steps  Q_L = the Q of qr(L Q_L),  Q_R likewise

    When the basis changes, moments of the roles "mean" and "signed" (`adamjax.storage.roles`) in
    the state of `inner` are rotated, and those of the roles "square" and "maximum" are permuted
    with their eigenvectors. Matrices of the same shape are computed together. On a mesh each device
    computes whole matrices.

    Args:
      inner: a transformation from gradients to updates, `scale_by_adam(style="keras")` for SOAP.
        Its state may only have moments of the shapes of their leaves, and scalars. For storage, use
        `adamjax.store(adamjax.eigenbasis(...))`.
      decay: β, decay rate of the covariances, 0 <= decay < 1.
      every: number of steps between updates of the basis.
      max_size: axes with more elements are not rotated.
      layouts: the axes of each parameter that form matrices, see `adamjax.matrix_layouts`. "axes"
        gives each axis of a parameter its basis, if it has two or more axes, as the authors of SOAP
        do. Other parameters are not rotated.
      style: "author": the first step only computes a basis, its updates are 0, and a gradient
        enters the covariances after its step. "nvidia": before its step, with bias correction;
        squares are not permuted. "modded_nanogpt": as "author", but the first gradient enters with
        weight 1, and eigenvalues are at least 4000⁻².
      solver: "qr", or "eigh" for exact eigenvectors at each update of the basis.
      whiten: whether the covariance of one axis takes gradients that are divided by the roots of
        the eigenvalues of the other axes, as in KL-Shampoo.
      precondition: whether to divide the updates of `inner` by the roots of the eigenvalues, plus
        `eps`. Needs `whiten`.
      eps: ε, with the style "nvidia" also the least eigenvalue for `whiten`.

    Returns:
      A transformation with an `EigenbasisState`. In addition to the state of `inner`, it has
      2 (rows² + columns²) numbers for each matrix.

    Raises:
      ValueError: for a decay outside [0, 1), an invalid number of steps, or an unknown style or
        solver; in `init`, for a state that cannot be rotated, or a parameter with three or more
        axes and no layout.

    >>> tx = eigenbasis(optax.scale_by_sign(), every=1)
    >>> g = jnp.array([[3.0, 0.0], [0.0, 1.0]])
    >>> _, state = tx.update(g, tx.init(g))
    >>> jnp.abs(tx.update(g, state)[0]).tolist()  # orthogonal, as with Muon
    [[1.0, 0.0], [0.0, 1.0]]
    """
    check_beta("decay", decay)
    check_count("every", every)
    check_count("max_size", max_size)
    check_not_negative("eps", eps)
    for kind, value, options in (("style", style, STYLES), ("solver", solver, SOLVERS)):
        lookup_or_suggest(kind, value, dict.fromkeys(options))
    if precondition and not whiten:
        raise ValueError("precondition: only whiten=True has eigenvalues; set it as well")
    inner = optax.with_extra_args_support(inner)
    options = (decay, every, max_size, layouts, style, solver, whiten, precondition, eps)
    tx = _Eigenbasis(inner, *options)
    return optax.GradientTransformationExtraArgs(tx.init, tx.update)


class _Eigenbasis(NamedTuple):
    """The functions of the transformation, and the arguments of `eigenbasis`."""

    inner: optax.GradientTransformationExtraArgs
    decay: ScalarOrSchedule
    every: int
    max_size: int
    layouts: Layouts
    style: str
    solver: str
    whiten: bool
    precondition: bool
    eps: ScalarOrSchedule

    def init(self, params: PyTree) -> Any:
        flatten_floating("params", params, real=True)
        state = self.inner.init(params)
        _check_state(state, params)
        count, first = jnp.zeros([], jnp.int32), jnp.zeros if self.style == "nvidia" else jnp.ones
        values = self._fill(params, first) if self.whiten else None
        sides = self._fill(params, _zeros), self._fill(params, jnp.eye), values
        return EigenbasisState(count, *sides, state)

    def _fill(self, params: PyTree, value: Callable[..., Array]) -> tuple[PyTree, PyTree]:
        tensors, leaves = self._tensors(params), jax.tree.leaves(params)
        dtypes = [at_least_float32(jnp.result_type(p)) for p in leaves]
        return _trees(params, [t.fill(value, d) for t, d in zip(tensors, dtypes, strict=True)])

    def _tensors(self, tree: PyTree) -> list[Tensors]:
        return tensors_of(tree, self.layouts, self.max_size)

    def update(self, updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        flatten_floating("updates", updates, real=True)
        expected = jax.eval_shape(lambda: self._fill(updates, _zeros))
        for tree, other in zip(expected, state.covariances, strict=True):
            own = check_same_tree("covariances of updates", tree, "the state's covariances", other)
            check_precision("covariances", tree, own, Slot())
        updates, params = map_leaves(clamp, updates), like_updates(updates, params)
        first, count = state.step_count == 0, increment(state.step_count)
        if self.style == "nvidia":
            state = self._learn(updates, state)
            new, after = self._step(updates, state, params, extra_args)
            return new, state._replace(step_count=count, inner_state=after)
        new, after = self._step(updates, state, params, extra_args)
        after = jax.tree.map(partial(jnp.where, first), state.inner_state, after)
        new = jax.tree.map(lambda u: jnp.where(first, 0 * u, u), new)  # NaN stays
        state = self._learn(updates, state._replace(inner_state=after))
        return new, state._replace(step_count=count)

    def _step(self, updates: PyTree, state: Any, params: PyTree, extra_args: Any) -> Any:
        """Return the updates, and the state of the inner optimizer."""
        tensors, bases = self._tensors(updates), _rows(updates, state.bases)
        values = [_rows(updates, state.eigenvalues)] if self.precondition else []

        def change(function: Callable[..., Array], tree: PyTree, *sides: list[Pair]) -> PyTree:
            def on_leaves(leaves: list[Array], eps: Any, *sides: list[Pair]) -> list[Array]:
                unpacked = [unpack(tensors, pairs, 2 - i) for i, pairs in enumerate(sides)]
                blocks = map_tensors(partial(function, eps), split(tensors, leaves), *unpacked)
                return join(tensors, blocks, leaves)

            leaves, treedef = jax.tree.flatten(tree)
            eps = value_at(self.eps, state.step_count)
            return treedef.unflatten(auto_sharded(on_leaves, leaves, eps, *sides))

        turned = change(lambda _, g, qs: _turn(g, qs), updates, bases)
        params = None if params is None else change(lambda _, p, qs: _turn(p, qs), params, bases)
        new, after = self.inner.update(turned, state.inner_state, params, **extra_args)
        return change(_turn_back, new, bases, *values), after

    def _learn(self, updates: PyTree, state: Any) -> EigenbasisState:
        """Return the state with the covariances and bases after these gradients."""
        moments, roles, replace = _moments(state.inner_state, updates)
        fields = (state.covariances, state.bases, state.eigenvalues)
        carry = ([_rows(updates, trees) for trees in fields if trees is not None], moments)
        scalars = (
            state.step_count,
            value_at(self.decay, state.step_count),
            value_at(self.eps, state.step_count),
        )
        advance = partial(self._advance, self._tensors(updates), roles)
        sides, moments = auto_sharded(advance, carry, jax.tree.leaves(updates), *scalars)
        names = EigenbasisState._fields[1 : 1 + len(sides)]
        trees = {name: _trees(updates, rows) for name, rows in zip(names, sides, strict=True)}
        return state._replace(**trees, inner_state=replace(moments))

    def _advance(
        self,
        tensors: list[Tensors],
        roles: list[tuple[str, int]],
        carry: Any,
        leaves: list[Array],
        count: Array,
        b: Any,
        eps: Any,
    ) -> Any:
        """Add the gradients to the averages, and change the bases if it is time."""
        (covariances, *sides), moments = carry

        def beta(dtype: Any) -> Beta:
            now = beta_at(b, (count + 1).astype(dtype))
            correction = now.bias_correction if self.style == "nvidia" else 1
            if self.style == "modded_nanogpt":
                correction = jnp.where(count == 0, now.one_minus, 1)
            return now._replace(one_minus=now.one_minus / correction)

        def statistics(g: Array, qs: Any = None, es: Any = None) -> Any:
            limit = 2.0 ** (jnp.finfo(g.dtype).maxexp // 4 - 2)  # the squares of squares are finite
            g = jnp.clip(g, -limit, limit)
            if not self.whiten:
                return {i: _gram(g, i) for i in range(1, g.ndim) if g.shape[i] <= self.max_size}, {}
            if self.style == "nvidia":
                floor = jnp.maximum(eps, LEAST_EIGENVALUE)
                known = {i: jnp.maximum(e, floor) for i, e in es.items()}
                return {i: _whitened_gram(g, qs, known, i) for i in qs}, es
            root = LARGEST_ROOT if self.style == "modded_nanogpt" else 10
            return _whitened(g, qs, es, count == 0, beta(g.dtype), root)

        known = [unpack(tensors, pairs, 2 - i) for i, pairs in enumerate(sides)]
        new = map_tensors(statistics, split(tensors, leaves), *known if self.whiten else [])
        grams, values = ([[row[i] for row in leaf] for leaf in new] for i in (0, 1))
        new = pack(tensors, grams, covariances)
        covariances = jax.tree.map(lambda x, a: ema(x, a, beta(a.dtype)), new, covariances)
        sides[1:] = [pack(tensors, values, pairs) for pairs in sides[1:]]
        due = jnp.where(count == 0, 2, jnp.where(count % self.every == 0, 1, 0))
        start = partial(self._rotate, tensors, [], covariances, True)
        refine = partial(self._rotate, tensors, roles, covariances, self.solver == "eigh")
        branches = [lambda *carry: carry, refine, start]
        sides, moments = jax.lax.switch(due, branches, sides, moments)
        return [covariances, *sides], moments

    def _rotate(
        self,
        tensors: list[Tensors],
        roles: list[tuple[str, int]],
        covariances: list[Pair],
        exact: bool,
        sides: list[list[Pair]],
        moments: list[Array],
    ) -> Any:
        """Return the new bases and eigenvalues, and the moments in these bases."""
        known, old = (unpack(tensors, pairs, 2) for pairs in (covariances, sides[0]))
        author = self.style != "nvidia"
        permutes = author and not self.whiten and not exact

        def solve(cs: dict[int, Array], qs: dict[int, Array]) -> Any:
            rows = {i: _eigenvectors(cs[i], qs[i], exact, permutes, not author) for i in qs}
            return tuple({i: row[k] for i, row in rows.items()} for k in (0, 1))

        solved = map_tensors(solve, known, old)
        new, values = ([[row[i] for row in leaf] for leaf in solved] for i in (0, 1))
        moments = list(moments)

        def move(is_square: bool, function: Callable[..., Array], *columns: list[Any]) -> None:
            chosen = [i for i, (role, _) in enumerate(roles) if (role in SQUARES) == is_square]
            leaves = [roles[i][1] for i in chosen]
            own, before = [tensors[k] for k in leaves], [moments[i] for i in chosen]
            columns = tuple([column[k] for k in leaves] for column in columns)
            after = join(own, map_tensors(function, split(own, before), *columns), before)
            for i, x in zip(chosen, after, strict=True):
                moments[i] = x

        move(False, lambda m, old, new: _turn(_turn(m, old, back=True), new), old, new)
        if permutes:
            move(True, _permute, known, old)
        others = sides[1:] if author else [pack(tensors, values, pairs) for pairs in sides[1:]]
        return [pack(tensors, new, sides[0]), *others], moments


def _zeros(n: int, dtype: Any) -> Array:
    return jnp.zeros((n, n), dtype)


def _eigenvectors(
    covariance: Array, basis: Array, exact: bool, sort_before: bool, sort_after: bool
) -> tuple[Array, Array]:
    """Return eigenvectors, exact or after one step of a power iteration, and eigenvalues."""
    if exact:
        values, vectors = jnp.linalg.eigh(covariance)
        return jnp.flip(vectors, -1), jnp.flip(values, -1)
    if sort_before:
        basis = _sort(basis, _rayleigh(covariance, basis))
    power = _dot(covariance, basis)
    largest = jnp.max(jnp.abs(power), (-2, -1), keepdims=True)
    basis = jnp.linalg.qr(divide(power, largest))[0]
    values = _rayleigh(covariance, basis)
    return (_sort(basis, values), -jnp.sort(-values)) if sort_after else (basis, values)


def _rayleigh(covariance: Array, basis: Array) -> Array:
    """Return approximate eigenvalues, diag(Qᵀ C Q)."""
    return jnp.sum(basis * _dot(covariance, basis), axis=-2)


def _sort(basis: Array, values: Array) -> Array:
    """Sort vectors by their eigenvalues, the largest first."""
    return jnp.take_along_axis(basis, jnp.argsort(-values)[..., None, :], -1)


def _permute(v: Array, covariances: dict[int, Array], bases: dict[int, Array]) -> Array:
    """Sort squares as `_sort` does their vectors."""
    for axis, q in bases.items():
        order = jnp.argsort(-_rayleigh(covariances[axis], q))
        v = jnp.take_along_axis(v, _along(order, axis, v.ndim), axis)
    return v


def _whitened(
    g: Array,
    bases: dict[int, Array],
    old: dict[int, Array],
    first: Array,
    beta: Beta,
    root: int,
) -> tuple[dict[int, Array], dict[int, Array]]:
    """Return the covariances of whitened gradients, and new eigenvalues."""
    grams, new, turned = {}, {}, _turn(g, bases)
    for i in reversed(bases):
        # Of three axes the authors' code takes the last first, and shows the next its result.
        shown = min(new) if len(bases) == 3 and new else None
        known = {j: new[j] if j == shown else old[j] for j in bases if j != i}
        grams[i] = _whitened_gram(g, bases, known if i == min(bases) else old, i)
        e = jnp.square(turned / _roots(g, known))
        e = jnp.mean(e, [axis for axis in range(1, g.ndim) if axis != i])
        least = max(root, min(g.shape[i], LARGEST_ROOT)) ** -2.0
        new[i] = jnp.where(first, old[i], jnp.maximum(ema(e, old[i], beta), least))
    return grams, {i: jnp.where(first, FIRST_EIGENVALUE, e) for i, e in new.items()}


def _whitened_gram(g: Array, bases: dict[int, Array], values: dict[int, Array], axis: int) -> Array:
    """Return the mean of G Gᵀ of one axis, for gradients that are whitened along the others."""
    values = {i: e for i, e in values.items() if i != axis}
    half = _turn(g, {i: bases[i] for i in values}) / _roots(g, values)
    return _gram(half, axis) * (g.shape[axis] / g[0].size)


def _turn(x: Array, bases: dict[int, Array], back: bool = False) -> Array:
    """Return Q_Lᵀ X Q_R, or Q_L X Q_Rᵀ to turn back."""
    for axis, q in bases.items():
        before = list(range(x.ndim))
        after = [x.ndim if i == axis else i for i in before]
        of_basis = [0, x.ndim, axis] if back else [0, axis, x.ndim]
        # In a lower precision, which GPU and TPU have by default, a basis is not orthogonal.
        x = jnp.einsum(x, before, q, of_basis, after, precision="highest")
    return x


def _turn_back(eps: Any, u: Array, bases: dict[int, Array], values: Any = None) -> Array:
    """Return Q_L U Q_Rᵀ, with Shampoo's preconditioner if there are eigenvalues."""
    return _turn(u if values is None else u / (_roots(u, values) + eps), bases, back=True)


def _gram(x: Array, axis: int) -> Array:
    """Return X Xᵀ of one axis, summed over the others."""
    before = list(range(x.ndim))
    other = [x.ndim if i == axis else i for i in before]
    return jnp.einsum(x, before, x, other, [0, axis, x.ndim], precision="highest")


def _dot(a: Array, b: Array) -> Array:
    return jnp.matmul(a, b, precision="highest")


def _roots(x: Array, values: dict[int, Array]) -> Array:
    """Return the product of the roots of the eigenvalues of some axes."""
    roots = [jnp.sqrt(_along(e, axis, x.ndim)) for axis, e in values.items()]
    return math.prod(roots, start=jnp.ones([], x.dtype))


def _along(vectors: Array, axis: int, ndim: int) -> Array:
    """Reshape vectors (m, n), so that they are along one axis."""
    return jnp.expand_dims(vectors, [i for i in range(1, ndim) if i != axis])


def _rows(updates: PyTree, pair: tuple[PyTree, PyTree]) -> list[Pair]:
    """Return the pair of each leaf of two trees."""
    treedef = jax.tree.structure(unbox(updates))
    return list(zip(*map(treedef.flatten_up_to, pair), strict=True))


def _trees(updates: PyTree, rows: list[Pair]) -> tuple[PyTree, PyTree]:
    """Return two trees with the pairs of the leaves."""
    treedef = jax.tree.structure(unbox(updates))
    return treedef.unflatten([a for a, _ in rows]), treedef.unflatten([b for _, b in rows])


def _moments(
    state: Any, updates: PyTree
) -> tuple[list[Array], list[tuple[str, int]], Callable[[list[Array]], Any]]:
    """Return the moments in a state, the role and leaf of each, and a function to replace them."""
    nodes, treedef = jax.tree.flatten(state, is_leaf=_is_node)
    of_updates = jax.tree.structure(updates)
    indices = of_updates.unflatten(list(range(of_updates.num_leaves)))
    parts = [{field: getattr(node, field) for field in roles_of(node, {})} for node in nodes]
    roles = [
        (role, leaf)
        for node, part in zip(nodes, parts, strict=True)
        for field, role in sorted(roles_of(node, {}).items())
        for leaf in jax.tree.leaves(select_unmasked(indices, part[field]))
    ]

    def replace(moments: list[Array]) -> Any:
        new = jax.tree.unflatten(jax.tree.structure(parts), moments)
        columns = zip(nodes, new, strict=True)
        return treedef.unflatten([x._replace(**part) if part else x for x, part in columns])

    return jax.tree.leaves(parts), roles, replace


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
