"""What can turn with a basis: moments of each element that are there; the rest is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax

RANDOM = np.random.default_rng(5)
TREES = [
    {
        "w": jnp.asarray(RANDOM.normal(size=(6, 4)), jnp.float32),
        "b": jnp.asarray(RANDOM.normal(size=4), jnp.float32),
    }
    for _ in range(6)
]
START = TREES[0]


def run(tx, trees=TREES[1:]):
    """The directions of each step."""
    state, seen, update = tx.init(START), [], jax.jit(tx.update)
    for gradient in trees:
        directions, state = update(gradient, state, START)
        seen.append(directions)
    return jax.tree.map(lambda *x: np.stack(x), *seen)


def only(name):
    return {key: key == name for key in START}


def test_leaves_that_a_mask_leaves_out_have_no_moments():
    masked = run(adamjax.eigenbasis(optax.masked(adamjax.scale_by_adam(), only("w")), every=1))
    whole = run(adamjax.eigenbasis(adamjax.scale_by_adam(), every=1))
    np.testing.assert_allclose(masked["w"], whole["w"], atol=1e-6)
    np.testing.assert_array_equal(masked["b"][1:], [tree["b"] for tree in TREES[2:]])


def test_the_parts_of_a_partition_turn_each():
    parts = {"matrices": adamjax.scale_by_adam(), "others": adamjax.scale_by_lion()}
    parted = run(
        adamjax.eigenbasis(
            optax.partition(parts, {"w": "matrices", "b": "others"}),
            every=1,
        )
    )
    whole = run(adamjax.eigenbasis(adamjax.scale_by_adam(), every=1))
    np.testing.assert_allclose(parted["w"], whole["w"], atol=1e-6)


@pytest.mark.parametrize(
    "make", [adamjax.scale_by_muon, adamjax.scale_by_mars_adamw, adamjax.scale_by_novograd]
)
def test_compositions_turn(make):
    assert np.isfinite(run(adamjax.eigenbasis(make(), every=1))["w"]).all()


STORED = {"min_size": 0, "exclude": "b"}


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        (
            adamjax.store(adamjax.scale_by_adam(), "8bit", **STORED),
            r"mu of 'w' is int8 of shape \(6, 4\)",
        ),
        (
            adamjax.scale_by_adafactor(min_dim_size_to_factor=2),
            r"v of 'w' is float32 of shape \(1, 1\)",
        ),
        (
            optax.scale_by_factored_rms(min_dim_size_to_factor=2),
            r"v of 'w' is float32 of shape \(1,\)",
        ),
        (adamjax.scale_by_came(), r"v of 'w' is float32 of shape"),
        (adamjax.scale_by_adashift(), r"window of 'b' is float32 of shape \(10, 4\)"),
        (adamjax.grokfast_window(3), r"window of 'b' is float32 of shape \(3, 4\)"),
        (
            adamjax.scale_by_adam_mini(),
            r"an array of shape \(.*\) that is not a moment with a role",
        ),
        (adamjax.scale_by_madgrad(), r"an array of shape \(.*\) that is not a moment with a role"),
    ],
    ids=["store", "adafactor", "factored_rms", "came", "adashift", "window", "mini", "madgrad"],
)
def test_what_cannot_turn_is_refused_at_once(inner, message):
    with pytest.raises(ValueError, match=f"inner: its state('s| has) {message}.*cannot be rotated"):
        adamjax.eigenbasis(inner).init(START)


def test_bits_of_randomness_are_no_moments():
    noisy = optax.chain(optax.add_noise(0.1, 0.5, 0), adamjax.scale_by_adam())
    assert np.isfinite(run(adamjax.eigenbasis(noisy, every=1))["w"]).all()


def test_storage_goes_around_the_basis():
    plain = adamjax.eigenbasis(adamjax.scale_by_adam(), every=1)
    seen, wanted = run(adamjax.store(plain, "8bit", **STORED))["w"], run(plain)["w"]
    assert np.sum(seen * wanted) > 0.95 * np.linalg.norm(seen) * np.linalg.norm(wanted)
