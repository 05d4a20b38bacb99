"""brax: no parameters for `update`, a learning rate adapted in the state, devices.

Facts, in google/brax, brax/training:
- gradients.py and agents/ppo/train.py call `optimizer.update(grads, optimizer_state)`, without the
  parameters, in a `jax.lax.scan` in a `jax.pmap` over whose axis gradients are averaged.
- agents/ppo/optimizer.py: `adaptive_kl_learning_rate` takes the last part of the state, if the
  state itself has no `hyperparams`, and assigns to `hyperparams["learning_rate"]`, traced, by how
  far the policy has moved; the optimizer is `optax.inject_hyperparams(...)(learning_rate=...)`,
  behind a clip by the global norm if one is asked for.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from tests.frameworks.loop import assert_same, gradients_at, large_params

pytestmark = pytest.mark.usefixtures("compiled_quickly")
RATE = 1e-2
FACTORS = np.float32([1, 1 / 1.5, 1 / 1.5**2, 1 / 1.5, 1 / 1.5**2])


def adam(learning_rate):
    return adamjax.adam(learning_rate, storage="8bit")


INJECTED = optax.inject_hyperparams(adam)(learning_rate=RATE)


def by_hand(params, rates, clip):
    """The plain loop without anything injected, at these rates."""

    @jax.jit
    def step(params, state, t, rate):
        gradients, _ = clip.update(gradients_at(params, t), optax.EmptyState())
        updates, state = adam(rate).update(gradients, state)
        return optax.apply_updates(params, updates), state

    state = adam(RATE).init(params)
    for t, rate in enumerate(rates):
        params, state = step(params, state, jnp.float32(t), rate)
    return params


def test_rate_adapted_in_the_state_under_scan_and_pmap():
    clip = optax.clip_by_global_norm(50.0)
    tx = optax.chain(clip, INJECTED)

    def minibatch(carry, inputs):
        t, factor = inputs
        params, state = carry
        gradients = jax.lax.pmean(gradients_at(params, t), "i")
        state[-1].hyperparams["learning_rate"] = RATE * jax.lax.pmean(factor, "i")
        updates, state = tx.update(gradients, state)
        return (optax.apply_updates(params, updates), state), None

    @functools.partial(jax.pmap, axis_name="i")
    def epoch(carry):
        times = jnp.arange(len(FACTORS), dtype=jnp.float32)
        return jax.lax.scan(minibatch, carry, (times, jnp.asarray(FACTORS)))

    start = large_params()
    copies = jax.tree.map(lambda x: jnp.stack([x] * 2), (start, tx.init(start)))
    (params, _), _ = epoch(copies)
    expected = by_hand(start, RATE * FACTORS, clip)
    assert_same(jax.tree.map(lambda x: x[0], params), expected, start)


def test_decay_that_could_change_asks_for_the_parameters():
    """An injected weight decay is a number that may be set to anything later, so not left out."""
    tx = optax.inject_hyperparams(adamjax.adam)(learning_rate=RATE, weight_decay=0.0)
    state = tx.init(large_params())
    with pytest.raises(ValueError, match="weight_decay needs the parameters"):
        jax.jit(tx.update)(large_params(), state)
