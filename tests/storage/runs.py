"""Short runs of a stored optimizer, which the tests of `store` share."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax


def ready_made(learning_rate=1e-2, storage="8bit"):
    return adamjax.adamw(learning_rate, storage=storage)


def large_params():
    """A leaf that is stored and one that is too small."""
    kernel = jnp.linspace(-1.0, 1.0, 160 * 128, dtype=jnp.float32).reshape(160, 128)
    return {"dense": {"bias": jnp.linspace(-1.0, 1.0, 64), "kernel": kernel}}


def gradients_at(t, params):
    return jax.tree.map(lambda p: jnp.cos(3 * p + t).astype(p.dtype), params)


def steps(tx, params, state, numbers):
    update = jax.jit(tx.update)
    for t in numbers:
        updates, state = update(gradients_at(t, params), state, params)
        params = optax.apply_updates(params, updates)
    return params, state


def trained(tx, params, n=6):
    return steps(tx, params, tx.init(params), range(n))


def assert_equal(seen, wanted):
    assert jax.tree.structure(seen) == jax.tree.structure(wanted)
    for a, b in zip(jax.tree.leaves(seen), jax.tree.leaves(wanted), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def dtypes_of(state):
    return {x.dtype.name for x in jax.tree.leaves(state)}
