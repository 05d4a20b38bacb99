"""Flax NNX: `nnx.Optimizer` under `nnx.jit`, a `wrt` filter, split and merge, Orbax."""

import functools

import jax
import jax.numpy as jnp
import optax
import pytest
from flax import nnx

from tests.frameworks.loop import LEARNING_RATE, assert_same, optimizers, plain_loop
from tests.storage.runs import assert_equal, dtypes_of


class Model(nnx.Module):
    def __init__(self, seed=0):
        rngs = nnx.Rngs(seed)
        self.encoder = nnx.Linear(160, 128, rngs=rngs)
        self.head = nnx.Linear(128, 3, rngs=rngs)

    def __call__(self, x):
        return self.head(jnp.tanh(self.encoder(x)))


def batch(t):
    return jnp.sin(jnp.arange(4 * 160, dtype=jnp.float32).reshape(4, 160) + t)


def loss_of(model, t):
    return jnp.mean((model(batch(t)) - 1.0) ** 2)


def pure_params(model):
    """Nested dicts of arrays, as one would have them without Flax."""
    return nnx.to_pure_dict(nnx.state(model, nnx.Param))


def plain_gradients(params, t):
    def loss(params):
        hidden = jnp.tanh(batch(t) @ params["encoder"]["kernel"] + params["encoder"]["bias"])
        return jnp.mean((hidden @ params["head"]["kernel"] + params["head"]["bias"] - 1.0) ** 2)

    return jax.grad(loss)(params)


@functools.cache
def wanted_of(make, steps):
    """What the plain loop makes of the parameters of `Model()`."""
    start = pure_params(Model())
    return plain_loop(make(LEARNING_RATE), start, plain_gradients, steps)[0]


@nnx.jit
def train_step(model, optimizer, t):
    gradients = nnx.grad(loss_of)(model, t)
    optimizer.update(model, gradients)


@optimizers("adamw", "adafactor", "adamw in 8 bits", "optax.adamw in 8 bits")
def test_optimizer_is_the_plain_loop(make):
    model = Model()
    start = pure_params(model)
    optimizer = nnx.Optimizer(model, make(LEARNING_RATE), wrt=nnx.Param)
    for t in range(5):
        train_step(model, optimizer, jnp.float32(t))
    assert int(optimizer.step[...]) == 5
    assert_same(pure_params(model), wanted_of(make, 5), start)


@optimizers("adamw in 8 bits")
def test_wrt_trains_what_the_filter_takes_and_nothing_else(make):
    chosen = nnx.All(nnx.Param, nnx.PathContains("encoder"))
    model = Model()
    start = pure_params(model)
    optimizer = nnx.Optimizer(model, make(LEARNING_RATE), wrt=chosen)

    @nnx.jit
    def step(model, optimizer, t):
        gradients = nnx.grad(loss_of, argnums=nnx.DiffState(0, chosen))(model, t)
        optimizer.update(model, gradients)

    for t in range(3):
        step(model, optimizer, jnp.float32(t))
    tx = optax.partition(
        {"train": make(LEARNING_RATE), "freeze": optax.set_to_zero()},
        {"encoder": "train", "head": "freeze"},
    )
    wanted, _ = plain_loop(tx, start, plain_gradients, steps=3)
    seen = pure_params(model)
    assert_same(seen["encoder"], wanted["encoder"], start["encoder"])
    assert_equal(seen["head"], start["head"])
    moments = jax.tree.leaves(nnx.state(optimizer, nnx.OptState))
    assert sum(x.shape == (128, 3) for x in moments) == 0


@optimizers("adamw in 8 bits")
def test_split_and_merge_in_jax_jit(make):
    """The functional form: the graph is split off outside and merged in `jax.jit`."""
    model = Model()
    start = pure_params(model)
    optimizer = nnx.Optimizer(model, make(LEARNING_RATE), wrt=nnx.Param)
    graph, state = nnx.split((model, optimizer))

    @jax.jit
    def step(state, t):
        model, optimizer = nnx.merge(graph, state)
        optimizer.update(model, nnx.grad(loss_of)(model, t))
        return nnx.state((model, optimizer))

    for t in range(3):
        before = jax.tree.structure(state), [(x.shape, x.dtype) for x in jax.tree.leaves(state)]
        state = step(state, jnp.float32(t))
        after = jax.tree.structure(state), [(x.shape, x.dtype) for x in jax.tree.leaves(state)]
        assert after == before
    model, optimizer = nnx.merge(graph, state)
    assert_same(pure_params(model), wanted_of(make, 3), start)


@optimizers("lion", "adamw in 8 bits")
def test_run_resumed_from_orbax_is_the_uninterrupted_one(make, tmp_path):
    ocp = pytest.importorskip("orbax.checkpoint")

    def fresh(seed):
        model = Model(seed)
        return model, nnx.Optimizer(model, make(LEARNING_RATE), wrt=nnx.Param)

    def train(pair, steps):
        for t in steps:
            train_step(*pair, jnp.float32(t))

    pair = fresh(0)
    train(pair, range(3))
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "run", nnx.state(pair))
        checkpointer.wait_until_finished()
        # In a new process: shapes from a model that is never made, values from the disk.
        graph, shapes = nnx.split(nnx.eval_shape(lambda: fresh(1)))
        sharding = jax.sharding.SingleDeviceSharding(jax.devices()[0])
        target = jax.tree.map(
            lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding), shapes
        )
        resumed = nnx.merge(graph, checkpointer.restore(tmp_path / "run", target))
    assert_equal(nnx.state(resumed), nnx.state(pair))
    train(pair, range(3, 6))
    train(resumed, range(3, 6))
    assert_equal(nnx.state(resumed), nnx.state(pair))
    assert ("int8" in dtypes_of(nnx.state(resumed))) == ("storage" in getattr(make, "keywords", {}))
