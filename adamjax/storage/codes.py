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

# Octaves of a magnitude: log₂ of the smallest code, of the limits of the fine octaves, and of the
# largest code. With 7 bits there are 4 codes in a fine octave, 1 in others: 1 + 17 + 92 + 18.
# Fine octaves are 3e-8 to 0.25, the others reach 2e-13 and 65,536.
_LOW, _FINE_LOW, _FINE_HIGH, _HIGH = -42, -25, -2, 16
_FINE = _FINE_HIGH - _FINE_LOW
# Within an octave, 1 + f (1 - k + k f) approximates 2^f with an error below 0.003.
_K = 0.343
_HALF = (1 - _K) / (2 * _K)
# Half the logarithm of the ratio of neighbours, 2 in a coarse octave and 2^¼ in a fine one: the
# distance between the middle of two codes and their mean, in units of the step.
_BEND, _FINE_BEND = 0.343, 0.0866


def encode_log_magnitude(x: Array, bits: int, dither: Any, bend: float = 0.0) -> Array:
    """Return the code of a magnitude x >= 0, a float32 integer in [0, 2^bits).

    Codes are uniform in log₂ |x|, and linear below the smallest, so that a decaying average passes
    them at the correct rate for thousands of steps. NaN and infinities have the largest code.

    With `bend` 0 the logarithm is correct on average, with 1 and independent dithers |x| itself. An
    average over few steps accumulates the bias of rounding, and needs a bend.

    >>> encode_log_magnitude(jnp.array([0.0, 1.0, jnp.inf]), 8, NEAREST).tolist()
    [0.0, 224.0, 255.0]
    """
    # Multiples of the smallest code. A NaN may have a sign.
    x = jnp.abs(x * np.float32(2.0**-_LOW))
    f = 1 - 2.0 ** (7 - bits)
    largest = np.float32((1 + f * (1 - _K + _K * f)) * 2.0 ** (_HIGH - _LOW - 1)).view(np.int32)
    pattern = jnp.minimum(jax.lax.bitcast_convert_type(x, jnp.int32), largest)
    octave = ((pattern >> 23) - 127).astype(jnp.float32)
    u = jax.lax.bitcast_convert_type((pattern & 0x7FFFFF) | (127 << 23), jnp.float32)
    log = octave + (jnp.sqrt(u * (1 / _K) + (_HALF**2 - 1 / _K)) - (_HALF - 1))
    above = log - (1 + _FINE_LOW - _LOW)
    fine = positive_part(above, _FINE)
    tiny = x < 1
    place = jax.lax.select(tiny, x, log + 3 * fine)
    # Away from 0 and 1, so that encoding a decoded code returns it.
    place *= 2.0 ** (bits - 7)
    share = _share(dither, bits - 23)
    if bend:
        code = jnp.floor(place)
        part = place - code
        curve = jnp.where(above == fine, _FINE_BEND, _BEND) * (bend * 2.0 ** (7 - bits))
        curve = jnp.where(tiny, 0.0, curve)
        place = code + part * (1 - curve * (1 - part))
    return jnp.floor(place + share)


def decode_log_magnitude(code: Array, bits: int) -> Array:
    """Return the magnitude of a code of `encode_log_magnitude`.

    >>> decode_log_magnitude(jnp.array([0, 224, 255]), 8).tolist()
    [0.0, 1.0, 46342.14453125]
    """
    place = jnp.asarray(code, jnp.float32) * np.float32(2.0 ** (7 - bits))
    log = place - 0.75 * positive_part(place - (1 + _FINE_LOW - _LOW), 4 * _FINE)
    octave = jnp.floor(log)
    f = log - octave
    # In the lowest bits of this sum is the exponent, which a shift puts into its place.
    exponent = jax.lax.bitcast_convert_type(octave + (2.0**23 + 126 + _LOW), jnp.int32)
    power = jax.lax.bitcast_convert_type(exponent << 23, jnp.float32)
    # With this product of a choice, XLA's TPU backend updates Adam's moments in one pass. With a
    # choice of products it takes three.
    return jax.lax.select(octave < 1, place + place, 1 + f * (1 - _K + _K * f)) * power


def _share(dither: Any, guard: int) -> Array:
    """Return uniform numbers in [2^guard, 1 - 2^guard]."""
    spread = np.float32(2.0**-32 * (1 - 2.0 ** (guard + 1)))
    return jnp.asarray(dither, jnp.float32) * spread + np.float32(2.0**guard)


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
    # XLA fuses a division only if it has one reader. k is a power of 2.
    place = jnp.minimum(k * (size / (0.5 * scale + size)), limit)
    # The position between two codes is that of m between their values.
    below = jnp.floor(place)
    part = (place - below) * ((limit - below) / (k - place))
    code = jnp.floor(below + part + _share(dither, -12))
    return nan_to_zero(jnp.sign(m) * code)


def decode_ratio(code: Array, scale: Array, bits: int) -> Array:
    """Return the moment m of a code of `encode_ratio`.

    >>> decode_ratio(jnp.array([0, 63, -63]), jnp.float32(1.0), 7).tolist()
    [0.0, 31.49979591369629, -31.49979591369629]
    """
    _, k = _companding(bits)
    q = jnp.asarray(code, jnp.float32)
    return scale * q * (0.5 * _reciprocal(k - jnp.abs(q)))


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
