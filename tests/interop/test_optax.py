"""Runs of Optax that continue here, and back. States that do not fit."""

import inspect
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import pytest

import adamjax
from adamjax.interop import tables
from adamjax.interop.optax import from_optax, to_optax
from tests.interop import trainings
from tests.interop.trainings import deviation

pytestmark = pytest.mark.usefixtures("compiled_quickly")
WEIGHTS = {"w": ((3, 4), None), "b": ((4,), None), "s": ((), None)}
LR = {"learning_rate": 1e-2}
EPS = {**LR, "eps": 1e-3}
DECAY = {"weight_decay": 0.1}
MASK = {"w": True, "b": False, "s": True}


def schedule(count):
    return 1e-2 / (1.0 + 0.1 * count)


CASES = {
    "adabelief": ("adabelief", {**LR, "eps": 1e-3, "eps_root": 1e-5}),
    "adadelta": ("adadelta", {**EPS, **DECAY, "learning_rate": 1.0}),
    "adagrad": ("adagrad", EPS),
    "adam": ("adam", {**EPS, "eps_root": 1e-3}),
    "adam-nesterov": ("adam", {**EPS, "nesterov": True}),
    "adamax": ("adamax", EPS),
    "adamaxw": ("adamaxw", {**EPS, **DECAY}),
    "adamw-mask": ("adamw", {**EPS, **DECAY, "mask": MASK}),
    "adamw-schedule": ("adamw", {**DECAY, "learning_rate": schedule}),
    "adan": ("adan", {**EPS, **DECAY}),
    "ademamix": ("ademamix", {**EPS, **DECAY}),
    "amsgrad": ("amsgrad", {**EPS, "b1": 0.8, "b2": 0.9}),
    "lamb": ("lamb", {**EPS, **DECAY}),
    "lion": ("lion", {**LR, **DECAY}),
    "nadam": ("nadam", EPS),
    "nadamw": ("nadamw", {**EPS, **DECAY}),
    "novograd": ("novograd", {**EPS, **DECAY}),
    "radam": ("radam", {**EPS, "b2": 0.99}),
    "rmsprop-outside": ("rmsprop", {**EPS, "eps_in_sqrt": False, "initial_scale": 1.0}),
    "rmsprop-centered": ("rmsprop", {**EPS, "centered": True, "momentum": 0.9}),
    "sgd-nesterov": ("sgd", {**LR, "momentum": 0.9, "nesterov": True}),
    "sgd-schedule": ("sgd", {"learning_rate": schedule}),
    "simplified_ademamix": ("simplified_ademamix", {**EPS, **DECAY, "alpha": 2.0}),
    "yogi": ("yogi", EPS),
}


def made(name, arguments):
    return (getattr(optax, name, None) or getattr(optax.contrib, name))(**arguments)


def start():
    return trainings.here(WEIGHTS, trainings.start(WEIGHTS))


def train(tx, state, params, first, steps):
    return trainings.train(WEIGHTS, tx, state, params, first, steps)


def begun(theirs, steps=7):
    """The parameters and the state of a run of Optax."""
    _, params, state = train(theirs, theirs.init(start()), start(), 0, steps)
    return params, state


def refused(message, call, *arguments, **keywords):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(*arguments, **keywords)


# Rows of the table that differ from a quick one by their names alone.
ALIKE = {"adamax", "adamaxw", "lamb", "nadam", "nadamw", "radam", "yogi"}
MARKED = [pytest.param(c, marks=pytest.mark.wide if c in ALIKE else ()) for c in CASES]


@pytest.mark.parametrize("case", MARKED)
def test_goes_on_here_and_back(case):
    name, arguments = CASES[case]
    theirs = made(name, arguments)
    params, state = begun(theirs)
    tx, mine = from_optax(name, state, params, **arguments)
    # The way back is right if it gives this state, and the continuation the same steps.
    back = to_optax(name, mine, params, theirs.init(params), **arguments)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-7), back, state)
    assert jax.tree.structure(back) == jax.tree.structure(state)

    expected, _, _ = train(theirs, state, params, 7, 50)
    assert deviation(expected, train(tx, mine, params, 7, 50)[0]) <= 2e-6


def test_every_optimizer_is_continued():
    convertible = {row.name for row in tables.OPTAX.values() if row.moments}
    assert {name for name, _ in CASES.values()} == convertible


# --- states inside of other states


