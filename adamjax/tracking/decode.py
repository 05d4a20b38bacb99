"""States in few bits (`adamjax.store`): where their codes are, and how many are at their limit."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adamjax.moments import Array
from adamjax.storage.formats import BFloat16, Code
from adamjax.storage.roles import roles_of
from adamjax.storage.state_moments import split_moments
from adamjax.storage.store import found_codes

Moments = dict[str, Array]
Groups = list[tuple[tuple[str, ...], Code]]


class Decoder(NamedTuple):
    """How a moment is read from the arrays that keep it, or from the same elements of each.

    Attributes:
      code: theirs; None for one array of floats.
      place: of the moment among those that the code keeps together.
    """

    code: Code | None = None
    place: int = 0

    def __call__(self, *arrays: Array) -> Array:
        """The moment in float32.

        >>> Decoder()(jnp.bfloat16(2.0)).dtype.name
        'float32'
        """
        if self.code is None:
            return arrays[0].astype(jnp.float32)
        return self.code.decode(arrays)[self.place]


def coded_moments(state: Any) -> list[tuple[Moments, Groups]]:
    """The moments by field of each parameter that has some in integer codes, and these codes.

    >>> import adamjax
    >>> state = adamjax.adam(storage="8bit").init({"w": jnp.ones((128, 128)), "b": jnp.ones(128)})
    >>> [(sorted(moments), groups[0][0]) for moments, groups in coded_moments(state)]
    [(['mu', 'nu'], ('mu', 'nu'))]
    """
    found = []
    for node in filter(_has_codes, jax.tree.leaves(state, is_leaf=_has_codes)):
        for part in split_moments(node, {})[0]:
            for moments in part.leaves:
                groups = found_codes(moments, part.roles)
                coded = {field for fields, _ in groups for field in fields}
                shapes = {jnp.shape(moments[field]) for field in coded}
                # `store` keeps all moments of one shape in codes, or none.
                ours = all(k in coded or jnp.shape(x) not in shapes for k, x in moments.items())
                if ours and any(not isinstance(code, BFloat16) for _, code in groups):
                    found.append((moments, groups))
    return found


def kept_as(node: Any, field: str) -> list[tuple[Decoder, tuple[Array, ...]]]:
    """For each leaf of a moment in one state, its decoder and the arrays that keep it.

    Integers that are no known codes are left out.

    >>> import adamjax
    >>> state, _ = adamjax.adam(storage="8bit").init(jnp.ones((128, 128)))
    >>> [(decoder, arrays)] = kept_as(state, "nu")
    >>> decoder.place, len(arrays), float(jnp.max(decoder(*arrays)))
    (1, 2, 0.0)
    """
    kept: list[tuple[Decoder, tuple[Array, ...]]] = [
        (Decoder(), (jnp.asarray(x),))
        for x in jax.tree.leaves(getattr(node, field))
        if jnp.issubdtype(jnp.result_type(x), jnp.floating)
    ]
    for moments, groups in coded_moments(node):
        for fields, code in groups:
            if field in fields and not isinstance(code, BFloat16):
                arrays = _written(moments, fields)
                kept.append((Decoder(code, fields.index(field)), arrays))
    return kept


def saturated_share(state: Any) -> jax.Array:
    """The share of the elements kept in integer codes that are at the limit of one.

    >>> import adamjax
    >>> tx, g = adamjax.adam(storage="8bit"), jnp.ones((128, 128)).at[0, 0].set(jnp.inf)
    >>> float(saturated_share(tx.update(g, tx.init(g))[1])) * 128**2
    1.0
    """
    count, total = jnp.zeros((), jnp.float32), 0
    for moments, groups in coded_moments(state):
        counts, size = [], 0
        for fields, code in groups:
            if not isinstance(code, BFloat16):
                counts.append(code.saturated(_written(moments, fields)))
                size = jnp.size(moments[fields[0]])
        # AMSGrad's v and its maximum have a code each, at whose limits the same elements are.
        count += functools.reduce(jnp.maximum, counts).astype(jnp.float32)
        total += size
    return count / max(total, 1)


def _written(moments: Moments, fields: tuple[str, ...]) -> tuple[Array, ...]:
    """Codes as the step has written them: XLA would compute them once more for each use."""
    return jax.lax.optimization_barrier(tuple(jnp.asarray(moments[name]) for name in fields))


def _has_codes(node: Any) -> bool:
    trees = [getattr(node, field) for field in roles_of(node, {})]
    # What another library keeps in integers may be trees of another form.
    alike = len(set(map(jax.tree.structure, trees))) == 1
    return alike and any(
        jnp.issubdtype(jnp.result_type(x), jnp.integer) for x in jax.tree.leaves(trees)
    )
