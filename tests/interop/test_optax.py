"""Runs of Optax that go on here, and back; states that do not fit."""

import inspect
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import pytest

import adamjax
from adamjax.interop.optax import from_optax, to_optax
from adamjax.interop.optax_arguments import SOURCES
from tests.interop.documents import blocks

LR = {"learning_rate": 1e-2}
EPS = {**LR, "eps": 1e-3}
DECAY = {"weight_decay": 0.1}
CASES = {
    "adabelief": ("adabelief", {**LR, "eps": 1e-3, "eps_root": 1e-3}),
    "adadelta": ("adadelta", {**EPS, **DECAY, "learning_rate": 1.0}),
    "adagrad": ("adagrad", EPS),
    "adam": ("adam", {**EPS, "eps_root": 1e-3}),
    "adamax": ("adamax", EPS),
    "adamaxw": ("adamaxw", {**EPS, **DECAY}),
    "adamw": ("adamw", {**EPS, **DECAY}),
    "adamw-mask": ("adamw", {**EPS, **DECAY, "mask": {"w": True, "b": False, "s": False}}),
    "adan": ("adan", {**EPS, **DECAY}),
    "ademamix": ("ademamix", {**EPS, **DECAY}),
    "amsgrad": ("amsgrad", {**EPS, "b1": 0.8, "b2": 0.9}),
    "lamb": ("lamb", {**EPS, **DECAY}),
    "lion": ("lion", {**LR, **DECAY}),
    "nadam": ("nadam", EPS),
    "nadamw": ("nadamw", {**EPS, **DECAY}),
    "novograd": ("novograd", {**EPS, **DECAY}),
    "radam": ("radam", {**EPS, "b2": 0.99}),
    "rmsprop": ("rmsprop", EPS),
    "rmsprop-outside": ("rmsprop", {**EPS, "eps_in_sqrt": False, "initial_scale": 1.0}),
    "rmsprop-centered": ("rmsprop", {**EPS, "centered": True, "momentum": 0.9}),
    "sgd": ("sgd", LR),
    "sgd-nesterov": ("sgd", {**LR, "momentum": 0.9, "nesterov": True}),
    "simplified_ademamix": ("simplified_ademamix", {**EPS, **DECAY, "alpha": 2.0}),
    "yogi": ("yogi", EPS),
    "schedule": ("adamw", {**DECAY, "learning_rate": optax.linear_schedule(1e-2, 0.0, 60)}),
    "schedule-sgd": ("sgd", {"learning_rate": optax.linear_schedule(1e-2, 0.0, 60)}),
}


def made(name, arguments):
    return (getattr(optax, name, None) or getattr(optax.contrib, name))(**arguments)


def start():
    draw = np.random.default_rng(0)
    shapes = {"w": (3, 4), "b": (4,), "s": ()}
    return {name: jnp.float32(draw.normal(size=shape)) for name, shape in shapes.items()}


def gradients(params, t):
    def one(path, p):
        draw = np.random.default_rng((t, len(str(path)), p.size))
        return jnp.float32(draw.normal(size=p.shape) * (1 + t % 3)) + 0.3 * p

    return jax.tree_util.tree_map_with_path(one, params)


def run(tx, state, params, first, steps):
    update, path = jax.jit(tx.update), []
    for t in range(first, first + steps):
        updates, state = update(gradients(params, t), state, params)
        params = optax.apply_updates(params, updates)
        path.append(params)
    return path, state, params


def deviation(path, other):
    largest = max(float(jnp.abs(x).max()) for x in jax.tree.leaves(path))
    pairs = zip(jax.tree.leaves(path), jax.tree.leaves(other), strict=True)
    return max(float(jnp.abs(a - b).max()) for a, b in pairs) / largest


@pytest.mark.parametrize("case", CASES)
def test_goes_on_here_and_back(case, record_property):
    name, arguments = CASES[case]
    theirs = made(name, arguments)
    _, state, params = run(theirs, theirs.init(start()), start(), 0, 7)
    tx, mine = from_optax(name, state, params, **arguments)
    back = to_optax(name, mine, params, theirs.init(params), **arguments)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-7), back, state)
    assert jax.tree.structure(back) == jax.tree.structure(state)

    wanted, _, _ = run(theirs, state, params, 7, 50)
    path, mine, params = run(tx, mine, params, 7, 50)
    record_property("deviation", deviation(wanted, path))
    assert deviation(wanted, path) <= 2e-6

    back = to_optax(name, mine, params, theirs.init(params), **arguments)
    wanted, _, _ = run(theirs, back, params, 57, 20)
    path, _, _ = run(tx, mine, params, 57, 20)
    assert deviation(wanted, path) <= 2e-6


def test_every_optimizer_is_continued():
    assert {name for name, _ in CASES.values()} == set(SOURCES)


