"""Sophia's argument `hessian`: given, not given, wrong."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax

PARAMS = {"w": jnp.linspace(-1.0, 1.0, 6).reshape(2, 3), "b": jnp.float32(0.5)}
ESTIMATE = jax.tree.map(lambda p: 100 * p**2, PARAMS)


@pytest.mark.parametrize(
    "b1", [0.9, adamjax.inverse_epoch_schedule(0.9, 2)], ids=["constant", "scheduled"]
)
def test_only_the_curvature_learns_from_an_estimate(b1):
    tx = adamjax.scale_by_sophia(b1)
    start = tx.init(PARAMS)
    _, without = tx.update(PARAMS, start)
    _, given = tx.update(PARAMS, start, hessian=ESTIMATE)
    kept, found = (optax.tree_utils.tree_get(s, "nu") for s in (without, given))
    jax.tree.map(lambda x: np.testing.assert_array_equal(x, 0), kept)
    jax.tree.map(lambda x, h: np.testing.assert_allclose(x, 0.01 * h, rtol=1e-6), found, ESTIMATE)
    zeroed = optax.tree_utils.tree_set(given, nu=kept)
    jax.tree.map(np.testing.assert_array_equal, zeroed, without)


def test_without_an_estimate_it_is_sign_descent():
    tx = adamjax.sophia(0.1, weight_decay=0.0)
    updates, _ = tx.update(PARAMS, tx.init(PARAMS))
    jax.tree.map(lambda u, p: np.testing.assert_allclose(u, -0.1 * np.sign(p)), updates, PARAMS)


def test_negative_curvature_is_sign_descent():
    tx = adamjax.sophia(0.1, weight_decay=0.0)
    updates, _ = tx.update(PARAMS, tx.init(PARAMS), hessian=jax.tree.map(jnp.negative, ESTIMATE))
    jax.tree.map(lambda u, p: np.testing.assert_allclose(u, -0.1 * np.sign(p)), updates, PARAMS)


def test_the_least_denominator():
    g = jnp.float32(1e-15)
    for tx in (adamjax.scale_by_sophia(), adamjax.sophia(1.0, weight_decay=0.0)):
        np.testing.assert_allclose(abs(tx.update(g, tx.init(g))[0]), 0.035, rtol=1e-5)


@pytest.mark.parametrize("storage", ["float32", "8bit"])
def test_an_estimate_reaches_it_through_what_is_around_it(storage):
    params = {"w": jnp.ones((128, 128))}
    tx = adamjax.sophia(0.1, rho=1.0, weight_decay=0.0, storage=storage)
    tx = optax.chain(optax.clip_by_global_norm(1e9), adamjax.track(tx))
    step = jax.jit(lambda h: tx.update(params, tx.init(params), params, hessian=h)[0]["w"])
    plain = 0.035 / (0.01 * 100)
    np.testing.assert_allclose(step({"w": 100 * params["w"]}), -0.1 * plain, rtol=0.1)
    np.testing.assert_allclose(step(None), -0.1, rtol=1e-6)


@pytest.mark.parametrize(
    "around",
    [
        lambda tx: optax.masked(tx, {"w": True, "b": False}),
        lambda tx: optax.partition({"x": tx, "y": adamjax.adam()}, {"w": "x", "b": "y"}),
        lambda tx: adamjax.partition_matrices(tx, adamjax.adam()),
    ],
    ids=["masked", "partition", "partition_matrices"],
)
def test_of_an_estimate_it_takes_its_own_part(around):
    def first(tx, **estimate):
        return tx.update(PARAMS, tx.init(PARAMS), PARAMS, **estimate)[0]["w"]

    tx = adamjax.sophia(0.1, rho=1.0)
    part = first(around(tx), hessian=ESTIMATE)
    np.testing.assert_allclose(part, first(tx, hessian=ESTIMATE), rtol=1e-6)
    assert abs(part - first(around(tx))).max() > 0.01
    with pytest.raises(ValueError, match=r"hessian and updates do not match: .*'w'"):
        first(around(tx), hessian={"b": ESTIMATE["b"]})


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"w": ESTIMATE["w"]}, ValueError, "hessian and updates do not match: .*'b'"),
        ({**ESTIMATE, "b": jnp.ones(2)}, ValueError, r"hessian\['b'\] has shape \(2,\)"),
        ({**ESTIMATE, "b": jnp.ones((), int)}, TypeError, r"hessian\['b'\] is int32"),
    ],
)
def test_an_estimate_that_does_not_fit(wrong, error, message):
    tx = adamjax.sophia(0.1)
    with pytest.raises(error, match=message):
        tx.update(PARAMS, tx.init(PARAMS), PARAMS, hessian=wrong)
