"""Inputs for the tests of the codes: numbers of every kind, and words of random bits."""

import jax.numpy as jnp
import numpy as np

from adamjax.storage import bits

RANDOM = np.random.default_rng(0)
DRAWS = 10**6
# Every bit pattern is as likely as another: all exponents, NaN, infinities, subnormal numbers.
SPECIAL = np.float32([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 2.0**-42, 3.4e38])
ANY = np.concatenate([SPECIAL, RANDOM.integers(0, 2**32, 2039, np.uint32).view(np.float32)])
OTHER = RANDOM.permutation(ANY)
POSITIVE = np.float32(2.0 ** RANDOM.uniform(-126, 60, 2048))
# The extremes, the middle, and bits of their own for each element.
WORDS = [
    jnp.uint32(0),
    jnp.uint32(2**31),
    jnp.uint32(2**32 - 1),
    jnp.asarray(RANDOM.integers(0, 2**32, 2048, np.uint32)),
]


def random_bits(shape, seed, count):
    """The library's independent bits of one leaf at one step."""
    return bits.random_bits(shape, bits.step_words(count, np.uint32([seed]))[0])


def dither(shape, seed, count, word=0):
    """The library's evenly spread bits of one leaf at one step."""
    hashed = bits.hash_u32(np.uint32([seed]))[0]
    return bits.dithers(shape, hashed, bits.phases(count))(word)
