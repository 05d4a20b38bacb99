"""Laws of the codes of ratios, and of floats with fewer bits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adamjax.storage import codes
from tests.storage.laws import ANY, DRAWS, OTHER, RANDOM, WORDS, random_bits

ratios = pytest.mark.parametrize("bits", [7, 8])
SCALES = np.float32([2.0**-42, 1e-7, 0.3, 1.0, 7.7, 65536.0])
SMALL = np.sort(RANDOM.uniform(-9, 9, 2048) * 10.0 ** -RANDOM.integers(0, 6, 2048))

encode_ratio = jax.jit(codes.encode_ratio, static_argnums=2)
decode_ratio = jax.jit(codes.decode_ratio, static_argnums=2)
round_bits = jax.jit(codes.round_bits, static_argnums=1)


def ratio_table(bits):
    """The number of each code that is not negative, in units of the scale."""
    every = jnp.arange(2 ** (bits - 1), dtype=jnp.int32)
    return np.asarray(decode_ratio(every, jnp.float32(1.0), bits), np.float64)


@ratios
def test_ratios_reach_far(bits):
    values, limit = ratio_table(bits), 2 ** (bits - 1) - 1
    assert (np.diff(values) > 0).all()
    assert (np.diff(values, 2) > 0).all()  # the finest steps are near 0
    np.testing.assert_allclose(
        values, np.arange(limit + 1) / 2 / (limit + 1 - np.arange(limit + 1)), rtol=1e-5
    )
    every = jnp.arange(-limit, limit + 1)
    for scale in SCALES:
        m = decode_ratio(every, scale, bits)
        np.testing.assert_array_equal(m, -m[::-1])
        for word in WORDS[:3]:
            np.testing.assert_array_equal(encode_ratio(m, scale, bits, word), every)


@ratios
def test_ratios_keep_order_and_are_rounded_to_a_neighbour(bits):
    values = ratio_table(bits)
    values = np.concatenate([-values[:0:-1], values])
    r = SMALL.astype(np.float32)
    below = np.searchsorted(values, r, side="right") - 1
    gap = values[below + 1] - values[below]
    for scale in SCALES:
        for word in WORDS:
            code = encode_ratio(r * scale, scale, bits, word)
            assert word.ndim or (np.diff(code) >= 0).all()
            apart = abs(np.asarray(decode_ratio(code, scale, bits), np.float64) / scale - r)
            # A 4096th of a code is the resolution of the dither.
            assert (apart <= gap * (1 + 2e-3) + 1e-6 * abs(r)).all()


@ratios
def test_ratios_are_right_on_average(bits):
    values = ratio_table(bits)
    noise = random_bits((DRAWS,), bits, jnp.int32(0))
    for r in (-5.1, -0.9, 0.003, 0.51, 3.3, 21.0):
        code = encode_ratio(jnp.full(DRAWS, jnp.float32(0.7 * r)), jnp.float32(0.7), bits, noise)
        decoded = np.asarray(decode_ratio(code, jnp.float32(1.0), bits), np.float64)
        low = np.searchsorted(values, abs(r)) - 1
        gap = values[low + 1] - values[low]
        assert abs(decoded.mean() - r) < 5 * 0.5 * gap / np.sqrt(DRAWS) + gap / 2048


@ratios
def test_any_ratio_has_a_code(bits):
    limit = 2 ** (bits - 1) - 1
    for m, scale in ((ANY, OTHER), (OTHER, ANY), (ANY, ANY)):
        for word in WORDS:
            code = np.asarray(encode_ratio(m, abs(scale), bits, word))
            assert (abs(code) <= limit).all()
            assert (code[m == 0] == 0).all()
            assert (code[np.isnan(m) | np.isnan(scale)] == 0).all()
            assert (code[m > 0] >= 0).all()
            assert (code[m < 0] <= 0).all()


# --- floats with fewer bits


@pytest.mark.parametrize("dropped", [13, 16])
def test_fewer_bits(dropped):
    whole, pattern = np.isfinite(ANY), ANY.view(np.uint32) >> dropped
    for word in WORDS:
        rounded = np.asarray(round_bits(ANY, dropped, word))
        np.testing.assert_array_equal(rounded[~whole], ANY[~whole])
        bits = rounded.view(np.uint32)[whole]
        assert (bits % 2**dropped == 0).all()
        assert np.isin((bits >> dropped).astype(np.int64) - pattern[whole], (0, 1)).all()
        exact = (pattern << dropped).view(np.float32)
        np.testing.assert_array_equal(round_bits(exact, dropped, word), exact)
    noise = random_bits((DRAWS,), 3, jnp.int32(0))
    for x in np.float32([1.001, -3.14159, 1e-30]):
        draws = np.asarray(round_bits(jnp.full(DRAWS, x), dropped, noise), np.float64)
        assert len(np.unique(draws)) == 2
        assert abs(draws.mean() - x) < 5 * draws.std() / np.sqrt(DRAWS)
