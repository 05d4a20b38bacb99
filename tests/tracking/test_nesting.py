"""`track` inside and outside of wrappers and training loops."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

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


@pytest.mark.parametrize("name", NESTINGS)
def test_metrics_are_found_and_the_state_keeps_its_form(name):
    """In jit and scan, with donated buffers, and in a template that `init` makes."""
    make, measured = NESTINGS[name]
    tx = make()
    before = tx.init(PARAMS)
    _, after = jax.jit(tx.update)(PARAMS, before, PARAMS)
    found = metrics(after)
    expected = norm(*map(PARAMS.get, measured))
    np.testing.assert_allclose(found["gradient_norm"], expected, rtol=1e-6)
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), PARAMS)
    for state in (before, jax.eval_shape(tx.init, shapes)):
        assert jax.tree.structure(state) == jax.tree.structure(after)
        for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(after), strict=True):
            assert (jnp.shape(a), jnp.result_type(a)) == (b.shape, b.dtype)
    assert {value.dtype.name for value in found.values()} == {"float32", "int32"}
    assert not any(value.weak_type for value in found.values())


def test_vmap_measures_each_on_its_own():
    tx = tracked()
    grads = jnp.array([[3.0, 4.0], [jnp.nan, jnp.inf], [0.0, 0.0]])
    _, state = jax.vmap(tx.update)(grads, jax.vmap(tx.init)(grads), jnp.ones_like(grads))
    found = metrics(state)
    np.testing.assert_array_equal(found["nonfinite"], [0, 2, 0])
    np.testing.assert_array_equal(found["gradient_norm"], [5.0, np.nan, 0.0])


def test_parameters_alone_are_mapped():
    tx = tracked()
    doubled = optax.tree_utils.tree_map_params(tx, lambda x: x + 1, tx.init(PARAMS))
    adam = optax.tree_utils.tree_get(doubled, "mu")
    jax.tree.map(np.testing.assert_array_equal, adam, jax.tree.map(jnp.ones_like, PARAMS))
    assert metrics(doubled)["gradient_norm"] == 0


def test_extra_arguments_reach_the_inner():
    extra = {}

    def update(updates, state, params=None, **extra_args):
        extra.update(extra_args)
        return updates, state

    inner = optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), update)
    for tx in (track(inner), track(optax.sgd(0.1))):  # which takes none
        _, state = tx.update(PARAMS, tx.init(PARAMS), params=PARAMS, value=1.0)
        assert metrics(state)["gradient_norm"] > 0
    assert extra == {"value": 1.0}


def test_trees_without_leaves():
    for empty in ({}, (), {"a": None}, {"a": optax.MaskedNode()}):
        tx = tracked()
        updates, state = tx.update(empty, tx.init(empty), empty)
        assert updates == empty
        found = metrics(state)
        assert found["gradient_norm"] == found["update_ratio"] == found["nonfinite"] == 0
        assert found["effective_lr_p50"] == 0
