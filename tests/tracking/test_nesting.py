"""`track` inside and outside of whatever else wraps or drives an optimizer."""

import equinox as eqx
import flax.training.train_state
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import adamjax
from adamjax.tracking import metrics, track

PARAMS = {"w": jnp.arange(1.0, 7.0).reshape(2, 3), "b": jnp.array([3.0, 4.0])}
MASK = {"w": False, "b": True}
LABELS = {"w": "rest", "b": "tracked"}


def tracked():
    return track(adamjax.adam(0.1), b2=0.999)


def norm(*leaves):
    return np.sqrt(sum(float(jnp.sum(x**2)) for x in leaves))


# Each with the leaves of the gradient that reach the tracker.
NESTINGS = {
    "alone": (tracked, "wb"),
    "chain": (lambda: optax.chain(optax.identity(), tracked(), optax.scale(0.5)), "wb"),
    "masked": (lambda: optax.masked(tracked(), MASK), "b"),
    "around masked": (lambda: track(optax.masked(adamjax.adam(0.1), MASK)), "wb"),
    "partition": (
        lambda: optax.partition({"tracked": tracked(), "rest": optax.set_to_zero()}, LABELS),
        "b",
    ),
    "MultiSteps": (lambda: optax.MultiSteps(tracked(), 1), "wb"),
    "around MultiSteps": (lambda: track(optax.MultiSteps(adamjax.adam(0.1), 2)), "wb"),
    "apply_if_finite": (lambda: optax.apply_if_finite(tracked(), 3), "wb"),
    "inject_hyperparams": (
        lambda: optax.inject_hyperparams(lambda learning_rate: track(optax.adam(learning_rate)))(
            learning_rate=0.1
        ),
        "wb",
    ),
}
every_nesting = pytest.mark.parametrize(("make", "seen"), NESTINGS.values(), ids=NESTINGS)


@every_nesting
def test_metrics_are_found_and_the_state_keeps_its_form(make, seen):
    tx = make()
    before = tx.init(PARAMS)
    _, after = jax.jit(tx.update)(PARAMS, before, PARAMS)
    found = metrics(after)
    np.testing.assert_allclose(found["gradient_norm"], norm(*map(PARAMS.get, seen)), rtol=1e-6)
    assert jax.tree.structure(before) == jax.tree.structure(after)
    for a, b in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
        assert (jnp.shape(a), jnp.result_type(a)) == (b.shape, b.dtype)
    assert {value.dtype.name for value in found.values()} == {"float32", "int32"}
    assert not any(value.weak_type for value in found.values())


@every_nesting
def test_scan_donation_and_abstract_init(make, seen):
    del seen
    tx = make()

    def step(carry, _):
        params, state = carry
        updates, state = tx.update(params, state, params)
        return (optax.apply_updates(params, updates), state), metrics(state)

    params = jax.tree.map(jnp.copy, PARAMS)
    loop = jax.jit(lambda carry: jax.lax.scan(step, carry, None, length=4), donate_argnums=0)
    (_, state), history = loop((params, tx.init(params)))
    assert history["gradient_norm"].shape == (4,)
    assert history["gradient_norm"][-1] == metrics(state)["gradient_norm"]
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), PARAMS)
    abstract = jax.eval_shape(tx.init, shapes)
    assert jax.tree.structure(abstract) == jax.tree.structure(state)


@pytest.mark.parametrize("gradient_dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_metrics_have_the_same_dtypes_for_all_inputs(dtype, gradient_dtype):
    tx = track(optax.inject_hyperparams(optax.adam)(learning_rate=0.1), b2=0.999)
    params = jax.tree.map(lambda x: x.astype(dtype), PARAMS)
    grads = jax.tree.map(lambda x: x.astype(gradient_dtype), PARAMS)
    state = tx.init(params)
    _, new = tx.update(grads, state, params)
    assert jax.tree.map(jnp.result_type, state.metrics) == jax.tree.map(
        jnp.result_type, new.metrics
    )


def test_one_compilation_serves_all_steps():
    tx, traces = tracked(), []

    @jax.jit
    def step(params, state):
        traces.append(1)
        return tx.update(params, state, params)[1]

    state = tx.init(PARAMS)
    for _ in range(3):
        state = step(PARAMS, state)
    assert len(traces) == 1


def test_vmap_measures_each_on_its_own():
    tx = tracked()
    grads = jnp.array([[3.0, 4.0], [jnp.nan, jnp.inf], [0.0, 0.0]])
    _, state = jax.vmap(tx.update)(grads, jax.vmap(tx.init)(grads), jnp.ones_like(grads))
    found = metrics(state)
    np.testing.assert_array_equal(found["nonfinite"], [0, 2, 0])
    np.testing.assert_array_equal(found["gradient_norm"], [5.0, np.nan, 0.0])


def test_abstract_leaves_and_placeholders():
    tx = tracked()
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), PARAMS)
    state = tx.init(PARAMS)
    assert jax.tree.structure(tx.init(shapes)) == jax.tree.structure(state)
    doubled = optax.tree_utils.tree_map_params(tx, lambda x: x + 1, state)
    adam = optax.tree_utils.tree_get(doubled, "mu")
    jax.tree.map(np.testing.assert_array_equal, adam, jax.tree.map(jnp.ones_like, PARAMS))
    assert metrics(doubled)["gradient_norm"] == 0


