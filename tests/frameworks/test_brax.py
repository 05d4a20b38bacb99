"""brax: no parameters for `update`, a learning rate adapted in the state, devices, populations.

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

RATE = 1e-2
# Without parameters there is no weight decay: an injected one would be a number that changes.
STATIC = ("weight_decay",)


def in_8_bits(learning_rate):
    return adamjax.adam(learning_rate, storage="8bit")


def adafactor(learning_rate):
    return adamjax.adafactor(learning_rate, scale_parameter=False)


IN_8_BITS = "adam in 8 bits"
MAKERS = {
    "adam": (adamjax.adam, STATIC),
    "amsgrad": (adamjax.amsgrad, STATIC),
    "adafactor": (adafactor, ()),
    IN_8_BITS: (in_8_bits, ()),
}


def injected(name, **settings):
    make, static = MAKERS[name]
    return optax.inject_hyperparams(make, static_args=static)(learning_rate=RATE, **settings)


def adapt(state, kl, wanted=0.01):
    """Slower where the policy has moved too far, faster where it has not; changes `state`."""
    inner = state if hasattr(state, "hyperparams") else state[-1]
    rate = inner.hyperparams["learning_rate"]
    rate = jnp.where(kl > 2 * wanted, jnp.maximum(1e-5, rate / 1.5), rate)
    rate = jnp.where((kl < wanted / 2) & (kl > 0), jnp.minimum(1e-1, rate * 1.5), rate)
    inner.hyperparams["learning_rate"] = rate
    return state, rate


KLS = np.array([0.01, 0.05, 0.05, 0.001, 0.03], np.float32)
FACTORS = np.cumprod([1, 1 / 1.5, 1 / 1.5, 1.5, 1 / 1.5])


def by_hand(name, params, rates, clip=None):
    """The plain loop without anything injected, at these rates."""
    make, _ = MAKERS[name]

    @jax.jit
    def step(params, state, t, rate):
        gradients = gradients_at(params, t)
        if clip:
            gradients, _ = clip.update(gradients, optax.EmptyState())
        updates, state = make(rate).update(gradients, state)
        return optax.apply_updates(params, updates), state

    state = make(RATE).init(params)
    for t, rate in enumerate(rates):
        params, state = step(params, state, jnp.float32(t), rate)
    return params


@pytest.mark.parametrize(
    ("name", "clips"), [("adam", True), ("amsgrad", False), ("adafactor", False), (IN_8_BITS, True)]
)
def test_rate_adapted_in_the_state_under_scan_and_pmap(name, clips):
    clip = optax.clip_by_global_norm(50.0)
    tx = optax.chain(clip, injected(name)) if clips else injected(name)

    def minibatch(carry, given):
        t, kl = given
        params, state = carry
        gradients = jax.lax.pmean(gradients_at(params, t), "i")
        state, rate = adapt(state, jax.lax.pmean(kl, "i"))
        updates, state = tx.update(gradients, state)
        return (optax.apply_updates(params, updates), state), rate

    @functools.partial(jax.pmap, axis_name="i")
    def epoch(carry):
        times = jnp.arange(len(KLS), dtype=jnp.float32)
        return jax.lax.scan(minibatch, carry, (times, jnp.asarray(KLS)))

    start = large_params()
    devices = jax.local_device_count()
    copy = lambda x: jnp.stack([x] * devices)  # noqa: E731
    (params, _), rates = epoch(jax.tree.map(copy, (start, tx.init(start))))
    np.testing.assert_allclose(rates[0], RATE * FACTORS, rtol=1e-5)
    wanted = by_hand(name, start, RATE * FACTORS, clip if clips else None)
    assert_same(jax.tree.map(lambda x: x[0], params), wanted, start)


def test_population_with_a_rate_for_each():
    """Members of a population side by side in `jax.vmap`, each with its learning rate."""
    tx, rates = injected(IN_8_BITS), jnp.array([1e-3, 1e-2])

    def born(rate):
        state = tx.init(large_params())
        state.hyperparams["learning_rate"] = rate
        return large_params(), state

    @jax.jit
    @jax.vmap
    def step(params, state, t):
        updates, state = tx.update(gradients_at(params, t), state)
        return optax.apply_updates(params, updates), state

    params, state = jax.vmap(born)(rates)
    for t in range(3):
        params, state = step(params, state, jnp.full(2, t, jnp.float32))
    for i, rate in enumerate(rates):
        wanted = by_hand(IN_8_BITS, large_params(), [rate] * 3)
        member = jax.tree.map(lambda x, n=i: x[n], params)
        assert_same(member, wanted, large_params())


def test_decay_that_could_change_asks_for_the_parameters():
    """An injected weight decay is a number that may be set to anything later, so not left out."""
    tx = optax.inject_hyperparams(adamjax.adam)(learning_rate=RATE)
    state = tx.init(large_params())
    with pytest.raises(ValueError, match=r"weight_decay needs the parameters.*static_args"):
        jax.jit(tx.update)(large_params(), state)
