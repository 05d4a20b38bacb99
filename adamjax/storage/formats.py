"""Storage formats: the code and the dtypes of the moments of each role.

A code converts one moment of a leaf, or Adam's two together, from float32 to arrays of the same
shape in smaller dtypes, and back. `word(0)` and `word(1)` return uint32 arrays of random bits.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
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

    stochastic: bool = True  # rounding to nearest freezes slow averages
    dtypes: tuple[str, ...] = ("bfloat16",)

    def encode(self, values: Arrays, word: Words) -> Arrays:
        """Return the codes of a leaf's moments."""
        dither = word(0) if self.stochastic else NEAREST
        return (round_bits(values[0], 16, dither).astype(jnp.bfloat16),)

    def decode(self, codes: Arrays) -> Arrays:
        """Return the moments of the codes."""
        return (codes[0].astype(jnp.float32),)


class Positive(NamedTuple):
    """The root of a non-negative moment as a tapered float of 8 or 16 bits."""

    bits: int
    stochastic: bool = True
    dtypes: tuple[str, ...] = ("uint8",)

    def encode(self, values: Arrays, word: Words) -> Arrays:
        """Return the codes of a leaf's moments."""
        dither = word(0) if self.stochastic else NEAREST
        code = encode_log_magnitude(jnp.sqrt(values[0]), self.bits, dither)
        return (code.astype(self.dtypes[0]),)

    def decode(self, codes: Arrays) -> Arrays:
        """Return the moments of the codes."""
        return (jnp.square(decode_log_magnitude(codes[0], self.bits)),)

    def saturated(self, codes: Arrays) -> Array:
        """Return the number of elements with the largest code."""
        return _count(codes[0] == 2**self.bits - 1)


class Signed(NamedTuple):
    """Any moment as a sign and a tapered float of 7 bits."""

    dtypes: tuple[str, ...] = ("int8",)

    def encode(self, values: Arrays, word: Words) -> Arrays:
        """Return the codes of a leaf's moments."""
        code = encode_log_magnitude(values[0], 7, word(0), bend=0.8)
        return (jnp.where(values[0] < 0.0, -code, code).astype("int8"),)

    def decode(self, codes: Arrays) -> Arrays:
        """Return the moments of the codes."""
        code = codes[0].astype(jnp.float32)
        value = decode_log_magnitude(jnp.abs(code), 7)
        return (jnp.sign(code) * value,)

    def saturated(self, codes: Arrays) -> Array:
        """Return the number of elements with the largest code."""
        return _count((codes[0] == 127) | (codes[0] == -127))


class Ratio(NamedTuple):
    """Adam's m and v: √v as a tapered float, and the ratio of m to the decoded √v.

    v = 0 implies m = 0, and rounding of v does not make m / √v large. If v has more bits than its
    dtype, m's byte contains the lowest of them below m.
    """

    m_bits: int
    v_bits: int
    dtypes: tuple[str, ...] = ("int8", "uint8")

    def encode(self, values: Arrays, word: Words) -> Arrays:
        """Return the codes of a leaf's moments."""
        mu, nu = values
        v = encode_log_magnitude(jnp.sqrt(nu), self.v_bits, word(0))
        m = encode_ratio(mu, decode_log_magnitude(v, self.v_bits), self.m_bits, word(1))
        return jax.lax.platform_dependent(m, v, cpu=self.pack_in_one_loop, default=self.pack)

    def pack(self, m: Array, v: Array) -> Arrays:
        """Return bytes of m and of the lowest bits of v, and the other bits of v."""
        levels = 1 << (8 - self.m_bits)
        high = jnp.floor(v / levels)
        return (v + (m - high) * levels).astype(self.dtypes[0]), high.astype(self.dtypes[1])

    def pack_in_one_loop(self, m: Array, v: Array) -> Arrays:
        """Return the same from one array of both, for CPU.

        XLA's CPU backend has a loop for each output, and would decode, update and encode in each.
        """
        both = (1 << self.v_bits) * m + v
        if self.v_bits + self.m_bits <= 16:
            # The lowest bits of this sum. A conversion limits the range, which takes longer.
            both = jax.lax.bitcast_convert_type(both + 1.5 * 2.0**23, jnp.int32).astype(jnp.int16)
        else:
            both = both.astype(jnp.int32)
        both = jax.lax.optimization_barrier(both)
        shift = 8 - self.m_bits
        m = (both >> self.v_bits << shift) + (both & (1 << shift) - 1)
        return m.astype(self.dtypes[0]), (both >> shift).astype(self.dtypes[1])

    def decode(self, codes: Arrays) -> Arrays:
        """Return the moments of the codes."""
        m, high = (code.astype(jnp.float32) for code in codes)
        levels = 1 << (8 - self.m_bits)
        m /= levels
        ratio = jnp.floor(m)
        root = decode_log_magnitude((high + (m - ratio)) * levels, self.v_bits)
        return decode_ratio(ratio, root, self.m_bits), jnp.square(root)

    def saturated(self, codes: Arrays) -> Array:
        """Return the number of elements with v's largest code or with a limited m.

        Rounding alone also leads to the largest ratio, up to four times as often as to the code
        below it. These cases are subtracted.
        """
        shift, limit = 8 - self.m_bits, 2 ** (self.m_bits - 1) - 1
        low, high = (1 << shift) - 1, (1 << (self.v_bits - shift)) - 1
        largest = (codes[1] == high) & (codes[0] & low == low)
        ratio = jnp.where(largest, 0, jnp.abs(codes[0] >> shift))
        cut = _count(ratio == limit) - 4 * _count(ratio == limit - 1)
        return _count(largest) + jnp.maximum(cut, 0)


def _count(where: Array) -> Array:
    # A sum of ones in float32 may stop at 2²⁴.
    return jnp.sum(where, dtype=jnp.int32)


Code = BFloat16 | Positive | Signed | Ratio
_RATIO_8 = Ratio(7, 9)
_RATIO_16 = Ratio(8, 16, ("int8", "uint16"))
_MAXIMUM = Positive(8, stochastic=False)


class Format(NamedTuple):
    """Codes of the moments of a state.

    Attributes:
      codes: a code for each role. A "mean" without a "square" is coded as "signed".
      pair: code for "mean" and "square" together, or None.
      pair_below_maximum: `pair` for a state with a "maximum" of the square, which would accumulate
        the upward errors of a coarser code.
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
    """Return the groups of fields that are coded together, and their codes."""
    chosen = FORMATS[storage]
    fields = {role: name for name, role in roles.items()}
    pair = chosen.pair_below_maximum if "maximum" in fields else chosen.pair
    together = ()
    coded: list[tuple[tuple[str, ...], Any]] = []
    if pair is not None and {"mean", "square"} <= set(fields):
        together = (fields["mean"], fields["square"])
        coded.append((together, pair))
    for name, role in roles.items():
        code = chosen.codes.get(role, chosen.codes.get("signed"))
        if name not in together and code is not None:
            coded.append(((name,), code))
    return coded
