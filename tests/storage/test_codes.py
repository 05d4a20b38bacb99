"""Laws of the tapered floats: order, exactness, rounding that is right on average, any input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adamjax.storage import codes
from adamjax.storage.codes import NEAREST
from tests.storage.laws import ANY, DRAWS, POSITIVE, WORDS, dither as dither_bits, random_bits

floats = pytest.mark.parametrize("bits", [7, 8, 9, 16])

encode_log_magnitude = jax.jit(codes.encode_log_magnitude, static_argnums=1)
decode_log_magnitude = jax.jit(codes.decode_log_magnitude, static_argnums=1)


def table(bits):
    """The number of each code, in double precision."""
    return np.asarray(decode_log_magnitude(jnp.arange(2**bits), bits), np.float64)


@floats
def test_codes_are_as_fine_as_documented(bits):
    """4 to an octave from 2⁻²⁵ to ¼, 1 outside, times 2^(bits - 7). Below, even steps."""
    values, more = table(bits), 2 ** (bits - 7)
    assert values[0] == 0
    assert (np.diff(values) > 0).all()
    smallest = values[more]
    assert smallest == 2.0**-42
    np.testing.assert_array_equal(values[: more + 1], smallest * np.arange(more + 1) / more)
    log = np.log2(values[more:])
    # Every whole octave is a code, and those within it are even steps of the logarithm.
    expected = np.concatenate(
        [
            np.arange(-42, -25, 1 / more),
            np.arange(-25, -2, 1 / (4 * more)),
            np.arange(-2, 16, 1 / more),
        ]
    )[: log.size]
    np.testing.assert_allclose(log, expected, atol=0.01)
    whole = expected == np.floor(expected)
    np.testing.assert_allclose(log[whole], expected[whole], atol=1e-6)
    np.testing.assert_allclose(np.diff(log), np.diff(expected), rtol=0.11)


@floats
def test_rounded_to_a_neighbour(bits):
    """In order, by less than one code, with `NEAREST` to the nearer, and exact on the codes."""
    values = table(bits)
    for word in WORDS[:3]:
        for x in (values, -values):
            again = encode_log_magnitude(jnp.float32(x), bits, word)
            np.testing.assert_array_equal(again, np.arange(values.size))
        assert (np.diff(encode_log_magnitude(np.sort(POSITIVE), bits, word)) >= 0).all()
    x = np.minimum(POSITIVE, values[-1]).astype(np.float32)
    below = np.minimum(np.searchsorted(values, x, side="right") - 1, values.size - 2)
    gap = values[below + 1] - values[below]
    for word, most in (*((word, 1.0) for word in WORDS), (NEAREST, 0.6)):
        code = encode_log_magnitude(x, bits, word)
        apart = abs(np.asarray(decode_log_magnitude(code, bits), np.float64) - x)
        assert (apart <= most * gap + 1e-5 * x).all()


@floats
def test_right_on_average(bits):
    """The code is within 5 standard errors of 10⁶ draws, the number within a bound.

    A code is even in the logarithm to 1% of an octave. By its convexity the mean of the decoded
    numbers exceeds x, by at most an eighth of (gap / x) · gap: 0.1% of x with 9 bits.
    """
    values, more = table(bits), 2 ** (bits - 7)
    for code, share in ((0, 0.37), (more + 1, 0.81), (values.size // 2, 0.03)):
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


def test_a_bend_makes_the_number_right_on_average():
    """Halfway between two codes, in coarse and in fine octaves."""
    bent = jax.jit(lambda x, noise: codes.encode_log_magnitude(x, 7, noise, bend=1.0))
    noise = random_bits((DRAWS,), 5, jnp.int32(0))
    for x in 2.0 ** np.array([-35.5, -10.625, -6.125, 8.5]):
        code = bent(jnp.full(DRAWS, x, jnp.float32), noise)
        mean = np.mean(np.asarray(decode_log_magnitude(code, 7), np.float64))
        assert mean / x == pytest.approx(1, abs=0.0015)


@floats
def test_decaying_averages_keep_pace(bits):
    """Ten octaves down, rounded in every step: right within 1% of the way and one code."""
    start = np.geomspace(0.02, 0.2, 4096).astype(np.float32)
    first = encode_log_magnitude(start, bits, NEAREST)

    def fallen(b2, steps):
        def step(count, code):
            x = decode_log_magnitude(code, bits) * b2
            return encode_log_magnitude(x, bits, dither_bits(start.shape, 5, count))

        last = jax.lax.fori_loop(0, steps, step, first)
        return np.log(table(bits)[np.asarray(first, int)] / table(bits)[np.asarray(last, int)])

    one = np.log(2) / (4 * 2 ** (bits - 7))
    for b2 in (0.95, 0.999):
        steps = int(10 * np.log(2) / -np.log(b2))
        expected = -steps * np.log(b2)
        np.testing.assert_allclose(fallen(b2, steps).mean(), expected, rtol=0.01, atol=one)


@floats
def test_any_number_has_a_code(bits):
    for word in WORDS:
        code = np.asarray(encode_log_magnitude(ANY, bits, word))
        value = np.asarray(decode_log_magnitude(code, bits))
        assert ((code >= 0) & (code < 2**bits)).all()
        assert np.isfinite(value).all()
        assert (code[ANY == 0] == 0).all()
        assert (code[~np.isfinite(ANY) | (abs(ANY) >= 2.0**16)] == 2**bits - 1).all()
        tiny = abs(ANY) < np.finfo(np.float32).tiny
        assert (value[tiny] <= table(bits)[1]).all()
