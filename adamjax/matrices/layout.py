"""Layouts: which axes of a leaf form its matrices.

A layout is written as in einops: the axes of the leaf, an arrow, the axes of its matrices. The last
two entries on the right are the rows (outputs) and the columns (inputs). Entries before them are a
stack of matrices.

    in out -> out in                        dense kernel of Flax
    out in h w -> out (in h w)              convolution of torch as one matrix
    embed heads dim -> (heads dim) embed    attention projection as one matrix
    embed heads dim -> heads dim embed      one matrix for each head
    in (heads=12 dim) -> heads dim in       the same, of a kernel with two axes
    in (qkv=3 out) -> qkv out in            three blocks, one after another
    in (out gate=2) -> gate out in          two interleaved blocks
    in out=512+128+128 -> out in            blocks of unequal sizes
"""

import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

Shape = tuple[int, ...]
_GROUP = re.compile(r"\(([^()]*)\)|(\S+)")
_AXIS = re.compile(r"([A-Za-z_]\w*)(?:=([1-9]\d*(?:\+[1-9]\d*)*))?")


class Axis(NamedTuple):
    """Name of an axis and its sizes: none if inferred, several if it splits into blocks."""

    name: str
    sizes: Shape = ()

    def __str__(self) -> str:
        return self.name + "=" * bool(self.sizes) + "+".join(map(str, self.sizes))


