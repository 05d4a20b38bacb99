"""Elementwise codes of 7 to 16 bits for float32 arrays, without scales, blocks or tables.

`dither` has a uint32 for each element. With uniform bits the code is correct on average, with
`NEAREST` it is the nearest one. Codes are float32 integers, because XLA's TPU backend would compute
a chain of integer operations in a separate pass, which reads the gradient again.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.moments import Array, nan_to_zero, positive_part

NEAREST = np.uint32(1 << 31)

# Octaves of a magnitude: log₂ of the smallest code, and of the limits of the fine octaves. With 7
# bits there are 4 codes in a fine octave, 1 in others: 1 + 17 + 92 + 18. Fine octaves are 3e-8 to
# 0.25, the others reach 2e-13 and 65,536. A square has twice as many, with half the codes in each.
_LOW, _FINE_LOW, _FINE_HIGH = -42, -25, -2
_COARSE, _FINE = _FINE_LOW - _LOW, _FINE_HIGH - _FINE_LOW
# Within an octave, 1 + f (1 - K + K f) approximates 2^f with an error below 0.003.
_K = 0.343
_HALF = (1 - _K) / (2 * _K)
# Half the logarithm of the ratio of neighbours, 2 in a coarse octave and 2^¼ in a fine one: the
# distance between the middle of two codes and their mean, in units of the step.
_BEND, _FINE_BEND = 0.343, 0.0866


def encode_magnitude(
    x: Array, bits: int, dither: Any, *, power: int = 1, bend: float = 0.0
) -> Array:
    """Return the code of |x|, a float32 integer in [0, 2^bits).

    Codes are uniform in log₂ |x|, and linear below the smallest, so that a decaying average passes
    them at the correct rate for thousands of steps. NaN and infinities have the largest code.

    With `bend` 0 the logarithm is correct on average, with 1 and independent dithers |x| itself. An
    average over few steps accumulates the bias of rounding, and needs a bend.

    Args:
      x: magnitudes, or squares of them.
      bits: 7 to 16.
      dither: random bits.
      power: 1, or 2 for squares.
      bend: 0 to 1.

    >>> encode_magnitude(jnp.array([0.0, 1.0, jnp.inf]), 8, NEAREST).tolist()
    [0.0, 222.0, 255.0]
    """
    # Multiples of the smallest code, plus 1. A NaN may have a sign.
    x = jnp.abs(x * np.float32(2.0 ** (-_LOW * power))) + 1
    pattern = jax.lax.bitcast_convert_type(x, jnp.int32)
    octave = (pattern >> 23).astype(jnp.float32) - (127 + _COARSE * power)
    u = jax.lax.bitcast_convert_type((pattern & 0x7FFFFF) | (127 << 23), jnp.float32)
    log = octave + (jnp.sqrt(u * (1 / _K) + (_HALF**2 - 1 / _K)) - _HALF)
    coarse = 2.0 ** (bits - 7) / power
    fine = positive_part(log, _FINE * power)
    place = (log + 3 * fine) * coarse
    if bend:
        part = place - jnp.floor(place)
        curve = jnp.where(log == fine, _FINE_BEND, _BEND) * (bend / coarse)
        place -= curve * (part - part * part)
    # Away from 0 and 1, so that encoding a decoded code returns it.
    code = jnp.floor(place + _share(dither, bits - 23, _COARSE * power * coarse))
    return jnp.minimum(code, 2**bits - 1)


def decode_magnitude(code: Array, bits: int, *, power: int = 1) -> Array:
    """Return the number of a code of `encode_magnitude`.

    >>> decode_magnitude(jnp.array([0, 222, 255]), 8).tolist()
    [0.0, 1.0, 92684.2890625]
    """
    log = _log(code, bits, power)
    octave = jnp.floor(log)
    f = log - octave
    number = (1 + f * (1 - _K + _K * f)) * _exp2(octave, 0, power)
    return number - np.float32(2.0 ** (_LOW * power))


def root_of_code(code: Array, bits: int) -> Array:
    """Return a number near √v for a code of v, cheaper than √v.

    It is at most 7% above √v, which it exceeds less or not at all where v is below 2⁻⁷⁰.
    """
    return _exp2(0.5 * _log(code, bits, 2), bits - 5, 1) - np.float32(2.0**_LOW)


def _log(code: Array, bits: int, power: int) -> Array:
    """Return the octaves of a code above the first fine one."""
    place = jnp.asarray(code, jnp.float32) * np.float32(2.0 ** (7 - bits) * power)
    place -= _COARSE * power
    return place - 0.75 * positive_part(place, 4 * _FINE * power)


def _exp2(log: Array, fraction: int, power: int) -> Array:
    """Return 2 to a log of `_log` with few fractional bits, linear within an octave."""
    # In the lowest bits of this sum is the exponent, which a shift puts into its place.
    offset = 2.0 ** (23 - fraction) + 127 + _FINE_LOW * power
    pattern = jax.lax.bitcast_convert_type(log + offset, jnp.int32) << (23 - fraction)
    return jax.lax.bitcast_convert_type(pattern, jnp.float32)


def _share(dither: Any, guard: int, start: float = 0.0) -> Array:
    """Return uniform numbers in start + [2^guard, 1 - 2^guard]."""
    spread = np.float32(2.0**-32 * (1 - 2.0 ** (guard + 1)))
    # After a conversion by way of int32, XLA's backend of TPU v4 and v6e updates in two passes.
    return jnp.asarray(dither, jnp.float32) * spread + np.float32(2.0**guard + start)


def encode_ratio(m: Array, scale: Array, bits: int, dither: Any) -> Array:
    """Return the code of r = m / scale, a float32 integer in ±(2^(bits-1) - 1).

    Companding, q = K r / (½ + |r|), gives fine steps of ½/K near 0, where most moments are. Ratios
    are limited to that of the largest code, 31.5 with 7 bits and 63.5 with 8. NaN has the code 0.
    Adam's ratios never exceed (1 - b₁ᵗ) / √(1 - b₂ᵗ), which is 20 with b₂ = 0.9999.

    >>> encode_ratio(jnp.array([0.0, 1.0, -99.0]), jnp.float32(1.0), 7, NEAREST).tolist()
    [0.0, 43.0, -63.0]
    """
    limit, k = _companding(bits)
    size = jnp.abs(m)
    # k is a power of 2.
    place = jnp.minimum(k * (size / (0.5 * scale + size)), limit)
    part = place - jnp.floor(place)
    # The position of m between the numbers of two codes is part - part (1 - part) / (k - place).
    bend = (part * part - part) / (k - place)
    code = nan_to_zero(jnp.floor(place + bend + _share(dither, -12)))
    return jnp.where(m < 0.0, -code, code)


def decode_ratio(code: Array, scale: Array, bits: int) -> Array:
    """Return the moment m of a code of `encode_ratio`.

    >>> decode_ratio(jnp.array([0, 63, -63]), jnp.float32(1.0), 7).tolist()
    [0.0, 31.49979591369629, -31.49979591369629]
    """
    _, k = _companding(bits)
    q = jnp.asarray(code, jnp.float32)
    return scale * (0.5 * q * _reciprocal(k - jnp.abs(q)))


def _reciprocal(x: Array) -> Array:
    """Return 1 / x, on CPU within 7e-6.

    XLA's CPU backend writes a division to memory if two loops read it. It fuses Newton's iteration.
    """

    def newton(x: Array) -> Array:
        pattern = 0x7EF311C7 - jax.lax.bitcast_convert_type(x, jnp.int32)
        y = jax.lax.bitcast_convert_type(pattern, jnp.float32)  # within 5%
        y *= 2 - x * y
        return y * (2 - x * y)

    return jax.lax.platform_dependent(x, cpu=newton, default=lambda x: 1 / x)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def refuse_derivative(x: Array, instead: str) -> Array:
    """Return x, whose derivative raises TypeError."""
    del instead
    return x


@refuse_derivative.defjvp
def _raise_error(instead: str, primals: Any, tangents: Any) -> Any:
    raise TypeError(
        f"rounded numbers have no derivative; use {instead} to differentiate through steps, or "
        "jax.lax.stop_gradient on the gradients"
    )


def _companding(bits: int) -> tuple[int, int]:
    """Return the largest code, and K, with which its ratio is limit / 2."""
    limit = 2 ** (bits - 1) - 1
    return limit, limit + 1


def round_bits(x: Array, dropped: int, dither: Any) -> Array:
    """Round the lowest bits of a float32 to 0. NaN and infinities pass.

    Dropping 16 bits rounds to a bfloat16, 13 to a normal float16.

    >>> float(round_bits(jnp.float32(1.01), 16, NEAREST))
    1.0078125
    """
    pattern = jax.lax.bitcast_convert_type(x, jnp.uint32) + (dither >> (32 - dropped))
    pattern &= np.uint32(-1 << dropped & 0xFFFFFFFF)
    rounded = jax.lax.bitcast_convert_type(pattern, jnp.float32)
    return jax.lax.select(jnp.isfinite(x), rounded, x)