WRAPPED = {
    "chain": lambda tx: optax.chain(optax.clip(1e6), tx),
    "inject": lambda tx: optax.inject_hyperparams(
        lambda learning_rate: optax.adamw(learning_rate, eps=1e-3)
    )(learning_rate=1e-2),
    "multi_steps": lambda tx: optax.MultiSteps(tx, 1),
}


@pytest.mark.parametrize("wrapper", WRAPPED)
def test_state_is_found_inside(wrapper):
    theirs = WRAPPED[wrapper](optax.adamw(1e-2, eps=1e-3))
    _, state, params = run(theirs, theirs.init(start()), start(), 0, 7)
    tx, mine = from_optax("adamw", state, params, **EPS)
    wanted, _, _ = run(theirs, state, params, 7, 50)
    path, mine, params = run(tx, mine, params, 7, 50)
    assert deviation(wanted, path) <= 2e-6
    back = to_optax("adamw", mine, params, state, **EPS)
    assert jax.tree.structure(back) == jax.tree.structure(state)


def test_masked_stays_masked():
    mask = {"w": True, "b": False, "s": True}
    theirs = optax.masked(optax.adam(**EPS), mask)
    _, state, params = run(theirs, theirs.init(start()), start(), 0, 7)
    tx, mine = from_optax("adam", state, params, **EPS)
    back = to_optax("adam", mine, params, theirs.init(params), **EPS)
    jax.tree.map(np.testing.assert_array_equal, back, state)
    wanted, _, _ = run(theirs, state, params, 7, 20)
    path, _, _ = run(tx, mine, params, 7, 20)
    assert deviation(wanted, path) <= 2e-6


ERRORS = [
    ("adamx", {}, "unknown optimizer of Optax 'adamx'; did you mean"),
    ("lbfgs", {}, "unknown optimizer of Optax 'lbfgs'"),
    ("adam", {**LR, "nesterov": True}, "nesterov must be False"),
    ("amsgrad", {**LR, "bias_correction_nu": False}, "bias_correction_nu must be True"),
    ("adadelta", {}, "without a learning_rate it goes up there"),
    ("adabelief", {**LR, "eps": 1e-3}, "eps and eps_root must be equal"),
    ("ademamix", {**LR, "alpha": lambda count: 1.0}, "alpha is a schedule"),
    ("rmsprop", {"learning_rate": lambda count: 0.1, "momentum": 0.9}, "momentum"),
    ("rmsprop", {**LR, "momentum": 0.9}, "must hold one TraceState"),
    ("lion", LR, "must hold one ScaleByLionState for lion with these arguments, holds 0"),
    ("adamw", {"learning_rate": float("nan")}, "learning_rate must not be negative"),
    ("adamw", {**LR, "b2": float("nan")}, "b2 must be"),
]


def known(name, arguments):
    make = getattr(optax, name, None)
    return make is None or set(arguments) <= set(inspect.signature(make).parameters)


@pytest.mark.parametrize(("name", "arguments", "message"), [e for e in ERRORS if known(e[0], e[1])])
def test_errors(name, arguments, message):
    state = optax.chain(optax.adam(0.1), optax.scale_by_rms()).init(start())
    with pytest.raises(ValueError, match=re.escape(message)):
        from_optax(name, state, start(), **arguments)


def test_arguments_that_optax_does_not_have():
    with pytest.raises(TypeError, match="beta"):
        from_optax("adam", optax.adam(0.1).init(start()), start(), learning_rate=0.1, beta=1)


def test_states_that_do_not_fit():
    params = start()
    state = optax.adam(0.1).init(params)
    twice = optax.chain(optax.adam(0.1), optax.adam(0.1)).init(params)
    with pytest.raises(ValueError, match="holds 2; is it"):
        from_optax("adam", twice, params, **LR)
    with pytest.raises(ValueError, match="has 'b', which params does not"):
        from_optax("adam", state, {"w": params["w"], "s": params["s"]}, **LR)
    with pytest.raises(ValueError, match=r"mu of 'w' has shape \(3, 4\), not \(4, 3\)"):
        from_optax("adam", state, {**params, "w": params["w"].T}, **LR)
    _, mine = from_optax("adam", state, params, **LR)
    with pytest.raises(ValueError, match="holds 2"):
        to_optax("adam", mine, params, twice, **LR)
    with pytest.raises(ValueError, match="must hold one state of lion, holds 0"):
        to_optax("lion", mine, params, state, **LR)
    with pytest.raises(ValueError, match="holds no mu of 'new'"):
        more = optax.adam(0.1).init({**params, "new": params["w"]})
        to_optax("adam", mine, params, more, **LR)


def test_codes_do_not_go_back():
    params = {"w": jnp.ones((256, 256))}
    state = adamjax.adam(storage="8bit").init(params)
    with pytest.raises(ValueError, match="kept in codes"):
        to_optax("adam", state, params, optax.adam(0.1).init(params), **LR)


def test_document(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks(""), "docs/interop.md", "exec"), {})
