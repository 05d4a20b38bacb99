"""Random bits without a key: a hash of (step, leaf, global element index).

The same bits under any sharding, after any restart and in any tree around the leaf. A few integer
operations on each element, fused into the update; nothing is stored and no key is threaded.
"""

import functools
import math
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.moments import Array

# 2³² times the fractional parts of the golden ratio, √2, √3 and (√13 - 3) / 2: quadratic
# irrationals, whose multiples fill the unit interval most evenly. One for each word.
_STRIDES = (0x9E3779B9, 0x6A09E667, 0xBB67AE85, 0x4D88F1A9)


def leaf_seeds(names: Sequence[str]) -> np.ndarray:
    """Return 32 bits that stand for the path of each leaf.

    >>> [hex(seed) for seed in leaf_seeds(["dense/kernel"])]
    ['0x3aecbc13']
    """
    return np.array([zlib.crc32(name.encode()) for name in names], np.uint32)


def hash_u32(x: Any) -> Any:
    """Apply a bijection of uint32 arrays in which every output bit depends on every input bit.

    >>> [hex(x) for x in hash_u32(np.arange(2, dtype=np.uint32))]
    ['0x0', '0x6d523710']
    """
    x = x * np.uint32(0x9E3779B1)
    x = (x ^ (x >> 16)) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * np.uint32(0x846CA68B)
    return x ^ (x >> 16)


def element_index(shape: tuple[int, ...]) -> Array:
    """Return the row-major index of each element in the whole array, modulo 2³².

    It consists of iotas, which the compiler computes in place and shards like any other operand.

    >>> element_index((2, 3)).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    strides = [math.prod(shape[axis + 1 :]) % 2**32 for axis in range(len(shape))]
    iotas = [
        jax.lax.broadcasted_iota(jnp.uint32, shape, axis) * np.uint32(stride)
        if stride != 1
        else jax.lax.broadcasted_iota(jnp.uint32, shape, axis)
        for axis, stride in enumerate(strides)
    ]
    return functools.reduce(jnp.add, iotas) if iotas else jnp.zeros(shape, jnp.uint32)


def step_words(count: Array, seeds: np.ndarray) -> Array:
    """Return a word for each seed that is new at each step, for `random_bits`.

    >>> step_words(jnp.int32(0), leaf_seeds(["w"])).shape
    (1,)
    """
    return hash_u32(hash_u32(count.astype(jnp.uint32)) + seeds)


def random_bits(shape: tuple[int, ...], word: Array) -> Array:
    """Return independent uint32 bits for each element and each word: for parameters.

    >>> random_bits((2,), jnp.uint32(1)).dtype.name
    'uint32'
    """
    return hash_u32(element_index(shape) + word)


def phases(count: Array, sequences: int = 4) -> tuple[Array, ...]:
    """Return how far the sequences of `dithers`, at most four, have come by this step.

    >>> hex(phases(jnp.int32(1))[0])
    '0x9e3779b9'
    """
    at = count.astype(jnp.uint32)
    return tuple(at * np.uint32(stride) for stride in _STRIDES[:sequences])


def dithers(shape: tuple[int, ...], seed: Any, at: Sequence[Array]) -> Callable[[int], Array]:
    """Return a function from 0 to 3 to bits that visit [0, 2³²) evenly in time: for averages.

    Each element starts at a random place, start + count · stride, an additive recurrence. An
    average that moves slowly from one code to the next is rounded up in the right share of any run
    of steps. This leaves half of the noise that independent bits leave.

    Args:
      shape: shape of the array.
      seed: hash of the seed of the leaf.
      at: `phases` of the step.

    >>> words = [dithers((1,), 7, phases(jnp.int32(count)))(0) for count in (0, 1)]
    >>> hex(int(words[1][0] - words[0][0]))
    '0x9e3779b9'
    """
    start = hash_u32(element_index(shape) + jnp.asarray(seed, jnp.uint32))

    def word(k: int) -> Array:
        turned = (start << 8 * k) | (start >> (32 - 8 * k)) if k else start
        return turned + at[k]

    return word
