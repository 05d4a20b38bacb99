"""Checks inside the training classes of Flax and Equinox, if these are installed."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from adamjax.testing.subject import (
    Subject,
    conformance,
    expect_close,
    library,
    sample_params,
    train,
)

STEPS = 2


def linear_loss(kernel: Any, bias: Any) -> Any:
    """Compute a smooth function of both arrays."""
    return jnp.mean(jnp.tanh(jnp.arange(2.0) @ kernel + bias) ** 2)


def expect_trained(
    subject: Subject, actual: Any, start: Any, loss: Callable[..., Any] = linear_loss
) -> None:
    """Compare a trained kernel and bias with a plain Optax loop on the same loss."""
    params, state = start, subject.tx.init(start)
    for _ in range(STEPS):
        gradient = jax.grad(lambda p: loss(p["kernel"], p["bias"]))(params)
        params, state = train(subject.tx.update, params, state, [gradient])
    expect_close("the trained parameters", actual, params, start)


@conformance
def nnx_optimizer(subject: Subject) -> None:
    """`flax.nnx.Optimizer` trains a module like plain Optax."""
    nnx = library("flax.nnx")
    model = nnx.Linear(2, 3, rngs=nnx.Rngs(0))
    start = {"kernel": model.kernel[...], "bias": model.bias[...]}
    optimizer = nnx.Optimizer(model, subject.tx, wrt=nnx.Param)
    for _ in range(STEPS):
        gradient = nnx.grad(lambda m: linear_loss(m.kernel[...], m.bias[...]))(model)
        optimizer.update(model, gradient)
    actual = {"kernel": model.kernel[...], "bias": model.bias[...]}
    expect_trained(subject, actual, start)


@conformance
def train_state(subject: Subject) -> None:
    """`flax.training.train_state.TrainState` trains like plain Optax."""
    module = library("flax.training.train_state")
    dense = sample_params()["dense"]
    start = {"kernel": dense["kernel"][:2], "bias": dense["bias"]}
    state = module.TrainState.create(apply_fn=None, params=start, tx=subject.tx)
    for _ in range(STEPS):
        gradient = jax.grad(lambda p: linear_loss(p["kernel"], p["bias"]))(state.params)
        state = state.apply_gradients(grads=gradient)
    expect_trained(subject, state.params, start)


@conformance
def equinox_module(subject: Subject) -> None:
    """An Equinox module is trained, although some of its leaves are functions."""
    eqx = library("equinox")
    model = eqx.nn.MLP(2, 3, width_size=2, depth=0, key=jax.random.key(0))
    # Equinox kernels have the axes (out, in).
    start = {"kernel": model.layers[0].weight, "bias": model.layers[0].bias}
    state = subject.tx.init(eqx.filter(model, eqx.is_inexact_array))

    @eqx.filter_grad
    def gradient_of(model: Any) -> Any:
        return linear_loss(model.layers[0].weight.T, model.layers[0].bias)

    for _ in range(STEPS):
        params = eqx.filter(model, eqx.is_inexact_array)
        updates, state = subject.tx.update(gradient_of(model), state, params)
        model = eqx.apply_updates(model, updates)
    actual = {"kernel": model.layers[0].weight, "bias": model.layers[0].bias}
    expect_trained(subject, actual, start, lambda kernel, bias: linear_loss(kernel.T, bias))
