"""Estimates for meshes equal real arrays, compiled programs and sums by hand."""

import functools
import itertools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding

import adamjax
from adamjax.cli.choices import parse_optimizer
from adamjax.cli.machines import COMPILED, MACHINES, OVERHEAD, levels, overhead
from adamjax.cli.memory import one_of_each
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
from tests.sharding.collectives import of_step

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


# Each plan once and each optimizer once. The other pairs are wide.
QUICK = set(zip(OPTIMIZERS, PLANS, strict=True))
PAIRS = [
    pytest.param(*pair, marks=() if pair in QUICK else pytest.mark.wide)
    for pair in itertools.product(OPTIMIZERS, PLANS)
]


@pytest.mark.parametrize(("name", "plan"), PAIRS)
def test_bytes_are_those_of_real_arrays(name, plan):
    tx, layout = OPTIMIZERS[name], shard_params(one_of_each(LEAVES), PLANS[plan])
    keys = zip(LEAVES.items(), one_of_each(LEAVES), strict=True)
    leaves = [(key, shape) for (shape, times), key in keys for _ in range(times)]
    arrays = [jnp.ones(shape) for _, shape in leaves]
    params, updated = (
        jax.device_put(arrays, [on_devices(plan, at)[key] for key, _ in leaves])
        for at in (layout.kept, layout.part)
    )
    shardings = state_shardings(tx, params, zero=PLANS[plan].zero)
    state = jax.jit(tx.init, out_shardings=shardings)(params)
    paths = jax.tree_util.tree_leaves_with_path(state)
    state = [x for path, x in paths if path[-1] != jax.tree_util.GetAttrKey("format")]
    estimate = per_device(tx, LEAVES, PLANS[plan])
    assert estimate.parameter_bytes == on_first(params)
    assert estimate.gradient_bytes == on_first(updated)
    assert estimate.state_bytes == on_first(state)
    assert estimate.total_bytes == sum(map(on_first, (params, updated, state)))
    assert estimate.moved_bytes == 3 * on_first(updated) + 2 * on_first(state)


def sent_in(results, op, n):
    """Bytes that each of n devices sends in a ring for collectives with results of these sizes."""
    rounds = {"all-reduce": 2, "all-gather": 1}[op]
    return sum(rounds * size * 4 * (n - 1) / n for size in results[op])


def test_zero_sends_what_the_compiled_step_collects():
    plan = make_plan(MESH, zero="data")
    leaves = {(256, 128): 1, (512, 128): 1}
    params = one_of_each(leaves)
    shardings = on_devices("zero", shard_params(params, plan).kept)
    tx = adamjax.adamw(0.1)
    compiled = of_step(tx, params, shardings, state_shardings(tx, params, shardings, zero="data"))
    assert set(compiled) == {"all-gather"}
    (gathered,) = [send for send in communication(leaves, plan) if send.op == "all-gather"]
    assert gathered.bytes == sent_in(compiled, "all-gather", 4)


def test_several_axes_send_as_much_as_one_of_their_size():
    leaves, size = {(4096, 4096): 3}, 3 * 4096**2 * 4

    def total(*args, **kwargs):
        sends = communication(leaves, make_plan(*args, **kwargs))
        return np.array([sum(s.bytes for s in sends), sum(s.seconds for s in sends)])

    two = {"pod": 8, "data": 8}
    np.testing.assert_allclose(total({"data": 64}), total(two))
    # Reduced over one axis, and the rest over the other.
    assert total(two, zero="data")[0] == pytest.approx(size * (2 * 7 / 8 + 2 * 7 / 8 / 8))
    assert total(two, fsdp="data")[0] == pytest.approx(size * (3 * 7 / 8 + 2 * 7 / 8 / 8))


def test_links():
    """(machine, devices, their distance, all devices): (devices, bytes per second) by level."""
    for arguments, expected in {
        ("H100", 8, 1, 64): [(8, 450e9)],
        ("H100", 2, 4, 64): [(2, 450e9)],
        ("H100", 16, 1, 64): [(8, 450e9), (2, 50e9)],
        ("H100", 8, 2, 64): [(4, 450e9), (2, 50e9)],
        ("H100", 4, 8, 64): [(4, 50e9)],
        ("H100", 12, 1, 12): [(12, 50e9)],  # no node is full
        ("H100", 3, 1, 24): [(3, 50e9)],  # some lie across the edge of a node
        ("H100", 6, 1, 6): [(6, 450e9)],
        ("v5e", 16, 16, 256): [(16, 100e9)],
        ("v5e", 8, 1, 8): [(8, 50e9)],  # a line and not a ring
        ("v5p", 128, 8, 1024): [(128, 200e9)],
    }.items():
        machine, *sizes = arguments
        assert levels(MACHINES[machine], *sizes) == expected, arguments


def test_meshes():
    assert parse_mesh(" a=2, b=16") == {"a": 2, "b": 16}
    assert make_plan(parse_mesh("model=4,x=2")).tensor == "model"
    assert make_plan(parse_mesh("model=4,x=2"), tensor="x").tensor == "x"
    assert make_plan(parse_mesh("model=4"), zero="model").tensor is None
    plan = make_plan({"data": 3, "model": 8}, zero="data")
    assert list(undivided({(4096, 4096): 2, (100,): 1}, plan)) == [("data", "2 of 4096x4096")]
    assert list(undivided({(4096, 4096): 2}, PLANS["zero"])) == []
    # Columns are not reduced.
    assert communication({(256, 256): 1}, make_plan({"model": 8})) == []
    (send,) = communication({(256, 256): 1}, make_plan({"data": 2, "model": 4}))
    assert send.bytes == 256 * 256 * 4 / 4


def test_overheads_are_those_of_the_committed_benchmark():
    names = {}  # of rows of benchmarks/compiled.py
    for dtype, storage, rounding in COMPILED:
        low = ", bf16" if dtype == "bfloat16" else ""
        key = " ".join(filter(None, [f"adamw {storage}{low}", rounding]))
        names[key] = (dtype, storage, rounding)
    measured = {}
    for file in RESULTS.glob("compiled.*.json"):
        for row in json.loads(file.read_text())["rows"]:
            overheads = measured.setdefault(row["device"], {})
            if row["row"] in names:
                ratio = row["bytes_per_parameter"] / row["least"]
                overheads[names[row["row"]]] = round(ratio, 2)
    assert measured == OVERHEAD
    assert {machine.compiled for machine in MACHINES.values()} <= set(OVERHEAD)
    # Elsewhere, the estimate is the least.
    assert overhead(MACHINES["v6e"], "bfloat16", "bfloat16", None) is None
    estimates = estimate(
        parse_optimizer("adamw"), {(256, 256): 1}, make_plan({"data": 2}), "bfloat16"
    )
    assert [one.measured for one in estimates.values()] == [False, False, False, True]
    assert estimates["float32"].moved_bytes == 256 * 256 * 22 + 2 * 8  # a count, a learning rate
