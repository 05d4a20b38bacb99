"""Random bits without a key: a hash of (step, leaf, global element index).

The same bits under any sharding, after any restart and in any tree around the leaf. A few integer
operations on each element, fused into the update; nothing is stored and no key is threaded.
"""

import zlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.moments import Array

# 2³² times the fractional parts of the golden ratio, √2, √3 and (√13 - 3) / 2: quadratic
# irrationals, whose multiples fill the unit interval most evenly. One for each word.
_STRIDES = (0x9E3779B9, 0x6A09E667, 0xBB67AE85, 0x4D88F1A9)


def leaf_seed(name: str) -> np.uint32:
    """32 bits that stand for a leaf's name (see `adamjax.trees.leaf_name`).

    >>> hex(leaf_seed("dense/kernel"))
    '0x3aecbc13'
    """
    return np.uint32(zlib.crc32(name.encode()))


def hash_u32(x: Array) -> Array:
    """A bijection of uint32 in which every output bit depends on every input bit.

    >>> [hex(int(hash_u32(jnp.uint32(i)))) for i in (0, 1)]
    ['0x0', '0x6d523710']
    """
    x = x * jnp.uint32(0x9E3779B1)
    x = (x ^ (x >> 16)) * jnp.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * jnp.uint32(0x846CA68B)
    return x ^ (x >> 16)


def element_index(shape: tuple[int, ...]) -> Array:
    """The row-major index of each element in the whole array, modulo 2³².

    Made of iotas, which the compiler computes in place and shards like any other operand.

    >>> element_index((2, 3)).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    index, stride = jnp.zeros(shape, jnp.uint32), 1
    for axis in reversed(range(len(shape))):
        index += jax.lax.broadcasted_iota(jnp.uint32, shape, axis) * jnp.uint32(stride % 2**32)
        stride *= shape[axis]
    return index


def random_bits(shape: tuple[int, ...], seed: Any, count: Array) -> Array:
    """Independent bits for each element and step, uint32: for parameters.

    >>> random_bits((2,), 1, jnp.int32(0)).dtype.name
    'uint32'
    """
    step = hash_u32(hash_u32(count.astype(jnp.uint32)) + jnp.asarray(seed, jnp.uint32))
    return hash_u32(element_index(shape) + step)


def dither(shape: tuple[int, ...], seed: Any, count: Array, word: int = 0) -> Array:
    """Bits that visit [0, 2³²) evenly in time, from a random start for each element: for averages.

    start + count · stride, an additive recurrence. An average that creeps through one code for
    many steps is rounded up in the right share of any run of steps, which leaves half of the
    noise that independent bits leave. `word` 0 to 3 chooses one of four sequences of an element.

    >>> a, b = (dither((1,), 7, jnp.int32(count)) for count in (0, 1))
    >>> hex(int(b[0] - a[0]))
    '0x9e3779b9'
    """
    start = hash_u32(element_index(shape) + hash_u32(jnp.asarray(seed, jnp.uint32)))
    turn = 8 * word
    start = (start << turn) | (start >> (32 - turn)) if turn else start
    return start + count.astype(jnp.uint32) * jnp.uint32(_STRIDES[word])
