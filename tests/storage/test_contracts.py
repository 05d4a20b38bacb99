"""A stored state inside wrappers, Flax and meshes."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import adamjax
from adamjax.testing import CHECKS, Subject, check
from tests.storage.problem import formats
from tests.storage.runs import (
    assert_equal,
    dtypes_of,
    large_params,
    ready_made,
    trained,
)

# --- the conformance kit


@pytest.mark.wide
@pytest.mark.usefixtures("compiled_quickly")
def test_conformance_with_every_leaf_stored():
    def make(learning_rate=1e-2):
        return adamjax.store(adamjax.adam(learning_rate), "8bit", min_size=0)

    # Frameworks that rename the leaves change the random bits.
    check(make(), factory=make, skip=["equinox_module", "nnx_optimizer", "train_state"])


@formats
def test_dtypes_are_those_of_float32_parameters(storage):
    """In the state, for all parameters. Injected hyperparameters do not change it."""
    tx, params = ready_made(storage=storage), large_params()
    dtypes = jax.tree.map(jnp.result_type, jax.eval_shape(tx.init, params))
    for dtype in (jnp.float32, jnp.bfloat16, jnp.float16):
        low = jax.tree.map(lambda p, d=dtype: p.astype(d), params)
        state = jax.eval_shape(tx.init, low)
        updates, after = jax.eval_shape(tx.update, low, state, low)
        assert jax.tree.map(jnp.result_type, state) == dtypes
        assert jax.tree.map(jnp.result_type, after) == dtypes
        assert jax.tree.map(jnp.result_type, updates) == jax.tree.map(jnp.result_type, low)
    make = partial(ready_made, storage=storage)
    CHECKS["inject_hyperparams"](Subject(make(), params, needs_params=True, factory=make))


# --- wrappers of Optax, inside and outside

WRAPPERS = {
    "MultiSteps": lambda tx: optax.MultiSteps(tx, 2).gradient_transformation(),
    "partition": lambda tx: optax.partition(
        {"a": tx, "b": optax.set_to_zero()}, {"dense": {"bias": "b", "kernel": "a"}}
    ),
    "named_chain": lambda tx: optax.named_chain(("first", optax.clip(1e9)), ("second", tx)),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_store_inside_and_outside_of_a_wrapper_is_the_same(wrapper):
    """The same bits, since a leaf is called the same wherever its optimizer stands."""
    wrap = WRAPPERS[wrapper]
    outer = trained(adamjax.store(wrap(optax.adam(1e-2)), "8bit"), large_params())
    inner = trained(wrap(adamjax.store(optax.adam(1e-2), "8bit")), large_params())
    plain = trained(wrap(optax.adam(1e-2)), large_params())
    assert "int8" in dtypes_of(outer[1])
    assert_equal(outer, inner)
    decoded = adamjax.convert_state(outer, to="float32")
    assert jax.tree.structure(decoded) == jax.tree.structure(plain)
    for a, b in zip(*map(jax.tree.leaves, (outer[0], plain[0])), strict=True):
        np.testing.assert_allclose(a, b, atol=6e-3)


def test_injected_hyperparams():
    """Around a stored optimizer, and the other way round."""

    def stored(learning_rate):
        return adamjax.store(optax.adamw(learning_rate), "8bit")

    params = large_params()
    direct, _ = trained(stored(1e-2), params)
    for tx in (
        optax.inject_hyperparams(stored)(learning_rate=1e-2),
        adamjax.store(optax.inject_hyperparams(optax.adamw)(learning_rate=1e-2), "8bit"),
    ):
        reached, state = trained(tx, params)
        assert "int8" in dtypes_of(state)
        # Where the two compute another last place, a rounding may fall on the other side.
        apart = np.abs(reached["dense"]["kernel"] - direct["dense"]["kernel"])
        assert np.mean(apart > 1e-3) < 1e-3
        state.hyperparams["learning_rate"] = jnp.float32(0.0)
        updates, _ = tx.update(params, state, jax.tree.map(jnp.zeros_like, params))
        assert np.abs(updates["dense"]["kernel"]).max() == 0
    static = optax.inject_hyperparams(adamjax.adamw, static_args=("storage", "param_rounding"))
    assert "int8" in dtypes_of(static(learning_rate=1e-2, storage="8bit").init(params))


@formats
def test_other_leaves_of_the_tree_change_nothing(storage):
    """The same bits in any tree around the leaf: whatever lies before or behind it."""
    kernel = large_params()["dense"]["kernel"]
    tx = ready_made(storage=storage)
    alone, _ = trained(tx, {"m": {"w": kernel}})
    more, _ = trained(tx, {"a": jnp.ones(20_000), "m": {"b": kernel, "w": kernel}, "z": kernel.T})
    # Equal but for the last place, which depends on the rest of the compiled program.
    assert np.mean(abs(alone["m"]["w"] - more["m"]["w"]) > 1e-6) < 1e-3
    assert np.mean(abs(more["m"]["b"] - more["m"]["w"]) > 1e-6) > 0.1  # another name, other bits


# --- meshes, of which tests/sharding has more


@formats
def test_on_a_mesh_of_explicit_axes(storage):
    mesh = jax.make_mesh((1,), ("data",), axis_types=(AxisType.Explicit,))
    tx, kernel = ready_made(storage=storage), large_params()["dense"]["kernel"]
    divided = jax.device_put(kernel, NamedSharding(mesh, PartitionSpec("data")))
    assert_equal(trained(tx, {"w": divided}), trained(tx, {"w": kernel}))


@pytest.mark.wide
def test_inside_shard_map():
    """Where each device has a part of a stored leaf that would be too small to store."""
    kernel = large_params()["dense"]["kernel"]
    mesh = jax.make_mesh((2,), ("data",), axis_types=(AxisType.Auto,), devices=jax.devices()[:2])
    tx, spec = ready_made(), PartitionSpec("data")
    state = tx.init(kernel)
    specs = jax.tree.map(lambda x: spec if x.shape == kernel.shape else PartitionSpec(), state)
    run = jax.shard_map(tx.update, mesh=mesh, in_specs=(spec, specs, spec), out_specs=(spec, specs))
    updates, state = jax.jit(run)(kernel, tx.init(kernel), kernel)
    expected, expected_state = tx.update(kernel, tx.init(kernel), kernel)
    np.testing.assert_allclose(updates, expected, atol=1e-6)
    assert jax.tree.map(jnp.result_type, state) == jax.tree.map(jnp.result_type, expected_state)
