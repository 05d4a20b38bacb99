"""Counts and shapes of parameters, and what a state takes for them."""

import functools
import math

import jax
import jax.numpy as jnp
import pytest

import adamjax
from adamjax.cli.memory import (
    leaves_of,
    parse_count,
    parse_shape,
    parts_by_storage,
    state_parts,
)
from adamjax.storage.formats import FORMATS


def test_memory_without_a_shape_for_odd_counts():
    for count in (1, 2, 3, 17, 123_456, 50_000_000):
        leaves = leaves_of(count)
        assert sum(times * math.prod(shape) for shape, times in leaves.items()) == count
        (mu,) = [part for part in state_parts(adamjax.adam(), leaves) if part.name == "mu"]
        assert mu.size == 4 * count


@pytest.mark.parametrize(
    ("text", "count"),
    [("124M", 124_000_000), ("1.5B", 1_500_000_000), ("7e9", 7_000_000_000), ("123456", 123_456),
     ("2.3k", 2300), ("1.1G", 1_100_000_000)],
)  # fmt: skip
def test_counts(text, count):
    assert parse_count(text) == count


@pytest.mark.parametrize("text", ["", "0", "-3", "M", "1.5", "12X", "1e", "1e-3", "nan"])
def test_wrong_counts(text):
    with pytest.raises(ValueError, match="must be a whole number"):
        parse_count(text)


@pytest.mark.parametrize("text", ["", "4x0", "x4", "4x", "-4", "4 4"])
def test_wrong_shapes(text):
    with pytest.raises(ValueError, match="must be sizes joined by x"):
        parse_shape(text)


def test_a_shape_is_repeated_and_the_rest_has_fewer_rows():
    assert leaves_of(1000, (10, 30)) == {(10, 30): 3, (3, 30): 1, (10,): 1}
    assert leaves_of(1000, (8,)) == {(8,): 125}
    assert leaves_of(70, (2, 3, 4)) == {(2, 3, 4): 2, (1, 3, 4): 1, (10,): 1}


def test_parts_of_a_scheduled_decay_keep_their_names():
    tx = adamjax.adam(b1=adamjax.inverse_epoch_schedule(0.9, 100))
    names = [part.name for part in state_parts(tx, {(8, 8): 2})]
    assert {"mu", "nu", "count"} <= set(names)


@pytest.mark.parametrize("name", adamjax.list_variants())
def test_parts_in_each_storage_are_those_of_the_arrays(name):
    """Of one leaf that is stored and one that is too small."""
    make = functools.partial(adamjax.create, name, learning_rate=0.1)
    found = parts_by_storage(make, {(160, 128): 1, (100,): 1})
    for storage, parts in found.items():
        chosen = {"storage": storage} if len(found) > 1 else {}
        state = make(**chosen).init({"w": jnp.ones((160, 128)), "b": jnp.ones(100)})
        sizes = {part.name: part.size for part in parts}
        assert sum(sizes.values()) == sum(x.nbytes for x in jax.tree.leaves(state))
        for slot in adamjax.get_variant(name).slots:
            paths = jax.tree_util.tree_leaves_with_path(state)
            in_slot = jax.tree_util.GetAttrKey(slot)
            assert sizes[slot] == sum(x.nbytes for path, x in paths if in_slot in path)
    assert list(found) == (list(FORMATS) if adamjax.get_variant(name).roles else ["float32"])


def test_what_takes_fewer_bits():
    found = parts_by_storage(adamjax.adamw, {(160, 128): 4})
    each = {
        key: sum(part.size for part in parts) // (4 * 160 * 128) for key, parts in found.items()
    }
    assert each == {"float32": 8, "bfloat16": 4, "8bit_v16": 3, "8bit": 2}
