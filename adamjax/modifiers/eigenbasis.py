"""SOAP: Improving and Stabilizing Shampoo using Adam. Vyas et al., 2024. arXiv:2409.11321.

An elementwise optimizer runs in the eigenbasis of the covariances of a matrix's gradients, in which
its elements are least correlated.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_count, check_not_negative, lookup_or_suggest
from adamjax.matrices.resolve import Layouts
from adamjax.matrices.tensors import (
    Pair,
    Sides,
    Tensors,
    eigenvectors,
    gram,
    join,
    map_tensors,
    pack,
    permute,
    roots,
    split,
    tensors_of,
    turn,
    unpack,
)
from adamjax.modifiers.map_updates import auto_sharded, map_leaves
from adamjax.moments import Array, Beta, Scalar, clamp, debias, ema, increment
from adamjax.rule import (
    ScalarOrSchedule,
    Slot,
    at_least_float32,
    beta_at,
    check_precision,
    value_at,
)
from adamjax.storage.state_moments import split_moments
from adamjax.trees import (
    PyTree,
    check_same_tree,
    flatten_floating,
    leaf_names,
    like_updates,
    unbox,
)

SQUARES = ("square", "maximum")
# Of KL-Shampoo: eigenvalues at first, the highest limit of 1/√λ, and NVIDIA's least λ.
FIRST_EIGENVALUE, LARGEST_ROOT, LEAST_EIGENVALUE = 0.1, 4000, 2.0**-30


class Style(NamedTuple):
    """How an implementation learns a basis.

    Attributes:
      learns_first: whether a gradient enters the averages before its step. The eigenvalues are then
        those of the solver. Otherwise it enters after its step, and the first step is 0.
      weight: from β, and whether the step is the first one, to the weight of its gradient.
      whiten: from a gradient, bases, eigenvalues, ε, whether the step is the first one, and β to
        covariances of whitened gradients and new eigenvalues.
    """

    learns_first: bool
    weight: Callable[[Beta, Array], Scalar]
    whiten: Callable[..., tuple[Sides, Sides]]


def _whiten(
    g: Array, bases: Sides, old: Sides, eps: Scalar, first: Array, beta: Beta, *, root: int
) -> tuple[Sides, Sides]:
    """Whiten with averages of the squared gradients in the bases."""
    grams, new, turned = {}, {}, turn(g, bases)
    for i in reversed(bases):
        # Of three axes the authors' code takes the last first, and shows the next its result.
        shown = min(new) if len(bases) == 3 and new else None
        known = {j: new[j] if j == shown else old[j] for j in bases if j != i}
        grams[i] = _whitened_gram(g, bases, known if i == min(bases) else old, i)
        e = jnp.square(turned / roots(g, known))
        e = jnp.mean(e, [axis for axis in range(1, g.ndim) if axis != i])
        least = max(root, min(g.shape[i], LARGEST_ROOT)) ** -2.0
        new[i] = jnp.where(first, old[i], jnp.maximum(ema(e, old[i], beta), least))
    return grams, {i: jnp.where(first, FIRST_EIGENVALUE, e) for i, e in new.items()}


def _whiten_nvidia(
    g: Array, bases: Sides, old: Sides, eps: Scalar, first: Array, beta: Beta
) -> tuple[Sides, Sides]:
    """Whiten with the eigenvalues of the solver, at least ε."""
    floor = jnp.maximum(eps, LEAST_EIGENVALUE)
    known = {i: jnp.maximum(e, floor) for i, e in old.items()}
    return {i: _whitened_gram(g, bases, known, i) for i in bases}, old


def _whitened_gram(g: Array, bases: Sides, values: Sides, axis: int) -> Array:
    """Return the mean of G Gᵀ of one axis, for gradients that are whitened along the others."""
    values = {i: e for i, e in values.items() if i != axis}
    half = turn(g, {i: bases[i] for i in values}) / roots(g, values)
    return gram(half, axis) * (g.shape[axis] / g[0].size)


STYLES = {
    "author": Style(False, lambda beta, first: beta.one_minus, partial(_whiten, root=10)),
    "nvidia": Style(True, lambda beta, first: debias(beta.one_minus, beta), _whiten_nvidia),
    "modded_nanogpt": Style(
        False, lambda beta, first: jnp.where(first, 1, beta.one_minus), partial(_whiten, root=4000)
    ),
}


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
    computes whole matrices. Eigenvectors of eigenvalue 0 are not unique: while a covariance is rank
    deficient, as in the first steps of a matrix that is not square, rounding decides the update.

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
    chosen = lookup_or_suggest("style", style, STYLES)
    exact = lookup_or_suggest("solver", solver, {"qr": False, "eigh": True})
    if precondition and not whiten:
        raise ValueError("precondition: only whiten=True has eigenvalues; set it as well")
    inner = optax.with_extra_args_support(inner)
    options = (decay, every, max_size, layouts, chosen, exact, whiten, precondition, eps)
    tx = _Eigenbasis(inner, *options)
    # A switch outside of jit compiles at every step. Jit hides the count from schedules.
    learn = tx.learn_from
    if not (callable(decay) or callable(eps)):
        learn = jax.jit(learn, static_argnums=0)
    tx = tx._replace(learn=learn)
    return optax.GradientTransformationExtraArgs(tx.init, tx.update)


def covariance_basis(
    inner: optax.GradientTransformation,
    b2: ScalarOrSchedule,
    *,
    shampoo_beta: ScalarOrSchedule | None = None,
    precondition_frequency: int = 10,
    max_size: int = 10_000,
    layouts: Layouts = None,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Return `eigenbasis`, with the arguments of SOAP.

    Args:
      shampoo_beta: β, decay rate of the covariances, 0 <= β < 1. None is b2.
      precondition_frequency: number of steps between updates of the bases.
      max_size: axes of a matrix with more elements are not rotated.
      layouts: the axes of each parameter that form matrices, see `adamjax.matrix_layouts`, or
        "axes", the authors' choice: each axis of all parameters with two or more has a basis.
    """
    name, beta = ("b2", b2) if shampoo_beta is None else ("shampoo_beta", shampoo_beta)
    check_beta(name, beta)
    check_count("precondition_frequency", precondition_frequency)
    options |= {"every": precondition_frequency, "max_size": max_size, "layouts": layouts}
    return eigenbasis(inner, beta, **options)


