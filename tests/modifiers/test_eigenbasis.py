"""Optimizers in an eigenbasis: equivariance to rotations, and states that prevent it."""

import itertools

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


def run(tx, trees=TREES[1:], params=START):
    """The directions of each step."""
    state, directions, update = tx.init(params), [], jax.jit(tx.update)
    for gradient in trees:
        direction, state = update(gradient, state, params)
        directions.append(direction)
    return jax.tree.map(lambda *x: np.stack(x), *directions)


@pytest.fixture(scope="module")
def whole():
    """Of Adam in an eigenbasis that turns in every step."""
    return run(adamjax.eigenbasis(adamjax.scale_by_adam(), every=1))


def only(name):
    return {key: key == name for key in START}


def test_it_does_not_matter_to_gradient_descent():
    """A rotated gradient is rotated back: all steps but the first are those of the inner."""
    turned = run(adamjax.eigenbasis(adamjax.scale_by_sgd(0.9), every=2))["w"]
    plain = run(adamjax.scale_by_sgd(0.9), TREES[2:])["w"]
    np.testing.assert_array_equal(turned[0], 0)
    np.testing.assert_allclose(turned[1:], plain, atol=1e-5)


def test_it_follows_a_rotation_of_the_parameters():
    """SOAP of Q G is Q times SOAP of G. Adam's is not."""
    q = np.linalg.qr(RANDOM.normal(size=(4, 4)))[0].astype("f")
    square = [tree["w"][:4] for tree in TREES]
    soap, adam = adamjax.scale_by_soap(precondition_frequency=2), adamjax.scale_by_adam()
    for tx, same in ((soap, True), (adam, False)):
        plain, turned = (run(tx, gs, square[0]) for gs in (square, [q @ g for g in square]))
        assert np.allclose(turned, q @ plain, atol=1e-3) == same


def test_covariances_are_averages_and_bases_are_kept():
    """`decay_mode`, `every` and `max_size`: with 5, the six rows are not turned."""
    tx = adamjax.eigenbasis(adamjax.scale_by_adam(), 0.75, every=2, max_size=5)
    state = tx.init(START)
    assert state.covariances[1]["w"].shape == state.bases[1]["w"].shape == (1, 1)
    right, bases = np.zeros((4, 4)), []
    for tree in TREES:
        _, state = tx.update(tree, state, START)
        right = 0.75 * right + 0.25 * np.asarray(tree["w"].T @ tree["w"])
        np.testing.assert_allclose(state.covariances[0]["w"], right, rtol=1e-5)
        bases.append(np.asarray(state.bases[0]["w"]))
        np.testing.assert_allclose(bases[-1].T @ bases[-1], np.eye(4), atol=1e-5)
    changed = [not np.array_equal(a, b) for a, b in itertools.pairwise(bases)]
    assert changed == [False, True, False, True, False]
    # The largest come first. At first the vectors are the eigenvectors themselves.
    last = np.diag(bases[-1].T @ right @ bases[-1])
    assert last[0] > last[-1]
    first = bases[0].T @ np.asarray(TREES[0]["w"].T @ TREES[0]["w"]) @ bases[0]
    np.testing.assert_allclose(first, np.diag(np.diag(first)), atol=1e-4)
    assert (np.diff(np.diag(first)) < 0).all()


def test_squares_stay_with_their_eigenvector():
    """The second gradient makes the second axis the larger one, so that both change places."""
    tx = adamjax.eigenbasis(adamjax.scale_by_amsgrad(), 0.5, every=1)
    state = tx.init(jnp.zeros((2, 2)))
    for g in (jnp.diag(jnp.array([2.0, 1.0])), jnp.diag(jnp.array([1.0, 10.0]))):
        _, state = tx.update(g, state)
    inner = state.inner_state
    np.testing.assert_allclose(inner.nu, 0.001 * np.diag([100.0, 1.0]), rtol=1e-5)
    assert inner.nu_max[0, 0] > inner.nu_max[1, 1] > 0
    np.testing.assert_allclose(abs(inner.mu), np.diag([1.0, 0.1]), atol=1e-6)


def test_parts_of_the_parameters_turn_alone(whole):
    """Leaves outside of a mask have no moments. Each part of a partition rotates."""
    masked = run(adamjax.eigenbasis(optax.masked(adamjax.scale_by_adam(), only("w")), every=1))
    np.testing.assert_allclose(masked["w"], whole["w"], atol=1e-6)
    np.testing.assert_array_equal(masked["b"][1:], [tree["b"] for tree in TREES[2:]])
    parts = {"matrices": adamjax.scale_by_adam(), "others": adamjax.scale_by_lion()}
    partition = optax.partition(parts, {"w": "matrices", "b": "others"})
    parted = run(adamjax.eigenbasis(partition, every=1))
    np.testing.assert_allclose(parted["w"], whole["w"], atol=1e-6)


STORED = {"min_size": 0, "exclude": "b"}


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        (adamjax.store(adamjax.scale_by_adam(), "8bit", **STORED), "mu of 'w' is int8"),
        (adamjax.scale_by_adafactor(min_dim_size_to_factor=2), r"v of 'w' is float32 of shape"),
        (optax.scale_by_factored_rms(min_dim_size_to_factor=2), r"v of 'w' is float32 of shape"),
        (adamjax.scale_by_adashift(), r"window of 'b' is float32 of shape \(10, 4\)"),
        (adamjax.scale_by_madgrad(), r"an array of shape \(.*\) that is not a moment with a role"),
    ],
    ids=["store", "adafactor", "factored_rms", "window", "madgrad"],
)
def test_states_that_cannot_turn_are_refused_in_init(inner, message):
    with pytest.raises(ValueError, match=f"inner: its state('s| has) {message}.*cannot be rotated"):
        adamjax.eigenbasis(inner).init(START)


def test_storage_goes_around_the_basis(whole):
    stored = run(adamjax.store(adamjax.eigenbasis(adamjax.scale_by_adam(), every=1), **STORED))
    a, b = stored["w"], whole["w"]
    assert np.sum(a * b) > 0.95 * np.linalg.norm(a) * np.linalg.norm(b)


def test_one_transformation_serves_partitions_with_different_layouts():
    g = {"w": jax.random.normal(jax.random.key(0), (2, 2, 2))}

    def make():
        return adamjax.eigenbasis(adamjax.scale_by_adam(), every=1)

    def steps(inner, layouts):
        part = adamjax.partition_matrices(inner, optax.sgd(1.0), layouts)
        first, state = part.update(g, part.init(g), g)
        return first, part.update(g, state, g)[0]

    shared = make()
    for layouts in ("a b c -> a (b c)", "a b c -> b (a c)"):
        jax.tree.map(np.testing.assert_array_equal, steps(shared, layouts), steps(make(), layouts))
