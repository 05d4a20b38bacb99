"""Walks over the moments in an optimizer's state, parameter by parameter."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.moments import Array
from adamjax.storage.roles import roles_of
from adamjax.trees import leaf_name

Leaf = dict[str, Array]  # the moments of one parameter, by field

_CLOCKS = ("count", "step", "t")
# Their counts stand still or begin anew.
_NO_CLOCKS = (optax.ApplyEvery, optax.contrib.ReduceLROnPlateauState)


def map_moments(function: Callable[..., Leaf], state: Any, slots: Mapping[str, str]) -> Any:
    """Applies `function(name, leaf, roles, count)` to the moments of each parameter in a state."""
    elsewhere = _count_in(state, slots)

    def convert(node: Any) -> Any:
        roles = roles_of(node, slots)
        if not roles:
            return node
        count = node.count if "count" in node._fields else elsewhere
        first, *others = roles
        paths, treedef = jax.tree_util.tree_flatten_with_path(getattr(node, first))
        columns = [treedef.flatten_up_to(getattr(node, field)) for field in others]
        leaves = []
        for (path, leaf), *rest in zip(paths, *columns, strict=True):
            moments = dict(zip(roles, (leaf, *rest), strict=True))
            leaves.append(function(leaf_name(path), moments, roles, count))
        trees = {f: treedef.unflatten([leaf[f] for leaf in leaves]) for f in roles}
        return node._replace(**trees)

    return jax.tree.map(convert, state, is_leaf=lambda node: bool(roles_of(node, slots)))


def _count_in(state: Any, slots: Mapping[str, str]) -> Array | None:
    """The first count of steps anywhere in a state."""
    ends = lambda node: isinstance(node, _NO_CLOCKS) or bool(roles_of(node, slots))  # noqa: E731
    for path, node in jax.tree_util.tree_leaves_with_path(state, is_leaf=ends):
        value = None
        if roles_of(node, slots):
            value = next((getattr(node, name) for name in _CLOCKS if name in node._fields), None)
        elif path and isinstance(path[-1], jax.tree_util.GetAttrKey):
            value = node if path[-1].name in _CLOCKS else None
        if value is not None and not isinstance(node, _NO_CLOCKS) and _is_count(value):
            return value
    return None


def _is_count(value: Any) -> bool:
    return jnp.ndim(value) == 0 and jnp.issubdtype(jnp.result_type(value), jnp.integer)
