"""Stacks of layers: leaves of which each layer counts as a parameter of its own."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from adamjax.matrices.layout import Shape
from adamjax.matrices.resolve import set_during
from adamjax.trees import PyTree, Stacked, stack_axes

# The axes that stack layers. Axis i is (None,) * i, which is static under jit, unlike a number.
Stack = tuple[tuple[None, ...], ...]
_STACKED: ContextVar[Stacked] = ContextVar("stacked")


layers_apart = partial(set_during, _STACKED)  # lets `stacks_of` return these stacks


def stacks_of(params: PyTree) -> list[Stack]:
    """Return the stack of each leaf, () outside of `layers_apart`."""
    stacked = _STACKED.get({})
    if not stacked:
        return [()] * len(jax.tree.leaves(params))
    return [tuple((None,) * i for i in axes) for axes in stack_axes("stacked", stacked, params)]


def over_layers(function: Callable[..., Any], stack: Stack, first: Any, *others: Any) -> Any:
    """Apply a function of one layer to all layers of a stack.

    Args:
      function: from arrays, or trees of arrays, of one layer to others.
      stack: the axes of the first array that stack layers.
      first: an array.
      *others: trees of arrays. Those with as many axes as the first, or more in front, have the
        same stack. Those with fewer begin with it, and scalars are of all layers.

    >>> x = jnp.array([[1.0, 3.0], [5.0, 5.0]])
    >>> over_layers(lambda x: x / jnp.sum(x), ((),), x).tolist()
    [[0.25, 0.75], [0.5, 0.5]]
    """
    if not stack:
        return function(first, *others)
    shape, front = jnp.shape(first), range(len(stack))

    def axes(x: Any) -> Sequence[int]:
        return _aligned(stack, jnp.ndim(x) - len(shape))

    def to_front(x: Any) -> Any:
        if jnp.ndim(x) == 0:
            return jnp.broadcast_to(x, [shape[len(mark)] for mark in stack])
        return jnp.moveaxis(x, axes(x), front)

    for _ in stack:
        function = jax.vmap(function)
    results = function(*jax.tree.map(to_front, (first, *others)))
    return jax.tree.map(lambda x: jnp.moveaxis(x, front, axes(x)), results)


def shape_over_layers(function: Callable[[Shape], Shape], stack: Stack, shape: Shape) -> Shape:
    """Return the shape of an array that has, for each layer, a function of the layer's shape.

    >>> shape_over_layers(lambda shape: (1, *shape[1:]), ((None,),), (2, 3, 4))
    (1, 3, 4)
    """
    axes = [len(mark) for mark in stack]
    layer = tuple(size for i, size in enumerate(shape) if i not in axes)
    sizes = list(function(layer))
    for axis, place in zip(axes, _aligned(stack, len(sizes) - len(layer)), strict=True):
        sizes.insert(place, shape[axis])
    return tuple(sizes)


def _aligned(stack: Stack, extra: int) -> Sequence[int]:
    """Return the axes of the stack in an array with more or fewer axes than the leaf."""
    return [len(mark) + extra for mark in stack] if extra >= 0 else range(len(stack))
