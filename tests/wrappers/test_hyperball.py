"""Hyperball: matrices keep their norms, whatever the direction, and nothing else does."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P

import adamjax
from tests.sharding.collectives import collectives

RANDOM = np.random.default_rng(0)
LAYOUTS = {
    "heads": "in (heads=2 dim) -> heads dim in",
    "rows": "out=3+1 in -> out in",
    "w": "out in -> out in",
}
PARAMS = {
    name: jnp.asarray(RANDOM.normal(size=shape), jnp.float32)
    for name, shape in {"bias": (3,), "heads": (3, 8), "rows": (4, 5), "w": (6, 4)}.items()
}


def norms(params):
    """The norm of each matrix."""
    heads = jnp.linalg.norm(params["heads"].reshape(3, 2, 4), axis=(0, 2))
    rows = [jnp.linalg.norm(params["rows"][part]) for part in (slice(3), slice(3, 4))]
    return np.array([*heads, *rows, jnp.linalg.norm(params["w"])])


def moved(tx, gradients, steps=1, params=PARAMS):
    state, update = tx.init(params), jax.jit(tx.update)
    for _ in range(steps):
        updates, state = update(gradients, state, params)
        params = optax.apply_updates(params, updates)
    return params


@pytest.mark.parametrize(
    ("dtype", "largest"), [("float32", 1e-6), ("bfloat16", 2**-9)], ids=["float32", "bfloat16"]
)
def test_norms_stay_for_a_thousand_steps(dtype, largest):
    start = jnp.asarray(RANDOM.normal(size=(64, 48)), dtype)
    goal = jnp.asarray(RANDOM.normal(size=(64, 48)), dtype)
    tx = adamjax.hyperball(adamjax.scale_by_adam(), 0.01)

    def step(carry, key):
        params, state = carry
        gradient = params - goal + jax.random.normal(key, goal.shape, dtype)
        updates, state = tx.update(gradient, state, params)
        return (optax.apply_updates(params, updates), state), None

    keys = jax.random.split(jax.random.key(0), 1000)
    end = jax.jit(lambda p: jax.lax.scan(step, (p, tx.init(p)), keys)[0][0])(start)
    before, after, apart = (
        np.linalg.norm(np.asarray(x, np.float64)) for x in (start, end, start - end)
    )
    assert abs(after / before - 1) <= largest and apart > 0.5 * before


def test_each_matrix_of_a_layout_keeps_its_norm():
    """Others take the plain step, and a schedule counts the steps."""
    rates = jnp.array([0.2, 0.1])
    tx = adamjax.hyperball(adamjax.scale_by_sgd(), lambda count: rates[count], layouts=LAYOUTS)
    gradients = jax.tree.map(jnp.cos, PARAMS)
    after = moved(tx, gradients, 2)
    np.testing.assert_allclose(norms(after), norms(PARAMS), rtol=1e-6)
    bias = PARAMS["bias"] - rates.sum() * gradients["bias"]
    np.testing.assert_allclose(after["bias"], bias, rtol=1e-6)


def test_radius_is_the_norm_of_every_matrix():
    """Also of those that begin at 0."""
    start = {**PARAMS, "w": jnp.zeros((6, 4))}
    tx = adamjax.hyperball(adamjax.scale_by_lion(), 0.1, radius=3.0, layouts=LAYOUTS)
    after = moved(tx, PARAMS, params=start)
    np.testing.assert_allclose(norms(after), 3.0, rtol=1e-6)
    np.testing.assert_allclose(after["w"], -3 * jnp.sign(PARAMS["w"]) / np.sqrt(24), rtol=1e-6)


@pytest.mark.filterwarnings("ignore:.*has a matrix that is 0")
def test_no_direction():
    """Nothing moves without an update, nor an index of a stack that is 0, of which init warns."""
    layouts = {"w": "stack out in -> stack out in"}
    params = {"w": jnp.stack([PARAMS["w"], jnp.zeros((6, 4))])}
    tx = adamjax.hyperball(optax.identity(), 0.1, layouts=layouts)
    with pytest.warns(UserWarning, match=r"params\['w'\] has a matrix that is 0.*'other'"):
        after = moved(tx, jax.tree.map(jnp.zeros_like, params), params=params)
    np.testing.assert_allclose(after["w"], params["w"], rtol=1e-6)
    after = moved(tx, jax.tree.map(jnp.ones_like, params), params=params)
    assert (after["w"][1] == 0).all() and (after["w"][0] != params["w"][0]).all()
    for bad in (np.nan, np.inf):  # of one matrix, and of no other
        spoilt = moved(tx, {"w": jnp.ones((2, 6, 4)).at[1, 0, 0].set(bad)}, params=params)
        np.testing.assert_array_equal(spoilt["w"][0], after["w"][0])
        assert np.isnan(spoilt["w"][1, 0, 0])
    with pytest.raises(ValueError, match=r"params\['w'\] is 0 and would stay so.*'other'"):
        tx.init(jax.tree.map(jnp.zeros_like, params))


def test_sizes_do_not_matter():
    tx = adamjax.hyperball(optax.identity(), 0.1)
    expected = moved(tx, jnp.cos(PARAMS["w"]), params=PARAMS["w"])
    for size, scale in itertools.product((2.0**-30, 2.0**62), (2.0**-60, 1.0, 2.0**60)):
        after = moved(tx, size * jnp.cos(PARAMS["w"]), params=scale * PARAMS["w"])
        np.testing.assert_allclose(after / scale, expected, rtol=0, atol=1e-6)


def test_learning_rate_is_injected():
    """And without jit."""

    def make(learning_rate):
        return adamjax.hyperball(adamjax.scale_by_lion(), learning_rate, layouts=LAYOUTS)

    expected = moved(make(0.1), PARAMS)
    tx = optax.inject_hyperparams(make)(learning_rate=0.1)
    updates, _ = tx.update(PARAMS, tx.init(PARAMS), PARAMS)
    for leaf, p in optax.apply_updates(PARAMS, updates).items():
        np.testing.assert_allclose(p, expected[leaf], atol=1e-6)


def test_beside_another_optimizer():
    """Matrices on spheres, the rest with decay, and without a parameter that a mask removes."""
    tx = adamjax.partition_matrices(
        adamjax.hyperball(adamjax.scale_by_lion(), 0.1, layouts=LAYOUTS, storage="8bit"),
        adamjax.adamw(0.1, weight_decay=0.5),
        LAYOUTS,
    )
    after = moved(tx, PARAMS, 3)
    np.testing.assert_allclose(norms(after), norms(PARAMS), rtol=1e-6)
    expected = moved(adamjax.adamw(0.1, weight_decay=0.5), PARAMS, 3)
    np.testing.assert_allclose(after["bias"], expected["bias"], rtol=1e-6)


def test_a_state_of_other_layouts_is_refused():
    tx = adamjax.hyperball(adamjax.scale_by_lion(), 0.1, layouts=LAYOUTS)
    other = adamjax.hyperball(adamjax.scale_by_lion(), 0.1)
    with pytest.raises(ValueError, match=r"\['heads'\] has shape .* in the state's rms it is"):
        tx.update(PARAMS, other.init(PARAMS), PARAMS)
    with pytest.raises(ValueError, match="does not accept a"):
        tx.update(PARAMS, adamjax.adamw(0.1).init(PARAMS), PARAMS)
    with pytest.raises(ValueError, match="radius must be positive"):
        adamjax.hyperball(optax.identity(), 0.1, radius=0.0)


@pytest.mark.parametrize("make", [adamjax.hyperball, adamjax.optimizer])
def test_a_complete_optimizer_is_no_direction(make):
    with pytest.raises(ValueError, match=r"descend already. Give the update rule"):
        make(adamjax.adamw(0.1), 0.1).init(PARAMS)


def test_three_numbers_of_each_matrix_are_exchanged():
    """None needs another, so that newer compilers combine those of all matrices."""
    mesh = jax.make_mesh((8,), ("data",), axis_types=(AxisType.Auto,))
    place = lambda x: jax.device_put(x, NamedSharding(mesh, P(None, "data")))  # noqa: E731
    params = {"a": place(jnp.ones((16, 32))), "b": place(jnp.ones((24, 8)))}
    tx = adamjax.hyperball(adamjax.scale_by_adam(), 0.1)
    text = jax.jit(tx.update).lower(params, tx.init(params), params).compile().as_text()
    assert collectives(text) == {"all-reduce": [1] * 6}
    assert text.count(" all-reduce(") == (1 if jax.__version_info__ >= (0, 7) else 6)
