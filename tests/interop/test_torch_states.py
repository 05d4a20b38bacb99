"""States of torch that do not fit: what the message names, and that nothing is changed."""

import copy
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import adamjax
from adamjax.interop.torch import from_torch, to_torch

NAMES = [("dense/kernel", (1, 0)), "dense/bias"]
PARAMS = {"dense": {"kernel": jnp.ones((3, 2)), "bias": jnp.ones(2)}}


def state_of(keys=("exp_avg", "exp_avg_sq"), **settings):
    def entry(shape):
        arrays = {key: np.full(shape, 0.5, np.float32) for key in keys}
        return {"step": np.float32(7.0), **arrays}

    group = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "params": [0, 1], **settings}
    return {"state": {0: entry((2, 3)), 1: entry((2,))}, "param_groups": [group]}


NAMES_THAT_DO_NOT_FIT = [
    (["dense/bias"], "names: 'dense/kernel' of params is not among them"),
    ([*NAMES, "dense/scale"], "names: there is no parameter 'dense/scale'"),
    (["dense/kernal", "dense/bias"], "there is no parameter 'dense/kernal'; there are 'dense/kern"),
    (["dense/bias", "dense/bias"], "names: 'dense/bias' stands there twice"),
    ("dense/bias", "names must be a list"),
    ([("dense/kernel", (0,)), "dense/bias"], "axes must be a permutation of (0, 1), got (0,)"),
    ([("dense/kernel", (0, 2)), "dense/bias"], "axes must be a permutation of (0, 1), got (0, 2)"),
    ([("dense/kernel", (1, 0), 3), "dense/bias"], "each must be a path or (path, axes)"),
    ([("dense/kernel", (0, 1)), "dense/bias"], "'dense/kernel' has shape (2, 3) in this layout"),
    (["dense/kernel", "dense/bias"], "is its layout another there? Then give (path, axes)"),
    (NAMES[::-1], "exp_avg of 'dense/bias' has shape (2, 3)"),
]


