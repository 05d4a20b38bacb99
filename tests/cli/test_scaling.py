"""Optimizers on meshes, on paper: against real arrays, compiled programs and sums by hand."""

import functools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import adamjax
from adamjax.cli.choices import parse_optimizer
from adamjax.cli.machines import COMPILED, MACHINES, OVERHEAD, levels, overhead
from adamjax.cli.memory import leaves_of, one_of_each
from adamjax.cli.scaling import (
    communication,
    estimate,
    make_plan,
    parse_mesh,
    per_device,
    shard_params,
    undivided,
)
from adamjax.sharding import state_shardings
from tests.sharding.collectives import collectives, of_step

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
MESH = {"data": 4, "model": 2}
PLANS = {
    "all": make_plan({"data": 8}, fsdp="data"),
    "data": make_plan({"data": 8}),
    "zero": make_plan(MESH, zero="data"),
    "fsdp": make_plan(MESH, fsdp="data"),
    "fsdp and zero": make_plan({"pod": 2, "data": 2, "model": 2}, fsdp="data", zero="pod"),
    "no columns": make_plan(MESH, zero="model"),
}
LEAVES = {(256, 128): 2, (130, 128): 1, (100,): 1}
OPTIMIZERS = {
    "adamw": adamjax.adamw(0.1),
    "adamw 8bit": adamjax.adamw(0.1, storage="8bit"),
    "amsgrad bfloat16": adamjax.amsgrad(0.1, storage="bfloat16"),
    "adafactor": adamjax.adafactor(0.1),
    "muon": adamjax.muon(0.1),
    "sgd": adamjax.sgd(0.1),
}


@functools.cache
def devices(plan):
    """A mesh of the devices that there are, as large as the plan's."""
    names = tuple(PLANS[plan].mesh)
    sizes = tuple(PLANS[plan].mesh.values())
    return jax.make_mesh(sizes, names, axis_types=(AxisType.Auto,) * len(names))


def on_devices(plan, layout):
    """The same places on the mesh of real devices."""
    return {name: NamedSharding(devices(plan), at.spec) for name, at in layout.items()}


def on_first(tree):
    """Bytes that lie on the first device."""
    first = jax.devices()[0]
    shards = (s for x in jax.tree.leaves(tree) for s in x.addressable_shards)
    return sum(shard.data.nbytes for shard in shards if shard.device == first)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_bytes_are_those_of_real_arrays(name, plan):
    tx, layout = OPTIMIZERS[name], shard_params(one_of_each(LEAVES), PLANS[plan])
    shapes = {
        f"{k} of {key}": (key, shape)
        for (shape, times), key in zip(LEAVES.items(), one_of_each(LEAVES), strict=True)
        for k in range(times)
    }
    kept, part = (
        {name: on_devices(plan, at)[key] for name, (key, _) in shapes.items()}
        for at in (layout.kept, layout.part)
    )
    arrays = {name: jnp.ones(shape) for name, (_, shape) in shapes.items()}
    params, updated = jax.device_put(arrays, kept), jax.device_put(arrays, part)
    places = state_shardings(tx, params, zero=PLANS[plan].zero)
    state = jax.jit(tx.init, out_shardings=places)(params)
    found = per_device(tx, LEAVES, PLANS[plan])
    assert found.parameter_bytes == on_first(params)
    assert found.gradient_bytes == on_first(updated)
    assert found.state_bytes == on_first(state)
    assert found.total_bytes == sum(map(on_first, (params, updated, state)))
    assert found.moved_bytes == 3 * on_first(updated) + 2 * on_first(state)


# --- the wire


def sent_in(found, op, n):
    """Bytes that each of n devices sends in a ring, for what a program says that comes out."""
    return sum(
        {"all-reduce": 2, "all-gather": 1}[op] * size * 4 * (n - 1) / n for size in found[op]
    )


def test_zero_sends_what_the_compiled_step_collects():
    plan = make_plan(MESH, zero="data")
    leaves = {(256, 128): 1, (512, 128): 1}
    params = one_of_each(leaves)
    layout = shard_params(params, plan)
    lie = on_devices("zero", layout.kept)
    tx = adamjax.adamw(0.1)
    found = of_step(tx, params, lie, state_shardings(tx, params, lie, zero="data"))
    assert set(found) == {"all-gather"}
    (gathered,) = [send for send in communication(leaves, plan) if send.op == "all-gather"]
    assert gathered.bytes == sent_in(found, "all-gather", 4)


