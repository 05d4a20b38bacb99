"""The plain loop that every framework is compared with, and what all of the comparisons share."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax

LEARNING_RATE = 1e-2
IN_8_BITS = functools.partial(adamjax.adamw, storage="8bit", weight_decay=0.1, mask="*kernel*")


def line(count):
    return jnp.linspace(-1.0, 1.0, count, dtype=jnp.float32)


def large_params():
    """Nested as in Flax; one leaf is large enough for `storage`, two are too small."""
    return {
        "encoder": {"bias": line(128), "kernel": line(160 * 128).reshape(160, 128)},
        "head": {"kernel": line(24).reshape(8, 3)},
    }


def gradients_at(params, t):
    """Gradients that depend on the parameters and change from step to step."""
    return jax.tree.map(lambda p: jnp.cos(3 * p + t).astype(p.dtype), params)


def plain_loop(tx, params, gradients=gradients_at, steps=5):
    """The parameters and the state after some steps of `gradients(params, t)`."""

    @jax.jit
    def step(params, state, t):
        updates, state = tx.update(gradients(params, t), state, params)
        return optax.apply_updates(params, updates), state

    state = tx.init(params)
    for t in range(steps):
        params, state = step(params, state, jnp.float32(t))
    return params, state


def assert_same(seen, expected, start=None, tolerance=2e-6):
    """Equal in every leaf, but for one element in a thousand, and moved away from the start.

    Compilers differ in the last place, and there a sign or a stochastic rounding may tip over.
    """
    assert len(jax.tree.leaves(seen)) == len(jax.tree.leaves(expected))
    start = jax.tree.map(lambda x: x + 1.0, expected) if start is None else start
    leaves = map(jax.tree.leaves, (seen, expected, start))
    for a, b, before in zip(*leaves, strict=True):
        assert a.dtype == b.dtype
        a, b, before = (np.asarray(x, np.float64) for x in (a, b, before))
        assert np.mean(np.abs(a - b) > tolerance) <= 1e-3
        assert np.abs(b - before).max() > 1e-4