@pytest.mark.parametrize(("names", "message"), NAMES_THAT_DO_NOT_FIT)
def test_names(names, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        from_torch("Adam", state_of(), PARAMS, names)


def without(*path):
    def change(state):
        *most, last = path
        node = state
        for key in most:
            node = node[key]
        del node[last]

    return change


def put(value, *path):
    def change(state):
        *most, last = path
        node = state
        for key in most:
            node = node[key]
        node[last] = value

    return change


GROUP = ("param_groups", 0)
FIRST = ("state", 0)
STATES_THAT_DO_NOT_FIT = [
    ("Adam", without("param_groups"), "state_dict must be what optimizer.state_dict() gives"),
    ("Adam", without(*FIRST, "exp_avg"), "state of 'dense/kernel': has ['exp_avg_sq', 'step']"),
    ("Adam", put(True, *GROUP, "amsgrad"), "amsgrad has ['exp_avg', 'exp_avg_sq', 'max_exp_avg_sq"),
    ("Adamax", lambda state: None, "adamax has ['exp_avg', 'exp_inf', 'step']; is it of another"),
    ("NAdam", lambda state: None, "nadam has ['exp_avg', 'exp_avg_sq', 'mu_product', 'step']"),
    ("SGD", without(*GROUP, "betas"), "unknown argument of torch.optim.SGD: 'eps'"),
    ("Adam", put(np.ones((2, 4)), *FIRST, "exp_avg"), "exp_avg of 'dense/kernel' has shape (4, 2)"),
    ("Adam", put(np.ones((2, 3)), *FIRST, "exp_avg"), "is float64, which float32 does not hold"),
    ("Adam", put(np.ones((2, 3), int), *FIRST, "exp_avg"), "is int64, not floating"),
    (
        "Adam",
        put(-1.0, *FIRST, "step"),
        "step of 'dense/kernel' must be a whole number from 0 to 2147483647, got -1",
    ),
    ("Adam", put(0.5, *FIRST, "step"), "must be a whole number from 0 to 2147483647, got 0.5"),
    (
        "Adam",
        put(float("nan"), *FIRST, "step"),
        "must be a whole number from 0 to 2147483647, got nan",
    ),
    ("Adam", put([0], *GROUP, "params"), "torch has 1 parameters in its groups, and 2 are named"),
    ("Adam", put([0, 7], *GROUP, "params"), "'state' has [1], which are in no group"),
    ("Adam", put((0.9, float("nan")), *GROUP, "betas"), "b2 must be"),
    ("Adam", put(float("nan"), *GROUP, "lr"), "learning_rate must not be negative"),
    ("Adam", put(0.1, *GROUP, "lr_scale"), "unknown argument of torch.optim.Adam: 'lr_scale'"),
]


@pytest.mark.parametrize(("name", "change", "message"), STATES_THAT_DO_NOT_FIT)
def test_states(name, change, message):
    state = state_of()
    change(state)
    before = copy.deepcopy(state)
    with pytest.raises(ValueError, match=re.escape(message)):
        from_torch(name, state, PARAMS, NAMES)
    jax.tree.map(np.testing.assert_array_equal, state, before)


def test_not_a_state_dict():
    with pytest.raises(ValueError, match="state_dict must be what"):
        from_torch("Adam", [1, 2], PARAMS, NAMES)


def test_adafactor_of_other_axes():
    params = {"conv": jnp.ones((3, 3, 4, 5))}
    entry = {"step": 1.0, "row_var": np.ones((5, 4, 3, 1)), "col_var": np.ones((5, 4, 1, 3))}
    state = {"state": {0: entry}, "param_groups": [{"lr": 1e-2, "params": [0]}]}
    with pytest.raises(ValueError, match="torch's Adafactor factors the last two axes of 'conv'"):
        from_torch("Adafactor", state, params, [("conv", (2, 3, 1, 0))])


def test_states_that_cannot_go_back():
    tx = adamjax.adam(storage="8bit")
    params = {"w": jnp.ones((256, 256))}
    with pytest.raises(ValueError, match=r"that of 'w' is kept in codes .*adamjax.convert_state"):
        to_torch("Adam", tx.init(params), params, ["w"], [{}], as_tensors=False)
    state = adamjax.adam().init(PARAMS)
    with pytest.raises(ValueError, match="holds no moments of 'dense/kernel' of adamax"):
        to_torch("Adamax", state, PARAMS, NAMES, [{}], as_tensors=False)
    with pytest.raises(ValueError, match=r"must number the 2 parameters once, got \[0\]"):
        to_torch("Adam", state, PARAMS, NAMES, [{"params": [0]}], as_tensors=False)
    with pytest.raises(ValueError, match="two states of the optimizer keep 'dense/bias'"):
        to_torch("Adam", (state, state), PARAMS, NAMES, [{}], as_tensors=False)


def test_state_dict_of_numbers_needs_no_torch():
    tx, state = from_torch("Adam", state_of(), PARAMS, NAMES)
    there = to_torch("Adam", state, PARAMS, NAMES, state_of()["param_groups"], as_tensors=False)
    assert there["state"].keys() == {0, 1}
    for i, entry in state_of()["state"].items():
        for key, value in entry.items():
            np.testing.assert_array_equal(there["state"][i][key], value, strict=True)
    updates, _ = tx.update(PARAMS, state, PARAMS)
    assert jax.tree.structure(updates) == jax.tree.structure(PARAMS)


def test_inside_of_other_transformations():
    """`to_torch` finds the state in a chain."""
    import optax

    tx = optax.chain(optax.clip(1.0), adamjax.adamw(1e-3))
    state = tx.init(PARAMS)
    _, state = tx.update(PARAMS, state, PARAMS)
    there = to_torch("AdamW", state, PARAMS, NAMES, [{}], as_tensors=False)
    assert there["state"][0]["exp_avg"].shape == (2, 3)
    assert there["param_groups"][0]["betas"] == (0.9, 0.999)
