"""Flax: an optimizer in NNX and in Linen's `TrainState`, also saved."""

import functools

import jax
import jax.numpy as jnp
import pytest

from tests.frameworks.loop import (
    LEARNING_RATE,
    assert_same,
    batch,
    optimizers,
    plain_loop,
)
from tests.storage.runs import assert_equal

pytestmark = pytest.mark.usefixtures("compiled_quickly")

# --- NNX


@functools.cache
def nnx_model():
    """The class, defined here since Flax is slow to import."""
    from flax import nnx

    class Model(nnx.Module):
        def __init__(self, seed=0):
            rngs = nnx.Rngs(seed)
            self.encoder = nnx.Linear(160, 128, rngs=rngs)
            self.head = nnx.Linear(128, 3, rngs=rngs)

        def __call__(self, x):
            return self.head(jnp.tanh(self.encoder(x)))

    def loss(model, t):
        return jnp.mean((model(batch(t)) - 1.0) ** 2)

    @nnx.jit
    def train_step(model, optimizer, t):
        optimizer.update(model, nnx.grad(loss)(model, t))

    return nnx, Model, loss, train_step


def pure_params(model):
    """Nested dicts of arrays, as one would have them without Flax."""
    nnx = nnx_model()[0]
    return nnx.to_pure_dict(nnx.state(model, nnx.Param))


def plain_gradients(params, t):
    def loss(params):
        hidden = jnp.tanh(batch(t) @ params["encoder"]["kernel"] + params["encoder"]["bias"])
        return jnp.mean((hidden @ params["head"]["kernel"] + params["head"]["bias"] - 1.0) ** 2)

    return jax.grad(loss)(params)


@optimizers("adamw in 8 bits", wide=["adamw", "adafactor", "optax.adamw in 8 bits"])
def test_nnx_optimizer_is_the_plain_loop(make):
    """`nnx.Optimizer` under `nnx.jit`, then split off and merged again in `jax.jit`."""
    nnx, Model, loss, train_step = nnx_model()
    model = Model()
    start = pure_params(model)
    optimizer = nnx.Optimizer(model, make(LEARNING_RATE), wrt=nnx.Param)
    for t in range(2):
        train_step(model, optimizer, jnp.float32(t))
    graph, state = nnx.split((model, optimizer))

    @jax.jit
    def step(state, t):
        model, optimizer = nnx.merge(graph, state)
        optimizer.update(model, nnx.grad(loss)(model, t))
        return nnx.state((model, optimizer))

    for t in range(2, 5):
        before = jax.tree.structure(state), [(x.shape, x.dtype) for x in jax.tree.leaves(state)]
        state = step(state, jnp.float32(t))
        after = jax.tree.structure(state), [(x.shape, x.dtype) for x in jax.tree.leaves(state)]
        assert after == before
    model, optimizer = nnx.merge(graph, state)
    assert int(optimizer.step[...]) == 5
    expected, _ = plain_loop(make(LEARNING_RATE), start, plain_gradients)
    assert_same(pure_params(model), expected, start)


# --- Linen


def train_state(make, seed=0):
    """A `TrainState` and the function of its gradients."""
    from flax import linen as nn
    from flax.training.train_state import TrainState

    layers = [nn.Dense(128, name="encoder"), nn.tanh, nn.Dense(3, name="head")]
    model = nn.Sequential(layers)
    params = model.init(jax.random.key(seed), batch(0))["params"]

    def gradients_of(params, t):
        def loss(params):
            return jnp.mean((model.apply({"params": params}, batch(t)) - 1.0) ** 2)

        return jax.grad(loss)(params)

    tx = make(LEARNING_RATE)
    return TrainState.create(apply_fn=model.apply, params=params, tx=tx), gradients_of


@optimizers("adamw in 8 bits", wide=["amsgrad", "adamw in bfloat16"])
def test_train_state_is_the_plain_loop_also_from_its_bytes(make):
    """`to_bytes` and `from_bytes` into a state of another seed, as after a restart."""
    from flax import serialization

    start, gradients_of = train_state(make)
    train_step = jax.jit(lambda s, t: s.apply_gradients(grads=gradients_of(s.params, t)))

    def train(state, steps):
        for t in steps:
            state = train_step(state, jnp.float32(t))
        return state

    saved = train(start, range(3))
    other = train_state(make, seed=1)[0].replace(tx=start.tx, apply_fn=start.apply_fn)
    restored = serialization.from_bytes(other, serialization.to_bytes(saved))
    for field in ("params", "opt_state"):
        assert_equal(getattr(restored, field), getattr(saved, field))
    reached = train(restored, range(3, 5))
    assert int(reached.step) == 5
    expected, expected_state = plain_loop(start.tx, start.params, gradients_of)
    assert_same(reached.params, expected, start.params)
    for state in (start.opt_state, expected_state):
        assert jax.tree.structure(state) == jax.tree.structure(reached.opt_state)
        dtypes = [[x.dtype for x in jax.tree.leaves(s)] for s in (state, reached.opt_state)]
        assert dtypes[0] == dtypes[1]
