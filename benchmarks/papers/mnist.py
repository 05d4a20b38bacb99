"""A dense network on the MNIST images that are here offline, for several papers."""

from functools import cache

import jax
import jax.numpy as jnp

from benchmarks.training import Params, Problem, cross_entropy, layers, network
from examples import data


@cache
def images() -> data.Labelled:
    return data.mnist()


def problem(hidden: int, batch_size: int) -> Problem:
    """With one hidden layer."""
    widths = (images().train[0].shape[1], hidden, images().classes)
    return Problem(
        lambda key: layers(key, widths),
        lambda params, batch, key: cross_entropy(network(params, batch[0]), batch[1]),
        images().train,
        batch_size,
    )


def accuracy(params: Params) -> jax.Array:
    """On the held-out images."""
    inputs, labels = images().test
    return jnp.mean(network(params, jnp.asarray(inputs)).argmax(axis=-1) == labels)