@pytest.mark.parametrize("wrapper", ["chain", "MultiSteps", "masked"])
def test_a_state_inside_of_another(wrapper):
    adam = optax.adam(**EPS)
    theirs = {
        "chain": optax.chain(optax.clip(1e6), adam),
        "MultiSteps": optax.MultiSteps(adam, 1),
        "masked": optax.masked(adam, MASK),
    }[wrapper]
    params, state = begun(theirs)
    tx, mine = from_optax("adam", state, params, **EPS)
    back = to_optax("adam", mine, params, state, **EPS)
    jax.tree.map(np.testing.assert_array_equal, back, state)
    expected, _, _ = train(theirs, state, params, 7, 20)
    assert deviation(expected, train(tx, mine, params, 7, 20)[0]) <= 2e-6


def test_hyperparameters_go_back():
    theirs = optax.inject_hyperparams(optax.adam)(learning_rate=schedule, eps=1e-3)
    params, state = begun(theirs)
    arguments = {**EPS, "learning_rate": schedule}
    tx, mine = from_optax("adam", state, params, **arguments)
    back = to_optax("adam", mine, params, theirs.init(params), **arguments)
    # The rate itself is computed in each step.
    jax.tree.map(
        np.testing.assert_array_equal, *(s._replace(hyperparams=None) for s in (back, state))
    )
    expected, _, _ = train(theirs, back, params, 7, 20)
    assert deviation(expected, train(tx, mine, params, 7, 20)[0]) <= 2e-6


def partitioned():
    parts = {
        "one": optax.adam(**EPS),
        "two": optax.sgd(schedule, momentum=0.9),
        "frozen": optax.set_to_zero(),
    }
    return optax.partition(parts, {"w": "one", "b": "two", "s": "frozen"})


def test_parts_go_on_one_by_one():
    theirs = partitioned()
    params, state = begun(theirs)
    part = state.inner_states
    one, first = from_optax("adam", part["one"], params, **EPS)
    sgd = {"learning_rate": schedule, "momentum": 0.9}
    two, second = from_optax("sgd", part["two"], params, **sgd)
    frozen = optax.masked(optax.set_to_zero(), {"w": False, "b": False, "s": True})
    tx, mine = optax.chain(one, two, frozen), (first, second, frozen.init(params))
    expected, _, _ = train(theirs, state, params, 7, 20)
    assert deviation(expected, train(tx, mine, params, 7, 20)[0]) <= 2e-6


def test_complex_moments_go_on():
    params = {"z": jnp.asarray([3.0 + 4.0j, 1.0j])}
    theirs = optax.adam(0.1)
    _, state = theirs.update(params, theirs.init(params), params)
    tx, own = from_optax("adam", state, params, learning_rate=0.1)
    expected, state = theirs.update({"z": -params["z"]}, state, params)
    updates, own = tx.update({"z": -params["z"]}, own, params)
    np.testing.assert_allclose(updates["z"], expected["z"], rtol=1e-4)
    np.testing.assert_allclose(own[0].nu["z"], state[0].nu["z"], rtol=1e-6)


def test_other_counts_stay():
    def with_count_9(state, inner):
        _, mine = from_optax("adam", inner, params, **EPS)
        mine = jax.tree.map(lambda x: jnp.full_like(x, 9) if jnp.ndim(x) == 0 else x, mine)
        return to_optax("adam", mine, params, state, **EPS)

    params, state = begun(partitioned(), steps=2)
    back = with_count_9(state, state.inner_states["one"]).inner_states
    assert back["one"].inner_state[0].count == 9
    assert back["two"].inner_state[1].count == 2
    chain = optax.chain(optax.scale_by_schedule(schedule), optax.adam(schedule)).init(params)
    outer, (own, rate) = with_count_9(chain, chain)
    assert (outer.count, own.count, rate.count) == (0, 9, 9)


def test_a_mask_of_whole_folders():
    params = {"body": start(), "head": jnp.ones(2)}
    theirs = optax.masked(optax.adam(**EPS), {"body": False, "head": True})
    tx, mine = from_optax("adam", theirs.init(params), params, **EPS)
    updates, _ = tx.update(params, mine, params)
    expected, _ = theirs.update(params, theirs.init(params), params)
    # 1 - b2 in float32 there, in which 1e-5 of it is lost.
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), updates, expected)


# --- errors

