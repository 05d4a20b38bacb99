"""Laws of the formats: any input at all, and nothing lost by encoding again."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st

from adamjax.storage.codes import NEAREST
from adamjax.storage.formats import FORMATS, BFloat16
from tests.storage.laws import ANY, DITHERS, law

CODES = [
    (f"{storage}-{place}", code)
    for storage, chosen in FORMATS.items()
    for place, code in [*chosen.codes.items(), ("pair", chosen.pair)]
    if code is not None
]
every_code = pytest.mark.parametrize("code", [c for _, c in CODES], ids=[name for name, _ in CODES])


def through(code, values, dither=NEAREST):
    encoded = code.encode(values, lambda k: jnp.full(values[0].shape, dither, jnp.uint32))
    assert tuple(x.dtype.name for x in encoded) == code.dtypes
    return encoded, tuple(map(np.asarray, code.decode(encoded)))


@every_code
@law
@given(first=ANY, second=ANY, dither=DITHERS)
def test_formats_take_any_number(code, first, second, dither):
    """Zero stays 0, signs stay; what is not finite gives something that is, or itself."""
    values = (first, abs(second)) if len(code.dtypes) == 2 else (first,)
    _, decoded = through(code, tuple(map(jnp.asarray, values)), dither)
    for x, y in zip(values, decoded, strict=True):
        assert (y[x == 0] == 0).all()
        positive = type(code).__name__ == "Positive"
        assert (y * np.sign(np.where(positive, abs(x), x)) >= 0)[np.isfinite(x)].all()
        if not isinstance(code, BFloat16):
            assert np.isfinite(y).all()
    if len(code.dtypes) == 2:
        assert (decoded[0][decoded[1] == 0] == 0).all()  # no m without its v


@every_code
@law
@given(first=ANY, second=ANY, dithers=st.tuples(DITHERS, DITHERS))
def test_encoding_again_changes_nothing(code, first, second, dithers):
    values = (first, abs(second)) if len(code.dtypes) == 2 else (first,)
    values = tuple(jnp.nan_to_num(jnp.asarray(x)) for x in values)
    _, decoded = through(code, values, dithers[0])
    _, again = through(code, tuple(map(jnp.asarray, decoded)), dithers[1])
    for x, y in zip(decoded, again, strict=True):
        np.testing.assert_array_equal(x, y)
