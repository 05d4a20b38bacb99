"""How well a stored optimizer follows float32."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import adamjax
from tests.storage.problem import (
    CASES,
    SHAPE,
    STORED,
    cases,
    cosine,
    formats,
    problem,
    side_by_side,
)


@cases
def test_follows_float32(name):
    """And the state keeps class, fields, tree and shapes, and is the same kind after the steps."""
    tx, least_v16, least_8bit = CASES[name]
    stored = [adamjax.store(tx, storage) for storage in STORED]
    (plain, *others), states = side_by_side([tx, *stored], *problem())
    least = {"bfloat16": 0.997 if "lion" in name else 0.9998}
    least |= {"8bit_v16": least_v16, "8bit": least_8bit}
    for storage, updates, again, after in zip(STORED, others, stored, states[1:], strict=True):
        assert cosine(updates[-50:], plain[-50:]) > least[storage], storage
        before = jax.eval_shape(again.init, problem()[0])
        assert jax.tree.map(jnp.shape, after) == jax.tree.map(jnp.shape, before)
        assert jax.tree.map(jnp.result_type, after) == jax.tree.map(jnp.result_type, before)
        decoded = jax.eval_shape(partial(adamjax.convert_state, to="float32"), after)
        assert jax.tree.map(jnp.shape, decoded) == jax.tree.map(jnp.shape, states[0])


BYTES = {  # by optimizer: in "bfloat16", "8bit_v16" and "8bit"
    "adam": (4, 3, 2),
    "adamax": (4, 3, 2),
    "amsgrad": (6, 4, 4),
    "sgd": (2, 1, 1),
    "optax.ademamix": (6, 4, 3),
    "optax.adan": (8, 5, 4),
    "optax.lion": (2, 1, 1),
}


def test_bytes_for_each_parameter():
    for name, numbers in BYTES.items():
        for storage, expected in zip(STORED, numbers, strict=True):
            state = jax.eval_shape(adamjax.store(CASES[name][0], storage).init, problem()[0])
            moments = [x for x in jax.tree.leaves(state) if x.shape == problem()[0].shape]
            total = sum(x.size * x.dtype.itemsize for x in moments)
            assert total == expected * problem()[0].size, (name, storage)


@pytest.mark.parametrize("b1", [0.9, pytest.param(0.99, marks=pytest.mark.wide)])
def test_stands_still_after_one_spike_as_float32_does(b1):
    """An embedding's row that is seen once: nearest rounding would hold m where it was, ever."""
    tx, (params, gradients) = adamjax.scale_by_adam(b1=b1), problem()
    steps = round(9 / (1 - b1))
    spike = jnp.zeros((steps, *SHAPE)).at[0].set(gradients[0])
    stored = [adamjax.store(tx, storage) for storage in STORED]
    (plain, *others), _ = side_by_side([tx, *stored], params, spike)
    first, at_the_end = abs(plain[0]).max(), abs(plain[-1]).mean()
    assert at_the_end < 1e-2 * first
    for storage, updates in zip(STORED, others, strict=True):
        moved, wanted = abs(updates.sum(0)).mean(), abs(plain.sum(0)).mean()
        assert abs(updates[-1]).mean() < 2 * at_the_end + 1e-3 * first, storage
        assert 0.75 < moved / wanted < 1.1, storage


@formats
def test_maximum_does_not_creep_upwards(storage):
    """Noise of one size for 3,000 steps: each upward error of v would be kept ever."""
    random = np.random.default_rng(1)
    gradients = jnp.asarray(1e-3 * random.normal(size=(100, *SHAPE)), jnp.float32)
    params = problem()[0]
    tx = adamjax.scale_by_amsgrad(b2=0.99)
    stored = adamjax.store(tx, storage)

    def epoch(states, _):
        def step(states, gradient):
            return tuple(
                t.update(gradient, s, params)[1] for t, s in zip((tx, stored), states, strict=True)
            ), None

        return jax.lax.scan(step, states, gradients)[0], None

    start = (tx.init(params), stored.init(params))
    run = jax.jit(lambda s: jax.lax.scan(epoch, s, None, length=30)[0])
    plain, seen = run(start)
    decoded = adamjax.convert_state(seen, to="float32")
    apart = np.log(np.asarray(decoded.nu_max) / np.asarray(plain.nu_max))
    assert abs(np.mean(apart)) < 0.02
    assert np.max(np.abs(apart)) < 0.25


@pytest.mark.parametrize("b2", [0.95, pytest.param(0.99, marks=pytest.mark.wide)])
@formats
def test_follows_gradients_that_shrink(storage, b2):
    """By 10⁶ over 2,000 steps: v neither freezes nor runs ahead.

    With b2 = 0.99 the squares shrink faster than v, which then only decays.
    """
    random = np.random.default_rng(2)
    size = np.geomspace(1e-2, 1e-8, 2000)[:, None, None]
    gradients = jnp.asarray(size * random.normal(size=(2000, *SHAPE)), jnp.float32)
    tx = adamjax.scale_by_adam(b2=b2)
    stored = adamjax.store(tx, storage)
    _, (plain, seen) = side_by_side([tx, stored], problem()[0], gradients)
    nu = np.asarray(adamjax.convert_state(seen, to="float32").nu)
    apart = np.mean(np.log(nu / np.asarray(plain.nu)))
    assert abs(apart) < 0.06
