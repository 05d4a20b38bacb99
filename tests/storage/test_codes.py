"""Laws of the tapered floats: order, exactness, rounding that is right on average, any input."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adamjax.storage import codes
from adamjax.storage.codes import NEAREST
from tests.storage.laws import ANY, DRAWS, POSITIVE, WORDS, dither as dither_bits, random_bits

floats = pytest.mark.parametrize(("power", "bits"), [(1, 7), (2, 8), (2, 9), (2, 16)])


@partial(jax.jit, static_argnums=(0, 2))
def encode(power, x, bits, word):
    return codes.encode_magnitude(x, bits, word, power=power)


@partial(jax.jit, static_argnums=(0, 2))
def decode(power, code, bits):
    return codes.decode_magnitude(code, bits, power=power)


def table(power, bits):
    """The number of each code, in double precision."""
    return np.asarray(decode(power, jnp.arange(2**bits), bits), np.float64)


@floats
def test_codes_are_as_fine_as_documented(power, bits):
    """4 to an octave of the root from 2⁻²⁵ to ¼, 1 outside, times 2^(bits - 7)."""
    values, more = table(power, bits), 2 ** (bits - 7)
    assert values[0] == 0
    assert (np.diff(values) > 0).all()
    log = np.log2(values + 2.0 ** (-42 * power))
    # Every whole octave is a code, and those within it are even steps of the logarithm.
    expected = power * np.concatenate(
        [
            np.arange(-42, -25, 1 / more),
            np.arange(-25, -2, 1 / (4 * more)),
            np.arange(-2, 17, 1 / more),
        ]
    )
    expected = expected[: log.size]
    np.testing.assert_allclose(log, expected, atol=0.01)
    whole = expected == np.floor(expected)
    np.testing.assert_allclose(log[whole], expected[whole], atol=1e-6)
    np.testing.assert_allclose(np.diff(log), np.diff(expected), rtol=0.11)


@pytest.mark.parametrize("bits", [9, 16])
def test_a_root_is_close(bits):
    root = np.asarray(jax.jit(codes.root_of_code, static_argnums=1)(jnp.arange(2**bits), bits))
    exact = np.sqrt(table(2, bits))
    normal = exact > 2.0**-35
    np.testing.assert_allclose(root[normal], 1.03 * exact[normal], rtol=0.04)
    assert root[0] == 0
    assert (np.diff(root) > 0).all()
    assert (root <= 1.07 * exact).all()


@floats
def test_rounded_to_a_neighbour(power, bits):
    """In order, by less than one code, with `NEAREST` to the nearer, and exact on the codes."""
    values = table(power, bits)
    for word in WORDS[:3]:
        for x in (values, -values):
            np.testing.assert_array_equal(
                encode(power, jnp.float32(x), bits, word), np.arange(x.size)
            )
        assert (np.diff(encode(power, np.sort(POSITIVE), bits, word)) >= 0).all()
    x = np.minimum(POSITIVE, values[-1]).astype(np.float32)
    below = np.minimum(np.searchsorted(values, x, side="right") - 1, values.size - 2)
    gap = values[below + 1] - values[below]
    for word, most in (*((word, 1.0) for word in WORDS), (NEAREST, 0.6)):
        code = encode(power, x, bits, word)
        apart = abs(np.asarray(decode(power, code, bits), np.float64) - x)
        assert (apart <= most * gap + 1e-5 * x).all()


@floats
def test_the_logarithm_is_right_on_average(power, bits):
    """The code is within 5 standard errors of 10⁶ draws, the number within a bound.

    A code is even in the logarithm to 1% of an octave. By its convexity the mean of the decoded
    numbers exceeds x.
    """
    values, least = table(power, bits), 2.0 ** (-42 * power)
    for code, share in ((0, 0.37), (2 ** (bits - 7) + 1, 0.81), (2 ** (bits - 1), 0.03)):
        low, high = values[code : code + 2] + least
        x = np.float32(low * (high / low) ** share - least)
        noise = random_bits((DRAWS,), code, jnp.int32(0))
        rounded = encode(power, jnp.full(DRAWS, x), bits, noise)
        assert set(np.unique(rounded)) == {code, code + 1}
        error = np.mean(np.asarray(rounded, np.float64) - code) - share
        chance = 5 * np.sqrt(share * (1 - share) / DRAWS) + 2.0 ** (bits - 22)
        assert abs(error) < chance + 0.045
        mean = np.mean(np.asarray(decode(power, rounded, bits), np.float64))
        assert -0.045 < (mean - x) / (high - low) < chance + 0.045 + (high / low - 1) / 8


def test_a_bend_makes_the_number_right_on_average():
    """Halfway between two codes, in coarse and in fine octaves."""
    bent = jax.jit(lambda x, noise: codes.encode_magnitude(x, 7, noise, bend=1.0))
    noise = random_bits((DRAWS,), 5, jnp.int32(0))
    for x in 2.0 ** np.array([-35.5, -10.625, -6.125, 8.5]):
        code = bent(jnp.full(DRAWS, x, jnp.float32), noise)
        mean = np.mean(np.asarray(decode(1, code, 7), np.float64))
        assert mean / x == pytest.approx(1, abs=0.0015)


@floats
def test_decaying_averages_keep_pace(power, bits):
    """Ten octaves of the root down, rounded in every step: right within 1% and one code."""
    start = np.geomspace(0.02, 0.2, 4096).astype(np.float32) ** power
    first = encode(power, start, bits, NEAREST)

    def fallen(b2, steps):
        def step(count, code):
            x = decode(power, code, bits) * b2
            return encode(power, x, bits, dither_bits(start.shape, 5, count))

        last = jax.lax.fori_loop(0, steps, step, first)
        values = table(power, bits)
        return np.log(values[np.asarray(first, int)] / values[np.asarray(last, int)])

    one = power * np.log(2) / (4 * 2 ** (bits - 7))
    for b2 in (0.95, 0.999):
        steps = int(10 * power * np.log(2) / -np.log(b2))
        expected = -steps * np.log(b2)
        np.testing.assert_allclose(fallen(b2, steps).mean(), expected, rtol=0.01, atol=one)


@floats
def test_any_number_has_a_code(power, bits):
    values = table(power, bits)
    for word in WORDS:
        code = np.asarray(encode(power, ANY, bits, word))
        value = np.asarray(decode(power, code, bits))
        assert ((code >= 0) & (code < 2**bits)).all()
        assert np.isfinite(value).all()
        assert (code[ANY == 0] == 0).all()
        assert (code[~np.isfinite(ANY) | (abs(ANY) >= np.float32(values[-1]))] == 2**bits - 1).all()
        tiny = abs(ANY) < np.finfo(np.float32).tiny
        assert (value[tiny] <= values[1]).all()
