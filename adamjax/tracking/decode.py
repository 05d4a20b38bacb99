"""Find and decode the moments in an optimizer state, in any format of `adamjax.store`."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adamjax.moments import Array
from adamjax.storage.formats import BFloat16, Positive, Ratio, Signed
from adamjax.storage.roles import roles_of
from adamjax.storage.store import found_codes
from adamjax.trees import leaf_names

SECOND_MOMENTS = ("nu_max", "nu")


class Coded(NamedTuple):
    """The moments of one parameter, with the fields and the code of each group of integer codes."""

    name: str
    moments: dict[str, Array]
    groups: list[tuple[tuple[str, ...], Positive | Signed | Ratio]]

    def arrays(self, fields: tuple[str, ...]) -> tuple[Array, ...]:
        """Return the codes as the step has written them. XLA would recompute them for each use."""
        return jax.lax.optimization_barrier(tuple(jnp.asarray(self.moments[f]) for f in fields))


class Moments(NamedTuple):
    """The moments of one state: the leaves of each field, and the parameters in integer codes."""

    leaves: dict[str, list[Any]]
    coded: list[Coded]


def moments_of(node: Any) -> Moments:
    """Read the moments of one state. Other nodes have none."""
    roles = roles_of(node, {})
    fields = dict.fromkeys([*roles, *(f for f in SECOND_MOMENTS if has_field(node, f))])
    flat = {field: jax.tree.flatten(getattr(node, field)) for field in fields}
    leaves = {field: each for field, (each, _) in flat.items()}
    # Integers of another library may be trees of another form.
    alike = len({flat[field][1] for field in roles}) == 1
    if not alike or not any(_is_integer(x) for field in roles for x in leaves[field]):
        return Moments(leaves, [])
    coded = []
    names = leaf_names(getattr(node, next(iter(roles))))
    for name, *arrays in zip(names, *(leaves[field] for field in roles), strict=True):
        moments = dict(zip(roles, arrays, strict=True))
        groups = found_codes(moments, roles)
        in_codes = {field for fields, _ in groups for field in fields}
        shapes = {jnp.shape(moments[field]) for field in in_codes}
        # `store` encodes all moments of one shape, or none.
        ours = all(f in in_codes or jnp.shape(x) not in shapes for f, x in moments.items())
        integers = [(fields, code) for fields, code in groups if not isinstance(code, BFloat16)]
        if ours and integers:
            coded.append(Coded(name, moments, integers))
    return Moments(leaves, coded)


def has_field(node: Any, field: str) -> bool:
    """Return whether a node is a named tuple with this field, not a module with an attribute."""
    return field in getattr(node, "_fields", ())


def saturated_counts(coded: Sequence[Coded], axes: Mapping[str, int | None]) -> dict[str, Array]:
    """Return how many elements in integer codes are at the limit of one, for each layer."""
    counts: dict[str, Array] = {}
    for one in coded:
        axis = axes.get(one.name)
        count = lambda code, axis=axis: (  # noqa: E731
            code.saturated if axis is None else jax.vmap(code.saturated, axis)
        )
        each = [count(code)(one.arrays(fields)) for fields, code in one.groups]
        # The codes of AMSGrad's v and its maximum are at their limits for the same elements.
        most = functools.reduce(jnp.maximum, each).astype(jnp.float32)
        counts[one.name] = counts[one.name] + most if one.name in counts else most
    return counts


def saturated_share(coded: Sequence[Coded], counts: Mapping[str, Array]) -> Array:
    """Return the share of the elements in integer codes that are at the limit of one."""
    total = sum(jnp.size(one.moments[one.groups[-1][0][0]]) for one in coded)
    found = sum((jnp.sum(x) for x in counts.values()), start=jnp.zeros((), jnp.float32))
    return found / max(total, 1)


def _is_integer(x: Any) -> bool:
    return jnp.issubdtype(jnp.result_type(x), jnp.integer)
