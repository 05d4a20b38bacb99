"""Shardings of the moments, their table, and refused meshes."""

import itertools
import math

import jax
import jax.numpy as jnp
import optax
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P

import adamjax
from adamjax.sharding import placements, sharded, state_shardings, table
from adamjax.storage.state_moments import without_format
from tests.sharding import plans
from tests.tiers import each_variant


def specs(tx, plan, **options):
    shardings, zero = plans.plan(plan)
    options = {"zero": zero, "min_size": 0} | options
    return state_shardings(tx, plans.PARAMS, shardings, **options)


def test_moments_lie_as_their_parameters():
    for plan, storage in itertools.product(plans.PLANS, ("float32", "8bit")):
        shardings, zero = plans.plan(plan)
        state = without_format(specs(adamjax.adamw(0.1, storage=storage), plan)[0])
        for name, leaf in plans.PARAMS.items():
            whole = math.prod(shardings[name].shard_shape(leaf.shape))
            for moment in (state.mu[name], state.nu[name]):
                part = math.prod(moment.shard_shape(leaf.shape))
                assert whole == (4 if zero else 1) * part
                assert zero or moment.is_equivalent_to(shardings[name], len(leaf.shape))
        assert state.count.spec == P()


def test_the_first_whole_dimension_that_fits_is_divided():
    assert specs(adamjax.adam(0.1), "zero")[0].mu == {
        "kernel": NamedSharding(plans.mesh(), P("data", None)),
        "heads": NamedSharding(plans.mesh(), P("data", None, None)),
        "bias": NamedSharding(plans.mesh(), P("data")),
    }
    placed = specs(adamjax.adam(0.1), "zero x tensor")[0].mu
    assert placed["bias"].spec == P(("model", "data"))  # 32 is divided by both
    odd = {"w": jax.ShapeDtypeStruct((3, 8), jnp.float32), "b": jax.ShapeDtypeStruct((3,), "f4")}
    at = NamedSharding(plans.mesh(), P())
    placed = state_shardings(adamjax.adam(0.1), odd, at, zero="data", min_size=0)[0].mu
    assert placed["w"].spec == P(None, "data")
    assert not any(placed["b"].spec)


def test_small_arrays_stay_whole():
    for min_size, spec in ((32, P("data")), (33, P())):  # of a bias of 32 elements
        moments = specs(adamjax.adam(0.1), "zero", min_size=min_size)[0].mu
        assert moments["kernel"].spec == P("data", None)
        assert moments["bias"].is_equivalent_to(NamedSharding(plans.mesh(), spec), 1)


def test_factored_moments_and_windows():
    rows = specs(adamjax.adafactor(0.1, min_dim_size_to_factor=8), "zero x tensor")[0]
    assert rows.v_row["kernel"].spec == P("data", None)
    assert rows.v_col["kernel"].spec == P(None, "model")
    window = specs(adamjax.adashift(0.1), "fsdp")[0]
    spec = next(s.spec for s in jax.tree.leaves(window) if len(s.spec) == 3)
    assert spec == P(None, "data", None)


def test_around_it_masks_partitions_and_schedules():
    tx = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.partition(
            {"adam": adamjax.adamw(lambda count: 0.1), "sgd": optax.sgd(0.1)},
            {"kernel": "adam", "heads": "adam", "bias": "sgd"},
        ),
    )
    for outer in (tx, optax.MultiSteps(tx, 2), optax.masked(tx, lambda p: p is not None)):
        shardings, _ = plans.plan("fsdp")
        state = jax.eval_shape(outer.init, plans.PARAMS)
        found = state_shardings(outer, plans.PARAMS, shardings)
        assert jax.tree.structure(found) == jax.tree.structure(state)
        large = [s for s in jax.tree.leaves(found) if s.spec]
        assert {s.spec[0] for s in large} == {"data"}


@each_variant(others="wide")
def test_every_state_has_a_place(name):
    tx = plans.create(name)
    state = jax.eval_shape(tx.init, plans.PARAMS)
    found = specs(tx, "zero x tensor")
    places = placements(state, found)
    whole, part = (sum(p[k] for p in places) for k in (-2, -1))
    assert whole == sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    moments = [p for p in places if p.bytes > 4 * 32]
    assert all(p.bytes_per_device * 4 <= p.bytes for p in moments)
    assert part < whole or not moments


def test_the_table_tells_what_stays_whole():
    tx = adamjax.adam(0.1, storage="float32")
    text = table(placements(jax.eval_shape(tx.init, plans.PARAMS), specs(tx, "zero", min_size=33)))
    lines = {line.split()[0]: line.split() for line in text.splitlines()}
    assert lines["0/nu/kernel"][1:] == ["32x32", "float32", "data,", "-", "4,096", "1,024"]
    assert lines["0/nu/bias"][1:] == ["32", "float32", "nothing", "128", "128"]
    sizes = [int(words[-1].replace(",", "")) for words in [*lines.values()][1:-1]]
    assert sizes == sorted(sizes, reverse=True)
    assert lines["total"] == ["total", "16,648", "4,360"]
    assert table([]).splitlines()[-1].split() == ["total", "0", "0"]


def test_of_arrays_that_are_there():
    shardings, _ = plans.plan("fsdp")
    params = {k: jax.device_put(x, shardings[k]) for k, x in plans.arrays().items()}
    assert state_shardings(adamjax.adam(0.1), params)[0].mu["bias"].spec == P("data")
    assert next(place.spec for place in placements(params)) == ("data",)


MESH_OF_ONE = jax.sharding.SingleDeviceSharding(jax.devices()[0])


def test_shardings_that_do_not_fit_are_named():
    on = lambda *axes: NamedSharding(plans.mesh(), P(*axes))  # noqa: E731
    for shardings, options, message in (
        (None, {}, r"params\['bias'\] has no place on a mesh \(None\)"),
        (MESH_OF_ONE, {}, r"params\['bias'\] has no place on a mesh .*give a tree of them"),
        ({"kernel": None}, {}, "shardings: the tree does not fit the parameters"),
        (on(), {"zero": "dat"}, "zero: the mesh has no axis 'dat'; it has data, model"),
        (on(), {"zero": ["data"]}, r"zero: the mesh has no axis \['data'\]"),
        (on("data", "model"), {}, r"params\['bias'\] of shape \(32,\) cannot be divided"),
        (on(), {"memory_kind": "attic"}, "memory_kind: these devices have no 'attic'"),
    ):
        for function in (state_shardings, sharded):
            with pytest.raises(ValueError, match=message):
                function(adamjax.adam(0.1), plans.PARAMS, shardings, **options)
    odd = {"w": jax.ShapeDtypeStruct((6, 32), jnp.float32)}
    with pytest.raises(ValueError, match=r"params\['w'\] of shape \(6, 32\)"):
        state_shardings(adamjax.adam(0.1), odd, on("data"))
    with pytest.raises(ValueError, match="params: there are none"):
        state_shardings(adamjax.adam(0.1), {}, on())
    other = NamedSharding(jax.make_mesh((8,), ("data",), axis_types=(AxisType.Auto,)), P())
    places = {"bias": on(), "heads": other, "kernel": on()}
    with pytest.raises(ValueError, match=r"params\['heads'\] is on another mesh"):
        state_shardings(adamjax.adam(0.1), plans.PARAMS, places)