@jax.tree_util.register_static  # one of jit's arguments
@dataclass(frozen=True)
class Layout:
    """Axes of a leaf, each a group of named axes, and the groups that form its matrices."""

    axes: tuple[tuple[Axis, ...], ...]
    matrix: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        left, right = list(self.names), list(itertools.chain(*self.matrix))
        for name in left + right:
            if left.count(name) != 1 or right.count(name) != 1:
                raise ValueError(f"the layout '{self}' must have {name!r} once on each side of ->")
        if len(self.matrix) < 2:
            raise ValueError(f"the layout '{self}' must end with rows and columns")
        for group in self.axes:
            if sum(not axis.sizes for axis in group) > 1:
                raise ValueError(
                    f"the layout '{self}' must give all sizes but one in {_text(group)}, such as "
                    f"({group[0].name}=2 {' '.join(axis.name for axis in group[1:])})"
                )

    def __str__(self) -> str:
        return " -> ".join(" ".join(map(_text, side)) for side in (self.axes, self.matrix))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the axes, in the order of the leaf."""
        return tuple(axis.name for group in self.axes for axis in group)

    def sizes(self, shape: Shape) -> list[Shape]:
        """Return the sizes of each named axis: one, or one for each block."""
        if len(self.axes) != len(shape):
            raise ValueError(
                f"the layout '{self}' is for {len(self.axes)} axes, the shape has {len(shape)}"
            )
        sizes = []
        for group, size in zip(self.axes, shape, strict=True):
            known = math.prod(sum(axis.sizes) for axis in group if axis.sizes)
            inferred = any(not axis.sizes for axis in group)
            if size % known if inferred else size != known:
                raise ValueError(
                    f"the layout '{self}' needs {'a multiple of ' * inferred}{known} elements in "
                    f"{_text(group)}, the shape has {size}; change the sizes"
                )
            sizes += [axis.sizes or (size // known,) for axis in group]
        return sizes

    def matrix_shapes(self, shape: Shape) -> list[Shape]:
        """Return (stack axes ..., rows, columns) of each block of a leaf."""
        return [self._merge(block) for block in itertools.product(*self.sizes(shape))]

    def per_matrix(self, shape: Shape) -> Shape:
        """Return the shape of one number for each matrix. It broadcasts to the leaf."""
        stack = set(itertools.chain(*self.matrix[:-2]))
        differ = (
            any(axis.name in stack or len(axis.sizes) > 1 for axis in group) for group in self.axes
        )
        return tuple(size if d else 1 for d, size in zip(differ, shape, strict=True))

    def _order(self) -> list[int]:
        return [self.names.index(name) for group in self.matrix for name in group]

    def _merge(self, sizes: Shape) -> Shape:
        size_of = dict(zip(self.names, sizes, strict=True))
        return tuple(math.prod(size_of[name] for name in group) for group in self.matrix)


def _text(group: tuple[Any, ...]) -> str:
    return str(group[0]) if len(group) == 1 else f"({' '.join(map(str, group))})"


@lru_cache
def parse_layout(text: str) -> Layout:
    """Return the layout that a text describes.

    >>> parse_layout("in (heads=2 dim) -> heads dim in").matrix_shapes((6, 8))
    [(2, 4, 6)]
    """
    left, _, right = text.partition("->")
    axes, matrix = ([(a or b).split() for a, b in _GROUP.findall(side)] for side in (left, right))
    return Layout(tuple(tuple(map(_axis, group)) for group in axes), tuple(map(tuple, matrix)))


def _axis(text: str) -> Axis:
    match = _AXIS.fullmatch(text)
    if match is None:
        raise ValueError(
            f"the axis {text!r} is not readable; write name, name=size, name=size+size or "
            "(name=size name)"
        )
    return Axis(match[1], tuple(map(int, re.findall(r"\d+", match[2] or ""))))


def to_matrices(x: jax.Array, layout: Layout) -> list[jax.Array]:
    """Return the matrices of a leaf: for each block an array (stack axes ..., rows, columns).

    >>> [m.shape for m in to_matrices(jnp.ones((4, 6)), parse_layout("in out=4+2 -> out in"))]
    [(4, 4), (2, 4)]
    """
    sizes = layout.sizes(x.shape)
    parts = [x.reshape([sum(blocks) for blocks in sizes])]
    for i, blocks in enumerate(sizes):
        if len(blocks) > 1:
            edges = list(itertools.accumulate(blocks))[:-1]
            parts = [piece for part in parts for piece in jnp.split(part, edges, i)]
    return [part.transpose(layout._order()).reshape(layout._merge(part.shape)) for part in parts]


def from_matrices(matrices: Sequence[jax.Array], layout: Layout, shape: Shape) -> jax.Array:
    """Return the leaf with these matrices, the inverse of `to_matrices`.

    >>> x, layout = jnp.arange(24).reshape(4, 6), parse_layout("in (out gate=2) -> gate out in")
    >>> bool((from_matrices(to_matrices(x, layout), layout, x.shape) == x).all())
    True
    """
    sizes, order = layout.sizes(shape), layout._order()
    inverse = [order.index(i) for i in range(len(order))]
    parts = [
        matrix.reshape([block[i] for i in order]).transpose(inverse)
        for matrix, block in zip(matrices, itertools.product(*sizes), strict=True)
    ]
    for i, blocks in reversed(list(enumerate(sizes))):
        n = len(blocks)
        parts = [jnp.concatenate(parts[j : j + n], i) for j in range(0, len(parts), n)]
    return parts[0].reshape(shape)


def reduce_matrices(
    function: Callable[[jax.Array], jax.Array], x: jax.Array, layout: Layout
) -> jax.Array:
    """Reduce each matrix of a leaf to one number, in the shape `Layout.per_matrix`.

    Args:
      function: from matrices (..., rows, columns) to numbers (..., 1, 1).
      x: the leaf.
      layout: its layout.

    >>> layout = parse_layout("in out=4+2 -> out in")
    >>> size = lambda m: jnp.sum(m, (-2, -1), keepdims=True)
    >>> reduce_matrices(size, jnp.ones((3, 6)), layout).tolist()
    [[12.0, 12.0, 12.0, 12.0, 6.0, 6.0]]
    """
    blocks = to_matrices(x, layout)
    spread = [jnp.broadcast_to(function(block), block.shape) for block in blocks]
    numbers = from_matrices(spread, layout, x.shape)
    return numbers[tuple(slice(size) for size in layout.per_matrix(x.shape))]
