"""Flax NNX: an optimizer under `nnx.jit`, then in `jax.jit` with the model split off and merged."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax

pytestmark = pytest.mark.usefixtures("compiled_quickly")


def loss(params, t):
    x = jnp.sin(jnp.arange(4 * 160, dtype=jnp.float32).reshape(4, 160) + t)
    return jnp.mean((x @ params["kernel"] + params["bias"] - 1.0) ** 2)


def plain_loop(tx, params, steps):
    @jax.jit
    def step(params, state, t):
        updates, state = tx.update(jax.grad(loss)(params, t), state, params)
        return optax.apply_updates(params, updates), state

    state = tx.init(params)
    for t in range(steps):
        params, state = step(params, state, jnp.float32(t))
    return params


def test_nnx_optimizer_is_the_plain_loop():
    from flax import nnx  # slow to import

    def loss_of(model, t):
        return loss({"kernel": model.kernel[...], "bias": model.bias[...]}, t)

    @nnx.jit
    def train_step(model, optimizer, t):
        optimizer.update(model, nnx.grad(loss_of)(model, t))

    @functools.partial(jax.jit, static_argnums=0)
    def split_step(graph, state, t):
        model, optimizer = nnx.merge(graph, state)
        optimizer.update(model, nnx.grad(loss_of)(model, t))
        return nnx.state((model, optimizer))

    model = nnx.Linear(160, 128, rngs=nnx.Rngs(0))
    tx = adamjax.adamw(1e-2, weight_decay=0.1, mask="*kernel", storage="8bit")
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
    start = nnx.to_pure_dict(nnx.state(model, nnx.Param))
    for t in range(2):
        train_step(model, optimizer, jnp.float32(t))
    graph, state = nnx.split((model, optimizer))
    for t in range(2, 5):
        before, state = state, split_step(graph, state, jnp.float32(t))
        shapes = lambda tree: jax.tree.map(lambda x: (x.shape, x.dtype), tree)  # noqa: E731
        assert shapes(state) == shapes(before)
    model, optimizer = nnx.merge(graph, state)
    assert int(optimizer.step[...]) == 5
    expected = plain_loop(tx, start, 5)
    # Compilers differ in the last place, where a stochastic rounding may tip over.
    away = np.abs(model.kernel[...] - expected["kernel"])
    assert (
        np.mean(away > 2e-6) <= 1e-3 and np.max(np.abs(start["kernel"] - expected["kernel"])) > 1e-3
    )
