"""The memory of an optimizer's state, computed without allocating it."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.storage.formats import FORMATS
from adamjax.storage.roles import roles_in

SUFFIXES = {"": 1, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
Shape = tuple[int, ...]
Leaves = dict[Shape, int]  # the number of leaves of each shape
Make = Callable[..., optax.GradientTransformation]


class Part(NamedTuple):
    """One field of a state: a moment of all parameters, or a single value."""

    name: str
    dtype: str  # several are joined by "+"
    size: int  # bytes


def parse_count(text: str) -> int:
    """Parse a number of parameters such as 123456, 7e9, 124M or 1.5B, or raise ValueError."""
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+)(e\+?\d{1,2})?([kmbgt]?)", text.strip().lower())
    number = float(match[1] + (match[2] or "")) * SUFFIXES[match[3]] if match else 0.0
    # 1.1e3 is 1100.0000000000002.
    count = round(number)
    if count < 1 or abs(number - count) > 1e-6 * count:
        raise ValueError(
            f"must be a whole number above 0 such as 123456, 124M or 7e9, got {text!r}"
        )
    return count


def parse_shape(text: str) -> Shape:
    """Parse a shape such as 4096x4096, or raise ValueError."""
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", text.strip().lower()):
        raise ValueError(f"must be sizes joined by x such as 4096x4096, got {text!r}")
    return tuple(map(int, text.strip().lower().split("x")))


def leaves_of(count: int, shape: Sequence[int] | None = None) -> Leaves:
    """Divide `count` elements into leaves, and return the number of leaves of each shape."""
    # As many leaves of the shape as fit, one with fewer rows, and a vector for the rest.
    side = min(4096, math.isqrt(count))
    shape = (side, side) if shape is None else tuple(shape)
    full, rest = divmod(count, math.prod(shape))
    rows, rest = divmod(rest, math.prod(shape[1:]))
    leaves = {shape: full, (rows, *shape[1:]): rows and 1, (rest,): rest and 1}
    return {leaf: times for leaf, times in leaves.items() if times}


def state_parts(
    tx: optax.GradientTransformation, leaves: Leaves, dtype: Any = jnp.float32
) -> list[Part]:
    """List the parts of an optimizer's state for such leaves. Nothing is allocated."""
    state = jax.eval_shape(tx.init, one_of_each(leaves, dtype))
    sizes: dict[str, int] = {}
    dtypes: dict[str, dict[str, None]] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        fields = [key.name for key in path if isinstance(key, jax.tree_util.GetAttrKey)]
        # Optax's names for the states of wrapped transformations.
        own = [name for name in fields if name not in ("inner_state", "inner_states")]
        times = times_of(path, leaves)
        if not times:
            continue
        field = "/".join(own) or "state"
        size = times * math.prod(leaf.shape) * leaf.dtype.itemsize
        sizes[field] = sizes.get(field, 0) + size
        dtypes.setdefault(field, {})[str(leaf.dtype)] = None
    return [Part(field, "+".join(dtypes[field]), size) for field, size in sizes.items()]


def parts_by_storage(make: Make, leaves: Leaves, dtype: Any = jnp.float32) -> dict[str, list[Part]]:
    """List the parts of an optimizer's state in each applicable storage format."""
    made = by_storage(make, leaves, dtype)
    return {storage: state_parts(tx, leaves, dtype) for storage, tx in made.items()}


def by_storage(
    make: Make, leaves: Leaves, dtype: Any = jnp.float32
) -> dict[str, optax.GradientTransformation]:
    """Make an optimizer in each storage format that applies to it."""
    if not roles_in(jax.eval_shape(make().init, one_of_each(leaves, dtype))):
        return {"float32": make()}
    return {storage: make(storage=storage) for storage in FORMATS}


def one_of_each(leaves: Leaves, dtype: Any = jnp.float32) -> dict[str, jax.ShapeDtypeStruct]:
    """Make a parameter of each shape, under a name that `times_of` recognizes."""
    return {"x".join(map(str, shape)): jax.ShapeDtypeStruct(shape, dtype) for shape in leaves}


def times_of(path: Any, leaves: Leaves) -> int:
    """Return the number of leaves that the array at this path stands for."""
    if path[-1:] == (jax.tree_util.GetAttrKey("format"),):
        return 0  # the mark of a `StoredState`, at most a kilobyte
    counts = dict(zip(one_of_each(leaves), leaves.values(), strict=True))
    keys = [key.key for key in path if isinstance(key, jax.tree_util.DictKey)]
    return next((counts[key] for key in keys if key in counts), 1)
