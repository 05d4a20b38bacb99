"""Optimizers inside of meshes, shard_map, injected and scheduled hyperparameters, and masks."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import adamjax
from tests.tiers import each_variant


def after(tx, params, steps=4):
    """The parameters after some steps of a gradient that changes its size."""
    state = tx.init(params)
    update = jax.jit(tx.update)
    for step in range(steps):
        gradients = jax.tree.map(lambda p, t=step: jnp.cos(p + t), params)
        updates, state = update(gradients, state, params)
        params = optax.apply_updates(params, updates)
    return params, state


def test_tracked_on_a_mesh():
    matrix = jnp.linspace(-1.0, 1.0, 32).reshape(8, 4)
    plain, _ = after(adamjax.adam(0.1), {"w": matrix})
    for kind in (AxisType.Explicit, AxisType.Auto):
        mesh = jax.make_mesh((1,), ("data",), axis_types=(kind,))
        params = {"w": jax.device_put(matrix, NamedSharding(mesh, PartitionSpec("data")))}
        reached, state = after(adamjax.track(adamjax.adam(0.1)), params)
        np.testing.assert_allclose(reached["w"], plain["w"], rtol=1e-6)
        assert adamjax.metrics(state)["effective_lr_p50"] > 0


def test_tracked_inside_shard_map():
    mesh = jax.make_mesh((1,), ("data",), axis_types=(AxisType.Auto,))
    spec = PartitionSpec("data")
    params = jnp.linspace(-1.0, 1.0, 8)
    run = jax.shard_map(
        lambda p: after(adamjax.track(adamjax.adam(0.1)), p)[0],
        mesh=mesh,
        in_specs=spec,
        out_specs=spec,
    )
    np.testing.assert_allclose(jax.jit(run)(params), after(adamjax.adam(0.1), params)[0], rtol=1e-6)


def test_injected_momentum_schedule_is_corrected_as_by_optax():
    """By 1 - bᵗ with the present b. Passed directly, the correction is the product."""
    schedule = adamjax.inverse_epoch_schedule(0.9, 1, rate=0.5)
    ours, theirs = (
        after(optax.inject_hyperparams(f)(learning_rate=0.1, b1=schedule), jnp.linspace(-1, 1, 5))
        for f in (adamjax.adam, optax.adam)
    )
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-6)


@pytest.mark.parametrize("name", ["adabound", "amsbound"])
def test_injected_warm_up_from_zero_is_finite(name):
    make = adamjax.get_variant(name).optimizer
    warm_up = optax.linear_schedule(0.0, 0.1, 3)
    injected = optax.inject_hyperparams(make)(learning_rate=warm_up, base_lr=0.1)
    params = jnp.linspace(-1.0, 1.0, 5)
    direct, _ = after(make(warm_up, base_lr=0.1), params)
    np.testing.assert_allclose(after(injected, params)[0], direct, atol=1e-6)
    own_base, _ = after(optax.inject_hyperparams(make)(learning_rate=warm_up), params)
    assert np.isfinite(own_base).all()


def test_schedules_get_the_whole_number_of_steps_done():
    table = jnp.linspace(0.5, 0.9, 8)
    for style in adamjax.get_variant("nadam").styles:
        tx = adamjax.nadam(1e-2, b1=lambda count: table[count], style=style)
        assert np.isfinite(after(tx, jnp.ones(3))[0]).all()


@each_variant(own="wide")
def test_finite_at_the_last_count(name):
    rate = {"learning_rate": 1e-3}
    tx, params = adamjax.create(name, **rate), jnp.ones(3)
    state = jax.tree.map(
        lambda x: jnp.full_like(x, 2**31 - 1) if x.dtype == jnp.int32 else x, tx.init(params)
    )
    updates, _ = tx.update(params, state, params)
    assert np.isfinite(updates).all()


def test_mask_may_be_a_module_that_can_be_called():
    import equinox as eqx

    model = eqx.filter(eqx.nn.MLP(2, 2, 4, 1, key=jax.random.key(0)), eqx.is_inexact_array)
    mask = jax.tree.map(lambda x: x.ndim > 1, model)
    zeros = jax.tree.map(jnp.zeros_like, model)
    tx = adamjax.sgd(1.0, weight_decay=1.0, mask=mask)
    updates, _ = tx.update(zeros, tx.init(model), model)
    assert np.abs(updates.layers[0].weight).max() > 0
    assert np.abs(updates.layers[0].bias).max() == 0


def test_steps_can_be_differentiated_by_b2():
    def reached(b2, name):
        params = after(adamjax.create(name, learning_rate=0.1, b2=b2), jnp.ones(3), steps=8)[0]
        return params.sum()

    for name in ("adam", "radam"):
        slope = (reached(0.99 + 1e-3, name) - reached(0.99 - 1e-3, name)) / 2e-3
        np.testing.assert_allclose(jax.grad(reached)(0.99, name), slope, rtol=0.05, atol=1e-2)


@pytest.mark.parametrize(
    ("arguments", "dtype"),
    [({"storage": "8bit"}, "float32"), ({"param_rounding": "stochastic"}, "bfloat16")],
)
def test_a_derivative_through_rounding_is_refused(arguments, dtype):
    tx, g = adamjax.sgd(0.1, momentum=0.9, **arguments), jnp.ones((128, 128), dtype)

    def loss(lr):
        p, state = g, tx.init(g)
        for _ in range(2):
            u, state = tx.update(p * lr.astype(p.dtype), state, p)
            p = p + u
        return p.sum()

    with pytest.raises(TypeError, match=f"use {next(iter(arguments))}="):
        jax.grad(loss)(jnp.float32(1.0))


@each_variant()
def test_the_whole_model_as_params(name):
    """As Equinox users pass it: gradients are None where it has functions."""
    tx, w = adamjax.create(name, weight_decay=0.1), jnp.ones((2, 3))
    model, part = {"act": jnp.tanh, "w": w}, {"act": None, "w": w}
    updates, _ = jax.eval_shape(lambda g, s: tx.update(g, s, model), part, tx.init(part))
    assert jax.tree.structure(updates) == jax.tree.structure(part)
