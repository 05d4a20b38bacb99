"""Checks inside the training classes of Flax and Equinox, where these are installed."""

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
    """A smooth function of both arrays."""
    return jnp.mean(jnp.tanh(jnp.arange(2.0) @ kernel + bias) ** 2)


def train_plainly(
    subject: Subject, params: dict[str, Any], loss: Callable[..., Any] = linear_loss
) -> dict[str, Any]:
    """Kernel and bias after a few steps on a loss of both, without any framework."""
    state = subject.tx.init(params)
    for _ in range(STEPS):
        gradient = jax.grad(lambda p: loss(p["kernel"], p["bias"]))(params)
        params, state = train(subject.tx.update, params, state, [gradient])
    return params


@conformance
def nnx_optimizer(subject: Subject) -> None:
    """`flax.nnx.Optimizer` trains a module as Optax alone does."""
    nnx = library("flax.nnx")
    model = nnx.Linear(2, 3, rngs=nnx.Rngs(0))
    start = {"kernel": model.kernel[...], "bias": model.bias[...]}
    wanted = train_plainly(subject, start)
    optimizer = nnx.Optimizer(model, subject.tx, wrt=nnx.Param)
    for _ in range(STEPS):
        gradient = nnx.grad(lambda m: linear_loss(m.kernel[...], m.bias[...]))(model)
        optimizer.update(model, gradient)
    seen = {"kernel": model.kernel[...], "bias": model.bias[...]}
    expect_close("the trained module", seen, wanted, start)


@conformance
def train_state(subject: Subject) -> None:
    """`flax.training.train_state.TrainState` trains as Optax alone does."""
    module = library("flax.training.train_state")
    params = sample_params()["dense"]
    params = {"kernel": params["kernel"][:2], "bias": params["bias"]}
    state = module.TrainState.create(apply_fn=None, params=params, tx=subject.tx)
    for _ in range(STEPS):
        gradient = jax.grad(lambda p: linear_loss(p["kernel"], p["bias"]))(state.params)
        state = state.apply_gradients(grads=gradient)
    wanted = train_plainly(subject, params)
    expect_close("the parameters", state.params, wanted, params)


@conformance
def equinox_module(subject: Subject) -> None:
    """An Equinox module is trained, though it has functions among its leaves."""
    eqx = library("equinox")
    model = eqx.nn.MLP(2, 3, width_size=2, depth=0, key=jax.random.key(0))
    layer = model.layers[0]
    start = {"kernel": layer.weight, "bias": layer.bias}  # (out, in), unlike those of Flax
    wanted = train_plainly(subject, start, lambda kernel, bias: linear_loss(kernel.T, bias))
    state = subject.tx.init(eqx.filter(model, eqx.is_inexact_array))

    @eqx.filter_grad
    def gradient_of(model: Any) -> Any:
        return linear_loss(model.layers[0].weight.T, model.layers[0].bias)

    for _ in range(STEPS):
        params = eqx.filter(model, eqx.is_inexact_array)
        updates, state = subject.tx.update(gradient_of(model), state, params)
        model = eqx.apply_updates(model, updates)
    layer = model.layers[0]
    seen = {"kernel": layer.weight, "bias": layer.bias}
    expect_close("the trained module", seen, wanted, start)
