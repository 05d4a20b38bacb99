"""Laws of the tapered floats: order, exactness, rounding that is right on average, any input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from adamjax.storage import codes
from adamjax.storage.bits import dither as dither_bits, random_bits
from adamjax.storage.codes import NEAREST
from tests.storage.laws import ANY, DITHERS, DRAWS, law, word

floats = pytest.mark.parametrize("bits", [7, 8, 9, 16])
POSITIVE = arrays(np.float32, 32, elements=st.floats(0, 2.0**60, width=32, allow_subnormal=False))

encode_log_magnitude = jax.jit(codes.encode_log_magnitude, static_argnums=1)
decode_log_magnitude = jax.jit(codes.decode_log_magnitude, static_argnums=1)


def table(bits):
    """What each code stands for, in double precision."""
    return np.asarray(decode_log_magnitude(jnp.arange(2**bits), bits), np.float64)


@floats
def test_codes_are_in_order(bits):
    values = table(bits)
    assert values[0] == 0
    assert (np.diff(values) > 0).all()
    assert np.isfinite(values).all()


@floats
def test_codes_are_as_fine_as_documented(bits):
    """4 to an octave from 2⁻²⁵ to ¼, 1 outside, 2^(bits - 7) times as many; below, even steps."""
    values, more = table(bits), 2 ** (bits - 7)
    smallest = values[more]
    assert smallest == 2.0**-42
    np.testing.assert_array_equal(values[: more + 1], smallest * np.arange(more + 1) / more)
    log = np.log2(values[more:])
    # Every whole octave is a code, and those within it are even steps of the logarithm.
    wanted = np.concatenate(
        [
            np.arange(-42, -25, 1 / more),
            np.arange(-25, -2, 1 / (4 * more)),
            np.arange(-2, 16, 1 / more),
        ]
    )[: log.size]
    np.testing.assert_allclose(log, wanted, atol=0.01)
    whole = wanted == np.floor(wanted)
    np.testing.assert_allclose(log[whole], wanted[whole], atol=1e-6)
    np.testing.assert_allclose(np.diff(log), np.diff(wanted), rtol=0.11)


@floats
@law
@given(dither=DITHERS)
def test_exact_on_codes_whatever_the_dither(bits, dither):
    values = table(bits).astype(np.float32)
    for x in (values, -values):
        again = encode_log_magnitude(x, bits, word(dither))
        np.testing.assert_array_equal(again, np.arange(values.size))


@floats
@law
@given(x=POSITIVE, dither=DITHERS)
def test_order_is_kept(bits, x, dither):
    code = encode_log_magnitude(np.sort(x), bits, word(dither))
    assert (np.diff(code) >= 0).all()
    assert 0 <= code.min() <= code.max() < 2**bits


@floats
@law
@given(x=POSITIVE, dither=DITHERS)
def test_rounded_to_a_neighbour(bits, x, dither):
    """Up or down by less than one code; with `NEAREST` to the nearer by the logarithm."""
    values = table(bits)
    x = np.minimum(x, values[-1]).astype(np.float32)
    below = np.minimum(np.searchsorted(values, x, side="right") - 1, values.size - 2)
    gap = values[below + 1] - values[below]
    for bits_of_noise, most in ((word(dither), 1.0), (NEAREST, 0.6)):
        code = encode_log_magnitude(x, bits, bits_of_noise)
        apart = abs(np.asarray(decode_log_magnitude(code, bits), np.float64) - x)
        assert (apart <= most * gap + 1e-5 * x).all()


@floats
@pytest.mark.parametrize("share", [0.03, 0.37, 0.81])
def test_right_on_average(bits, share):
    """In code, within 5 standard errors of 10⁶ draws; of the number itself by a bound.

    A code is even in the logarithm to 1% of an octave; by its convexity the mean of what is decoded
    exceeds x, by at most an eighth of (gap / x) · gap: 0.1% of x with 9 bits.
    """
    values, more = table(bits), 2 ** (bits - 7)
    for code in (0, more + 1, values.size // 2, values.size - 3):
        low, high = values[code : code + 2]
        # `share` of the way, by the logarithm or, below the smallest code, by the number.
        x = np.float32(low + share * (high - low) if code < more else low * (high / low) ** share)
        noise = random_bits((DRAWS,), code, jnp.int32(0))
        rounded = encode_log_magnitude(jnp.full(DRAWS, x), bits, noise)
        assert set(np.unique(rounded)) == {code, code + 1}
        error = np.mean(np.asarray(rounded, np.float64) - code) - share
        chance = 5 * np.sqrt(share * (1 - share) / DRAWS) + 2.0 ** (bits - 22)
        assert abs(error) < chance + (0 if code < more else 0.045)
        mean = np.mean(np.asarray(decode_log_magnitude(rounded, bits), np.float64))
        convexity = 0 if code < more else (high / low - 1) / 8
        assert -chance < (mean - x) / (high - low) < chance + convexity


@floats
@pytest.mark.parametrize("b2", [0.95, 0.999])
def test_what_only_decays_keeps_pace(bits, b2):
    """Ten octaves down, rounded in every step: right within 1% of the way and one code."""
    start = np.geomspace(0.02, 0.2, 4096).astype(np.float32)
    steps = int(10 * np.log(2) / -np.log(b2))

    def step(count, code):
        x = decode_log_magnitude(code, bits) * b2
        return encode_log_magnitude(x, bits, dither_bits(start.shape, 5, count))

    first = encode_log_magnitude(start, bits, NEAREST)
    last = jax.lax.fori_loop(0, steps, step, first)
    fallen = np.log(table(bits)[np.asarray(first, int)] / table(bits)[np.asarray(last, int)])
    one = np.log(2) / (4 * 2 ** (bits - 7))
    np.testing.assert_allclose(fallen.mean(), -steps * np.log(b2), rtol=0.01, atol=one)


@floats
@law
@given(x=ANY, dither=DITHERS)
def test_any_number_has_a_code(bits, x, dither):
    code = np.asarray(encode_log_magnitude(x, bits, word(dither)))
    value = np.asarray(decode_log_magnitude(code, bits))
    assert ((code >= 0) & (code < 2**bits)).all()
    assert np.isfinite(value).all()
    assert (code[x == 0] == 0).all()
    assert (code[~np.isfinite(x)] == 2**bits - 1).all()
    tiny = abs(x) < np.finfo(np.float32).tiny
    assert (value[tiny] <= table(bits)[1]).all()


@floats
def test_largest_code_is_the_end(bits):
    huge = jnp.float32([2.0**16, 2.0**100, jnp.inf, -jnp.inf, jnp.nan])
    for dither in (0, 2**31, 2**32 - 1):
        code = encode_log_magnitude(huge, bits, word(dither))
        assert (code == 2**bits - 1).all()
