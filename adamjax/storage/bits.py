"""Random bits from a hash of (step, leaf, global element index), without a key.

The bits do not depend on sharding, restarts or the tree around the leaf. The compiler fuses their
few integer operations for each element into the update.
"""

import contextlib
import contextvars
import functools
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.moments import Array

# 2³² times the fractional parts of the golden ratio, √2, √3 and (√13 - 3) / 2, one for each word.
# Multiples of quadratic irrationals fill the unit interval most evenly.
_STRIDES = (0x9E3779B9, 0x6A09E667, 0xBB67AE85, 0x4D88F1A9)
_LAYER: contextvars.ContextVar[Any] = contextvars.ContextVar("layer", default=None)


@contextlib.contextmanager
def part_of_tree(layer: Any) -> Iterator[None]:
    """Declare that arrays are those of one layer, with this index in arrays of all layers.

    Their random bits are then those that the layer has in the whole arrays.
    """
    token = _LAYER.set(layer)
    try:
        yield
    finally:
        _LAYER.reset(token)


def in_part() -> bool:
    """Return whether this is inside of `part_of_tree`."""
    return _LAYER.get() is not None


def first_index(shape: tuple[int, ...]) -> Any:
    """Return the index in the whole array, modulo 2³², of the first element of an array.

    >>> with part_of_tree(3):
    ...     int(first_index((1, 5)))
    15
    """
    layer = _LAYER.get()
    if layer is None:
        return np.uint32(0)
    return jnp.asarray(layer, jnp.uint32) * np.uint32(math.prod(shape) % 2**32)


def leaf_seeds(names: Sequence[str]) -> np.ndarray:
    """Return a 32-bit hash of the path of each leaf.

    >>> [hex(seed) for seed in leaf_seeds(["dense/kernel"])]
    ['0x3aecbc13']
    """
    return np.array([zlib.crc32(name.encode()) for name in names], np.uint32)


def hash_u32(x: Any) -> Any:
    """Hash uint32 arrays by a bijection in which each output bit depends on each input bit.

    >>> [hex(x) for x in hash_u32(np.arange(2, dtype=np.uint32))]
    ['0x0', '0x6d523710']
    """
    x = x * np.uint32(0x9E3779B1)
    x = (x ^ (x >> 16)) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * np.uint32(0x846CA68B)
    return x ^ (x >> 16)


def element_index(shape: tuple[int, ...]) -> Array:
    """Return the row-major index of each element in the whole array, modulo 2³².

    The compiler computes iotas in place and shards them like other operands.
    """

    def along(axis: int) -> Array:
        stride = math.prod(shape[axis + 1 :]) % 2**32
        iota = jax.lax.broadcasted_iota(jnp.uint32, shape, axis)
        return iota if stride == 1 else iota * np.uint32(stride)

    terms = map(along, range(len(shape)))
    return functools.reduce(jnp.add, terms) if shape else jnp.zeros(shape, jnp.uint32)


def as_operands(seeds: np.ndarray) -> list[Array]:
    """Hide the values of seeds from the compiler, which are else constants in its kernels.

    Leaves of the same shape then have the same kernel, and XLA's CPU backend compiles it once.
    """
    return jax.lax.optimization_barrier(list(seeds))


def step_words(count: Array, seeds: np.ndarray) -> list[Array]:
    """Return a word for each seed and step, for `random_bits`."""
    step = hash_u32(count.astype(jnp.uint32))
    return [hash_u32(step + seed) for seed in as_operands(seeds)]


def random_bits(shape: tuple[int, ...], word: Array) -> Array:
    """Return uint32 bits that are independent for each element and word, for parameters."""
    return hash_u32(element_index(shape) + word)


def phases(count: Array, sequences: int = 4) -> tuple[Array, ...]:
    """Return the positions of the sequences of `dithers`, at most four, at a step."""
    at = count.astype(jnp.uint32)
    return tuple(at * np.uint32(stride) for stride in _STRIDES[:sequences])


def dithers(shape: tuple[int, ...], seed: Any, at: Sequence[Array]) -> Callable[[int], Array]:
    """Return a function from 0 to 3 to bits that visit [0, 2³²) evenly in time, for averages.

    They are additive recurrences, start + count · stride, with a random start for each element.
    A slow average is then rounded up in the correct share of any sequence of steps, with half the
    noise of independent bits.

    Args:
      shape: shape of the array.
      seed: hash of the seed of the leaf.
      at: `phases` of the step.
    """
    start = hash_u32(element_index(shape) + jnp.asarray(seed, jnp.uint32))

    def word(k: int) -> Array:
        turned = (start << 8 * k) | (start >> (32 - 8 * k)) if k else start
        return turned + at[k]

    return word