def inner_settings(style: str, *values: ScalarOrSchedule) -> list[ScalarOrSchedule]:
    """Return the settings of an inner optimizer, one step ahead if it starts with step 2."""
    ahead = 0 if lookup_or_suggest("style", style, STYLES).learns_first else 1
    return [
        (lambda count, value=value: value(count + ahead)) if callable(value) else value
        for value in values
    ]


class _Eigenbasis(NamedTuple):
    """The functions of the transformation, and the arguments of `eigenbasis`."""

    inner: optax.GradientTransformationExtraArgs
    decay: ScalarOrSchedule
    every: int
    max_size: int
    layouts: Layouts
    style: Style
    exact: bool
    whiten: bool
    precondition: bool
    eps: ScalarOrSchedule
    learn: Any = None

    def init(self, params: PyTree) -> Any:
        flatten_floating("params", params, real=True)
        state = self.inner.init(params)
        _check_state(state, params)
        first = jnp.zeros if self.style.learns_first else jnp.ones
        values = self._fill(params, first) if self.whiten else None
        sides = self._fill(params, _zeros), self._fill(params, jnp.eye), values
        return EigenbasisState(jnp.zeros([], jnp.int32), *sides, state)

    def _fill(self, params: PyTree, value: Callable[..., Array]) -> tuple[PyTree, PyTree]:
        tensors, leaves = self._tensors(params), jax.tree.leaves(params)
        dtypes = [at_least_float32(jnp.result_type(p)) for p in leaves]
        return _trees(params, [t.fill(value, d) for t, d in zip(tensors, dtypes, strict=True)])

    def _tensors(self, tree: PyTree) -> tuple[Tensors, ...]:
        return tuple(tensors_of(tree, self.layouts, self.max_size))

    def update(self, updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        flatten_floating("updates", updates, real=True)
        expected = jax.eval_shape(lambda: self._fill(updates, _zeros))
        for tree, other in zip(expected, state.covariances, strict=True):
            own = check_same_tree("covariances of updates", tree, "the state's covariances", other)
            check_precision("covariances", tree, own, Slot())
        updates, params = map_leaves(clamp, updates), like_updates(updates, params)
        first, count = state.step_count == 0, increment(state.step_count)
        if self.style.learns_first:
            state = self.learn(self._tensors(updates), updates, state)
            new, after = self._step(updates, state, params, extra_args)
            return new, state._replace(step_count=count, inner_state=after)
        new, after = self._step(updates, state, params, extra_args)
        after = jax.tree.map(partial(jnp.where, first), state.inner_state, after)
        new = jax.tree.map(lambda u: jnp.where(first, 0 * u, u), new)  # NaN stays
        state = state._replace(inner_state=after)
        state = self.learn(self._tensors(updates), updates, state)
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

        turned = change(lambda _, g, qs: turn(g, qs), updates, bases)
        params = None if params is None else change(lambda _, p, qs: turn(p, qs), params, bases)
        new, after = self.inner.update(turned, state.inner_state, params, **extra_args)
        return change(_turn_back, new, bases, *values), after

    def learn_from(
        self, tensors: Sequence[Tensors], updates: PyTree, state: Any
    ) -> EigenbasisState:
        """Return the state after these gradients are in the averages, and new bases if due."""
        rows, replace = _moments(state.inner_state)
        indices = {name: i for i, name in enumerate(leaf_names(updates))}
        roles = [(role in SQUARES, indices[name]) for _, role, name, _ in rows]

        def advance(carry, leaves, count, b, eps):
            (covariances, *sides), moments = carry
            first = count == 0

            def beta(dtype):
                now = beta_at(b, (count + 1).astype(dtype))
                return now._replace(one_minus=self.style.weight(now, first))

            def statistics(g, *sides):
                limit = 2.0 ** (jnp.finfo(g.dtype).maxexp // 4 - 2)  # for squares of squares
                g = jnp.clip(g, -limit, limit)
                if self.whiten:
                    return self.style.whiten(g, *sides, eps, first, beta(g.dtype))
                return {i: gram(g, i) for i in range(1, g.ndim) if g.shape[i] <= self.max_size}, {}

            known = [unpack(tensors, pairs, 2 - i) for i, pairs in enumerate(sides)]
            new = map_tensors(statistics, split(tensors, leaves), *known if self.whiten else [])
            grams, values = ([[row[i] for row in leaf] for leaf in new] for i in (0, 1))
            new = pack(tensors, grams, covariances)
            covariances = jax.tree.map(lambda x, a: ema(x, a, beta(a.dtype)), new, covariances)
            sides[1:] = [pack(tensors, values, pairs) for pairs in sides[1:]]
            due = jnp.where(first, 2, jnp.where(count % self.every == 0, 1, 0))
            start = partial(self._rotate, tensors, [], covariances, True)
            refine = partial(self._rotate, tensors, roles, covariances, self.exact)
            branches = [lambda *carry: carry, refine, start]
            sides, moments = jax.lax.switch(due, branches, sides, moments)
            return [covariances, *sides], moments

        count, fields = state.step_count, (state.covariances, state.bases, state.eigenvalues)
        carry = [_rows(updates, trees) for trees in fields if trees is not None]
        sides, moments = auto_sharded(
            advance,
            (carry, [x for *_, x in rows]),
            jax.tree.leaves(updates),
            count,
            value_at(self.decay, count),
            value_at(self.eps, count),
        )
        trees = [_trees(updates, pairs) for pairs in sides]
        names = dict(zip(EigenbasisState._fields[1:], trees, strict=False))
        return state._replace(**names, inner_state=replace(moments))

    def _rotate(
        self,
        tensors: Sequence[Tensors],
        roles: list[tuple[bool, int]],
        covariances: list[Pair],
        exact: bool,
        sides: list[list[Pair]],
        moments: list[Array],
    ) -> Any:
        """Return the new bases and eigenvalues, and the moments in these bases."""
        known, old = (unpack(tensors, pairs, 2) for pairs in (covariances, sides[0]))
        sort = "after" if self.style.learns_first else "" if self.whiten else "before"

        def solve(cs: Sides, qs: Sides) -> Any:
            rows = {i: eigenvectors(cs[i], qs[i], exact, sort) for i in qs}
            return tuple({i: row[k] for i, row in rows.items()} for k in (0, 1))

        solved = map_tensors(solve, known, old)
        new, values = ([[row[i] for row in leaf] for leaf in solved] for i in (0, 1))
        moments = list(moments)

        def move(square: bool, function: Callable[..., Array], *columns: list[Any]) -> None:
            chosen = [(i, leaf) for i, (is_square, leaf) in enumerate(roles) if is_square == square]
            own, before = [tensors[k] for _, k in chosen], [moments[i] for i, _ in chosen]
            blocks = [[column[k] for _, k in chosen] for column in columns]
            after = join(own, map_tensors(function, split(own, before), *blocks), before)
            for (i, _), x in zip(chosen, after, strict=True):
                moments[i] = x

        move(False, lambda m, old, new: turn(turn(m, old, back=True), new), old, new)
        if sort == "before" and not exact:
            move(True, permute, known, old)
        others = sides[1:]
        if self.style.learns_first:
            others = [pack(tensors, values, pairs) for pairs in others]
        return [pack(tensors, new, sides[0]), *others], moments


def _turn_back(eps: Any, u: Array, bases: Sides, values: Any = None) -> Array:
    """Return Q_L U Q_Rᵀ, with Shampoo's preconditioner if there are eigenvalues."""
    return turn(u if values is None else u / (roots(u, values) + eps), bases, back=True)


def _zeros(n: int, dtype: Any) -> Array:
    return jnp.zeros((n, n), dtype)


def _rows(updates: PyTree, pair: tuple[PyTree, PyTree]) -> list[Pair]:
    """Return the pair of each leaf of two trees."""
    treedef = jax.tree.structure(unbox(updates))
    return list(zip(*map(treedef.flatten_up_to, pair), strict=True))


def _trees(updates: PyTree, rows: list[Pair]) -> tuple[PyTree, PyTree]:
    """Return two trees with the pairs of the leaves."""
    treedef = jax.tree.structure(unbox(updates))
    return treedef.unflatten([a for a, _ in rows]), treedef.unflatten([b for _, b in rows])


def _moments(state: Any) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
    """Return field, role, leaf and array of each moment, and a function that replaces arrays."""
    parts, rebuild = split_moments(state, {})
    rows = [
        (field, part.roles[field], name, x)
        for part in parts
        for name, leaf in zip(part.names, part.leaves, strict=True)
        for field, x in leaf.items()
    ]

    def replace(arrays: Sequence[Any]) -> Any:
        new = iter(arrays)
        leaves = [[{field: next(new) for field in leaf} for leaf in part.leaves] for part in parts]
        return rebuild([p._replace(leaves=x) for p, x in zip(parts, leaves, strict=True)])

    return rows, replace


def _check_state(state: Any, params: PyTree) -> None:
    """Raise ValueError for an array that is not a moment of the shape of its leaf."""
    rows, replace = _moments(state)
    shapes = dict(zip(leaf_names(params), map(jnp.shape, jax.tree.leaves(params)), strict=True))
    for field, _, name, x in rows:
        shape, dtype = jnp.shape(x), jnp.result_type(x)
        if not jnp.issubdtype(dtype, jnp.floating) or shape != shapes[name]:
            raise ValueError(
                f"inner: its state's {field} of {name!r} is {dtype} of shape {shape}, and cannot "
                f"be rotated; a moment must be floating, of the leaf's shape {shapes[name]}. "
                "For storage, use adamjax.store(adamjax.eigenbasis(...))"
            )
    for x in jax.tree.leaves(replace([None] * len(rows))):
        if jnp.issubdtype(jnp.result_type(x), jnp.floating) and jnp.size(x) > 1:
            raise ValueError(
                f"inner: its state has an array of shape {jnp.shape(x)} that is not a moment with "
                "a role (adamjax.storage.roles), and cannot be rotated"
            )
