"""The storage formats on the command line: `memory` and `show`."""

import json

import pytest

import adamjax
from adamjax.__main__ import main
from adamjax.storage.formats import FORMATS

BYTES = {"float32": 8, "bfloat16": 4, "8bit_v16": 3, "8bit": 2}


@pytest.fixture
def cli(capsys):
    """Runs the command line in this process: arguments to what it prints."""

    def call(*arguments):
        code = main(list(arguments))
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        return out

    return call


def rows(text):
    return [line.split() for line in text.splitlines()]


def test_memory_has_a_column_for_each_format(cli):
    out = rows(cli("memory", "adamw", "amsgrad", "sgd", "sgd:momentum=0.9", "--params", "124M"))
    start = out.index(["bytes", "of", "state", "per", "parameter,", "by", "storage"])
    assert out[start + 1] == ["variant", *FORMATS]
    assert out[start + 3 :] == [
        ["adamw", *map(str, BYTES.values())],
        ["amsgrad", "12", "6", "4", "4"],
        ["sgd", "0"],  # has nothing to store
        ["sgd:momentum=0.9", "4", "2", "1", "1"],
    ]


@pytest.mark.parametrize("storage", FORMATS)
def test_memory_of_a_variant_in_one_format(cli, storage):
    """The first table is about that format alone; the JSON has the others beside it."""
    command = ("memory", f"adamw:storage={storage}", "--params", "1M", "--shape", "1000x1000")
    out = cli(*command)
    assert "by storage" not in out
    assert ["all", "state", str(BYTES[storage])] == next(
        row[:3] for row in rows(out) if row[:2] == ["all", "state"]
    )
    (record,) = json.loads(cli(*command, "--json"))
    by_storage = record["state_bytes_by_storage"]
    assert {key: round(taken / 1e6) for key, taken in by_storage.items()} == BYTES
    assert record["state_bytes"] == by_storage[storage]


def test_memory_of_leaves_that_are_too_small(cli):
    (record,) = json.loads(cli("memory", "adam", "--params", "1M", "--shape", "64x64", "--json"))
    assert len(set(record["state_bytes_by_storage"].values())) == 1


def test_memory_counts_what_rounding_keeps(cli):
    """bfloat16 parameters with an 8-bit residual: 3 bytes beside 2."""
    choice = "adamw:storage=8bit,param_rounding=residual8"
    out = rows(cli("memory", choice, "--params", "1M", "--dtype", "bfloat16"))
    assert ["residual", "int8", "1", "1", "MB"] in out
    assert ["all", "state", "3", "3", "MB"] in out


@pytest.mark.parametrize("name", adamjax.list_variants())
def test_show_has_a_line_for_each_slot(cli, name):
    variant = adamjax.get_variant(name)
    out = rows(cli("show", name))
    if not variant.slots:
        assert ["slots", "none"] in out
        return
    lines = out[out.index(["slot", "role", *FORMATS]) + 2 :]
    assert [line[0] for line in lines] == list(variant.slots)
    for slot, *told in lines:
        role = [variant.roles[slot]] if slot in variant.roles else []
        assert told[: len(role)] == role
        plain, *stored = map(float, told[len(role) :])
        assert len(stored) == (len(FORMATS) - 1 if variant.roles else 0)
        # What has a role takes less in each format than in float32, unless it is tiny.
        smaller = [small < plain for small in stored]
        assert smaller == [bool(role) and plain > 1] * len(stored)


def test_show_says_what_each_slot_takes(cli):
    out = rows(cli("show", "amsgrad"))
    assert ["mu", "mean", "4", "2", "1", "1"] in out
    assert ["nu", "square", "4", "2", "2", "2"] in out  # 16 bits below a maximum
    assert ["nu_max", "maximum", "4", "2", "1", "1"] in out
    assert json.loads(cli("show", "adamax", "--json"))["roles"] == {"mu": "signed", "nu": "square"}
