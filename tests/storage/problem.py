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
formats = pytest.mark.parametrize("storage", STORED)
SHAPE = (128, 128)
STEPS = 200


def direction(name, **arguments):
    return adamjax.get_variant(name).scale_by(**arguments)


# Every direction of the library, and Optax's own with moments that ours have not; for each the
# least mean cosine with float32 over the last 50 of 200 steps, in "8bit_v16" and "8bit". Measured
# values are given beside them: the limits leave the angle half as much again.
CASES = {
    "adabound": (direction("adabound"), 0.999, 0.993),  # 0.9997, 0.9970
    "adadelta": (direction("adadelta"), 0.9999, 0.978),  # 1.0000, 0.9899: rounded twice
    "adafactor": (direction("adafactor"), 0.9999, 0.9999),  # factored: nothing to store
    "adagrad": (direction("adagrad"), 0.9999, 0.986),  # 1.0000, 0.9939: v has 8 bits alone
    "adam": (direction("adam"), 0.999, 0.991),  # 0.9997, 0.9961
    "adamax": (direction("adamax"), 0.984, 0.974),  # 0.9928, 0.9882: m has a code of its own
    "amsbound": (direction("amsbound"), 0.999, 0.999),  # 0.9996, 0.9996
    "amsgrad": (direction("amsgrad"), 0.999, 0.999),  # 0.9996, 0.9996: 16 bits below a maximum
    "nadam": (direction("nadam"), 0.9999, 0.994),  # 1.0000, 0.9975
    "radam": (direction("radam"), 0.999, 0.991),  # 0.9997, 0.9961
    "rmsprop": (direction("rmsprop"), 0.9999, 0.988),  # 1.0000, 0.9947: v has 8 bits alone
    "sgd": (direction("sgd", momentum=0.9), 0.983, 0.983),  # 0.9925, 0.9925
    "optax.ademamix": (optax.contrib.ademamix(1.0), 0.998, 0.991),  # 0.9995, 0.9960
    "optax.adabelief": (optax.adabelief(1.0), 0.984, 0.970),  # 0.9929, 0.9867
    "optax.adan": (optax.adan(1.0), 0.936, 0.923),  # 0.971, 0.966: differences of gradients
    "optax.lion": (optax.lion(1.0), 0.90, 0.90),  # 0.938, 0.938: the sign of what is near 0
    "optax.novograd": (optax.novograd(1.0), 0.90, 0.90),  # 0.949, 0.949: m of units, coarse there
    "optax.yogi": (optax.yogi(1.0), 0.999, 0.993),  # 0.9997, 0.9973
}


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
