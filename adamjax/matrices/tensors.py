"""Tensors of a leaf, and square matrices that belong to their axes, such as covariances."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.matrices.distribute import map_stacks
from adamjax.matrices.layout import Layout, Shape, from_matrices, parse_layout, to_matrices
from adamjax.matrices.resolve import Layouts, resolve_layouts
from adamjax.moments import Array, divide
from adamjax.trees import PyTree

Pair = tuple[Array, Array]
Sides = dict[int, Array]  # of some axes 1, 2, ... the matrices (m, n, n) or eigenvalues (m, n)


class Tensors(NamedTuple):
    """The tensors of a leaf.

    Each axis of at most `max_size` elements has square matrices. A pair of arrays holds those of a
    leaf: one has the matrices of the first axes of its tensors, the other those of the other axes.
    Several matrices in an array are flat, one after another. An array without matrices has a single
    element.

    Attributes:
      shape: shape of the leaf.
      layout: layout of the leaf, None if it has no tensors.
      rank: number of axes of a tensor. Axes before them are a stack.
      max_size: largest size of an axis with square matrices.
    """

    shape: Shape
    layout: Layout | None
    rank: int
    max_size: int

    def split(self, x: Any) -> list[Array]:
        """Return the tensors of a leaf in float32 or above, (stack, axes ...) for each block."""
        if self.layout is None:
            return []
        blocks = to_matrices(x.astype(np.promote_types(x.dtype, np.float32)), self.layout)
        return [block.reshape(-1, *block.shape[-self.rank :]) for block in blocks]

    def join(self, blocks: Sequence[Array], x: Any) -> Any:
        """Return the leaf with these tensors in the dtype of x, or x if it has none."""
        if not blocks or self.layout is None:
            return x
        shapes = self.layout.matrix_shapes(self.shape)
        matrices = [y.reshape(shape) for y, shape in zip(blocks, shapes, strict=True)]
        return from_matrices(matrices, self.layout, self.shape).astype(x.dtype)

    def sides(self) -> list[dict[int, Shape]]:
        """Return the shape (stack ..., n) of each axis with matrices, 1, 2, ..., for each block."""
        if self.layout is None:
            return []
        return [
            {
                axis: (*shape[: -self.rank], n)
                for axis, n in enumerate(shape[-self.rank :], start=1)
                if n <= self.max_size
            }
            for shape in self.layout.matrix_shapes(self.shape)
        ]

    def fill(self, value: Callable[..., Array], dtype: Any) -> Pair:
        """Return a pair with equal matrices or vectors, a function of n and dtype."""

        def repeat(shape: Shape) -> Array:
            x = value(shape[-1], dtype=dtype)
            return jnp.broadcast_to(x, (math.prod(shape[:-1]), *x.shape))

        blocks = [{axis: repeat(shape) for axis, shape in block.items()} for block in self.sides()]
        single = (1,) * len(self.shape)
        return self.pack(blocks, (jnp.zeros(single, dtype), jnp.zeros(single, dtype)))

    def pack(self, blocks: Sequence[dict[int, Array]], like: Pair) -> Pair:
        """Return a pair with the matrices or vectors of each axis, (m, n ...)."""
        groups: tuple[list[Array], list[Array]] = ([], [])
        for shapes, block in zip(self.sides(), blocks, strict=True):
            for axis, x in block.items():
                groups[axis > 1].append(x.reshape(*shapes[axis], *x.shape[2:]))
        first, others = (
            jnp.concatenate([x.ravel() for x in xs]) if len(xs) > 1 else [*xs, none][0]
            for xs, none in zip(groups, like, strict=True)
        )
        return first.astype(like[0].dtype), others.astype(like[1].dtype)

    def unpack(self, pair: Pair, order: int) -> list[dict[int, Array]]:
        """Return the matrices (order 2) or vectors (order 1) of each axis, (m, n ...)."""
        blocks: list[dict[int, Array]] = [{} for _ in self.sides()]
        for group, x in enumerate(pair):
            own = [
                (block, axis, (*shape, *shape[-1:] * (order - 1)))
                for block, shapes in zip(blocks, self.sides(), strict=True)
                for axis, shape in shapes.items()
                if (axis > 1) == group
            ]
            edges = list(itertools.accumulate(math.prod(shape) for *_, shape in own))[:-1]
            pieces = jnp.split(x, edges) if edges else [x] * len(own)
            for (block, axis, shape), piece in zip(own, pieces, strict=True):
                block[axis] = piece.reshape(-1, *shape[-order:])
        return blocks


def with_axes(layouts: Layouts) -> Layouts:
    """Replace "axes" by layouts in which each leaf with two or more axes is one tensor."""
    return _each_axis if isinstance(layouts, str) and layouts == "axes" else layouts


def _each_axis(params: PyTree) -> PyTree:
    def layout(p: Any) -> Any:
        names = " ".join(f"axis{i}" for i in range(jnp.ndim(p)))
        return parse_layout(f"{names} -> {names}") if jnp.ndim(p) > 1 else "other"

    return jax.tree.map(layout, params)


def tensors_of(tree: PyTree, layouts: Layouts, max_size: int) -> list[Tensors]:
    """Return the tensors of each leaf: its matrices, or with the layouts "axes" the whole leaf."""
    layouts = with_axes(layouts)
    return [
        Tensors(jnp.shape(x), layout, jnp.ndim(x) if layouts is _each_axis else 2, max_size)
        for x, layout in zip(jax.tree.leaves(tree), resolve_layouts(tree, layouts), strict=True)
    ]


def split(tensors: Sequence[Tensors], leaves: Sequence[Array]) -> list[list[Array]]:
    """Return the tensors of each leaf."""
    return [t.split(x) for t, x in zip(tensors, leaves, strict=True)]


def join(tensors: Sequence[Tensors], blocks: Sequence[Any], like: Sequence[Array]) -> list[Array]:
    """Return leaves with these tensors, in the dtypes of `like`. Leaves without tensors stay."""
    return [t.join(x, y) for t, x, y in zip(tensors, blocks, like, strict=True)]


def unpack(tensors: Sequence[Tensors], pairs: Sequence[Pair], order: int) -> list[Any]:
    """Return the matrices or vectors of each leaf."""
    return [t.unpack(pair, order) for t, pair in zip(tensors, pairs, strict=True)]


def pack(tensors: Sequence[Tensors], blocks: Sequence[Any], like: Sequence[Pair]) -> list[Pair]:
    """Return the pair of each leaf."""
    return [t.pack(x, y) for t, x, y in zip(tensors, blocks, like, strict=True)]


def map_tensors(function: Callable[..., PyTree], *columns: Sequence[list[Any]]) -> list[list[Any]]:
    """Apply a function to the blocks of all leaves, see `map_stacks`.

    Args:
      function: from stacks of tensors, and dicts from their axes to stacks, to a tree of stacks.
      *columns: for each leaf, a tensor or a dict for each block.

    Returns:
      The result for each block of each leaf.
    """
    rows = [row for leaf in zip(*columns, strict=True) for row in zip(*leaf, strict=True)]
    results = iter(map_stacks(function, rows))
    return [list(itertools.islice(results, len(leaf))) for leaf in columns[0]]


def eigenvectors(covariance: Array, basis: Array, exact: bool, sort: str) -> tuple[Array, Array]:
    """Return eigenvectors, exact or after one step of a power iteration, and eigenvalues.

    `sort` is "before" or "after" the step, or "" to keep the order of the basis.
    """
    if exact:
        values, vectors = jnp.linalg.eigh(covariance)
        return jnp.flip(vectors, -1), jnp.flip(values, -1)
    if sort == "before":
        basis = _sort(basis, _rayleigh(covariance, basis))
    power = _dot(covariance, basis)
    largest = jnp.max(jnp.abs(power), (-2, -1), keepdims=True)
    basis = jnp.linalg.qr(divide(power, largest))[0]
    values = _rayleigh(covariance, basis)
    return (_sort(basis, values), -jnp.sort(-values)) if sort == "after" else (basis, values)


def permute(v: Array, covariances: Sides, bases: Sides) -> Array:
    """Sort squares as `eigenvectors` does their vectors before the step."""
    for axis, q in bases.items():
        order = jnp.argsort(-_rayleigh(covariances[axis], q))
        v = jnp.take_along_axis(v, _along(order, axis, v.ndim), axis)
    return v


def turn(x: Array, bases: Sides, back: bool = False) -> Array:
    """Return Q_Lᵀ X Q_R, or Q_L X Q_Rᵀ to turn back."""
    for axis, q in bases.items():
        before = list(range(x.ndim))
        after = [x.ndim if i == axis else i for i in before]
        of_basis = [0, x.ndim, axis] if back else [0, axis, x.ndim]
        # In a lower precision, which GPU and TPU have by default, a basis is not orthogonal.
        x = jnp.einsum(x, before, q, of_basis, after, precision="highest")
    return x


def gram(x: Array, axis: int) -> Array:
    """Return X Xᵀ of one axis, summed over the others."""
    before = list(range(x.ndim))
    other = [x.ndim if i == axis else i for i in before]
    return jnp.einsum(x, before, x, other, [0, axis, x.ndim], precision="highest")


def roots(x: Array, values: Sides) -> Array:
    """Return the product of the roots of the eigenvalues of some axes."""
    factors = [jnp.sqrt(_along(e, axis, x.ndim)) for axis, e in values.items()]
    return math.prod(factors, start=jnp.ones([], x.dtype))


def _rayleigh(covariance: Array, basis: Array) -> Array:
    """Return approximate eigenvalues, diag(Qᵀ C Q)."""
    return jnp.sum(basis * _dot(covariance, basis), axis=-2)


def _sort(basis: Array, values: Array) -> Array:
    """Sort vectors by their eigenvalues, the largest first."""
    return jnp.take_along_axis(basis, jnp.argsort(-values)[..., None, :], -1)


def _dot(a: Array, b: Array) -> Array:
    return jnp.matmul(a, b, precision="highest")


def _along(vectors: Array, axis: int, ndim: int) -> Array:
    """Reshape vectors (m, n), so that they are along one axis."""
    return jnp.expand_dims(vectors, [i for i in range(1, ndim) if i != axis])
