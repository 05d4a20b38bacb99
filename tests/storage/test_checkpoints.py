"""Runs that are resumed from a checkpoint."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import serialization

import adamjax
from adamjax.storage.formats import FORMATS
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


PAIRS = [
    pytest.param(a, b, marks=() if a == "8bit" else pytest.mark.wide)
    for a in FORMATS
    for b in FORMATS
    if a != b
]


@pytest.mark.filterwarnings("ignore:Sharding info not provided")  # of the oldest Orbax
@pytest.mark.parametrize(("saved", "other"), PAIRS)
def test_another_format_is_refused_by_a_loader_that_casts(saved, other, tmp_path):
    """Orbax compares trees and shapes, and so does a loader of lists of arrays."""
    ocp = pytest.importorskip("orbax.checkpoint")
    params, state = trained(ready_made(storage=saved), large_params(), n=2)
    template = jax.eval_shape(ready_made(storage=other).init, params)
    shapes = [[x.shape for x in jax.tree.leaves(t)] for t in (state, template)]
    assert shapes[0] != shapes[1]  # which Orbax compares as well as trees
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "run", {"opt_state": state})
        checkpointer.wait_until_finished()
        if "float32" in (saved, other):  # Refusing a shape, Orbax leaves other reads unfinished.
            with pytest.raises(ValueError, match=r"mismatch|do not match"):
                checkpointer.restore(tmp_path / "run", {"opt_state": template})
        metadata = checkpointer.metadata(tmp_path / "run")
        metadata = getattr(metadata, "item_metadata", metadata)  # of the newer Orbax
        there = adamjax.state_template(metadata.tree["opt_state"], template)
        restored = checkpointer.restore(tmp_path / "run", {"opt_state": there})["opt_state"]
    assert_equal(restored, state)
    converted = adamjax.convert_state(restored, to=other)
    jax.eval_shape(ready_made(storage=other).update, params, converted, params)


def test_modes_of_rounding_differ_in_a_shape():
    params = jax.tree.map(jnp.bfloat16, large_params())
    modes = ("stochastic", "kahan", "residual8")
    states = [jax.eval_shape(adamjax.round_params(mode).init, params) for mode in modes]
    assert len({str(jax.tree.map(jnp.shape, state)) for state in states}) == 3


def test_other_leaves_in_the_format_have_another_mark():
    """`exclude` and `min_size` also change the leaves that stay float32."""
    tx, params = adamjax.scale_by_adam(), large_params()
    marks = [
        jax.eval_shape(adamjax.store(tx, "8bit", **kwargs).init, params).format.shape
        for kwargs in ({}, {"exclude": "*kernel"}, {"min_size": 0})
    ]
    assert len(set(marks)) == 3


def test_a_template_lacks_nothing():
    params = large_params()
    state = adamjax.scale_by_adam().init(params)
    with pytest.raises(ValueError, match="saved: there is no 'mu/dense/bias'"):
        adamjax.state_template({"count": state.count, "mu": {"dense": {}}}, state)
