"""Equinox: `filter_jit`, `partition` and `combine`, `apply_updates`, leaves that are None."""

import equinox as eqx
import jax
import jax.numpy as jnp

from tests.frameworks.loop import LEARNING_RATE, assert_same, optimizers, plain_loop
from tests.storage.runs import assert_equal


class Model(eqx.Module):
    """Arrays beside what is none: a function, a whole number, and a layer without a bias."""

    encoder: eqx.nn.Linear
    head: eqx.nn.Linear
    activation: object
    calls: jax.Array
    depth: int = eqx.field(static=True)

    def __init__(self):
        first, second = jax.random.split(jax.random.key(0))
        self.encoder = eqx.nn.Linear(160, 128, key=first)
        self.head = eqx.nn.Linear(128, 3, use_bias=False, key=second)
        self.activation = jnp.tanh
        self.calls = jnp.int32(7)
        self.depth = 2

    def __call__(self, x):
        return self.head(self.activation(self.encoder(x)))


def batch(t):
    return jnp.sin(jnp.arange(4 * 160, dtype=jnp.float32).reshape(4, 160) + t)


def loss_of(model, t):
    return jnp.mean((jax.vmap(model)(batch(t)) - 1.0) ** 2)


def weights(model):
    """What the plain loop trains; Equinox says weight where Flax says kernel."""
    return {
        "encoder": {"bias": model.encoder.bias, "kernel": model.encoder.weight},
        "head": {"kernel": model.head.weight},
    }


def plain_gradients(params, t):
    def loss(params):
        hidden = jnp.tanh(batch(t) @ params["encoder"]["kernel"].T + params["encoder"]["bias"])
        return jnp.mean((hidden @ params["head"]["kernel"].T - 1.0) ** 2)

    return jax.grad(loss)(params)


def renamed(make):
    """The optimizer with its mask in the words of Equinox."""
    mask = {"mask": "*weight"} if "mask" in getattr(make, "keywords", {}) else {}
    return make(LEARNING_RATE, **mask)


# Another name gives a leaf in few bits other roundings, so it is compared with itself below.
@optimizers("adamw", "adopt")
def test_filtered_module_is_the_plain_loop(make):
    model, tx = Model(), renamed(make)
    start = weights(model)
    wanted, _ = plain_loop(make(LEARNING_RATE), start, plain_gradients)
    state = tx.init(eqx.filter(model, eqx.is_inexact_array))

    @eqx.filter_jit
    def step(model, state, t):
        gradients = eqx.filter_grad(loss_of)(model, t)
        params = eqx.filter(model, eqx.is_inexact_array)
        updates, state = tx.update(gradients, state, params)
        return eqx.apply_updates(model, updates), state

    for t in range(5):
        model, state = step(model, state, jnp.float32(t))
    assert_same(weights(model), wanted, start)
    assert model.calls == 7
    assert model.activation is jnp.tanh
    assert model.head.bias is None


@optimizers("amsgrad", "adamw in 8 bits")
def test_partition_and_combine(make):
    """One half of the model is trained and scanned over, the other is put beside it again."""
    model, tx = Model(), renamed(make)
    params, static = eqx.partition(model, eqx.is_inexact_array)

    def gradients_of(params, t):
        return jax.grad(lambda p: loss_of(eqx.combine(p, static), t))(params)

    wanted, wanted_state = plain_loop(tx, params, gradients_of, steps=4)

    @eqx.filter_jit
    def run(model, state):
        params, static = eqx.partition(model, eqx.is_inexact_array)

        def step(carry, t):
            params, state = carry
            gradients = jax.grad(lambda p: loss_of(eqx.combine(p, static), t))(params)
            updates, state = tx.update(gradients, state, params)
            return (eqx.apply_updates(params, updates), state), None

        carry, _ = jax.lax.scan(step, (params, state), jnp.arange(4, dtype=jnp.float32))
        return eqx.combine(carry[0], static), carry[1]

    reached, state = run(model, tx.init(params))
    assert_same(weights(reached), weights(wanted), weights(model))
    assert jax.tree.structure(state) == jax.tree.structure(wanted_state)


@optimizers("adamw", "adamw in 8 bits")
def test_frozen_part_is_none_and_stays(make):
    """A filter with False for the head: its leaves are None in gradients, state and updates."""
    model, tx = Model(), renamed(make)
    spec = jax.tree.map(lambda x: eqx.is_inexact_array(x), model)
    spec = eqx.tree_at(lambda m: m.head.weight, spec, replace=False)
    trainable, frozen = eqx.partition(model, spec)
    state = tx.init(trainable)

    @eqx.filter_jit
    def step(trainable, state, t):
        gradients = eqx.filter_grad(lambda p: loss_of(eqx.combine(p, frozen), t))(trainable)
        updates, state = tx.update(gradients, state, trainable)
        return eqx.apply_updates(trainable, updates), state

    for t in range(3):
        trainable, state = step(trainable, state, jnp.float32(t))
    reached = eqx.combine(trainable, frozen)
    assert_equal(reached.head, model.head)
    assert trainable.head.weight is None
    assert sorted({x.shape for x in jax.tree.leaves(state)}) == [(), (128,), (128, 160)]

    def alone(params, t):
        whole = {**params, "head": {"kernel": model.head.weight}}
        return {"encoder": plain_gradients(whole, t)["encoder"]}

    if "storage" not in make.keywords:
        wanted, _ = plain_loop(
            make(LEARNING_RATE), {"encoder": weights(model)["encoder"]}, alone, steps=3
        )
        assert_same(weights(reached)["encoder"], wanted["encoder"], weights(model)["encoder"])
