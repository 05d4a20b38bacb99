"""A problem, optimizers and measures that the tests of `store` share."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.storage.formats import FORMATS

STORED = [name for name in FORMATS if name != "float32"]
# The format of 8 bits reaches every branch. The other two are in the wide tier.
formats = pytest.mark.parametrize(
    "storage", [pytest.param(s, marks=() if s == "8bit" else pytest.mark.wide) for s in STORED]
)
SHAPE = (128, 128)
STEPS = 200


def direction(name, **arguments):
    return adamjax.get_variant(name).scale_by(**arguments)


# Update rules with moments of every role, ours and Optax's. For each, the least mean cosine with
# float32 over the last 50 of 200 steps, in "8bit_v16" and "8bit". Comments have measured values.
# The limits leave the angle half as much again.
CASES = {
    "adafactor": (direction("adafactor"), 0.9999, 0.9999),  # factored: nothing to store
    "adam": (direction("adam"), 0.999, 0.991),  # 0.9997, 0.9961
    "adamax": (direction("adamax"), 0.984, 0.974),  # 0.9928, 0.9882: m has a code of its own
    "amsgrad": (direction("amsgrad"), 0.999, 0.999),  # 0.9996, 0.9996: 16 bits below a maximum
    "rmsprop": (direction("rmsprop"), 0.9999, 0.988),  # 1.0000, 0.9947: v has 8 bits alone
    "sgd": (direction("sgd", momentum=0.9), 0.983, 0.983),  # 0.9925, 0.9925
    "optax.ademamix": (optax.contrib.ademamix(1.0), 0.998, 0.991),  # 0.9995, 0.9960
    "optax.adabelief": (optax.adabelief(1.0), 0.984, 0.970),  # 0.9929, 0.9867
    "optax.adan": (optax.adan(1.0), 0.936, 0.923),  # 0.971, 0.966: differences of gradients
    "optax.lion": (optax.lion(1.0), 0.90, 0.90),  # 0.938, 0.938: the sign of numbers near 0
}


QUICK = ("adam", "amsgrad", "rmsprop", "sgd", "optax.ademamix")  # one of each code
cases = pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.wide) for n in CASES]
)


@functools.cache
def problem():
    """Parameters, and gradients over 4 powers of ten that are a fifth signal."""
    random = np.random.default_rng(0)
    scale = np.minimum(np.exp(1.5 * random.normal(size=SHAPE) - 8), 0.02)
    gradients = 0.3 * random.normal(size=SHAPE) + random.normal(size=(STEPS, *SHAPE))
    params = 0.1 * random.normal(size=SHAPE)
    return jnp.asarray(params, jnp.float32), jnp.asarray(scale * gradients, jnp.float32)


def side_by_side(transformations, params, gradients):
    """The updates and the last states of several optimizers fed the same gradients."""

    def step(states, gradient):
        pairs = [
            t.update(gradient, s, params) for t, s in zip(transformations, states, strict=True)
        ]
        updates, states = zip(*pairs, strict=True)
        return list(states), updates

    start = [tx.init(params) for tx in transformations]
    states, updates = jax.jit(lambda g: jax.lax.scan(step, start, g))(gradients)
    return [np.asarray(u, np.float64) for u in updates], states


def cosine(a, b):
    """The mean over the steps."""
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.mean(np.sum(a * b, axis=1) / norms)
