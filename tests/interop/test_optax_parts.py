"""States of Optax's inside of others': masks, parts, hyperparameters, and what is not theirs."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from adamjax.interop.optax import from_optax, to_optax
from tests.interop.test_optax import LR, deviation, run, start

ADAM = {**LR, "eps": 1e-3}
FROZEN = {"one": optax.adam(**ADAM), "two": optax.set_to_zero()}
LABELS = {"w": "one", "b": "two", "s": "frozen"}


def schedule(count):
    return 1e-2 / (1.0 + 0.1 * count)


def partitioned():
    parts = {
        "one": optax.adam(**ADAM),
        "two": optax.sgd(schedule, momentum=0.9),
        "frozen": optax.set_to_zero(),
    }
    return optax.partition(parts, LABELS)


def refused(message, call, *arguments, **keywords):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(*arguments, **keywords)


def test_hyperparameters_go_back():
    theirs = optax.inject_hyperparams(optax.adam)(learning_rate=schedule, eps=1e-3)
    _, state, params = run(theirs, theirs.init(start()), start(), 0, 7)
    arguments = {**ADAM, "learning_rate": schedule}
    tx, mine = from_optax("adam", state, params, **arguments)
    back = to_optax("adam", mine, params, theirs.init(params), **arguments)
    # The rate itself is computed anew with each step.
    kept = [s._replace(hyperparams=None) for s in (back, state)]
    jax.tree.map(np.testing.assert_array_equal, *kept)
    wanted, _, _ = run(theirs, back, params, 7, 20)
    path, _, _ = run(tx, mine, params, 7, 20)
    assert deviation(wanted, path) <= 2e-6


def test_parts_go_on_one_by_one():
    theirs = partitioned()
    _, state, params = run(theirs, theirs.init(start()), start(), 0, 7)
    part = state.inner_states
    one, first = from_optax("adam", part["one"], params, **ADAM)
    sgd = {"learning_rate": schedule, "momentum": 0.9}
    two, second = from_optax("sgd", part["two"], params, **sgd)
    frozen = optax.masked(optax.set_to_zero(), {"w": False, "b": False, "s": True})
    tx, mine = optax.chain(one, two, frozen), (first, second, frozen.init(params))
    wanted, _, _ = run(theirs, state, params, 7, 20)
    path, _, _ = run(tx, mine, params, 7, 20)
    assert deviation(wanted, path) <= 2e-6


def test_counts_of_other_parts_stay():
    theirs = partitioned()
    _, state, params = run(theirs, theirs.init(start()), start(), 0, 2)
    adam = state.inner_states["one"]
    _, mine = from_optax("adam", adam, params, **ADAM)
    mine = jax.tree.map(lambda x: jnp.full_like(x, 9) if jnp.ndim(x) == 0 else x, mine)
    back = to_optax("adam", mine, params, state, **ADAM).inner_states
    assert back["one"].inner_state[0].count == 9
    assert back["two"].inner_state[1].count == 2
    chain = optax.chain(optax.scale_by_schedule(schedule), optax.adam(schedule)).init(params)
    _, mine = from_optax("adam", chain, params, **ADAM)
    mine = jax.tree.map(lambda x: jnp.full_like(x, 9) if jnp.ndim(x) == 0 else x, mine)
    outer, (own, rate) = to_optax("adam", mine, params, chain, **ADAM)
    assert (outer.count, own.count, rate.count) == (0, 9, 9)


@pytest.mark.parametrize(
    ("name", "state", "arguments", "message"),
    [
        ("adam", partitioned().init(start()), ADAM, "is in another part of optax.partition; give"),
        (
            "adam",
            optax.partition(FROZEN, {"w": "one", "b": "two", "s": "two"}).init(start()),
            ADAM,
            "What was frozen is optax.masked(optax.set_to_zero(), mask)",
        ),
        ("sgd", partitioned().init(start()), LR, "is masked, and sgd with these arguments"),
        (
            "sgd",
            optax.masked(optax.sgd(0.1), {"w": True, "b": False, "s": True}).init(start()),
            LR,
            "mask the optimizer by optax.masked",
        ),
        (
            "adam",
            optax.adam(0.1).init({"w": start()["w"]}),
            ADAM,
            "has no mu of 'b'; leave out of params what the optimizer did not step",
        ),
        (
            "sgd",
            optax.chain(optax.sgd(schedule), optax.scale_by_schedule(schedule)).init(start()),
            {"learning_rate": schedule},
            "holds 2 counts of schedules",
        ),
    ],
)
def test_what_is_not_adopted(name, state, arguments, message):
    refused(message, from_optax, name, state, start(), **arguments)


def test_a_mask_of_whole_folders():
    params = {"body": start(), "head": jnp.ones(2)}
    theirs = optax.masked(optax.adam(**ADAM), {"body": False, "head": True})
    tx, mine = from_optax("adam", theirs.init(params), params, **ADAM)
    updates, _ = tx.update(params, mine, params)
    wanted, _ = theirs.update(params, theirs.init(params), params)
    # 1 - b2 in float32 there, in which 1e-5 of it is lost.
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), updates, wanted)


@pytest.mark.parametrize("shape", [(2, 4), (4, 3)])
def test_states_of_other_shapes_do_not_go_back(shape):
    params = start()
    other = {**params, "w": jnp.ones(shape)}
    there = optax.adam(**ADAM).init(params)
    _, mine = from_optax("adam", optax.adam(**ADAM).init(other), other, **ADAM)
    refused(f"mu of 'w' has shape {shape}", to_optax, "adam", mine, params, there, **ADAM)
    refused("optax_state: mu of 'w' has shape (3, 4)", to_optax, "adam", mine, other, there, **ADAM)


def test_what_has_no_place_does_not_get_lost():
    params = start()
    _, mine = from_optax("adam", optax.adam(**ADAM).init(params), params, **ADAM)
    there = optax.masked(optax.adam(**ADAM), {"w": True, "b": False, "s": True}).init(params)
    refused("has no place for mu of 'b'", to_optax, "adam", mine, params, there, **ADAM)


def test_paths_that_collide():
    params = {"a": {"b": jnp.ones(2)}, "a/b": jnp.ones(2)}
    state = optax.adam(**ADAM).init(params)
    refused("two leaves are called 'a/b'", from_optax, "adam", state, params, **ADAM)
