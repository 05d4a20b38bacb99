"""What the tests of the codes share: numbers to try, and words of random bits."""

import jax.numpy as jnp
import numpy as np
from hypothesis import settings, strategies as st
from hypothesis.extra.numpy import arrays

law = settings(max_examples=40, derandomize=True, deadline=None, database=None)
DITHERS = st.integers(0, 2**32 - 1) | st.sampled_from([0, 2**31, 2**32 - 1])
ANY = arrays(np.float32, 32, elements=st.floats(width=32))
DRAWS = 10**6


def word(value):
    return jnp.uint32(value)