def gradients(plan, leaves):
    """The collectives of a loss and its gradients, compiled, of a batch divided over "data".

    The layers are computed anew on the way back, so that no gathered parameter is kept.
    """
    params = one_of_each(leaves)
    layout = shard_params(params, PLANS[plan])
    lie = on_devices(plan, layout.kept)
    batch = NamedSharding(devices(plan), PartitionSpec("data"))

    @jax.checkpoint
    def layers(params, x):
        for name in params:
            x = jnp.tanh(x @ params[name])
        return x

    def loss(params, x):
        return jnp.sum(layers(params, x) ** 2)

    placed = {
        name: jax.ShapeDtypeStruct(p.shape, p.dtype, sharding=lie[name])
        for name, p in params.items()
    }
    x = jax.ShapeDtypeStruct((8192, 128), jnp.float32, sharding=batch)
    step = jax.jit(jax.grad(loss), out_shardings=lie)
    return collectives(step.lower(placed, x).compile().as_text())


def test_data_parallel_sends_what_the_compiled_gradients_reduce():
    leaves = {(128, 256): 1, (256, 128): 1}
    found = gradients("data", leaves)
    assert set(found) == {"all-reduce"}
    (reduced,) = communication(leaves, PLANS["data"])
    assert (reduced.op, reduced.axes) == ("all-reduce", ("data",))
    assert reduced.bytes == sent_in(found, "all-reduce", 8)


def test_fsdp_sends_what_the_compiled_gradients_collect():
    leaves = {(128, 256): 1, (256, 128): 1}
    found = gradients("all", leaves)
    sent = {send.op: send.bytes for send in communication(leaves, PLANS["all"])}
    assert set(found) == {"all-gather", "all-reduce"}
    assert sent["all-gather"] == sent_in(found, "all-gather", 8)
    # XLA's CPU backend reduces all, and takes its part of that.
    assert sent["reduce-scatter"] == sent_in(found, "all-reduce", 8) / 2


def test_all_axes_together_send_what_one_of_their_size_does():
    leaves = {(4096, 4096): 3}
    one = communication(leaves, make_plan({"data": 64}))
    two = communication(leaves, make_plan({"pod": 8, "data": 8}))
    assert sum(s.bytes for s in one) == pytest.approx(sum(s.bytes for s in two))
    assert sum(s.seconds for s in one) == pytest.approx(sum(s.seconds for s in two))
    # Reduced over the one, and what that leaves over the other.
    ways = [
        make_plan({"pod": 8, "data": 8}, zero="data"),
        make_plan({"pod": 8, "data": 8}, fsdp="data"),
    ]
    sums = [sum(s.bytes for s in communication(leaves, way)) for way in ways]
    size = 3 * 4096**2 * 4
    assert sums[0] == pytest.approx(size * (2 * 7 / 8 + 2 * 7 / 8 / 8))
    assert sums[1] == pytest.approx(size * (3 * 7 / 8 + 2 * 7 / 8 / 8))


def test_columns_are_not_reduced():
    assert communication({(256, 256): 1}, make_plan({"model": 8})) == []
    (send,) = communication({(256, 256): 1}, make_plan({"data": 2, "model": 4}))
    assert send.bytes == 256 * 256 * 4 / 4


@pytest.mark.parametrize(
    ("machine", "size", "stride", "whole", "expected"),
    [
        ("H100", 8, 1, 64, [(8, 450e9)]),
        ("H100", 2, 4, 64, [(2, 450e9)]),
        ("H100", 16, 1, 64, [(8, 450e9), (2, 50e9)]),
        ("H100", 8, 2, 64, [(4, 450e9), (2, 50e9)]),
        ("H100", 4, 8, 64, [(4, 50e9)]),
        ("H100", 12, 1, 12, [(12, 50e9)]),  # no node is full
        ("H100", 3, 1, 24, [(3, 50e9)]),  # some lie across the edge of a node
        ("H100", 6, 1, 6, [(6, 450e9)]),
        ("v5e", 16, 16, 256, [(16, 100e9)]),
        ("v5e", 8, 1, 8, [(8, 50e9)]),  # a line and not a ring
        ("v5p", 128, 8, 1024, [(128, 200e9)]),
    ],
)
def test_links(machine, size, stride, whole, expected):
    assert levels(MACHINES[machine], size, stride, whole) == expected


