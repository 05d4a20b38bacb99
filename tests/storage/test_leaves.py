"""Which leaves are stored and how, what is converted, and what is refused."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.storage.formats import FORMATS
from adamjax.storage.store import MIN_SIZE
from tests.storage.problem import (
    CASES,
    SHAPE,
    STORED,
    cosine,
    formats,
    problem,
    side_by_side,
)
from tests.storage.runs import trained

# --- which leaves


@formats
def test_small_leaves_and_kept_ones_stay_float32(storage):
    params = {
        "dense": {"kernel": jnp.ones(SHAPE), "bias": jnp.ones(MIN_SIZE - 1)},
        "emb": {"kernel": jnp.ones((160, 128)), "scale": jnp.ones(MIN_SIZE)},
    }

    def stored(**arguments):
        state = adamjax.store(optax.adam(1e-3), storage, **arguments).init(params)
        kept = jax.tree.map(lambda x: x.dtype != jnp.float32, state[0].mu)
        return [kept["dense"][k] for k in ("kernel", "bias")] + [
            kept["emb"][k] for k in ("kernel", "scale")
        ]

    assert stored() == [True, False, True, True]
    assert stored(min_size=1) == [True, True, True, True]
    assert stored(min_size=20_000) == [False, False, True, False]
    assert stored(exclude="emb/*") == [True, False, False, False]
    assert stored(exclude=["*scale", "dense*"]) == [False, False, True, False]
    assert stored(exclude=["*kernel", "!emb/*"], min_size=1) == [False, True, True, True]


def test_kept_leaves_train_as_in_float32():
    params = {"a": problem()[0], "b": problem()[0]}
    kept, _ = trained(adamjax.store(adamjax.adam(1e-2), "8bit", exclude="a"), params)
    plain, _ = trained(adamjax.adam(1e-2), params)
    np.testing.assert_array_equal(kept["a"], plain["a"])
    assert np.any(kept["b"] != plain["b"])


def test_slots_tell_the_roles():
    """ADOPT keeps normalised gradients in the state of Adam: the ratio would clip them."""
    tx, (params, gradients) = optax.contrib.adopt(1.0), problem()
    roles = {"mu": "signed", "nu": "square"}
    told = adamjax.store(tx, "8bit", roles=roles)
    assert told.init(params)[0].mu.dtype == jnp.int8
    (plain, seen), (_, state) = side_by_side([tx, told], params, gradients)
    assert cosine(seen[-50:], plain[-50:]) > 0.85
    assert adamjax.convert_state(state, to="float32", roles=roles)[0].mu.dtype == jnp.float32


def test_roles_of_a_state_of_one_s_own():
    class State(NamedTuple):
        count: jax.Array
        mu: jax.Array
        other: jax.Array

    def init(params):
        return State(jnp.zeros([], jnp.int32), jnp.zeros_like(params), jnp.zeros_like(params))

    def update(updates, state, params=None):
        del params
        mu = 0.9 * state.mu + updates
        return mu, State(state.count + 1, mu, jnp.maximum(state.other, updates**2))

    tx, params = optax.GradientTransformation(init, update), problem()[0]
    by_name = adamjax.store(tx, "8bit").init(params)
    assert (by_name.mu.dtype, by_name.other.dtype) == (jnp.int8, jnp.float32)
    told = adamjax.store(tx, "8bit", roles={"other": "maximum"}).init(params)
    assert (told.mu.dtype, told.other.dtype) == (jnp.int8, jnp.uint8)


def test_float32_is_the_optimizer_itself():
    params = {"w": problem()[0]}
    for exclude in ((), "nothing*"):
        seen, _ = trained(adamjax.store(adamjax.adam(1e-2), "float32", exclude=exclude), params)
        np.testing.assert_array_equal(seen["w"], trained(adamjax.adam(1e-2), params)[0]["w"])


# --- conversion


@pytest.mark.parametrize("name", ["adam", "amsgrad", "optax.lion", "optax.ademamix", "optax.adan"])
@formats
def test_conversion_there_and_back(name, storage):
    tx, _, _ = CASES[name]
    _, (state,) = side_by_side([adamjax.store(tx, storage)], problem()[0], problem()[1][:20])
    decoded = adamjax.convert_state(state, to="float32")
    assert {x.dtype.name for x in jax.tree.leaves(decoded)} == {"float32", "int32"}
    assert jax.tree.structure(decoded) == jax.tree.structure(state)
    again = adamjax.convert_state(decoded, to=storage)
    jax.tree.map(np.testing.assert_array_equal, again, state)
    assert jax.tree.map(jnp.result_type, again) == jax.tree.map(jnp.result_type, state)
    unchanged = adamjax.convert_state(decoded, to="float32")
    jax.tree.map(np.testing.assert_array_equal, unchanged, decoded)


@formats
def test_conversion_in_the_middle_of_a_run_leaves_no_kink(storage):
    """A least-squares problem: 60 steps in one format, 60 in the other, and the other way round."""
    random = np.random.default_rng(3)
    target = jnp.asarray(random.normal(size=SHAPE), jnp.float32)
    noise = jnp.asarray(0.3 * random.normal(size=(120, *SHAPE)), jnp.float32)
    plain, stored = adamjax.adam(1e-2), adamjax.adam(1e-2, storage=storage)

    def half(tx, params, state, noise):
        def step(carry, noise):
            params, state = carry
            updates, state = tx.update(params - target + noise, state, params)
            params = optax.apply_updates(params, updates)
            return (params, state), jnp.mean((params - target) ** 2)

        (params, state), losses = jax.lax.scan(step, (params, state), noise)
        return params, state, losses

    def curve(first, second, to):
        start = jnp.zeros(SHAPE)
        params, state, one = half(first, start, first.init(start), noise[:60])
        if to is not None:
            state = adamjax.convert_state(state, to=to)
        return np.concatenate([one, half(second, params, state, noise[60:])[2]])

    wanted = curve(plain, plain, None)
    for first, second, to in ((plain, stored, storage), (stored, plain, "float32")):
        seen = curve(first, second, to)
        np.testing.assert_allclose(seen[1:] / seen[:-1], wanted[1:] / wanted[:-1], rtol=2e-3)
        np.testing.assert_allclose(seen, wanted, rtol=0.06)


# --- what is refused


@pytest.mark.parametrize(
    "make",
    [
        lambda: optax.sgd(1e-2, momentum=0.9),
        lambda: optax.rmsprop(1e-2),
        lambda: optax.adagrad(1e-2),
    ],
)
def test_a_state_without_a_count_is_refused(make):
    with pytest.raises(ValueError, match=r"tx: .* no step count.* use adamjax's form"):
        adamjax.store(make(), "8bit").init({"w": jnp.ones(SHAPE)})


def test_the_ways_out_of_it():
    params = {"w": problem()[0]}
    for tx in (
        optax.sgd(optax.constant_schedule(1e-2), momentum=0.9),
        adamjax.sgd(1e-2, momentum=0.9),
    ):
        _, state = trained(adamjax.store(tx, "8bit"), params)
        assert "int8" in {x.dtype.name for x in jax.tree.leaves(state)}


@pytest.mark.parametrize("tx", [optax.sgd(1e-2), optax.sm3(1e-2), adamjax.sgd(1e-2)])
def test_nothing_to_store_is_refused(tx):
    with pytest.raises(ValueError, match=r"tx: its state has no moments .*roles="):
        adamjax.store(tx, "8bit").init({"w": jnp.ones(SHAPE)})


def test_unknown_names():
    state = adamjax.adam().init(jnp.ones(SHAPE))
    with pytest.raises(ValueError, match=r"unknown storage '8bits'; did you mean '8bit'"):
        adamjax.store(optax.adam(1e-3), "8bits")
    with pytest.raises(ValueError, match=r"unknown storage 'int8'"):
        adamjax.adamw(storage="int8")
    with pytest.raises(ValueError, match=r"unknown role 'squares'; did you mean 'square'"):
        adamjax.store(optax.adam(1e-3), roles={"nu": "squares"})
    with pytest.raises(ValueError, match=r"unknown to 'bf16'"):
        adamjax.convert_state(state, to="bf16")


def test_pattern_that_no_leaf_matches():
    params = {"dense": {"kernel": jnp.ones(SHAPE)}}
    for pattern in ("*bias", ["dense/*", "emb*"]):
        with pytest.raises(ValueError, match=r"exclude: no leaf matches .*\['dense/kernel'\]"):
            adamjax.store(optax.adam(1e-3), exclude=pattern).init(params)
    with pytest.raises(ValueError, match=r"exclude: no leaf matches '\*bias'"):
        adamjax.convert_state(optax.adam(1e-3).init(params), to="8bit", exclude="*bias")


def test_state_of_another_storage():
    """Named with the leaf and the way out, in every combination."""
    params = {"dense": {"kernel": problem()[0]}}
    for storage in STORED:
        tx = adamjax.store(optax.adam(1e-3), storage)
        for other in FORMATS:
            state = adamjax.store(optax.adam(1e-3), other).init(params)
            if other != storage:
                with pytest.raises(ValueError, match=r"'dense/kernel'.*convert_state"):
                    tx.update(params, state, params)
                converted = adamjax.convert_state(state, to=storage)
                tx.update(params, converted, params)


def test_a_leaf_in_codes_that_no_one_reads_is_refused():
    """Whatever `exclude` and `min_size` say now: codes taken for moments would train on garbage."""
    params = {"w": problem()[0]}
    state = adamjax.store(optax.adam(1e-3), "8bit").init(params)
    for storage in ("8bit_v16", "bfloat16"):
        tx = adamjax.store(optax.adam(1e-3), storage, min_size=10**6)
        with pytest.raises(ValueError, match=r"mu of 'w' is int8, .*convert_state"):
            tx.update(params, state, params)


@pytest.mark.parametrize("later", [{"min_size": 10**6}, {"exclude": "w"}])
@formats
def test_a_stored_leaf_stays_stored(storage, later):
    """Which leaves are stored is decided in `init`: inside `shard_map` sizes are other ones."""
    params, tx = {"w": problem()[0]}, optax.adam(1e-3)
    stored, other = adamjax.store(tx, storage), adamjax.store(tx, storage, **later)
    state = stored.init(params)
    for gradient in problem()[1][:3]:
        wanted, after = stored.update({"w": gradient}, state, params)
        seen, state = other.update({"w": gradient}, state, params)
        jax.tree.map(np.testing.assert_array_equal, (seen, state), (wanted, after))
