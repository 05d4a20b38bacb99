"""Which leaves are stored and how, and the conversion of states."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.storage.store import MIN_SIZE
from tests.storage.problem import (
    CASES,
    SHAPE,
    STORED,
    formats,
    problem,
    side_by_side,
)

# --- which leaves


def test_small_leaves_and_kept_ones_stay_float32():
    params = {
        "dense": {"kernel": jnp.ones(SHAPE), "bias": jnp.ones(MIN_SIZE - 1)},
        "emb": {"kernel": jnp.ones((160, 128)), "scale": jnp.ones(MIN_SIZE)},
    }

    def stored(**arguments):
        init = adamjax.store(optax.adam(1e-3), "8bit", **arguments).init
        state = jax.eval_shape(init, params)
        mu = jax.tree.map(lambda x: x.dtype == jnp.int8, state[0].inner_state.mu)
        return [mu["dense"]["kernel"], mu["dense"]["bias"], mu["emb"]["kernel"], mu["emb"]["scale"]]

    assert stored() == [True, False, True, True]
    assert stored(min_size=1) == [True, True, True, True]
    assert stored(min_size=20_000) == [False, False, True, False]
    assert stored(exclude="emb/*") == [True, False, False, False]
    assert stored(exclude=["*scale", "dense*"]) == [False, False, True, False]
    assert stored(exclude=["*kernel", "!emb/*"], min_size=1) == [False, True, True, True]


def test_roles_of_a_user_defined_state():
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
    by_name = adamjax.store(tx, "8bit").init(params).inner_state
    assert (by_name.mu.dtype, by_name.other.dtype) == (jnp.int8, jnp.float32)
    told = adamjax.store(tx, "8bit", roles={"other": "maximum"}).init(params).inner_state
    assert (told.mu.dtype, told.other.dtype) == (jnp.int8, jnp.uint8)


def test_moments_are_rounded_by_bits_of_their_own():
    params = jnp.full(SHAPE, 1.001)
    state = optax.ScaleByAdamState(jnp.zeros([], jnp.int32), mu=params, nu=params)
    coded = adamjax.convert_state(state, to="bfloat16").inner_state
    assert 0.1 < np.mean(coded.mu != coded.nu) < 0.5


# --- conversion

MORE = ("adam", "optax.lion", "optax.ademamix", "optax.adan")


@pytest.mark.parametrize(
    "name", ["amsgrad", *(pytest.param(n, marks=pytest.mark.wide) for n in MORE)]
)
@formats
def test_conversion_there_and_back(name, storage):
    tx, _, _ = CASES[name]
    _, (state,) = side_by_side([adamjax.store(tx, storage)], problem()[0], problem()[1][:20])
    decoded = adamjax.convert_state(state, to="float32")
    assert {x.dtype.name for x in jax.tree.leaves(decoded)} == {"float32", "int32"}
    assert jax.tree.structure(decoded) == jax.tree.structure(tx.init(problem()[0]))
    again = adamjax.convert_state(decoded, to=storage)
    jax.tree.map(np.testing.assert_array_equal, again, state)
    assert jax.tree.map(jnp.result_type, again) == jax.tree.map(jnp.result_type, state)
    unchanged = adamjax.convert_state(decoded, to="float32")
    jax.tree.map(np.testing.assert_array_equal, unchanged, decoded)


def test_other_leaves_than_in_init_are_refused():
    """But inside `shard_map`, where sizes are other ones."""
    params, tx = {"w": problem()[0]}, optax.adam(1e-3)
    for storage in STORED:
        stored = adamjax.store(tx, storage)
        state = stored.init(params)
        expected = stored.update(params, state, params)
        for later in ({"min_size": 10**6}, {"exclude": "w"}):
            update = adamjax.store(tx, storage, **later).update
            with pytest.raises(ValueError, match=r"stores other leaves .* exclude="):
                update(params, state, params)
        mesh = jax.make_mesh((1,), ("a",))
        spec = jax.sharding.PartitionSpec()
        inside = jax.shard_map(update, mesh=mesh, in_specs=spec, out_specs=spec)
        jax.tree.map(np.testing.assert_array_equal, inside(params, state, params), expected)