# --- by hand


def test_meshes():
    assert parse_mesh(" a=2, b=16") == {"a": 2, "b": 16}
    assert make_plan(parse_mesh("model=4,x=2")).tensor == "model"
    assert make_plan(parse_mesh("model=4,x=2"), tensor="x").tensor == "x"
    assert make_plan(parse_mesh("model=4"), zero="model").tensor is None


def test_seven_billion_on_eight():
    """56 GB of state in eighths; 28 bytes for each parameter at 3.35 TB/s; 7/8 of 28 GB twice."""
    leaves, plan = leaves_of(7_000_000_000), make_plan({"data": 8}, zero="data")
    found = estimate(parse_optimizer("adamw"), leaves, plan)
    exact = functools.partial(pytest.approx, rel=1e-5)
    assert {key: one.state_bytes for key, one in found.items()} == {
        "float32": exact(56e9 / 8), "bfloat16": exact(28e9 / 8),
        "8bit_v16": exact(21e9 / 8), "8bit": exact(14e9 / 8),
    }  # fmt: skip
    assert found["float32"].parameter_bytes == 28e9
    assert found["float32"].gradient_bytes == exact(28e9 / 8)
    assert {key: one.moved_bytes for key, one in found.items()} == {
        "float32": exact(28 * 7e9 / 8), "bfloat16": exact(20 * 7e9 / 8),
        "8bit_v16": exact(18 * 7e9 / 8), "8bit": exact(16 * 7e9 / 8),
    }  # fmt: skip
    sends = communication(leaves, plan)
    assert sum(send.bytes for send in sends) == exact(2 * 28e9 * 7 / 8)
    assert sum(send.seconds for send in sends) == exact(2 * 28e9 * 7 / 8 / 450e9)
    halves = communication(leaves, plan, "bfloat16")
    assert [2 * send.bytes for send in halves] == [send.bytes for send in sends]


def test_what_is_not_divided_is_named():
    plan = make_plan({"data": 3, "model": 8}, zero="data")
    assert list(undivided({(4096, 4096): 2, (100,): 1}, plan)) == [("data", "2 of 4096x4096")]
    assert list(undivided({(4096, 4096): 2}, PLANS["zero"])) == []


# --- constants


def row_of(dtype, storage, rounding):
    """What benchmarks/compiled.py calls it."""
    low = ", bf16" if dtype == "bfloat16" else ""
    return " ".join(filter(None, [f"adamw {storage}{low}", rounding]))


def test_what_is_moved_is_what_the_benchmark_says():
    results = [json.loads(file.read_text()) for file in RESULTS.glob("compiled.*.json")]
    rows = [row for each in results for row in each["rows"]]
    ratios = {
        (row["device"], row["row"]): round(row["bytes_per_parameter"] / row["least"], 2)
        for row in rows
    }
    names = {row_of(*key): key for key in COMPILED}
    measured = {row["device"]: {} for row in rows}
    for (device, name), ratio in ratios.items():
        if name in names:
            measured[device][names[name]] = ratio
    assert measured == OVERHEAD
    assert {machine.compiled for machine in MACHINES.values()} <= set(OVERHEAD)


def test_what_was_not_compiled_is_the_least():
    assert overhead(MACHINES["v6e"], "bfloat16", "bfloat16", None) is None
    found = estimate(parse_optimizer("adamw"), {(256, 256): 1}, make_plan({"data": 2}), "bfloat16")
    assert [one.measured for one in found.values()] == [False, False, False, True]
    assert found["float32"].moved_bytes == 256 * 256 * 22 + 2 * 8  # a count, a learning rate


def test_machines_are_of_one_kind_of_unit():
    """Gigabytes of memory, less on the wire than in memory, less between nodes than within."""
    for machine in MACHINES.values():
        assert 1e10 < machine.memory < 1e12 < machine.bandwidth * 2 < 2e13
        assert machine.network is None or machine.network < machine.link < machine.bandwidth
