"""The metrics of `track` against NumPy in float64. Updates and states do not change."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.tracking import metrics, track
from adamjax.tracking.rates import SAMPLE_SIZE

PARAMS = {"w": jnp.arange(1.0, 7.0).reshape(2, 3), "b": jnp.array([0.5, -0.25])}
GRADS = {"w": jnp.linspace(-1.0, 2.0, 6).reshape(2, 3), "b": jnp.array([0.0, 4.0])}
NORMS = ("gradient_norm", "update_norm", "parameter_norm", "update_ratio")


def run(tx, *, steps=1, params=PARAMS, grads=GRADS):
    """The metrics after some steps with the same gradient, as Python numbers."""
    state = tx.init(params)
    for _ in range(steps):
        _, state = tx.update(grads, state, params)
    return {key: value.item() for key, value in metrics(state).items()}


def norm(tree):
    return np.sqrt(sum(np.sum(np.abs(np.asarray(x, complex)) ** 2) for x in jax.tree.leaves(tree)))


def second_moment(state):
    return optax.tree_utils.tree_get(state, "nu")


def test_updates_and_inner_state_are_those_of_the_wrapped_optimizer():
    tx = optax.chain(optax.clip_by_global_norm(1.0), adamjax.adam(0.1))
    tracked = track(tx)
    plain_update, update = jax.jit(tx.update), jax.jit(tracked.update)
    for dtype in (jnp.float32, jnp.bfloat16):
        params, grads = (jax.tree.map(lambda x, d=dtype: x.astype(d), t) for t in (PARAMS, GRADS))
        plain, state = tx.init(params), tracked.init(params)
        for _ in range(3):
            expected, plain = plain_update(grads, plain, params)
            updates, state = update(grads, state, params)
            jax.tree.map(np.testing.assert_array_equal, updates, expected)
        jax.tree.map(np.testing.assert_array_equal, state.inner_state, plain)


def test_norms():
    """Of random numbers of several sizes, in every dtype, beside leaves without numbers."""
    random = np.random.default_rng(0)
    tx = track(optax.scale(-0.5), quantiles=())
    for dtype in (jnp.float32, jnp.bfloat16, jnp.float16, jnp.complex64):
        for size in (0.0, 1e-3, 1.0, 1e4):
            g, p = (size * random.normal(size=(3, 4)) for _ in range(2))
            g = g * (1 + 2j) if dtype == jnp.complex64 else g
            grads, params = ({"a": jnp.asarray(x).astype(dtype), "b": None} for x in (g, p))
            updates, state = tx.update(grads, tx.init(params), params)
            found = {key: float(value) for key, value in metrics(state).items()}
            trees = {"gradient_norm": grads, "update_norm": updates, "parameter_norm": params}
            for key, tree in trees.items():
                np.testing.assert_allclose(found[key], norm(tree), rtol=2e-6, err_msg=key)
            ratio = found["update_norm"] / found["parameter_norm"] if size else 0
            np.testing.assert_allclose(found["update_ratio"], ratio, rtol=1e-6)
    ones = jnp.ones(10_000, jnp.bfloat16)  # In bfloat16 the sum would stop at 256.
    assert run(track(optax.identity()), params=ones, grads=ones)["gradient_norm"] == 100


def test_ratio_of_zeros_and_without_params():
    zeros = jax.tree.map(jnp.zeros_like, PARAMS)
    assert run(track(optax.sgd(0.1)), params=zeros, grads=zeros)["update_ratio"] == 0
    assert run(track(optax.sgd(0.1)), params=zeros)["update_ratio"] == 0
    tx = track(optax.sgd(0.1))
    _, state = tx.update(GRADS, tx.init(PARAMS))
    found = metrics(state)
    assert found["parameter_norm"] == found["update_ratio"] == 0
    np.testing.assert_allclose(found["gradient_norm"], norm(GRADS), rtol=1e-6)


def test_nonfinite_elements_are_counted():
    grads = {"w": GRADS["w"].at[0, :2].set(jnp.nan), "b": jnp.array([-jnp.inf, 1.0])}
    tx = track(optax.sgd(0.1))
    for update in (tx.update, jax.jit(tx.update)):
        _, state = update(grads, tx.init(PARAMS), PARAMS)
        assert metrics(state)["nonfinite"] == 3
        _, state = update(GRADS, state, PARAMS)  # Of this step, not of all.
        assert metrics(state)["nonfinite"] == 0
    huge = jnp.array([1e30, 1.0])  # finite, and of infinite norm, as in clipping
    found = run(track(optax.identity()), params=huge, grads=huge)
    assert found["gradient_norm"] == np.inf == optax.tree_utils.tree_norm(huge)
    assert found["nonfinite"] == 0


SCHEDULE = optax.linear_schedule(0.5, 0.1, 4)
SPLIT = {"w": "fast", "b": "slow"}
RATES = {
    "adamjax": (adamjax.adam(0.25), 0.25),
    "adamjax schedule": (adamjax.adam(SCHEDULE), 0.3),
    "inject": (optax.inject_hyperparams(optax.sgd)(learning_rate=0.25), 0.25),
    "inject schedule": (optax.inject_hyperparams(optax.sgd)(learning_rate=SCHEDULE), 0.3),
    "chain": (optax.chain(optax.clip(1.0), adamjax.adam(0.25)), 0.25),
    "masked": (optax.masked(adamjax.adam(0.25), {"w": True, "b": False}), 0.25),
    "MultiSteps": (optax.MultiSteps(adamjax.adam(SCHEDULE), 3), 0.5),
    "largest": (
        optax.partition({"fast": adamjax.adam(0.25), "slow": adamjax.adam(0.01)}, SPLIT),
        0.25,
    ),
    "none": (optax.adam(0.25), np.nan),
}


def test_learning_rate_of_the_step_just_done():
    for name, (tx, expected) in RATES.items():
        rate = run(track(tx, quantiles=()), steps=3).get("learning_rate", np.nan)
        np.testing.assert_allclose(rate, expected, rtol=1e-6, err_msg=name)


def test_a_parameter_called_like_a_field_is_not_mistaken_for_it():
    params = {"nu": jnp.float32(3.0), "learning_rate": jnp.float32(7.0)}
    found = run(track(optax.sgd(0.1, momentum=0.9)), params=params, grads=params)
    assert set(found) == {*NORMS, "nonfinite"}


@pytest.mark.parametrize("b2", [None, 0.0, 0.9])
def test_effective_learning_rate(b2):
    tx = track(adamjax.adam(0.25, b2=b2 or 0.99), b2=b2, quantiles=(0.0, 0.3, 1.0))
    state = tx.init(PARAMS)
    for _ in range(3):
        _, state = tx.update(GRADS, state, PARAMS)
    v = np.concatenate([np.ravel(x).astype(float) for x in jax.tree.leaves(second_moment(state))])
    v = v[v > 0]  # b's first gradient is 0.
    assert len(v) == 7
    expected = 0.25 / np.sqrt(v / (1 - (b2 or 0) ** 3))
    found = metrics(state)
    for key, q in (("p00", 0.0), ("p30", 0.3), ("p100", 1.0)):
        quantile = np.quantile(expected, q)
        np.testing.assert_allclose(found[f"effective_lr_{key}"], quantile, rtol=1e-5)


def test_each_second_moment_goes_with_its_own_learning_rate():
    parts = {"fast": adamjax.adam(8.0, b2=0.75), "slow": adamjax.adam(0.5, b2=0.75)}
    tx = track(optax.partition(parts, SPLIT), b2=0.75, quantiles=(0, 1))
    params = {"w": jnp.ones(4), "b": jnp.ones(4)}
    found = run(tx, params=params, grads=params)
    np.testing.assert_allclose(found["effective_lr_p100"], 8.0, rtol=1e-6)
    np.testing.assert_allclose(found["effective_lr_p00"], 0.5, rtol=1e-6)


@pytest.mark.parametrize("shapes", [[()], [(0, 5)], [(3, 50, 40), (1,), (30, 2), (5000,)]], ids=str)
def test_the_sample_is_every_kth_element_of_the_tree(shapes):
    rng = np.random.default_rng(0)
    params = [jnp.asarray(rng.uniform(0.1, 1, shape), jnp.float32) for shape in shapes]
    tx = track(adamjax.adam(0.5), quantiles=(0.05, 0.5))
    _, state = tx.update(params, tx.init(params), params)
    v = np.concatenate([np.ravel(x) for x in jax.tree.leaves(second_moment(state))])
    k = -(-len(v) // SAMPLE_SIZE) | 1
    sample = v[::k]
    assert len(sample) <= SAMPLE_SIZE
    for key, q in (("p05", 0.05), ("p50", 0.5)):
        expected = np.quantile(0.5 / np.sqrt(sample), q) if len(sample) else 0
        np.testing.assert_allclose(metrics(state)[f"effective_lr_{key}"], expected, rtol=1e-5)


class Codes(optax.ScaleByAdamState):
    """A state whose second moment is kept as 8-bit codes."""


def test_effective_learning_rate_is_absent_or_0_where_it_cannot_be_known():
    """Without a second moment, with a factored one, and of unknown codes."""
    codes = optax.GradientTransformation(
        lambda params: Codes(0, params, jax.tree.map(lambda x: x.astype(jnp.uint8), params)),
        lambda updates, state, params=None: (updates, state),
    )
    factored = optax.inject_hyperparams(optax.adafactor)
    for tx in (
        optax.inject_hyperparams(optax.sgd)(learning_rate=0.1),
        factored(learning_rate=0.1, min_dim_size_to_factor=1),
        optax.chain(codes, adamjax.optimizer(optax.identity(), 0.1)),
    ):
        found = run(track(tx))
        np.testing.assert_allclose(found["learning_rate"], 0.1, rtol=1e-6)
        assert not found.get("effective_lr_p50")
    zeros = jax.tree.map(jnp.zeros_like, PARAMS)
    assert run(track(adamjax.adam(0.1)), grads=zeros)["effective_lr_p50"] == 0


def test_several_trackers_are_told_apart():
    alone = run(track(adamjax.adam(0.1), name="body", quantiles=(0.5, 0.999)))
    quantiles = {"effective_lr_p50", "effective_lr_p99.9"}
    assert set(alone) == {*NORMS, *quantiles, "learning_rate", "nonfinite"}
    inner = optax.chain(track(optax.clip(1.0)), track(optax.sgd(0.1), name="body"))
    found = run(track(inner, name="all"))
    assert {key.rpartition("/")[0] for key in found} == {"all", "1", "body"}
    assert len(found) == 3 * len(metrics(track(optax.sgd(0.1)).init(PARAMS)))
    assert found["all/gradient_norm"] == found["1/gradient_norm"] > found["body/gradient_norm"]
    twice = optax.chain(*[track(optax.scale(2.0), name="twin", quantiles=())] * 2)
    found = run(twice)
    assert found["twin/1/gradient_norm"] == 2 * found["twin/0/gradient_norm"]


def test_bad_arguments_are_named():
    for options, error, message in (
        ({"b2": 1.0}, ValueError, "b2 must be at least 0 and below 1"),
        ({"b2": SCHEDULE}, TypeError, "b2 must be a number"),
        ({"quantiles": (5,)}, ValueError, r"quantiles must be in \[0, 1\], not 5"),
        ({"name": "a/b"}, ValueError, "name must be empty or a Python identifier"),
    ):
        with pytest.raises(error, match=message):
            track(optax.sgd(0.1), **options)
    with pytest.raises(TypeError, match=r"tx must be an optax\.GradientTransformation"):
        track(optax.adam)
    with pytest.raises(ValueError, match=r"opt_state holds no metrics: wrap .*adamjax\.track"):
        metrics(optax.adam(0.1).init(PARAMS))
