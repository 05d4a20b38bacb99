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

CLOCKS = ("count", "step_count", "step", "t")
# Their counts do not increase at each step.
_NO_CLOCKS = (optax.ApplyEvery, optax.contrib.ReduceLROnPlateauState)


class StoredState(NamedTuple):
    """The part of a state whose moments are in a storage format. It has their fields as well.

    Attributes:
      inner_state: the state with the moments.
      format: an array of zeros. Its length encodes the format of each leaf, so that a checkpoint
        library that casts arrays to the dtypes of another format finds another shape, and refuses.
    """

    inner_state: Any
    format: Any

    @property
    def count(self) -> Any:  # type: ignore[override]
        """The steps done, in place of the method of tuples."""
        return self.inner_state.count

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner_state, name)


def without_format(state: Any) -> Any:
    """Return the state inside of a `StoredState`, or another state itself."""
    return state.inner_state if isinstance(state, StoredState) else state


class Moments(NamedTuple):
    """The moments in one node of an optimizer's state.

    Attributes:
      roles: the role of each field, see `adamjax.storage.roles`.
      names: the path of each parameter.
      leaves: the moments of each parameter.
      count: the number of steps done, or None if the state has no count.
      format: of the `StoredState` around the node, None if there is none.
    """

    roles: dict[str, str]
    names: list[str]
    leaves: list[Leaf]
    count: Any
    format: Any = None


def split_moments(
    state: Any, roles: Mapping[str, str]
) -> tuple[list[Moments], Callable[[list[Moments]], Any]]:
    """Return the moments in a state, and a function that replaces their leaves and formats."""

    def is_node(node: Any) -> bool:
        return isinstance(node, StoredState) or bool(roles_of(node, roles))

    nodes, outer = jax.tree.flatten(state, is_leaf=is_node)
    parts, treedefs = [], []
    for stored in filter(is_node, nodes):
        node, mark = without_format(stored), getattr(stored, "format", None)
        fields = roles_of(node, roles)
        first, *others = fields
        paths, treedef = jax.tree_util.tree_flatten_with_path(getattr(node, first))
        columns = [[x for _, x in paths]]
        columns += [treedef.flatten_up_to(getattr(node, field)) for field in others]
        leaves = [dict(zip(fields, row, strict=True)) for row in zip(*columns, strict=True)]
        count = node.count if "count" in node._fields else steps_done(state, roles)
        parts.append(Moments(fields, [leaf_name(path) for path, _ in paths], leaves, count, mark))
        treedefs.append(treedef)

    def rebuild(changed: list[Moments]) -> Any:
        new = iter(zip(changed, treedefs, strict=True))

        def replace(node: Any) -> Any:
            part, treedef = next(new)
            trees = {k: treedef.unflatten([leaf[k] for leaf in part.leaves]) for k in part.roles}
            node = without_format(node)._replace(**trees)
            return node if part.format is None else StoredState(node, part.format)

        return outer.unflatten([replace(node) if is_node(node) else node for node in nodes])

    return parts, rebuild


def steps_done(state: Any, roles: Mapping[str, str] = {}) -> Array | None:
    """Return the first count of steps anywhere in a state."""
    ends = lambda node: isinstance(node, _NO_CLOCKS) or bool(roles_of(node, roles))  # noqa: E731
    for path, node in jax.tree_util.tree_leaves_with_path(state, is_leaf=ends):
        value = None
        if roles_of(node, roles):
            value = next((getattr(node, name) for name in CLOCKS if name in node._fields), None)
        elif path and isinstance(path[-1], jax.tree_util.GetAttrKey):
            value = node if path[-1].name in CLOCKS else None
        if value is not None and not isinstance(node, _NO_CLOCKS) and _is_count(value):
            return value
    return None


def _is_count(value: Any) -> bool:
    return jnp.ndim(value) == 0 and jnp.issubdtype(jnp.result_type(value), jnp.integer)
