"""Counts and shapes of parameters, and the memory of optimizer states, on one device or a mesh."""

import functools
import json
import math

import jax
import jax.numpy as jnp
import pytest

import adamjax
from adamjax.cli.memory import leaves_of, parse_count, parse_shape, parts_by_storage, state_parts
from adamjax.storage.formats import FORMATS
from tests.tiers import each_variant

BYTES = {"float32": 8, "bfloat16": 4, "8bit_v16": 3, "8bit": 2}


def rows(text):
    return [line.split() for line in text.splitlines()]


def test_counts_and_shapes():
    counts = {"124M": 124e6, "1.5B": 1.5e9, "7e9": 7e9, "123456": 123_456, "2.3k": 2300}
    assert {text: parse_count(text) for text in (*counts, "1.1G")} == counts | {"1.1G": 1.1e9}
    for text in ("", "0", "-3", "M", "1.5", "12X", "1e", "1e-3", "nan"):
        with pytest.raises(ValueError, match="must be a whole number"):
            parse_count(text)
    for text in ("", "4x0", "x4", "4x", "-4", "4 4"):
        with pytest.raises(ValueError, match="must be sizes joined by x"):
            parse_shape(text)


def test_a_shape_is_repeated_and_the_rest_has_fewer_rows():
    assert leaves_of(1000, (10, 30)) == {(10, 30): 3, (3, 30): 1, (10,): 1}
    assert leaves_of(1000, (8,)) == {(8,): 125}
    assert leaves_of(70, (2, 3, 4)) == {(2, 3, 4): 2, (1, 3, 4): 1, (10,): 1}
    for count in (1, 2, 3, 17, 123_456, 50_000_000):
        leaves = leaves_of(count)
        assert sum(times * math.prod(shape) for shape, times in leaves.items()) == count
        (mu,) = [part for part in state_parts(adamjax.adam(), leaves) if part.name == "mu"]
        assert mu.size == 4 * count


def test_parts_of_a_scheduled_decay_keep_their_names():
    tx = adamjax.adam(b1=adamjax.inverse_epoch_schedule(0.9, 100))
    names = [part.name for part in state_parts(tx, {(8, 8): 2})]
    assert {"mu", "nu", "count"} <= set(names)


@each_variant()
def test_parts_in_each_storage_are_those_of_the_arrays(name):
    """For one leaf that is stored and one that is too small."""
    make = functools.partial(adamjax.create, name, learning_rate=0.1)
    by_storage = parts_by_storage(make, {(160, 128): 1, (100,): 1})
    assert list(by_storage) == (list(FORMATS) if adamjax.get_variant(name).roles else ["float32"])
    for storage, parts in by_storage.items():
        options = {"storage": storage} if len(by_storage) > 1 else {}
        params = {"w": jnp.ones((160, 128)), "b": jnp.ones(100)}
        state = jax.eval_shape(make(**options).init, params)
        sizes = {part.name: part.size for part in parts}
        paths = jax.tree_util.tree_leaves_with_path(state)
        mark = jax.tree_util.GetAttrKey("format")
        assert sum(sizes.values()) == sum(nbytes(x) for path, x in paths if mark not in path)
        for slot in adamjax.get_variant(name).slots:
            in_slot = jax.tree_util.GetAttrKey(slot)
            assert sizes[slot] == sum(nbytes(x) for path, x in paths if in_slot in path)


def nbytes(x):
    return x.size * x.dtype.itemsize


def test_memory_table(output):
    names = ("adamw", "adamw:mu_dtype=bfloat16", "amsgrad", "sgd", "sgd:momentum=0.9")
    out = output("memory", *names, "--params", "124M")
    lines = rows(out)
    assert out.startswith("124,000,000 parameters: 7 of 4096x4096, ")
    assert ["adamw", "count", "int32", "0", "4", "B"] in lines
    assert ["mu", "float32", "4", "496", "MB"] in lines
    assert ["mu", "bfloat16", "2", "248", "MB"] in lines
    assert ["total", "16", "1.98", "GB"] in lines
    start = lines.index(["bytes", "of", "state", "per", "parameter,", "by", "storage"])
    assert lines[start + 1] == ["variant", *FORMATS]
    assert lines[start + 3] == ["adamw", *map(str, BYTES.values())]
    assert lines[start + 5 :] == [
        ["amsgrad", "12", "6", "4", "4"],
        ["sgd", "0"],  # has nothing to store
        ["sgd:momentum=0.9", "4", "2", "1", "1"],
    ]