ARGUMENTS = [
    ("adamx", {}, "unknown optimizer of Optax 'adamx'; did you mean"),
    ("lbfgs", {}, "unknown optimizer of Optax 'lbfgs'"),
    ("radam", {**LR, "nesterov": True}, "nesterov must be False"),
    ("madgrad", LR, "its state cannot be converted"),
    ("amsgrad", {**LR, "bias_correction_nu": False}, "bias_correction_nu must be True"),
    ("adadelta", {}, "Optax's adadelta ascends without a learning_rate"),
    ("ademamix", {**LR, "alpha": lambda count: 1.0}, "alpha is a schedule"),
    ("rmsprop", {"learning_rate": lambda count: 0.1, "momentum": 0.9}, "momentum"),
    ("rmsprop", {**LR, "momentum": 0.9}, "must hold one TraceState"),
    ("lion", LR, "must hold one ScaleByLionState for lion with these arguments, holds 0"),
    ("adamw", {"learning_rate": float("nan")}, "learning_rate must not be negative"),
]


def known(name, arguments):
    """Whether the installed Optax has these arguments."""
    function = getattr(optax, name, None)
    return function is None or set(arguments) <= set(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("name", "arguments", "message"), [case for case in ARGUMENTS if known(*case[:2])]
)
def test_arguments_without_an_equal(name, arguments, message):
    state = optax.chain(optax.adam(0.1), optax.scale_by_rms()).init(start())
    refused(message, from_optax, name, state, start(), **arguments)


def test_arguments_that_optax_does_not_have():
    with pytest.raises(TypeError, match="beta"):
        from_optax("adam", optax.adam(0.1).init(start()), start(), learning_rate=0.1, beta=1)


def test_states_that_do_not_fit():
    params = start()
    state = optax.adam(0.1).init(params)
    twice = optax.chain(optax.adam(0.1), optax.adam(0.1)).init(params)
    masked = optax.masked(optax.sgd(0.1), MASK).init(params)
    scheduled = optax.chain(optax.sgd(schedule), optax.scale_by_schedule(schedule)).init(params)
    collides = {"a": {"b": jnp.ones(2)}, "a/b": jnp.ones(2)}
    wide = (state[0]._replace(mu=jax.tree.map(jnp.complex64, params)), state[1])
    cases = [
        ("adam", twice, params, "holds 2; is it"),
        ("adam", state, {"w": params["w"], "s": params["s"]}, "has 'b', which params does not"),
        ("adam", state, {**params, "w": params["w"].T}, "mu of 'w' has shape (3, 4), not (4, 3)"),
        ("adam", state, {**params, "c": params["w"]}, "has no mu of 'c'; leave out of params"),
        ("adam", wide, params, "is complex64, wider than that of"),
        ("adam", partitioned().init(params), params, "in another part of optax.partition; convert"),
        ("sgd", partitioned().init(params), params, "is masked, and sgd with these arguments"),
        ("sgd", masked, params, "mask the optimizer by optax.masked"),
        ("adam", optax.adam(0.1).init(collides), collides, "two leaves are called 'a/b'"),
    ]
    for name, optax_state, tree, message in cases:
        refused(message, from_optax, name, optax_state, tree, **LR)
    message = "holds 2 counts of schedules"
    refused(message, from_optax, "sgd", scheduled, params, learning_rate=schedule)


def test_states_that_do_not_go_back():
    params = start()
    state = optax.adam(0.1).init(params)
    _, mine = from_optax("adam", state, params, **LR)
    other = {**params, "w": jnp.ones((4, 3))}
    turned = adamjax.adam().init(other)
    twice = optax.chain(optax.adam(0.1), optax.adam(0.1)).init(params)
    more = {**params, "new": params["w"]}
    large = {"w": jnp.ones((256, 256))}
    codes = adamjax.adam(storage="8bit").init(large)
    masked = optax.masked(optax.adam(0.1), MASK).init(params)
    lion = optax.lion(0.1).init(params)
    cases = [
        ("adam", mine, params, twice, "holds 2"),
        ("lion", mine, params, lion, "state: holds no moments of 'b' of lion"),
        ("adam", mine, params, optax.adam(0.1).init(more), "holds no moments of 'new' of adam"),
        ("adam", mine, params, masked, "has no place for mu of 'b'"),
        ("adam", mine, other, state, "state: mu of 'w' has shape (3, 4)"),
        ("adam", turned, other, state, "optax_state: mu of 'w' has shape (3, 4)"),
        ("adam", codes, large, optax.adam(0.1).init(large), "kept in codes"),
    ]
    for name, own, tree, there, message in cases:
        refused(message, to_optax, name, own, tree, there, **LR)


@pytest.mark.wide
def test_document(tmp_path, monkeypatch):
    trainings.run_document(tmp_path, monkeypatch, "")
