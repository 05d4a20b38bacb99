"""The formats that are compared: those of `adamjax.store`, and baselines in the manner of others.

A baseline is kept as the float32 numbers that its codes represent, which gives the same averages.
Its bytes are those of the arrays that `encode` returns.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax

Arrays = tuple[jax.Array, ...]
Pair = tuple[Callable[[Any], Any], Callable[[Any], Any]]  # to codes and back


class Format(NamedTuple):
    """A way to keep Adam's moments.

    Attributes:
      wrap: from a transformation to one that keeps its moments so.
      decode: from its state to one with float32 moments.
      state_bytes: for each parameter, of one large leaf.
      origin: "adamjax", or a description of the baseline.
    """

    wrap: Callable[[optax.GradientTransformation], optax.GradientTransformation]
    decode: Callable[[Any], Any]
    state_bytes: float
    origin: str = "adamjax"


class Code(Protocol):
    """From a float32 array to the arrays that are kept of it, and back."""

    def encode(self, x: jax.Array) -> Arrays: ...
    def decode(self, codes: Arrays, shape: tuple[int, ...]) -> jax.Array: ...


class Nearest(NamedTuple):
    """Another dtype, rounded to nearest."""

    dtype: Any = jnp.bfloat16

    def encode(self, x: jax.Array) -> Arrays:
        return (x.astype(self.dtype),)

    def decode(self, codes: Arrays, shape: tuple[int, ...]) -> jax.Array:
        return codes[0].astype(jnp.float32)


class Blocks(NamedTuple):
    """Codes of 8 bits in units of the largest of each block of elements.

    Attributes:
      size: elements in a block. The last block of a leaf is padded with zeros.
      squeeze, stretch: from x / largest to a code in ±127 or 0 to 255, and back.
      dtype: of the codes. The largest are float32: coarser ones, rounded to nearest, would freeze.
    """

    size: int
    squeeze: Callable[[jax.Array], jax.Array]
    stretch: Callable[[jax.Array], jax.Array]
    dtype: Any

    def encode(self, x: jax.Array) -> Arrays:
        padded = jnp.pad(x.ravel(), (0, -x.size % self.size)).reshape(-1, self.size)
        largest = jnp.abs(padded).max(axis=1, keepdims=True)
        share = jnp.where(largest > 0, padded / largest, 0)
        return self.squeeze(share).astype(self.dtype), largest

    def decode(self, codes: Arrays, shape: tuple[int, ...]) -> jax.Array:
        x = self.stretch(codes[0].astype(jnp.int32)) * codes[1]
        return x.ravel()[: int(np.prod(shape))].reshape(shape)


def linear(levels: int) -> Pair:
    """Evenly spaced codes."""
    return lambda x: jnp.round(levels * x), lambda q: q / levels


def companded(levels: int) -> Pair:
    """2x / (1 + |x|) evenly spaced: twice as fine near 0 as at the end."""

    def stretch(q):
        y = q / levels
        return y / (2 - jnp.abs(y))

    return lambda x: jnp.round(levels * 2 * x / (1 + jnp.abs(x))), stretch


def rooted(levels: int) -> Pair:
    """√x evenly spaced, for numbers that are not negative."""
    return lambda x: jnp.round(levels * jnp.sqrt(x)), lambda q: (q / levels) ** 2


def dynamic(signed: bool) -> Pair:
    """A decimal exponent of 0 to -6 in unary, and the bits that this leaves for the fraction."""
    parts = [np.zeros(1), np.ones(1)]
    for k in range(7):
        edges = np.linspace(0.1, 1, 2 ** (k if signed else k + 1) + 1)
        middles = (edges[:-1] + edges[1:]) / 2 * 10.0 ** (k - 6)
        parts += [middles, -middles] if signed else [middles]
    values = np.sort(np.concatenate(parts)).astype(np.float32)
    between = (values[:-1] + values[1:]) / 2
    return lambda x: jnp.searchsorted(between, x), lambda q: jnp.asarray(values)[q]


def stored(storage: str) -> Format:
    """One of adamjax's formats, for leaves of any size."""
    wrap = partial(adamjax.store, storage=storage, min_size=0)
    state = jax.eval_shape(wrap(optax.scale_by_adam()).init, jnp.zeros((1024, 1024)))
    return Format(
        wrap,
        partial(adamjax.convert_state, to="float32", min_size=0),
        (state.mu.dtype.itemsize + state.nu.dtype.itemsize),
    )


def baseline(mu: Code, nu: Code, origin: str) -> Format:
    """A format of a `ScaleByAdamState`, each moment in a code of its own."""
    example = jnp.zeros(2**16)
    arrays = jax.tree.leaves([jax.eval_shape(code.encode, example) for code in (mu, nu)])
    state_bytes = sum(array.size * array.dtype.itemsize for array in arrays) / example.size

    def wrap(tx: optax.GradientTransformation) -> optax.GradientTransformation:
        def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
            stepped: Any = tx.update(updates, state, params)
            updates, state = stepped
            kept_mu, kept_nu = (
                jax.tree.map(lambda x, code=code: code.decode(code.encode(x), x.shape), tree)
                for code, tree in ((mu, state.mu), (nu, state.nu))
            )
            return updates, state._replace(mu=kept_mu, nu=kept_nu)

        return optax.GradientTransformation(tx.init, update)

    return Format(wrap, lambda state: state, state_bytes, origin)


def formats() -> dict[str, Format]:
    """The formats to compare, by name. "float32" is the reference."""

    def blocks(size: int, mu: Pair, nu: Pair, dtype: Any, origin: str) -> Format:
        return baseline(Blocks(size, *mu, dtype), Blocks(size, *nu, jnp.uint8), origin)

    return {
        **{name: stored(name) for name in ("float32", "bfloat16", "8bit_v16", "8bit")},
        "bfloat16 nearest": baseline(Nearest(), Nearest(), "both moments rounded to nearest"),
        "blocks of 32, companded": blocks(
            32,
            companded(127),
            rooted(255),
            jnp.int8,
            "m by 2x / (1 + |x|), v by √x, both of the block's largest, rounded to nearest",
        ),
        "blocks of 256, dynamic": blocks(
            256,
            dynamic(signed=True),
            dynamic(signed=False),
            jnp.uint8,
            "nearest of 256 codes: a decimal exponent in unary, the rest a fraction",
        ),
        "blocks of 32, linear": blocks(
            32, linear(127), linear(255), jnp.int8, "evenly spaced codes, rounded to nearest"
        ),
    }