def test_memory_of_small_leaves_and_of_residuals(output):
    small = ("memory", "adam", "--params", "1T", "--shape", "64x64", "--json")
    (record,) = json.loads(output(*small))
    assert len(set(record["state_bytes_by_storage"].values())) == 1
    assert record["parameter_bytes"] == record["gradient_bytes"] == 4e12
    assert record["total_bytes"] == record["state_bytes"] + 8e12 == 16e12 + 8
    # bfloat16 parameters with an 8-bit residual: 3 bytes beside 2.
    choice = "adamw:storage=8bit,param_rounding=residual8"
    out = rows(output("memory", choice, "--params", "1M", "--dtype", "bfloat16"))
    assert ["residual", "int8", "1", "1", "MB"] in out
    assert ["all", "state", "3", "3", "MB"] in out


def test_gradients_of_one_layer(output):
    command = "memory", "sgd", "--params", "1M", "--shape", "1000x1000", "--layers", "8", "--json"
    (record,) = json.loads(output(*command))
    assert record["gradient_bytes"] == 4_000_000 / 8
    assert record["total_bytes"] == record["state_bytes"] + 4_500_000


def test_mesh_table(output):
    options = ("--params", "7e9", "--mesh", "data=8", "--zero", "data")
    out = output("memory", "adamw", "sgd", *options)
    lines = [" ".join(row) for row in rows(out)]
    assert out.startswith("7,000,000,000 parameters in float32 on data=8 of H100 SXM: ZeRO over")
    assert "adamw float32 28 GB 3.5 GB 7 GB 38.5 GB 48% 7.31" in lines
    assert "8bit 28 GB 3.5 GB 1.75 GB 33.3 GB 42% 4.18" in lines
    assert "all 49 GB 109" in lines
    assert "estimate" in out
    assert sum(line.startswith("sgd ") for line in lines) == 1
    out = output("memory", "adamw", "--params", "70e9", "--mesh", "data=8", "--fsdp", "data")
    assert out.count("too much") == 4
    assert "FSDP over data" in out


def test_mesh_json(output):
    report = json.loads(output(
        "memory", "adamw:storage=8bit", "lion", "--params", "1M", "--shape", "1000x1000", "--json",
        "--mesh", "rows=5,columns=4", "--fsdp", "rows", "--tensor", "columns",
        "--machine", "v5p", "--dtype", "bfloat16",
    ))  # fmt: skip
    assert report["mesh"] == {"rows": 5, "columns": 4}
    assert (report["fsdp"], report["tensor"], report["zero"]) == ("rows", "columns", None)
    assert report["undivided"] == []
    assert report["machine"]["name"] == "TPU v5p"
    adamw, lion = report["variants"]
    assert list(adamw["by_storage"]) == ["8bit"] and len(lion["by_storage"]) == 4
    one = adamw["by_storage"]["8bit"]
    assert one["parameter_bytes"] == one["gradient_bytes"] == 1_000_000 * 2 / 20
    assert one["total_bytes"] == 4 * 1_000_000 / 20 + one["state_bytes"]
    assert one["fits"] and one["measured"]
    assert one["update_seconds"] == one["moved_bytes"] / 2.765e12
    # Half of each link: a ring of five is open on v5p.
    assert report["wire_bytes"] == pytest.approx(3 * 500_000 * 4 / 5)
    assert report["wire_seconds"] == pytest.approx(report["wire_bytes"] / 100e9)
    assert sum(send["bytes"] for send in report["wire"]) == pytest.approx(report["wire_bytes"])
