"""The moments in an optimizer's state, parameter by parameter."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.moments import Array
from adamjax.storage.roles import roles_of
from adamjax.trees import leaf_name

Leaf = dict[str, Array]  # the moments of one parameter, by field

_CLOCKS = ("count", "step", "t")
# Their counts do not increase at each step.
_NO_CLOCKS = (optax.ApplyEvery, optax.contrib.ReduceLROnPlateauState)


class Moments(NamedTuple):
    """The moments in one node of an optimizer's state.

    Attributes:
      roles: the role of each field, see `adamjax.storage.roles`.
      names: the path of each parameter.
      leaves: the moments of each parameter.
      count: the number of steps done, or None if the state has no count.
    """

    roles: dict[str, str]
    names: list[str]
    leaves: list[Leaf]
    count: Any


def split_moments(
    state: Any, roles: Mapping[str, str]
) -> tuple[list[Moments], Callable[[list[list[Leaf]]], Any]]:
    """Return the moments in a state, and a function that replaces them."""
    is_node = lambda node: bool(roles_of(node, roles))  # noqa: E731
    nodes, outer = jax.tree.flatten(state, is_leaf=is_node)
    parts, treedefs = [], []
    for node in filter(is_node, nodes):
        fields = roles_of(node, roles)
        first, *others = fields
        paths, treedef = jax.tree_util.tree_flatten_with_path(getattr(node, first))
        columns = [[x for _, x in paths]]
        columns += [treedef.flatten_up_to(getattr(node, field)) for field in others]
        leaves = [dict(zip(fields, row, strict=True)) for row in zip(*columns, strict=True)]
        count = node.count if "count" in node._fields else _count_in(state, roles)
        parts.append(Moments(fields, [leaf_name(path) for path, _ in paths], leaves, count))
        treedefs.append(treedef)

    def rebuild(changed: list[list[Leaf]]) -> Any:
        new = iter(zip(parts, treedefs, changed, strict=True))

        def replace(node: Any) -> Any:
            part, treedef, leaves = next(new)
            trees = {k: treedef.unflatten([leaf[k] for leaf in leaves]) for k in part.roles}
            return node._replace(**trees)

        return outer.unflatten([replace(node) if is_node(node) else node for node in nodes])

    return parts, rebuild


def _count_in(state: Any, roles: Mapping[str, str]) -> Array | None:
    """Return the first count of steps anywhere in a state."""
    ends = lambda node: isinstance(node, _NO_CLOCKS) or bool(roles_of(node, roles))  # noqa: E731
    for path, node in jax.tree_util.tree_leaves_with_path(state, is_leaf=ends):
        value = None
        if roles_of(node, roles):
            value = next((getattr(node, name) for name in _CLOCKS if name in node._fields), None)
        elif path and isinstance(path[-1], jax.tree_util.GetAttrKey):
            value = node if path[-1].name in _CLOCKS else None
        if value is not None and not isinstance(node, _NO_CLOCKS) and _is_count(value):
            return value
    return None


def _is_count(value: Any) -> bool:
    return jnp.ndim(value) == 0 and jnp.issubdtype(jnp.result_type(value), jnp.integer)
