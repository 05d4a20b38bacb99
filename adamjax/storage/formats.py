"""The storage formats: which code keeps the moments of which roles, and in which dtypes.

A code turns float32 arrays of one leaf's moments into arrays of the same shape and smaller dtypes,
and back: one moment by itself, or Adam's two together. `word(0)`, `word(1)` ... are uint32 arrays
of random bits, one for each thing that is rounded.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp

from adamjax.moments import Array
from adamjax.storage.codes import (
    NEAREST,
    decode_log_magnitude,
    decode_ratio,
    encode_log_magnitude,
    encode_ratio,
    round_bits,
)

Arrays = tuple[Array, ...]
Words = Callable[[int], Array]


class BFloat16(NamedTuple):
    """Any moment as a bfloat16."""

    stochastic: bool = True  # nearest freezes an average that changes little in a step
    dtypes: tuple[str, ...] = ("bfloat16",)

    def encode(self, values: Arrays, word: Words) -> Arrays:
        """The codes of a leaf's moments."""
        dither = word(0) if self.stochastic else NEAREST
        return (round_bits(values[0], 16, dither).astype(jnp.bfloat16),)

    def decode(self, codes: Arrays) -> Arrays:
        """The moments that the codes stand for."""
        return (codes[0].astype(jnp.float32),)


class Positive(NamedTuple):
    """A moment that is not negative, its root as a tapered float of 8 or 16 bits."""

    bits: int
    stochastic: bool = True
    dtypes: tuple[str, ...] = ("uint8",)

    def encode(self, values: Arrays, word: Words) -> Arrays:
        """The codes of a leaf's moments."""
        dither = word(0) if self.stochastic else NEAREST
        code = encode_log_magnitude(jnp.sqrt(values[0]), self.bits, dither)
        return (code.astype(self.dtypes[0]),)

    def decode(self, codes: Arrays) -> Arrays:
        """The moments that the codes stand for."""
        return (jnp.square(decode_log_magnitude(codes[0], self.bits)),)

    def saturated(self, codes: Arrays) -> Array:
        """How many elements have the largest code, which stands for whatever is above it."""
        return _count(codes[0] == 2**self.bits - 1)


class Signed(NamedTuple):
    """Any moment as a sign and a tapered float of 7 bits."""

    dtypes: tuple[str, ...] = ("int8",)

    def encode(self, values: Arrays, word: Words) -> Arrays:
        """The codes of a leaf's moments."""
        code = encode_log_magnitude(values[0], 7, word(0), bend=0.8)  # the dither does the rest
        return (jnp.where(values[0] < 0.0, -code, code).astype("int8"),)

    def decode(self, codes: Arrays) -> Arrays:
        """The moments that the codes stand for."""
        code = codes[0].astype(jnp.float32)
        value = decode_log_magnitude(jnp.abs(code), 7)
        return (jnp.sign(code) * value,)

    def saturated(self, codes: Arrays) -> Array:
        """How many elements have the largest code, which stands for whatever is above it."""
        return _count((codes[0] == 127) | (codes[0] == -127))


class Ratio(NamedTuple):
    """Adam's m and v: √v as a tapered float, and m by its ratio to what that decodes to.

    v = 0 then implies m = 0, and no rounding of v can make m / √v explode. Where v has more bits
    than its own dtype, the lowest of them lie below m in m's byte.
    """

    m_bits: int
    v_bits: int
    dtypes: tuple[str, ...] = ("int8", "uint8")

    def encode(self, values: Arrays, word: Words) -> Arrays:
        """The codes of a leaf's moments."""
        mu, nu = values
        v = encode_log_magnitude(jnp.sqrt(nu), self.v_bits, word(0))
        m = encode_ratio(mu, decode_log_magnitude(v, self.v_bits), self.m_bits, word(1))
        levels = 1 << (8 - self.m_bits)
        high = jnp.floor(v / levels)
        m = v + (m - high) * levels
        return m.astype(self.dtypes[0]), high.astype(self.dtypes[1])

    def decode(self, codes: Arrays) -> Arrays:
        """The moments that the codes stand for."""
        m, high = (code.astype(jnp.float32) for code in codes)
        levels = 1 << (8 - self.m_bits)
        ratio = jnp.floor(m / levels)
        root = decode_log_magnitude(m + (high - ratio) * levels, self.v_bits)
        return decode_ratio(ratio, root, self.m_bits), jnp.square(root)

    def saturated(self, codes: Arrays) -> Array:
        """How many elements have v's largest code, or their m cut to the largest ratio.

        Rounding brings some there that need no cut, but leaves others of them one code below: they
        do not count if these are a fifth of both.
        """
        shift, limit = 8 - self.m_bits, 2 ** (self.m_bits - 1) - 1
        low, high = (1 << shift) - 1, (1 << (self.v_bits - shift)) - 1
        largest = (codes[1] == high) & (codes[0] & low == low)
        ratio = jnp.where(largest, 0, jnp.abs(codes[0] >> shift))
        cut = _count(ratio == limit) - 4 * _count(ratio == limit - 1)
        return _count(largest) + jnp.maximum(cut, 0)


def _count(where: Array) -> Array:
    # Whole numbers: a sum of ones in float32 may stop at 2²⁴.
    return jnp.sum(where, dtype=jnp.int32)


Code = BFloat16 | Positive | Signed | Ratio
_RATIO_8 = Ratio(7, 9)
_RATIO_16 = Ratio(8, 16, ("int8", "uint16"))
_MAXIMUM = Positive(8, stochastic=False)


class Format(NamedTuple):
    """A code for each role, and for a mean and the square that bounds it together.

    Attributes:
      codes: by role; a "mean" that has no "square" beside it is kept as "signed".
      pair: for "mean" and "square" together, if they are.
      pair_below_maximum: the same where a "maximum" of the square is kept: it would climb on every
        upward error of a coarse one.
    """

    codes: Mapping[str, Code]
    pair: Ratio | None = None
    pair_below_maximum: Ratio | None = None


FORMATS = {
    "float32": Format({}),
    "bfloat16": Format(
        {
            "mean": BFloat16(),
            "square": BFloat16(),
            "signed": BFloat16(),
            "maximum": BFloat16(stochastic=False),
        }
    ),
    "8bit_v16": Format(
        {"square": Positive(16, dtypes=("uint16",)), "signed": Signed(), "maximum": _MAXIMUM},
        _RATIO_16,
        _RATIO_16,
    ),
    "8bit": Format(
        {"square": Positive(8), "signed": Signed(), "maximum": _MAXIMUM}, _RATIO_8, _RATIO_16
    ),
}


def groups(storage: str, roles: Mapping[str, str]) -> list[tuple[tuple[str, ...], Code]]:
    """Which fields of a state are coded together, and how.

    >>> groups("8bit", {"mu": "mean", "nu": "square"})[0][0]
    ('mu', 'nu')
    >>> groups("float32", {"mu": "mean", "nu": "square"})
    []
    """
    chosen = FORMATS[storage]
    fields = {role: name for name, role in roles.items()}
    pair = chosen.pair_below_maximum if "maximum" in fields else chosen.pair
    together = ()
    found: list[tuple[tuple[str, ...], Any]] = []
    if pair is not None and {"mean", "square"} <= set(fields):
        together = (fields["mean"], fields["square"])
        found.append((together, pair))
    for name, role in roles.items():
        code = chosen.codes.get(role, chosen.codes.get("signed"))
        if name not in together and code is not None:
            found.append(((name,), code))
    return found
