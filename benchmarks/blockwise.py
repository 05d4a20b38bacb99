"""The usual 8-bit AdamW, to compare with: codes in units of the largest element of their block."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

# Two arrays for each moment: codes in the parameter's shape, and a scale for each block.
Quantized = tuple[jax.Array, jax.Array]


class BlockwiseState(NamedTuple):
    """Steps done, and by parameter the codes and scales of both averages."""

    count: jax.Array
    mu: Any
    nu: Any


class Blocks(NamedTuple):
    """Blocks of a matrix: `size` neighbours in a row, or in a column."""

    size: int
    in_columns: bool

    def cut(self, x: jax.Array) -> tuple[jax.Array, int]:
        """The matrix with an axis of its own for the elements of a block, and which that is."""
        rows, columns = x.shape
        if self.in_columns:
            return x.reshape(-1, self.size, columns), 1
        return x.reshape(rows, -1, self.size), 2

    def encode(self, x: jax.Array, dtype: Any) -> Quantized:
        """Codes and scales."""
        blocks, axis = self.cut(x)
        largest = jnp.max(jnp.abs(blocks), axis)
        units = jnp.iinfo(dtype).max / jnp.where(largest > 0, largest, 1)
        codes = jnp.round(blocks * jnp.expand_dims(units, axis)).astype(dtype)
        return codes.reshape(x.shape), largest

    def decode(self, kept: Quantized) -> jax.Array:
        """The numbers that the codes represent."""
        codes, largest = kept
        blocks, axis = self.cut(codes.astype(jnp.float32))
        units = largest / jnp.iinfo(codes.dtype).max
        return (blocks * jnp.expand_dims(units, axis)).reshape(codes.shape)


def adamw(
    learning_rate: float,
    *,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 1e-4,
    block: Blocks,
) -> optax.GradientTransformation:
    """AdamW with m and √v as 8-bit integers beside a float32 scale for each block.

    For trees of matrices. Evenly spaced codes, rounded to nearest: the least work that a blockwise
    format can do. Others look their codes up in tables.
    """
    zeros = {"mu": jnp.int8, "nu": jnp.uint8}

    def init(params: Any) -> BlockwiseState:
        nothing = lambda dtype: jax.tree.map(  # noqa: E731
            lambda p: block.encode(jnp.zeros(p.shape), dtype), params
        )
        return BlockwiseState(
            jnp.zeros([], jnp.int32), **{field: nothing(dtype) for field, dtype in zeros.items()}
        )

    def one(count: jax.Array, g: jax.Array, mu: Quantized, nu: Quantized, p: jax.Array) -> Any:
        m = b1 * block.decode(mu) + (1 - b1) * g
        v = b2 * jnp.square(block.decode(nu)) + (1 - b2) * jnp.square(g)
        direction = m / (1 - b1**count) / (jnp.sqrt(v / (1 - b2**count)) + eps)
        update = -learning_rate * (direction + weight_decay * p)
        return update, block.encode(m, zeros["mu"]), block.encode(jnp.sqrt(v), zeros["nu"])

    def update(updates: Any, state: Any, params: Any = None) -> Any:
        count = state.count + 1
        leaves, treedef = jax.tree.flatten(updates)
        columns = map(treedef.flatten_up_to, (state.mu, state.nu, params))
        changes, mus, nus = zip(*map(partial(one, count), leaves, *columns), strict=True)
        mu, nu = treedef.unflatten(mus), treedef.unflatten(nus)
        return treedef.unflatten(changes), BlockwiseState(count, mu, nu)

    return optax.GradientTransformation(init, update)
