"""Equinox: a module of which one half is trained; leaves of the other are None."""

import functools

import jax
import jax.numpy as jnp
import pytest

from tests.frameworks.loop import IN_8_BITS, LEARNING_RATE, assert_same, batch, plain_loop
from tests.storage.runs import assert_equal

pytestmark = pytest.mark.usefixtures("compiled_quickly")


@functools.cache
def modules():
    """Equinox, and a model of its layers."""
    import equinox as eqx

    class Model(eqx.Module):
        """Arrays beside a function, a whole number, and a layer without a bias."""

        encoder: eqx.nn.Linear
        head: eqx.nn.Linear
        activation: object
        calls: jax.Array
        depth: int = eqx.field(static=True)

        def __init__(self):
            first, second = jax.random.split(jax.random.key(0))
            self.encoder = eqx.nn.Linear(160, 128, key=first)
            self.head = eqx.nn.Linear(128, 3, use_bias=False, key=second)
            self.activation, self.calls, self.depth = jnp.tanh, jnp.int32(7), 2

        def __call__(self, x):
            return self.head(self.activation(self.encoder(x)))

    return eqx, Model


def loss_of(model, t):
    return jnp.mean((jax.vmap(model)(batch(t)) - 1.0) ** 2)


def test_one_half_is_trained_in_a_scan_and_the_other_stays():
    """A filter with False for the head: its leaves are None in gradients, state and updates."""
    eqx, Model = modules()
    model, tx = Model(), IN_8_BITS(LEARNING_RATE, mask="*weight")
    spec = jax.tree.map(eqx.is_inexact_array, model)
    spec = eqx.tree_at(lambda m: m.head.weight, spec, replace=False)
    model_params, frozen = eqx.partition(model, spec)

    def gradients_of(params, t):
        return jax.grad(lambda p: loss_of(eqx.combine(p, frozen), t))(params)

    expected, expected_state = plain_loop(tx, model_params, gradients_of, steps=4)

    @eqx.filter_jit
    def run(params, state):
        def step(carry, t):
            params, state = carry
            updates, state = tx.update(gradients_of(params, t), state, params)
            return (eqx.apply_updates(params, updates), state), None

        return jax.lax.scan(step, (params, state), jnp.arange(4, dtype=jnp.float32))[0]

    params, state = run(model_params, tx.init(model_params))
    assert_same(params, expected, model_params)
    reached = eqx.combine(params, frozen)
    assert_equal(reached.head, model.head)
    assert params.head.weight is None
    assert (reached.calls, reached.activation) == (7, jnp.tanh)
    assert sorted({x.shape for x in jax.tree.leaves(state)}) == [(), (128,), (128, 160)]
    assert jax.tree.structure(state) == jax.tree.structure(expected_state)
