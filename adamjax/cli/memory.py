"""What an optimizer's state takes, computed without allocating any of it."""

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


class Part(NamedTuple):
    """One part of a state: a moment of all the parameters, or what is kept once.

    Attributes:
      name: its field in the state, such as "mu" or "count".
      dtype: how it is stored; several are joined by "+".
      size: bytes.
    """

    name: str
    dtype: str
    size: int


def parse_count(text: str) -> int:
    """A number of parameters such as 123456, 7e9, 124M or 1.5B (K, M, B or G, T).

    Raises:
      ValueError: if it is none, or not a whole number above 0.

    >>> parse_count("124M"), parse_count("7e9"), parse_count("1.5b")
    (124000000, 7000000000, 1500000000)
    """
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+)(e\+?\d{1,2})?([kmbgt]?)", text.strip().lower())
    number = float(match[1] + (match[2] or "")) * SUFFIXES[match[3]] if match else 0.0
    # 1.1e3 is 1100.0000000000002.
    count = round(number)
    if count < 1 or abs(number - count) > 1e-6 * count:
        raise ValueError(
            f"must be a whole number above 0 such as 123456, 124M or 7e9, got {text!r}"
        )
    return count


def parse_shape(text: str) -> tuple[int, ...]:
    """A shape such as 4096x4096.

    Raises:
      ValueError: if it is none.

    >>> parse_shape("4096x1024")
    (4096, 1024)
    """
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", text.strip().lower()):
        raise ValueError(f"must be sizes joined by x such as 4096x4096, got {text!r}")
    return tuple(map(int, text.strip().lower().split("x")))


def leaves_of(count: int, shape: Sequence[int] | None = None) -> dict[tuple[int, ...], int]:
    """Shapes of leaves and how many there are of each, `count` elements together.

    As many of the given shape as there is room for, one of fewer rows, and a vector for the rest.
    States that depend on shapes, such as Adafactor's, take what they take for such leaves.

    Args:
      count: how many elements.
      shape: of a leaf; None is a square of side 4096, or of the largest that fits.

    >>> leaves_of(50_000_000)
    {(4096, 4096): 2, (4015, 4096): 1, (128,): 1}
    """
    side = min(4096, math.isqrt(count))
    shape = (side, side) if shape is None else tuple(shape)
    full, rest = divmod(count, math.prod(shape))
    rows, rest = divmod(rest, math.prod(shape[1:]))
    leaves = {shape: full, (rows, *shape[1:]): rows and 1, (rest,): rest and 1}
    return {leaf: times for leaf, times in leaves.items() if times}


def state_parts(
    tx: optax.GradientTransformation, leaves: dict[tuple[int, ...], int], dtype: Any = jnp.float32
) -> list[Part]:
    """The parts of the state that an optimizer keeps for such leaves; nothing is allocated.

    Args:
      tx: the optimizer.
      leaves: how many parameters there are of each shape.
      dtype: of the parameters.

    >>> import adamjax
    >>> state_parts(adamjax.adam(), {(256, 256): 3})[1]
    Part(name='mu', dtype='float32', size=786432)
    """
    state = jax.eval_shape(tx.init, one_of_each(leaves, dtype))
    sizes: dict[str, int] = {}
    dtypes: dict[str, list[str]] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        fields = [key.name for key in path if isinstance(key, jax.tree_util.GetAttrKey)]
        # Optax's names for the states of what a transformation wraps.
        own = [name for name in fields if name not in ("inner_state", "inner_states")]
        field = "/".join(own) or "state"
        size = times_of(path, leaves) * math.prod(leaf.shape) * leaf.dtype.itemsize
        sizes[field] = sizes.get(field, 0) + size
        dtypes.setdefault(field, []).append(str(leaf.dtype))
    return [
        Part(field, "+".join(dict.fromkeys(dtypes[field])), size) for field, size in sizes.items()
    ]


def parts_by_storage(
    make: Callable[..., optax.GradientTransformation],
    leaves: dict[tuple[int, ...], int],
    dtype: Any = jnp.float32,
) -> dict[str, list[Part]]:
    """The parts of an optimizer's state in each storage format that there is for it.

    Args:
      make: the optimizer, a function of `storage`.
      leaves: how many parameters there are of each shape.
      dtype: of the parameters.

    >>> import adamjax
    >>> parts = parts_by_storage(adamjax.adam, {(256, 256): 1})
    >>> {storage: parts[storage][1].size // 256**2 for storage in parts}
    {'float32': 4, 'bfloat16': 2, '8bit_v16': 1, '8bit': 1}
    """
    made = by_storage(make, leaves, dtype)
    return {storage: state_parts(tx, leaves, dtype) for storage, tx in made.items()}


def by_storage(
    make: Callable[..., optax.GradientTransformation],
    leaves: dict[tuple[int, ...], int],
    dtype: Any = jnp.float32,
) -> dict[str, optax.GradientTransformation]:
    """An optimizer in each storage format that there is for it; arguments as above.

    >>> import adamjax
    >>> list(by_storage(adamjax.sgd, {(256, 256): 1}))
    ['float32']
    """
    if not roles_in(jax.eval_shape(make().init, one_of_each(leaves, dtype))):
        return {"float32": make()}  # nothing that a format is for
    return {storage: make(storage=storage) for storage in FORMATS}


def one_of_each(
    leaves: dict[tuple[int, ...], int], dtype: Any = jnp.float32
) -> dict[str, jax.ShapeDtypeStruct]:
    """A parameter of each shape, by a name that `times_of` knows again.

    >>> one_of_each({(4, 2): 3})["4x2"].shape
    (4, 2)
    """
    return {"x".join(map(str, shape)): jax.ShapeDtypeStruct(shape, dtype) for shape in leaves}


def times_of(path: Any, leaves: dict[tuple[int, ...], int]) -> int:
    """How many arrays there are of which the one at this path stands for: 1 if of no parameter.

    >>> times_of((jax.tree_util.DictKey("4x2"),), {(4, 2): 3})
    3
    """
    names = {"x".join(map(str, shape)): times for shape, times in leaves.items()}
    keys = [key.key for key in path if isinstance(key, jax.tree_util.DictKey)]
    return next((names[key] for key in keys if key in names), 1)
