"""Norms where squares overflow or underflow: a direction scales as in the range of squares."""

import itertools

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.moments import norm

RANDOM = np.random.default_rng(3)
GRADIENT = jnp.asarray(RANDOM.uniform(0.2, 0.9, size=(6, 4)), jnp.float32)
WEIGHTS = jnp.asarray(RANDOM.uniform(-0.9, 0.9, size=(6, 4)), jnp.float32)
SIZES = [2.0**-70, 1.0, 2.0**62]  # the squares of the last sum up to infinity, of the first to 0


def first(tx, gradient, params=WEIGHTS):
    """The direction of the first step."""
    return np.asarray(tx.update(gradient, tx.init(params), params)[0], np.float64)


def test_the_norm_itself():
    for size in (*SIZES, 2.0**100):
        x = np.asarray(size * GRADIENT, np.float64)
        np.testing.assert_allclose(norm(size * GRADIENT), np.linalg.norm(x), rtol=1e-6)
        rows = np.linalg.norm(x, axis=1, keepdims=True)
        np.testing.assert_allclose(norm(-size * GRADIENT, (1,)), rows, rtol=1e-6)
        fourth = np.sum(x**4) ** 0.25
        np.testing.assert_allclose(norm(size * GRADIENT, order=4), fourth, rtol=1e-6)
    assert norm(jnp.zeros((3, 2))) == 0
    assert norm(jnp.zeros((0, 2))) == 0
    for bad in (jnp.inf, -jnp.inf, jnp.nan):
        assert jnp.isnan(norm(jnp.array([1.0, bad])))


@pytest.mark.parametrize(
    "tx",
    [
        adamjax.mars(gamma=0.0),
        adamjax.orthogonalize(),
        adamjax.adagc(),
        adamjax.scale_by_grokadamw(),
    ],
    ids=["mars", "orthogonalize", "adagc", "grokadamw"],
)
def test_a_huge_gradient_is_clipped_to_its_direction(tx):
    """One step, as of a gradient that is 4 times as long as 1."""
    expected = first(tx, 4 * GRADIENT)
    for size in SIZES[1:]:
        np.testing.assert_allclose(first(tx, size * GRADIENT), expected, rtol=1e-5)


def test_a_direction_is_as_long_as_its_parameters():
    expected = GRADIENT * np.linalg.norm(WEIGHTS) / np.linalg.norm(GRADIENT)
    for size, params_size in itertools.product(SIZES, SIZES):
        u = first(adamjax.trust_ratio(), size * GRADIENT, params_size * WEIGHTS)
        np.testing.assert_allclose(u / params_size, expected, rtol=1e-5)


def test_projection_does_not_depend_on_sizes():
    for size, params_size in itertools.product(SIZES[1:], SIZES[1:]):
        along = adamjax.projection(optax.identity(), delta=0.1)
        u = first(along, size * WEIGHTS, params_size * WEIGHTS)
        np.testing.assert_allclose(u / size, WEIGHTS, rtol=1e-6)  # not across: stays
        always = adamjax.projection(optax.identity(), delta=1e9)
        u = first(always, size * WEIGHTS, params_size * WEIGHTS)
        np.testing.assert_allclose(u / size, 0, atol=1e-6)


def test_a_gradient_of_zeros_is_across_all():
    """So that a momentum along the weights is taken out."""
    tx = adamjax.projection(adamjax.scale_by_sgd(0.9))
    _, state = tx.update(WEIGHTS, tx.init(WEIGHTS), WEIGHTS)
    updates, _ = tx.update(jnp.zeros((6, 4)), state, WEIGHTS)
    np.testing.assert_allclose(updates, 0, atol=1e-6)


@pytest.mark.parametrize("warmup_steps", [0, 100])
def test_adagc_goes_on_after_a_gradient_that_is_not_finite(warmup_steps):
    tx = adamjax.adagc(warmup_steps=warmup_steps)
    first_updates, before = tx.update(GRADIENT, tx.init(WEIGHTS))
    np.testing.assert_allclose(before.norm, np.linalg.norm(first_updates), rtol=1e-6)
    for bad in (np.inf, -np.inf, np.nan):
        updates, state = tx.update(GRADIENT.at[1, 2].set(bad), before)
        assert not np.isfinite(updates[1, 2])  # somebody else's overflow stays visible
        np.testing.assert_array_equal(state.norm, before.norm)
        again, state = tx.update(GRADIENT, state)
        np.testing.assert_allclose(again, first_updates, rtol=1e-6)
        np.testing.assert_allclose(state.norm, before.norm, rtol=1e-6)
