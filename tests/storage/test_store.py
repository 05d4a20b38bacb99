"""How well a stored optimizer follows float32."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from tests.storage.problem import (
    CASES,
    SHAPE,
    STORED,
    cosine,
    formats,
    problem,
    side_by_side,
)


@pytest.mark.parametrize("name", CASES)
def test_follows_float32(name):
    """And the state keeps class, fields, tree and shapes, and is the same kind after the steps."""
    tx, least_v16, least_8bit = CASES[name]
    stored = [adamjax.store(tx, storage) for storage in STORED]
    (plain, *others), states = side_by_side([tx, *stored], *problem())
    least = {"bfloat16": 0.997 if "lion" in name else 0.9998}
    least |= {"8bit_v16": least_v16, "8bit": least_8bit}
    for storage, updates, again, after in zip(STORED, others, stored, states[1:], strict=True):
        assert cosine(updates[-50:], plain[-50:]) > least[storage], storage
        before = again.init(problem()[0])
        assert jax.tree.structure(before) == jax.tree.structure(tx.init(problem()[0]))
        for a, b, c in zip(*map(jax.tree.leaves, (before, after, states[0])), strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            assert a.shape == c.shape


BYTES = {  # by optimizer: in "bfloat16", "8bit_v16" and "8bit"
    "adam": (4, 3, 2),
    "adamax": (4, 3, 2),
    "amsgrad": (6, 4, 4),
    "sgd": (2, 1, 1),
    "optax.ademamix": (6, 4, 3),
    "optax.adan": (8, 5, 4),
    "optax.lion": (2, 1, 1),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_for_each_parameter(name):
    tx, _, _ = CASES[name]
    for storage, wanted in zip(STORED, BYTES[name], strict=True):
        state = jax.eval_shape(adamjax.store(tx, storage).init, problem()[0])
        kept = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(state) if x.ndim)
        assert kept == wanted * problem()[0].size, storage


@pytest.mark.parametrize(
    ("make", "b1"),
    [
        (adamjax.scale_by_adam, 0.9),
        (adamjax.scale_by_adam, 0.99),
        (optax.scale_by_belief, 0.99),
        (lambda b1: optax.contrib.scale_by_ademamix(b3=b1), 0.99),
    ],
    ids=["adam-0.9", "adam-0.99", "adabelief-0.99", "ademamix-0.99"],
)
def test_stands_still_after_one_spike_as_float32_does(make, b1):
    """An embedding's row that is seen once: nearest rounding would hold m where it was, ever."""
    tx, (params, gradients) = make(b1=b1), problem()
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
def test_tiny_and_huge_gradients_in_one_tree(storage):
    params, gradients = problem()
    unit = gradients / jnp.abs(gradients).mean()
    tree = {"huge": 1e4 * unit, "tiny": 1e-10 * unit}
    params = {"huge": params, "tiny": params}
    tx = adamjax.scale_by_adam(eps=1e-20)

    def step(states, gradient):
        pairs = [t.update(gradient, s, params) for t, s in zip((tx, stored), states, strict=True)]
        return tuple(s for _, s in pairs), tuple(u for u, _ in pairs)

    stored = adamjax.store(tx, storage)
    start = (tx.init(params), stored.init(params))
    _, (plain, seen) = jax.jit(lambda g: jax.lax.scan(step, start, g))(tree)
    for leaf in tree:
        a, b = (np.asarray(u[leaf][-50:], np.float64) for u in (seen, plain))
        # One code to an octave at both ends: coarser than in the middle, yet it trains.
        assert cosine(a, b) > (0.9 if storage == "8bit" else 0.99), leaf
        assert 0.8 < np.linalg.norm(a) / np.linalg.norm(b) < 1.25, leaf


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


@pytest.mark.parametrize("b2", [0.95, 0.99])
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


@formats
def test_compiled_or_not_the_steps_are_the_same(storage):
    params = {"w": problem()[0]}
    tx = adamjax.adamw(1e-2, storage=storage)
    eager = compiled = tx.init(params)
    update = jax.jit(tx.update)
    for gradient in problem()[1][:3]:
        one, eager = tx.update({"w": gradient}, eager, params)
        two, compiled = update({"w": gradient}, compiled, params)
        # Where the two compute another last place, a rounding may fall on the other side.
        apart = np.abs(np.asarray(one["w"]) - np.asarray(two["w"]))
        assert np.mean(apart > 1e-6) < 1e-3
