"""A stored state in what users put around an optimizer: wrappers, Flax, meshes."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import adamjax
from adamjax.testing import CHECKS, Subject
from adamjax.testing.subject import sample_params
from tests.storage.problem import STORED, formats
from tests.storage.runs import (
    assert_equal,
    dtypes_of,
    large_params,
    ready_made,
    trained,
)

# What names its leaves otherwise has other random bits: not the same numbers to the last place.
RENAMES = {"equinox_module", "nnx_optimizer", "train_state"}


# --- the conformance kit


@pytest.mark.parametrize("check", [check for check in CHECKS if check not in RENAMES])
def test_conformance_with_every_leaf_stored(check):
    def make(learning_rate=1e-2):
        return adamjax.store(adamjax.adam(learning_rate), "8bit", min_size=0)

    CHECKS[check](Subject(make(), sample_params(), factory=make))


@pytest.mark.parametrize("check", ["state_is_stable", "inject_hyperparams"])
@formats
def test_conformance_of_the_ready_made(storage, check):
    def make(learning_rate=1e-2):
        return ready_made(learning_rate, storage)

    CHECKS[check](Subject(make(), large_params(), needs_params=True, factory=make))


@formats
def test_low_precision_parameters(storage):
    """The state is that of float32 parameters; updates are what `optax.apply_updates` takes."""
    for dtype in (jnp.bfloat16, jnp.float16):
        params = jax.tree.map(lambda p, d=dtype: p.astype(d), large_params())
        tx = ready_made(storage=storage)
        reached, state = trained(tx, params, n=2)
        wanted = tx.init(large_params())
        assert jax.tree.map(jnp.result_type, state) == jax.tree.map(jnp.result_type, wanted)
        assert jax.tree.map(jnp.result_type, reached) == jax.tree.map(jnp.result_type, params)


# --- wrappers of Optax, inside and outside

WRAPPERS = {
    "chain": lambda tx: optax.chain(optax.clip_by_global_norm(1e9), tx, optax.scale(1.0)),
    "masked": lambda tx: optax.masked(tx, {"dense": {"bias": True, "kernel": True}}),
    "partition": lambda tx: optax.partition(
        {"a": tx, "b": optax.set_to_zero()}, {"dense": {"bias": "b", "kernel": "a"}}
    ),
    "apply_if_finite": lambda tx: optax.apply_if_finite(tx, 3),
    "MultiSteps": lambda tx: optax.MultiSteps(tx, 2).gradient_transformation(),
    "named_chain": lambda tx: optax.named_chain(("first", tx)),
}


@pytest.mark.parametrize(
    ("wrapper", "inside"),
    [*((wrapper, adamjax.adam) for wrapper in WRAPPERS), ("MultiSteps", optax.adam)],
)
def test_store_inside_and_outside_of_a_wrapper_is_the_same(wrapper, inside):
    """The same bits, since a leaf is called the same wherever its optimizer stands."""
    wrap = WRAPPERS[wrapper]
    outer, outer_state = trained(adamjax.store(wrap(inside(1e-2)), "8bit"), large_params())
    inner, inner_state = trained(wrap(adamjax.store(inside(1e-2), "8bit")), large_params())
    plain, plain_state = trained(wrap(inside(1e-2)), large_params())
    assert "int8" in dtypes_of(outer_state)
    assert jax.tree.structure(outer_state) == jax.tree.structure(plain_state)
    assert_equal(outer_state, inner_state)
    assert_equal(outer, inner)
    for a, b in zip(jax.tree.leaves(outer), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(a, b, atol=6e-3)


@pytest.mark.parametrize("make", [adamjax.adamw, optax.adamw], ids=["adamjax", "optax"])
def test_injected_hyperparams(make):
    """Around a stored optimizer, and the other way round."""

    def stored(learning_rate):
        return adamjax.store(make(learning_rate), "8bit")

    params = large_params()
    direct, _ = trained(stored(1e-2), params)
    for tx in (
        optax.inject_hyperparams(stored)(learning_rate=1e-2),
        adamjax.store(optax.inject_hyperparams(make)(learning_rate=1e-2), "8bit"),
    ):
        seen, state = trained(tx, params)
        assert "int8" in dtypes_of(state)
        # Where the two compute another last place, a rounding may fall on the other side.
        apart = np.abs(seen["dense"]["kernel"] - direct["dense"]["kernel"])
        assert np.mean(apart > 1e-3) < 1e-3
        state.hyperparams["learning_rate"] = jnp.float32(0.0)
        updates, _ = tx.update(params, state, jax.tree.map(jnp.zeros_like, params))
        assert np.abs(updates["dense"]["kernel"]).max() == 0


def test_storage_can_be_injected_as_a_static_argument():
    tx = optax.inject_hyperparams(adamjax.adamw, static_args=("storage", "param_rounding"))
    _, state = trained(tx(learning_rate=1e-2, storage="8bit"), large_params())
    assert "int8" in dtypes_of(state)


@formats
def test_other_leaves_of_the_tree_change_nothing(storage):
    """The same bits in any tree around the leaf: whatever lies before or behind it."""
    kernel = large_params()["dense"]["kernel"]
    tx = ready_made(storage=storage)
    alone, _ = trained(tx, {"m": {"w": kernel}})
    more, _ = trained(tx, {"a": jnp.ones(20_000), "m": {"b": kernel, "w": kernel}, "z": kernel.T})
    # Equal but for the last place, which depends on what else a compiler computes beside it.
    assert np.mean(abs(alone["m"]["w"] - more["m"]["w"]) > 1e-6) < 1e-3
    assert np.mean(abs(more["m"]["b"] - more["m"]["w"]) > 1e-6) > 0.1  # another name, other bits


@formats
def test_map_params(storage):
    """`tree_map_params` finds the moments and leaves the counts alone."""
    params = large_params()
    for make in (ready_made, lambda storage: adamjax.store(optax.adamw(1e-2), storage)):
        tx = make(storage=storage)
        _, state = trained(tx, params)
        shapes = []

        def note(moment, param, shapes=shapes):
            shapes.append((moment.shape, param.shape))
            return moment

        assert_equal(optax.tree_utils.tree_map_params(tx, note, state, params), state)
        assert len(shapes) == 4
        assert all(a == b for a, b in shapes)
        where = optax.tree_utils.tree_map_params(
            tx, lambda _: "moment", state, transform_non_params=lambda _: "other"
        )
        assert sorted(jax.tree.leaves(where)).count("moment") == 4


# --- Flax


class Model(nnx.Module):
    def __init__(self, rngs):
        split = nnx.with_partitioning(nnx.initializers.lecun_normal(), (None, "model"))
        self.first = nnx.Linear(128, 128, kernel_init=split, rngs=rngs)
        self.second = nnx.Linear(128, 128, rngs=rngs)

    def __call__(self, x):
        return self.second(nnx.relu(self.first(x)))


@pytest.mark.parametrize(
    ("storage", "make"), [*((storage, ready_made) for storage in STORED), ("8bit", None)]
)
def test_nnx_optimizer_with_sharding_metadata(storage, make):
    mesh = jax.make_mesh((1,), ("model",), axis_types=(AxisType.Auto,))
    tx = make(storage=storage) if make else adamjax.store(optax.adamw(1e-2), storage)

    @nnx.jit
    def step(model, optimizer, x):
        loss, gradients = nnx.value_and_grad(lambda m: jnp.mean((m(x) - x) ** 2))(model)
        optimizer.update(model, gradients)
        return loss

    with jax.set_mesh(mesh) if hasattr(jax, "set_mesh") else jax.sharding.use_mesh(mesh):
        model = Model(nnx.Rngs(0))
        optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
        losses = [step(model, optimizer, jnp.eye(128)) for _ in range(30)]
    assert losses[-1] < 0.5 * losses[0]
    mu = optimizer.opt_state[0].mu["first"]["kernel"]
    assert mu[...].dtype == jnp.dtype("bfloat16" if storage == "bfloat16" else "int8")
    assert mu[...].shape == (128, 128)
    assert (None, "model") in mu.get_metadata().values()


# --- meshes of one device here; of eight in test_bits


def sharded(kind):
    mesh = jax.make_mesh((1,), ("data",), axis_types=(kind,))
    sharding = NamedSharding(mesh, PartitionSpec("data"))
    return mesh, jax.device_put(large_params()["dense"]["kernel"], sharding)


@pytest.mark.parametrize(
    ("storage", "kind"),
    [*((storage, AxisType.Explicit) for storage in STORED), ("8bit", AxisType.Auto)],
)
def test_on_a_mesh(storage, kind):
    tx = ready_made(storage=storage)
    _, kernel = sharded(kind)
    reached, state = trained(tx, {"w": kernel})
    wanted, wanted_state = trained(tx, {"w": large_params()["dense"]["kernel"]})
    assert_equal(reached, wanted)
    assert_equal(state, wanted_state)


@formats
def test_init_with_shardings_given(storage):
    mesh, kernel = sharded(AxisType.Auto)
    tx = ready_made(storage=storage)
    state = jax.eval_shape(tx.init, {"w": kernel})
    given = optax.tree_utils.tree_map_params(
        tx,
        lambda _, p: p.sharding,
        state,
        {"w": kernel},
        transform_non_params=lambda _: NamedSharding(mesh, PartitionSpec()),
    )
    state = jax.jit(tx.init, out_shardings=given)({"w": kernel})
    assert jax.tree.map(lambda x: x.sharding, state) == given
    assert_equal(state, tx.init({"w": kernel}))


def test_inside_shard_map():
    mesh, kernel = sharded(AxisType.Auto)
    tx, spec = ready_made(), PartitionSpec("data")
    run = jax.shard_map(
        lambda p: trained(tx, {"w": p})[0]["w"], mesh=mesh, in_specs=spec, out_specs=spec
    )
    np.testing.assert_allclose(jax.jit(run)(kernel), trained(tx, {"w": kernel})[0]["w"], atol=1e-6)
