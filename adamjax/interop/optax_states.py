"""Where in a state of Optax's an optimizer's moments are, and the counts that are its own."""

import functools
from collections.abc import Callable, Collection
from typing import Any

import jax
import jax.numpy as jnp

COUNTS = ("count", "count_m2", "t")
SCHEDULE = "ScaleByScheduleState"
INJECTS = ("InjectStatefulHyperparamsState", "InjectHyperparamsState")
# How far a node is from the moments that it holds: in their own state, in their chain, or where
# other optimizers may be beside them.
_OWN, _CHAIN, _FAR = 1, 2, 3

Change = Callable[[Any], Any]


def class_of(node: Any) -> str:
    """The name of a state's class, by which Optax's are known here."""
    return type(node).__name__


def nodes_of(state: Any, classes: Collection[str]) -> list[Any]:
    """The states of these classes, wherever they are."""
    nodes = jax.tree.leaves(state, is_leaf=lambda node: class_of(node) in classes)
    return [node for node in nodes if class_of(node) in classes]


def is_partition(node: Any) -> bool:
    """Whether a state is that of `optax.partition`."""
    return "inner_states" in getattr(node, "_fields", ())


def has_partition(state: Any) -> bool:
    """Whether a state of `optax.partition` is anywhere in it."""
    return any(map(is_partition, jax.tree.leaves(state, is_leaf=is_partition)))


def changed(state: Any, classes: Collection[str], held: Change, counted: Change) -> Any:
    """A state with `held` and `counted` done to what is an optimizer's.

    Args:
      state: Optax's.
      classes: of the states that hold the moments.
      held: done to these.
      counted: done to the nodes with counts that are the optimizer's own: these states, a schedule
        in the same chain, and `inject_hyperparams` around it.

    Raises:
      ValueError: if there is none of these classes.
    """
    new, depth = _visit(state, classes, held, counted)
    if not depth:
        raise ValueError(f"optax_state: holds no {' or '.join(sorted(classes))}")
    return new


def _visit(node: Any, classes: Collection[str], held: Change, counted: Change) -> tuple[Any, int]:
    if class_of(node) in classes:
        return counted(held(node)), _OWN
    children, treedef = jax.tree.flatten(node, is_leaf=lambda child: child is not node)
    if len(children) == 1 and children[0] is node:
        return node, 0
    visited = [_visit(child, classes, held, counted) for child in children]
    new, depths = [child for child, _ in visited], [depth for _, depth in visited]
    depth = max(depths, default=0)
    if is_partition(node):
        depth = _FAR if depth else 0
    elif isinstance(node, tuple | list) and not hasattr(node, "_fields") and depth == _OWN:
        new = [counted(child) if class_of(child) == SCHEDULE else child for child in new]
        depth = _CHAIN
    after = jax.tree.unflatten(treedef, new)
    if class_of(node) in INJECTS and depth in (_OWN, _CHAIN):
        after = counted(after)
    return after, depth


def own_counts(state: Any, classes: Collection[str]) -> list[int]:
    """The counts that are the optimizer's own, its states' before those around them."""
    found: list[int] = []

    def note(node: Any) -> Any:
        names = [name for name in COUNTS if name in getattr(node, "_fields", ())]
        found.extend(int(getattr(node, name)) for name in names)
        return node

    changed(state, classes, lambda node: node, note)
    return found


def with_count(node: Any, count: int) -> Any:
    """A state with its counts at `count`, those of the schedules of hyperparameters as well."""
    fields = getattr(node, "_fields", ())
    new = {
        name: jnp.asarray(count, jnp.result_type(getattr(node, name)))
        for name in COUNTS
        if name in fields
    }
    if "hyperparams_states" in fields:
        put = functools.partial(with_count, count=count)
        new["hyperparams_states"] = jax.tree.map(put, node.hyperparams_states, is_leaf=_counts)
    return node._replace(**new) if new else node


def _counts(node: Any) -> bool:
    return "count" in getattr(node, "_fields", ())
