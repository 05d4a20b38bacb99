"""Flax: an optimizer in NNX."""

import functools

import jax
import jax.numpy as jnp
import pytest

from tests.frameworks.loop import IN_8_BITS, LEARNING_RATE, assert_same, plain_loop

pytestmark = pytest.mark.usefixtures("compiled_quickly")


def batch(t):
    return jnp.sin(jnp.arange(4 * 160, dtype=jnp.float32).reshape(4, 160) + t)


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


def test_nnx_optimizer_is_the_plain_loop():
    """`nnx.Optimizer` under `nnx.jit`, then split off and merged again in `jax.jit`."""
    nnx, Model, loss, train_step = nnx_model()
    model = Model()
    start = pure_params(model)
    optimizer = nnx.Optimizer(model, IN_8_BITS(LEARNING_RATE), wrt=nnx.Param)
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
    expected, _ = plain_loop(IN_8_BITS(LEARNING_RATE), start, plain_gradients)
    assert_same(pure_params(model), expected, start)
