"""Runs that are resumed from a checkpoint."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import serialization

from tests.storage.problem import formats
from tests.storage.runs import (
    assert_equal,
    large_params,
    ready_made,
    steps,
    trained,
)


@formats
def test_a_resumed_run_is_the_uninterrupted_one(storage, tmp_path):
    """Bit for bit, from Orbax, from msgpack and from the bytes of the arrays."""
    ocp = pytest.importorskip("orbax.checkpoint")
    tx = ready_made(storage=storage)
    params, state = trained(tx, large_params(), n=5)
    expected = steps(tx, params, state, range(5, 12))
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
            steps(tx, *(jax.tree.map(jnp.asarray, t) for t in restored), range(5, 12)), expected
        )
