"""Codes for one array: float32 into 7 to 16 bits and back, each element by itself.

Shifts, comparisons and a few multiplications: no scale, no block, no table, no logarithm. `dither`
is a uint32 for each element, rounded up where it exceeds what is missing to the next code: with
uniform bits the decoded value is right on average, with `NEAREST` it is the nearest.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.moments import Array

NEAREST = np.uint32(1 << 31)
_TINY = np.float32(2.0**-120)
_ONE = 21  # log₂ of one 8-bit code: a quarter of an octave, in the bits of a float32


class Octaves(NamedTuple):
    """The span of a tapered float: 4 codes to an octave where it is fine, 1 outside (at 8 bits).

    Attributes:
      low, high: log₂ of the smallest and of the largest code; below are 0 and fractions of the
        smallest.
      fine_low, fine_high: log₂ of where the fine octaves begin and end.
    """

    low: int
    fine_low: int
    fine_high: int
    high: int


# 1 + 34 + 184 + 36 codes and zero fill 8 bits. In terms of the gradient: fine from 3e-8 to 0.25,
# coarse down to 2e-13 and up to 65,536.
SQUARES = Octaves(-84, -50, -4, 32)
# The same of the gradient itself: 1 + 17 + 92 + 17 codes and zero fill the 7 bits beside a sign.
SIGNED = Octaves(-42, -25, -2, 15)


def encode_float(x: Array, octaves: Octaves, bits: int, dither: Any) -> Array:
    """The code of |x|, int32 in [0, 2^bits): the bits of the float32, thinned outside `octaves`.

    Linear between neighbouring codes, hence unbiased up to the largest, where it stays. NaN and
    infinities get the largest code, 0 gets 0.

    >>> encode_float(jnp.array([0.0, 1.0, jnp.inf]), SQUARES, 8, NEAREST).tolist()
    [0, 223, 255]
    """
    shift = _ONE - (bits - 8)
    start, width, offset = _geometry(octaves)
    x = jnp.abs(x)
    pattern = jax.lax.bitcast_convert_type(x, jnp.int32)
    t = jnp.minimum(pattern, (127 + octaves.high) << 23) - start
    place = ((t + 3 * jnp.clip(t, 0, width)) >> 2) + offset
    below = (x * np.float32(2.0 ** (_ONE - octaves.low))).astype(jnp.int32)
    place = jnp.where(x < np.float32(2.0**octaves.low), below, place)
    return (place + (dither >> (32 - shift)).astype(jnp.int32)) >> shift


def decode_float(code: Array, octaves: Octaves, bits: int) -> Array:
    """The float32 that a code of `encode_float` stands for.

    >>> decode_float(jnp.array([0, 223, 255]), SQUARES, 8).tolist()
    [0.0, 1.0, 4294967296.0]
    """
    start, width, offset = _geometry(octaves)
    place = code << (_ONE - (bits - 8))
    t = place - offset
    pattern = 4 * t - 3 * jnp.clip(t, 0, width) + start
    below = place.astype(jnp.float32) * np.float32(2.0 ** (octaves.low - _ONE))
    return jnp.where(place < 1 << _ONE, below, jax.lax.bitcast_convert_type(pattern, jnp.float32))


def _geometry(octaves: Octaves) -> tuple[int, int, int]:
    """Where the fine octaves start and how wide they are in a float32's bits; their first place."""
    start = (127 + octaves.fine_low) << 23
    width = (octaves.fine_high - octaves.fine_low) << 23
    return start, width, (1 + octaves.fine_low - octaves.low) << _ONE


def narrow(code: Array, dtype: str) -> Array:
    """An int32 code in its storage dtype.

    By way of float32, as XLA's TPU backend computes a chain of integer operations that ends in a
    narrow integer in a pass of its own, which reads the gradient once more.

    >>> narrow(jnp.array([3, 255]), "uint8").tolist()
    [3, 255]
    """
    info = jnp.iinfo(dtype)
    return jnp.clip(code.astype(jnp.float32), info.min, info.max).astype(dtype)


def encode_ratio(m: Array, scale: Array, bits: int, dither: Any) -> Array:
    """The code of m / scale, a float32 integer in ±(2^(bits-1) - 1).

    Companded, q = K r / (½ + |r|): steps of ½/K near 0, since most moments are small, and of 1/8
    of r at the end. Larger ratios than the largest code's, just below 8, are limited to it.

    >>> encode_ratio(jnp.array([0.0, 1.0, -99.0]), jnp.float32(1.0), 7, NEAREST).tolist()
    [0.0, 45.0, -63.0]
    """
    limit, k = _companding(bits)
    place = k * m / (0.5 * scale + jnp.abs(m) + _TINY)
    # Held 2⁻¹² off 0 and 1, so that rounding in `scale` and m cannot make a code its neighbour.
    share = jnp.asarray(dither >> 8, jnp.float32) * np.float32(2.0**-24 * (1 - 2.0**-11))
    return jnp.clip(jnp.floor(place + (share + np.float32(2.0**-12))), -limit, limit)


def decode_ratio(code: Array, scale: Array, bits: int) -> Array:
    """The moment m that a code of `encode_ratio` stands for.

    >>> decode_ratio(jnp.array([0, 63, -63]), jnp.float32(1.0), 7).tolist()
    [0.0, 7.875, -7.875]
    """
    _, k = _companding(bits)
    q = jnp.asarray(code, jnp.float32)
    return 0.5 * scale * q / (k - jnp.abs(q))


def _companding(bits: int) -> tuple[int, int]:
    """The largest code, and K so that it stands for a ratio near 8."""
    limit = 2 ** (bits - 1) - 1
    return limit, limit + limit // 16 + 1


def round_bits(x: Array, dropped: int, dither: Any) -> Array:
    """A float32 whose lowest bits are rounded away; NaN and infinities pass.

    With 16 bits dropped it is a bfloat16, with 13 a float16 (where that is normal).

    >>> float(round_bits(jnp.float32(1.01), 16, NEAREST))
    1.0078125
    """
    pattern = jax.lax.bitcast_convert_type(x, jnp.uint32) + (dither >> (32 - dropped))
    pattern &= np.uint32(-1 << dropped & 0xFFFFFFFF)
    return jnp.where(jnp.isfinite(x), jax.lax.bitcast_convert_type(pattern, jnp.float32), x)
