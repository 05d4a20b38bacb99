"""`track` around optimizers that keep their moments in few bits."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.tracking import metrics, track
from tests.storage.problem import formats

coded = pytest.mark.parametrize(
    "storage", ["8bit", pytest.param("8bit_v16", marks=pytest.mark.wide)]
)
PARAMS = {"kernel": jnp.zeros((160, 128)), "bias": jnp.zeros(64)}


@functools.cache
def gradients(steps=40):
    """Over several powers of ten, a fifth of them signal."""
    random = np.random.default_rng(0)
    normal = lambda: {k: random.normal(size=p.shape) for k, p in PARAMS.items()}  # noqa: E731
    sizes, signal = normal(), normal()

    def noisy(size, signal, noise):
        return jnp.asarray(np.exp(1.5 * size - 6) * (0.4 * signal + noise), jnp.float32)

    return [jax.tree.map(noisy, sizes, signal, normal()) for _ in range(steps)]


def run(tx, grads):
    """The last state, of steps that are compiled and donate it."""
    step = jax.jit(tx.update, donate_argnums=1)
    state = tx.init(PARAMS)
    for g in grads:
        _, state = step(g, state, PARAMS)
    return state


def quantiles(state):
    return np.array([v for k, v in sorted(metrics(state).items()) if k.startswith("effective_lr")])


@formats
@pytest.mark.parametrize(
    ("name", "rtol"),
    # AMSGrad has the maximum of v in 8 bits, and RMSprop v: steps of 9%.
    [("adamw", 0.03), ("amsgrad", 0.09), pytest.param("rmsprop", 0.09, marks=pytest.mark.wide)],
)
def test_effective_learning_rate_is_that_of_float32(name, rtol, storage):
    plain, stored = (
        run(track(adamjax.create(name, learning_rate=0.01, storage=kind), b2=0.999), gradients())
        for kind in ("float32", storage)
    )
    assert {x.dtype.name for x in jax.tree.leaves(stored)} - {"float32", "int32"}
    np.testing.assert_allclose(quantiles(stored), quantiles(plain), rtol=rtol)


def test_the_sample_alone_is_decoded():
    """No array of the leaf's size becomes a float after the step."""

    def floats(tx):
        state = jax.eval_shape(tx.init, PARAMS)
        text = jax.jit(tx.update).lower(PARAMS, state, PARAMS).as_text()
        return text.count("-> tensor<160x128xf32>")

    stored = adamjax.adamw(storage="8bit")
    with_rates, without = (floats(track(stored, quantiles=q)) for q in ((0.5,), ()))
    assert with_rates == without


@coded
@pytest.mark.parametrize("name", ["amsgrad", pytest.param("adamax", marks=pytest.mark.wide)])
def test_saturated(name, storage):
    tx = track(adamjax.create(name, learning_rate=0.01, storage=storage), b2=0.999)
    assert metrics(tx.init(PARAMS))["saturated"] == 0
    assert metrics(run(tx, gradients()))["saturated"] == 0
    huge = {"kernel": jnp.full((160, 128), 10.0).at[:16].set(1e6), "bias": PARAMS["bias"]}
    np.testing.assert_allclose(metrics(run(tx, [huge] * 40))["saturated"], 0.1)


@coded
def test_nothing_is_saturated_in_the_first_steps(storage):
    """Of gradients that agree, m / √v rises to 20, near the largest code."""
    tx = track(adamjax.adamw(b2=0.9999, storage=storage), quantiles=())
    step = lambda state, _: (tx.update(ones, state, PARAMS)[1],) * 2  # noqa: E731
    ones = jax.tree.map(jnp.ones_like, PARAMS)
    _, states = jax.jit(lambda s: jax.lax.scan(step, s, None, length=30))(tx.init(PARAMS))
    np.testing.assert_array_equal(metrics(states)["saturated"], 0)


@coded
def test_saturated_ratio_and_what_is_too_small(storage):
    """With v all but constant the first gradient makes m / √v 1000."""
    tx = track(adamjax.adamw(0.01, b2=1 - 1e-8, storage=storage))
    spike = {"kernel": jnp.zeros((160, 128)).at[:8].set(1.0), "bias": PARAMS["bias"]}
    np.testing.assert_allclose(metrics(run(tx, [spike]))["saturated"], 0.05)
    tiny = {"kernel": jnp.full((160, 128), 1e-16), "bias": PARAMS["bias"]}
    assert metrics(run(tx, [tiny] * 2))["saturated"] > 0.9
    assert metrics(run(tx, [PARAMS] * 2))["saturated"] == 0


def test_saturated_counts_an_element_once_and_what_is_not_finite():
    tx = track(adamjax.amsgrad(0.01, storage="8bit"))
    bad = {"kernel": jnp.ones((160, 128)).at[0, :2].set(jnp.nan), "bias": jnp.full(64, 1e9)}
    found = metrics(run(tx, [bad]))
    np.testing.assert_allclose(found["saturated"], 2 / (160 * 128), rtol=1e-6)
    assert found["nonfinite"] == 2


def test_without_codes_nothing_is_saturated():
    for tx in (
        adamjax.adamw(),
        adamjax.adamw(storage="bfloat16"),
        adamjax.adamw(mu_dtype="bfloat16"),
        adamjax.store(optax.adam(0.1), min_size=10**6),
        optax.sgd(0.1),
    ):
        assert "saturated" not in metrics(track(tx).init(PARAMS))


def test_a_converted_state_goes_on_in_a_loop():
    """The state keeps its tree, whatever it is converted to."""
    plain, stored = (track(adamjax.adamw(storage=kind)) for kind in ("float32", "8bit"))
    for first, second, to in ((plain, stored, "8bit"), (stored, plain, "float32")):
        state = adamjax.convert_state(run(first, gradients(3)), to=to)

        def step(state, _, tx=second):
            return tx.update(PARAMS, state, PARAMS)[1], None

        state, _ = jax.lax.scan(step, state, None, length=2)
        assert ("saturated" in metrics(state)) == (first is stored)
        assert np.isfinite(quantiles(state)).all()


def test_codes_of_another_library_are_left_alone():
    """Integers in trees of another form are not read as ours."""

    def init(params):
        blocks = {"codes": jnp.zeros((160, 128), jnp.int8), "scales": jnp.ones(160)}
        nu = jax.tree.map(jnp.copy, params)
        return optax.ScaleByAdamState(jnp.zeros([], jnp.int32), blocks, nu)

    tx = optax.GradientTransformation(init, lambda updates, state, params=None: (updates, state))
    assert "saturated" not in metrics(run(track(tx), gradients(1)))