def test_ways_to_call_update():
    seen = {}

    def update(updates, state, params=None, **extra_args):
        seen.update(extra_args)
        return updates, state

    inner = optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), update)
    tx = track(inner)
    state = tx.init(PARAMS)
    results = [
        tx.update(PARAMS, state, PARAMS),
        tx.update(updates=PARAMS, state=state, params=PARAMS),
        tx.update(PARAMS, state, params=PARAMS, value=1.0, unknown="x"),
    ]
    assert seen == {"value": 1.0, "unknown": "x"}
    for result in results[1:]:
        jax.tree.map(np.testing.assert_array_equal, result, results[0])
    _, state = track(optax.sgd(0.1)).update(PARAMS, track(optax.sgd(0.1)).init(PARAMS), value=1.0)
    assert metrics(state)["gradient_norm"] > 0


def test_trees_without_leaves():
    for empty in ({}, (), {"a": None}, {"a": optax.MaskedNode()}):
        tx = tracked()
        updates, state = tx.update(empty, tx.init(empty), empty)
        assert updates == empty
        found = metrics(state)
        assert found["gradient_norm"] == found["update_ratio"] == found["nonfinite"] == 0
        assert jnp.isnan(found["effective_lr_p50"])


def test_nan_checks_do_not_stop_a_step_whose_metrics_are_all_known():
    tx = tracked()
    with jax.debug_nans(True):
        _, state = jax.jit(tx.update)(PARAMS, tx.init(PARAMS), PARAMS)
    assert metrics(state)["effective_lr_p50"] > 0


class Model(nnx.Module):
    def __init__(self):
        self.layer = nnx.Linear(2, 3, rngs=nnx.Rngs(0))

    def __call__(self, x):
        return self.layer(x)


def loss(model, x):
    return jnp.mean(jax.vmap(model)(x) ** 2)


def test_nnx_optimizer():
    model = Model()
    optimizer = nnx.Optimizer(model, tracked(), wrt=nnx.Param)

    @nnx.jit
    def step(model, optimizer, x):
        grads = nnx.grad(loss)(model, x)
        optimizer.update(model, grads)
        return grads, metrics(optimizer.opt_state)

    grads, inside = step(model, optimizer, jnp.ones((4, 2)))
    expected = norm(*jax.tree.leaves(nnx.to_pure_dict(nnx.state(grads))))
    for found in (inside, metrics(optimizer.opt_state), metrics(optimizer)):
        assert all(isinstance(value, jax.Array) for value in found.values())
        np.testing.assert_allclose(found["gradient_norm"], expected, rtol=1e-6)
        np.testing.assert_allclose(found["learning_rate"], 0.1, rtol=1e-6)
        assert found["effective_lr_p50"] > 0


def test_train_state():
    state = flax.training.train_state.TrainState.create(
        apply_fn=None, params=PARAMS, tx=optax.chain(optax.clip(10.0), tracked())
    )
    state = state.apply_gradients(grads=PARAMS)
    for found in (metrics(state), metrics(state.opt_state)):
        np.testing.assert_allclose(found["gradient_norm"], norm(*PARAMS.values()), rtol=1e-6)


def test_equinox_module():
    model = eqx.nn.MLP(2, 1, 8, 1, key=jax.random.key(0))
    tx = tracked()
    state = tx.init(eqx.filter(model, eqx.is_array))
    grads = eqx.filter_grad(loss)(model, jnp.ones((4, 2)))
    _, state = eqx.filter_jit(tx.update)(grads, state, eqx.filter(model, eqx.is_array))
    np.testing.assert_allclose(
        metrics(state)["gradient_norm"], norm(*jax.tree.leaves(grads)), rtol=1e-6
    )
