"""Runs that are resumed from a checkpoint."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import serialization

import adamjax
from tests.storage.problem import STORED
from tests.storage.runs import (
    assert_equal,
    dtypes_of,
    large_params,
    ready_made,
    steps,
    trained,
)


@pytest.mark.parametrize(
    ("storage", "make"), [*((storage, ready_made) for storage in STORED), ("8bit", None)]
)
def test_a_resumed_run_is_the_uninterrupted_one(storage, make, tmp_path):
    """Bit for bit, from Orbax, from msgpack and from the bytes of the arrays."""
    ocp = pytest.importorskip("orbax.checkpoint")
    tx = make(storage=storage) if make else adamjax.store(optax.adamw(1e-2), storage)
    params, state = trained(tx, large_params(), n=5)
    wanted = steps(tx, params, state, range(5, 12))
    fresh = (large_params(), tx.init(large_params()))

    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "run", (params, state))
        checkpointer.wait_until_finished()
        orbax = checkpointer.restore(tmp_path / "run", jax.tree.map(jnp.zeros_like, fresh))
    packed = serialization.to_bytes((params, state))
    msgpack = serialization.from_bytes(fresh, packed)
    arrays = [
        np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape)
        for x in map(np.asarray, jax.tree.leaves((params, state)))
    ]
    raw = jax.tree.unflatten(jax.tree.structure(fresh), arrays)
    for restored in (orbax, msgpack, raw):
        assert_equal(restored, (params, state))
        assert_equal(
            steps(tx, *(jax.tree.map(jnp.asarray, t) for t in restored), range(5, 12)), wanted
        )


def test_a_checkpoint_of_float32_state_goes_on_in_8_bits():
    plain = adamjax.adamw(1e-2)
    params, state = trained(plain, large_params())
    restored = serialization.from_bytes(plain.init(params), serialization.to_bytes(state))
    converted = adamjax.convert_state(restored, to="8bit")
    reached, after = steps(ready_made(), params, converted, range(6, 12))
    wanted, _ = steps(plain, params, state, range(6, 12))
    assert "int8" in dtypes_of(after)
    np.testing.assert_allclose(reached["dense"]["kernel"], wanted["dense"]["kernel"], atol=1e-2)
