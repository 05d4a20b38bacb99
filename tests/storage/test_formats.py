"""Laws of the formats: any input at all, and nothing lost by encoding again."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adamjax.storage.formats import FORMATS, BFloat16, Positive, Ratio
from tests.storage.laws import ANY, OTHER, WORDS

CODES = {}
for storage, chosen in FORMATS.items():
    for place, code in [*chosen.codes.items(), ("pair", chosen.pair)]:
        if code is not None:
            CODES.setdefault(code, f"{storage}-{place}")


@partial(jax.jit, static_argnums=0)
def through(code, values, word):
    encoded = code.encode(values, lambda k: jnp.broadcast_to(word << k, values[0].shape))
    return encoded, code.decode(encoded)


@pytest.mark.parametrize("code", CODES, ids=CODES.values())
def test_any_number_has_a_code_that_stays(code):
    """Zero and signs stay. NaN and infinities become finite, or stay themselves."""

    pair = isinstance(code, Ratio)
    values = (ANY, abs(OTHER)) if pair else (ANY,)
    for word in WORDS:
        encoded, decoded = through(code, values, word)
        assert tuple(x.dtype.name for x in encoded) == code.dtypes
        decoded = tuple(map(np.asarray, decoded))
        for x, y in zip(values, decoded, strict=True):
            assert (y[x == 0] == 0).all()
            finite = np.isfinite(x)
            sign = np.sign(abs(x) if isinstance(code, Positive) else x)[finite]
            assert (np.sign(y[finite]) * sign >= 0).all()
            assert isinstance(code, BFloat16) or np.isfinite(y).all()
        if pair:
            assert (decoded[0][decoded[1] == 0] == 0).all()  # no m without its v
        numbers = tuple(np.where(np.isnan(y), 0, y) for y in decoded)
        for again, x in zip(through(code, numbers, WORDS[2])[1], numbers, strict=True):
            np.testing.assert_array_equal(again, x)


@pytest.mark.parametrize("storage", ["8bit", "8bit_v16"])
def test_one_loop_returns_the_same_bytes(storage):
    """For each code of m, and the lowest and the highest codes of v."""
    code = FORMATS[storage].pair
    limit, largest = 2 ** (code.m_bits - 1), 2**code.v_bits
    ends = np.r_[0:200, largest - 200 : largest]
    m, v = map(jnp.float32, np.meshgrid(np.arange(1 - limit, limit), ends))
    for one, other in zip(code.pack(m, v), code.pack_in_one_loop(m, v), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


# For numbers in the fine range: the step of each code, relative to the number.
STEPS = {
    "bfloat16-mean": 2**-7,
    "bfloat16-maximum": 2**-8,  # to nearest
    "8bit_v16-square": 2 * 2**-11,
    "8bit-square": 0.19,
    "8bit_v16-signed": 2**-2.4,
    "8bit_v16-maximum": 2**-3.4,  # to nearest
}
STEPS_OF_PAIRS = {"8bit_v16-pair": (0.036, 2 * 2**-11), "8bit-pair": (0.12, 0.091)}


def test_accuracy_of_each_code():
    x = np.geomspace(1e-3, 0.2, 1024, dtype=np.float32)
    word = jnp.arange(1024, dtype=jnp.uint32) * jnp.uint32(0x9E3779B1)
    by_name = {name: code for code, name in CODES.items()}
    for name, step in STEPS.items():
        values = x if name.endswith(("mean", "signed")) else x * x
        (decoded,) = through(by_name[name], (values,), word)[1]
        np.testing.assert_allclose(decoded, values, rtol=step, err_msg=name)
        assert np.mean(decoded / values) == pytest.approx(1, abs=0.01), name
    # Where the codes are a whole octave apart, a signed moment is still right on average.
    coarse = np.full(1024, 362.0, np.float32)
    (decoded,) = through(by_name["8bit_v16-signed"], (coarse,), word)[1]
    assert np.mean(decoded / coarse) == pytest.approx(1, abs=0.025)
    for name, (m_step, v_step) in STEPS_OF_PAIRS.items():
        mu, nu = through(by_name[name], (-x, x * x), word)[1]
        np.testing.assert_allclose(mu, -x, rtol=m_step, err_msg=name)
        np.testing.assert_allclose(nu, x * x, rtol=v_step, err_msg=name)


def test_saturated_codes_are_counted():
    huge = jnp.float32([1.0, -1e6, 1e6, 0.0])
    # v at its limit, m cut to the largest ratio, and neither.
    pairs = jnp.float32([0.0, -100.0, 100.0, 1.0]), jnp.float32([1e12, 1.0, 1.0, 1.0])
    counts = {
        name: int(code.saturated(through(code, values, jnp.uint32(2**31))[0]))
        for code, name in CODES.items()
        if not isinstance(code, BFloat16)
        for values in [pairs if isinstance(code, Ratio) else (huge**2,)]
    }
    assert counts == {name: 3 if name.endswith("pair") else 2 for name in counts}
    signed = FORMATS["8bit"].codes["signed"]
    assert signed.saturated(through(signed, (huge,), jnp.uint32(2**31))[0]) == 2
