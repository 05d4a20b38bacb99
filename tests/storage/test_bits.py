"""The random bits: evenly spread, unalike, and the same on any number of devices.

Run as a script with a file name, this saves what `everything` computes on the devices at hand.
"""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import adamjax
from adamjax.storage import bits

SHAPE = (64, 80)
N = 1 << 18


# Sharded over one axis of devices, over both, or not at all.
LAYOUTS = [
    (AxisType.Auto, PartitionSpec("b", "a"), ("bfloat16", "8bit_v16", "8bit")),
    (AxisType.Explicit, PartitionSpec("a"), ("8bit",)),
    (AxisType.Auto, PartitionSpec(), ()),
]


def everything():
    """Bits, states and parameters from sharded computations, by name."""
    found = {}
    devices = len(jax.devices())
    for i, (kind, spec, formats) in enumerate(LAYOUTS):
        axes = (max(devices // 2, 1), min(devices, 2))
        mesh = jax.make_mesh(axes, ("a", "b"), axis_types=(kind,) * 2)
        sharding = NamedSharding(mesh, spec)
        if kind == AxisType.Auto:
            compute = jax.jit(some_bits, out_shardings=sharding)
            found |= {f"{i} {name}": x for name, x in compute(jnp.int32(3)).items()}
        kernel = np.linspace(-1, 1, 5120, dtype=np.float32).reshape(SHAPE)
        for storage in formats:
            trained = train(storage, jax.device_put(kernel, sharding))
            found |= {f"{i} {storage} {name}": x for name, x in trained.items()}
    return {name: np.asarray(x).view(f"u{x.dtype.itemsize}") for name, x in found.items()}


def some_bits(count):
    seed = bits.leaf_seed("dense/kernel")
    return {
        "fresh": bits.random_bits(SHAPE, seed, count),
        **{f"dither {word}": bits.dither(SHAPE, seed, count, word) for word in range(4)},
    }


def train(storage, kernel):
    """A few steps, with gradients of which no sum over devices is needed."""
    tx = adamjax.adamw(1e-2, storage=storage, param_rounding="stochastic")
    params = {"w": kernel.astype(jnp.bfloat16)}
    state, update = tx.init(params), jax.jit(tx.update)
    for t in range(4):
        updates, state = update({"w": kernel * (t + 1) + 0.25}, state, params)
        params = optax.apply_updates(params, updates)
    moments = state[0][0]
    return {"mu": moments.mu["w"], "nu": moments.nu["w"], "p": params["w"]}


def test_the_same_on_one_and_on_eight_devices(tmp_path):
    """Under every sharding; hence after a restart on another number of devices as well."""
    file = tmp_path / "eight.npz"
    flags = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "PYTHONPATH": root}
    subprocess.run([sys.executable, __file__, file], env=environment, check=True, timeout=300)
    eight, one = dict(np.load(file)), everything()
    assert eight.pop("devices") == 8
    assert eight.keys() == one.keys()
    for name, wanted in one.items():
        np.testing.assert_array_equal(eight[name], wanted, err_msg=name)
    for name in ("fresh", "dither 0", "8bit mu", "8bit nu", "8bit p"):
        alike = [x for key, x in eight.items() if key.endswith(f" {name}")]
        assert len(alike) == 2
        np.testing.assert_array_equal(*alike, err_msg=name)


# --- evenly spread


@pytest.mark.parametrize("make", [bits.random_bits, bits.dither])
@pytest.mark.parametrize("count", [0, 1, 12345, 2**31 - 1])
def test_uniform(make, count):
    """χ² of the highest and of the lowest byte over the elements: within 5σ of 255."""
    word = np.asarray(make((N,), bits.leaf_seed("w"), jnp.int32(count)))
    for byte in (word >> 24, word >> 16 & 255, word & 255):
        seen = np.bincount(byte, minlength=256)
        assert abs(np.sum((seen - N / 256) ** 2) / (N / 256) - 255) < 5 * np.sqrt(2 * 255)
    share = [np.mean(word >> bit & 1) for bit in range(32)]
    assert np.max(np.abs(np.asarray(share) - 0.5)) < 5 * 0.5 / np.sqrt(N)


def correlation(a, b):
    a, b = (np.asarray(x, np.float64).ravel() for x in (a, b))
    return abs(np.corrcoef(a, b)[0, 1]) * np.sqrt(a.size)


def test_unalike():
    """Leaves, elements, rows, steps and words: no correlation beyond 5σ."""
    shape = (512, 512)
    a, b = bits.leaf_seed("a"), bits.leaf_seed("b")
    count = jnp.int32(7)
    one = bits.random_bits(shape, a, count)
    others = {
        "leaf": bits.random_bits(shape, b, count),
        "step": bits.random_bits(shape, a, count + 1),
        "row": jnp.roll(one, 1, axis=0),
        "column": jnp.roll(one, 1, axis=1),
        "dither": bits.dither(shape, a, count),
        "leaf and step": bits.random_bits(shape, a + np.uint32(1), count - 1),
    }
    for name, other in others.items():
        assert correlation(one, other) < 5, name
        assert np.mean(np.asarray(one) == np.asarray(other)) < 1e-4, name
    words = [bits.dither(shape, a, count, word) for word in range(4)]
    for i in range(4):
        assert correlation(words[i], bits.dither(shape, b, count, i)) < 5
        assert correlation(words[i], np.roll(words[i], 1, axis=1)) < 5
        for j in range(i):
            # Rotations of one word: what one has in its low bits the next has in its high ones.
            assert correlation(words[i], words[j]) < 5 + np.sqrt(N) / 64


@pytest.mark.parametrize("word", range(4))
def test_dither_is_even_in_time(word):
    """After n steps no stretch of [0, 1) has been visited more than a few times too often."""
    at = jax.jit(jax.vmap(lambda count: bits.dither((8,), 5, count, word)))
    visits = np.asarray(at(jnp.arange(4096)), np.float64) / 2**32
    for n in (16, 256, 4096):
        ordered = np.sort(visits[:n], axis=0)
        discrepancy = np.max(np.abs(ordered - (np.arange(n)[:, None] + 0.5) / n))
        assert discrepancy < 3 * np.log(n) / n  # of independent bits: about 1 / √n


def test_bits_depend_on_the_place_in_the_whole_array():
    """A part of an array is not an array of its own; more than 2³² elements wrap around."""
    index = bits.element_index((3, 4, 5))
    np.testing.assert_array_equal(index, np.arange(60).reshape(3, 4, 5))
    large = jax.eval_shape(lambda: bits.element_index((2**17, 2**17)))
    assert large.shape == (2**17, 2**17)
    assert bits.element_index(()).shape == ()
    assert bits.element_index((0, 3)).shape == (0, 3)


def test_mix_is_a_bijection():
    word = np.asarray(bits.hash_u32(jnp.arange(N, dtype=jnp.uint32)))
    assert np.unique(word).size == N
    flips = [
        np.mean(
            np.unpackbits(
                (
                    word
                    ^ np.asarray(
                        bits.hash_u32(jnp.arange(N, dtype=jnp.uint32) ^ np.uint32(1 << bit))
                    )
                ).view(np.uint8)
            )
        )
        for bit in range(32)
    ]
    assert np.max(np.abs(np.asarray(flips) - 0.5)) < 0.02  # each input bit flips half of the output


if __name__ == "__main__":
    np.savez(sys.argv[1], devices=len(jax.devices()), **everything())
