"""The state of `groups`: one state of all parameters, and the part of it for each group."""

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.moments import Array
from adamjax.trees import PyTree, find_nodes, is_masked, unbox


def select(tree: PyTree, owners: Sequence[int], members: Collection[int]) -> PyTree:
    """Replace the leaves of other groups by `optax.MaskedNode`."""
    leaves, treedef = jax.tree.flatten(tree)
    pairs = zip(owners, leaves, strict=True)
    return treedef.unflatten([x if i in members else optax.MaskedNode() for i, x in pairs])


def split(
    tx: optax.GradientTransformation,
    state: Any,
    groups: Collection[int],
    owners: Sequence[int],
    like: PyTree,
    scalars: Mapping[int, Sequence[Array]],
) -> dict[int, Any]:
    """Return the state of each group, with its floating-point numbers, or those in `state`.

    `tx` is the optimizer that made `state`, and `like` a tree like the parameters.
    """
    treedef = jax.tree.structure(unbox(like))
    boxes = treedef.flatten_up_to(like)
    numbers = {i: iter(column) for i, column in scalars.items()}

    def divide(tree: PyTree) -> dict[int, PyTree]:
        if is_masked(tree):
            return dict.fromkeys(groups, tree)
        leaves = treedef.flatten_up_to(tree)
        rows = list(zip(owners, leaves, map(_without, leaves, boxes), strict=True))
        return {
            i: treedef.unflatten([x if owner == i else rest for owner, x, rest in rows])
            for i in groups
        }

    def number(x: Array) -> dict[int, Array]:
        return {i: next(numbers[i]) if i in numbers and _is_float(x) else x for i in groups}

    parts = _map_state(tx, divide, number, state)
    return {i: _map_state(tx, itemgetter(i), itemgetter(i), parts) for i in groups}


def merge(
    tx: optax.GradientTransformation,
    states: Mapping[int, Any],
    main: int,
    owners: Sequence[int],
    like: PyTree,
) -> tuple[Any, dict[int, list[Array]]]:
    """Return the state of all parameters, and the floating-point numbers of groups but `main`.

    `tx` is the optimizer of `main`. Frozen leaves are as in its state.
    """
    treedef = jax.tree.structure(unbox(like))
    scalars: dict[int, list[Array]] = {i: [] for i in states if i != main}

    def join(*trees: PyTree) -> PyTree:
        if all(map(is_masked, trees)):
            return trees[0]
        columns = dict(zip(states, map(treedef.flatten_up_to, trees), strict=True))
        rows = [columns[i if i in columns else main][k] for k, i in enumerate(owners)]
        return treedef.unflatten(rows)

    def keep(*numbers: Array) -> Array:
        own = dict(zip(states, numbers, strict=True))
        for i, column in scalars.items():
            column.extend([own[i]] if _is_float(own[i]) else [])
        return own[main]

    return _map_state(tx, join, keep, *states.values()), scalars


def last_rates(state: Any) -> list[Array]:
    """Return the learning rates that optimizers here record in a state."""
    nodes = find_nodes(state, lambda node: hasattr(node, "last_learning_rate"))
    return [node.last_learning_rate for node in nodes]


def _map_state(
    tx: optax.GradientTransformation,
    on_params: Callable[..., Any],
    on_numbers: Callable[..., Any],
    *states: Any,
) -> Any:
    """Map the parts of states that are trees like the parameters, and their other leaves."""
    marks = tx.init(optax.MaskedNode())
    run = lambda mark, *parts: (on_params if is_masked(mark) else on_numbers)(*parts)  # noqa: E731
    return jax.tree.map(run, marks, *states, is_leaf=is_masked)


def _without(part: PyTree, box: PyTree) -> PyTree:
    """Return the part of a state for a leaf of another group, as `init` makes it."""
    if jax.tree.structure(part) == jax.tree.structure(box):
        return jax.tree.map(lambda _: optax.MaskedNode(), part)
    return part if is_masked(part) or not jax.tree.leaves(part) else optax.MaskedNode()


def _is_float(x: Array) -> bool:
    return jnp.issubdtype(jnp.result_type(x), jnp.floating)
