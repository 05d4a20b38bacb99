"""The random bits: evenly spread, unalike, and the same under every sharding."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import adamjax
from adamjax.storage import bits
from tests.storage.laws import dither, random_bits

N = 1 << 18


def test_the_same_under_every_sharding():
    """Training with them on a mesh is in tests/sharding."""
    shape, seed = (64, 80), bits.leaf_seeds(["dense/kernel"])[0]

    def some_bits(count):
        return [
            random_bits(shape, seed, count),
            *(dither(shape, seed, count, w) for w in range(4)),
        ]

    expected = jax.jit(some_bits)(jnp.int32(3))
    mesh = jax.make_mesh((4, 2), ("a", "b"), axis_types=(AxisType.Auto,) * 2)
    for spec in (PartitionSpec("b", "a"), PartitionSpec("a")):
        divided = jax.jit(some_bits, out_shardings=NamedSharding(mesh, spec))(jnp.int32(3))
        for a, b in zip(divided, expected, strict=True):
            assert a.sharding.spec == spec
            np.testing.assert_array_equal(a, b)


# --- evenly spread


@pytest.mark.parametrize("make", [random_bits, dither])
def test_uniform(make):
    """χ² of the highest and of the lowest byte over the elements: within 5σ of 255."""
    words = jax.jit(lambda count: make((N,), bits.leaf_seeds(["w"])[0], count))
    for count in (0, 1, 12345, 2**31 - 1):
        word = np.asarray(words(jnp.int32(count)))
        for byte in (word >> 24, word >> 16 & 255, word & 255):
            counts = np.bincount(byte, minlength=256)
            assert abs(np.sum((counts - N / 256) ** 2) / (N / 256) - 255) < 5 * np.sqrt(2 * 255)
        share = [np.mean(word >> bit & 1) for bit in range(32)]
        assert np.max(np.abs(np.asarray(share) - 0.5)) < 5 * 0.5 / np.sqrt(N)


def correlation(a, b):
    a, b = (np.asarray(x, np.float64).ravel() for x in (a, b))
    return abs(np.corrcoef(a, b)[0, 1]) * np.sqrt(a.size)


def test_unalike():
    """Leaves, elements, rows, steps and words: no correlation beyond 5σ."""
    shape = (512, 512)
    a, b = bits.leaf_seeds(["a"])[0], bits.leaf_seeds(["b"])[0]
    count = jnp.int32(7)
    one = random_bits(shape, a, count)
    for other in (
        random_bits(shape, b, count),
        random_bits(shape, a, count + 1),
        jnp.roll(one, 1, axis=0),
        jnp.roll(one, 1, axis=1),
        dither(shape, a, count),
        random_bits(shape, a + np.uint32(1), count - 1),
    ):
        assert correlation(one, other) < 5
        assert np.mean(np.asarray(one) == np.asarray(other)) < 1e-4
    words = [dither(shape, a, count, word) for word in range(4)]
    for i in range(4):
        assert correlation(words[i], dither(shape, b, count, i)) < 5
        assert correlation(words[i], np.roll(words[i], 1, axis=1)) < 5
        for j in range(i):
            # Rotations of one word: the low bits of one are the high bits of the next.
            assert correlation(words[i], words[j]) < 5 + np.sqrt(N) / 64


def test_dither_is_even_in_time():
    """After n steps no stretch of [0, 1) has been visited more than a few times too often."""
    words = lambda count: jnp.stack([dither((8,), 5, count, word) for word in range(4)])  # noqa: E731
    visits = np.asarray(jax.jit(jax.vmap(words))(jnp.arange(4096)), np.float64) / 2**32
    for n in (16, 256, 4096):
        ordered = np.sort(visits[:n], axis=0)
        discrepancy = np.max(np.abs(ordered - (np.arange(n)[:, None, None] + 0.5) / n))
        assert discrepancy < 3 * np.log(n) / n  # of independent bits: about 1 / √n


def test_bits_depend_on_the_place_in_the_whole_array():
    """A part of an array has other bits than a whole array. Indices wrap around at 2³²."""
    index = bits.element_index((3, 4, 5))
    np.testing.assert_array_equal(index, np.arange(60).reshape(3, 4, 5))
    large = jax.eval_shape(lambda: bits.element_index((2**17, 2**17)))
    assert large.shape == (2**17, 2**17)
    assert bits.element_index(()).shape == ()
    assert bits.element_index((0, 3)).shape == (0, 3)


def test_mix_is_a_bijection_in_which_each_bit_flips_half_of_the_output():
    index = np.arange(N, dtype=np.uint32)
    mix = jax.jit(bits.hash_u32)
    word = np.asarray(mix(index))
    assert np.unique(word).size == N
    flips = [word ^ np.asarray(mix(index ^ np.uint32(1 << bit))) for bit in range(32)]
    shares = [np.mean(np.unpackbits(flip.view(np.uint8))) for flip in flips]
    assert np.max(np.abs(np.asarray(shares) - 0.5)) < 0.02


def test_seeds_are_operands_of_kernels():
    """A constant in a kernel would make each leaf's different, and compiled apart."""
    params = {name: jnp.ones((128, 128), jnp.bfloat16) for name in "abc"}
    tx = adamjax.adamw(storage="8bit", param_rounding="stochastic")
    program = jax.jit(tx.update).lower(params, tx.init(params), params).compile().as_text()
    kernels, entry = program.split("ENTRY")
    seeds = bits.leaf_seeds(list(params))
    for seed in (*seeds, *bits.hash_u32(seeds)):
        assert f"constant({seed})" not in kernels
        assert f"constant({seed})" in entry
