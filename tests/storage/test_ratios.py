"""Laws of the codes of ratios, and of floats with fewer bits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from adamjax.storage import codes
from adamjax.storage.bits import random_bits
from tests.storage.laws import ANY, DITHERS, DRAWS, law, word

ratios = pytest.mark.parametrize("bits", [7, 8])
SCALES = np.float32([2.0**-42, 1e-7, 0.3, 1.0, 7.7, 65536.0])

encode_ratio = jax.jit(codes.encode_ratio, static_argnums=2)
decode_ratio = jax.jit(codes.decode_ratio, static_argnums=2)
round_bits = jax.jit(codes.round_bits, static_argnums=1)


def ratio_table(bits):
    """What each code that is not negative stands for, in units of the scale."""
    limit = 2 ** (bits - 1) - 1
    every = jnp.arange(limit + 1, dtype=jnp.int32)
    return np.asarray(decode_ratio(every, jnp.float32(1.0), bits), np.float64)


@ratios
def test_ratios_reach_far(bits):
    values = ratio_table(bits)
    assert (np.diff(values) > 0).all()
    assert (np.diff(values, 2) > 0).all()  # the finest steps are near 0
    assert values[-1] == (2 ** (bits - 1) - 1) / 2
    every = jnp.arange(1, values.size)
    one = jnp.float32(1.0)
    np.testing.assert_array_equal(decode_ratio(-every, one, bits), -decode_ratio(every, one, bits))


@ratios
@pytest.mark.parametrize("scale", SCALES)
@law
@given(dither=DITHERS)
def test_ratios_are_exact_on_codes(bits, scale, dither):
    limit = 2 ** (bits - 1) - 1
    every = jnp.arange(-limit, limit + 1)
    m = decode_ratio(every, scale, bits)
    np.testing.assert_array_equal(encode_ratio(m, scale, bits, word(dither)), every)


@ratios
@law
@given(
    r=arrays(np.float32, 32, elements=st.floats(-9, 9, width=32, allow_subnormal=False)),
    scale=st.sampled_from(SCALES),
    dither=DITHERS,
)
def test_ratios_keep_order_and_are_rounded_to_a_neighbour(bits, r, scale, dither):
    values = ratio_table(bits)
    values = np.concatenate([-values[:0:-1], values])
    r = np.sort(np.clip(r, values[0], values[-1])).astype(np.float32)
    below = np.minimum(np.searchsorted(values, r, side="right") - 1, values.size - 2)
    gap = values[below + 1] - values[below]
    code = encode_ratio(r * scale, scale, bits, word(dither))
    assert (np.diff(code) >= 0).all()
    apart = abs(np.asarray(decode_ratio(code, scale, bits), np.float64) / scale - r)
    # A 4096th of a code is the resolution of the dither.
    assert (apart <= gap * (1 + 2e-3) + 1e-6 * abs(r)).all()


@ratios
@pytest.mark.parametrize("r", [-5.1, -0.9, 0.003, 0.04, 0.51, 1.03, 3.3, 7.6, 21.0])
def test_ratios_are_right_on_average(bits, r):
    values = ratio_table(bits)
    noise = random_bits((DRAWS,), bits, jnp.int32(0))
    code = encode_ratio(jnp.full(DRAWS, jnp.float32(0.7 * r)), jnp.float32(0.7), bits, noise)
    seen = np.asarray(decode_ratio(code, jnp.float32(1.0), bits), np.float64)
    low = np.searchsorted(values, abs(r)) - 1
    gap = values[low + 1] - values[low]
    assert abs(seen.mean() - r) < 5 * 0.5 * gap / np.sqrt(DRAWS) + gap / 2048


@ratios
@law
@given(m=ANY, scale=ANY, dither=DITHERS)
def test_any_ratio_has_a_code(bits, m, scale, dither):
    limit = 2 ** (bits - 1) - 1
    code = np.asarray(encode_ratio(m, abs(scale), bits, word(dither)))
    assert (abs(code) <= limit).all()
    assert (code[m == 0] == 0).all()
    assert (code[np.isnan(m) | np.isnan(scale)] == 0).all()
    assert (code[m > 0] >= 0).all()
    assert (code[m < 0] <= 0).all()


# --- floats with fewer bits

dropped = pytest.mark.parametrize("dropped", [13, 16])


@dropped
@law
@given(x=ANY, dither=DITHERS)
def test_fewer_bits(dropped, x, dither):
    seen = np.asarray(round_bits(x, dropped, word(dither)))
    whole = np.isfinite(x)
    np.testing.assert_array_equal(seen[~whole], x[~whole])
    pattern = x.view(np.uint32) >> dropped
    kept = seen.view(np.uint32)[whole]
    assert (kept % 2**dropped == 0).all()
    assert np.isin((kept >> dropped).astype(np.int64) - pattern[whole], (0, 1)).all()
    exact = (pattern << dropped).view(np.float32)
    np.testing.assert_array_equal(round_bits(exact, dropped, word(dither)), exact)


@dropped
@pytest.mark.parametrize("x", [1.001, -3.14159, 1e-30, 65000.3])
def test_fewer_bits_are_right_on_average(dropped, x):
    x = np.float32(x)
    noise = random_bits((DRAWS,), 3, jnp.int32(0))
    seen = np.asarray(round_bits(jnp.full(DRAWS, x), dropped, noise), np.float64)
    assert len(np.unique(seen)) == 2
    assert abs(seen.mean() - x) < 5 * seen.std() / np.sqrt(DRAWS)
