"""What torch, Keras and their users may hand over that is of no use: what the message names."""

import re

import jax.numpy as jnp
import numpy as np
import pytest

import adamjax
from adamjax.interop.keras import from_keras, to_keras
from adamjax.interop.torch import from_torch, to_torch

NAMES = [("w", (1, 0)), "b"]
PARAMS = {"w": jnp.ones((3, 2)), "b": jnp.ones(2)}
INF, NAN = float("inf"), float("nan")


def state_of(groups=None, keys=("exp_avg", "exp_avg_sq"), **settings):
    def entry(shape):
        return {"step": np.float32(7.0)} | {key: np.full(shape, 0.5, np.float32) for key in keys}

    groups = groups or [{"lr": 1e-3, "params": [0, 1], **settings}]
    return {"state": {0: entry((2, 3)), 1: entry((2,))}, "param_groups": groups}


def refused(message, call, *arguments, **keywords):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(*arguments, **keywords)


# --- arguments

TORCH = [
    ("Adam", {"lr": INF}, "lr must be finite, got inf"),
    ("Adam", {"lr": "x"}, "torch.optim.Adam: lr must be a number"),
    ("Adam", {"lr": None}, "torch.optim.Adam: lr must be a number"),
    ("Adam", {"lr": np.ones(2)}, "torch.optim.Adam: lr must be one number"),
    ("Adam", {"eps": None}, "torch.optim.Adam: eps must be a number"),
    ("Adam", {"betas": (0.9, None)}, "torch.optim.Adam: betas must be a number"),
    ("Adam", {"betas": (0.9, 1.5)}, "b2 must be at least 0 and below 1, got 1.5 (b2 is betas[1]"),
    ("Adam", {"lr": -1.0}, "learning_rate is lr there"),
    ("RMSprop", {"alpha": 1.5}, "b2 is alpha there"),
    ("Adadelta", {"rho": 1.5}, "b2 is rho there"),
    ("Adafactor", {"d": -1.0}, "clip_threshold is d there"),
    ("Adafactor", {"beta2_decay": 1.0}, "decay_rate is -beta2_decay there"),
    ("Adafactor", {"eps": (-1.0, 1e-3)}, "eps1 is eps[0] there"),
    ("Adagrad", {"lr_decay": NAN}, "lr_decay must not be negative"),
    ("Adagrad", {"lr_decay": -1.0}, "lr_decay must not be negative"),
    ("Adam", {"maximize": "False"}, "maximize must be True or False, got 'False'"),
    (["Adam"], {}, "the optimizer's name must be a string"),
]
KERAS = [
    ("Adam", {"learning_rate": "x"}, "learning_rate must be a number"),
    ("Adam", {"learning_rate": INF}, "learning_rate must be finite"),
    ("Adam", {"amsgrad": "no"}, "amsgrad must be True or False"),
    ("Adam", {"beta_2": 1.5}, "b2 is beta_2 there"),
    ("Adam", {"clipnorm": "x"}, "clipnorm must be a number"),
    (None, {}, "the optimizer's name must be a string"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), TORCH)
def test_arguments_of_torch(name, arguments, message):
    refused(message, adamjax.from_torch_args, name, **arguments)


@pytest.mark.parametrize(("name", "arguments", "message"), KERAS)
def test_arguments_of_keras(name, arguments, message):
    refused(message, adamjax.from_keras_args, name, **arguments)


def test_a_whole_config_of_keras():
    tx = adamjax.from_keras_args("SGD", name="SGD", learning_rate=0.5)
    assert tx.update(jnp.ones(1), tx.init(jnp.ones(1)), jnp.ones(1))[0] == -0.5


# --- states of torch


def put(value, *path):
    def change(state):
        for key in path[:-1]:
            state = state[key]
        state[path[-1]] = value

    return change


def without_params(state):
    del state["param_groups"][0]["params"]


STATES = [
    (without_params, "'params' of group 0 must be the list of its parameters' numbers, got None"),
    (put(3, "param_groups", 0, "params"), "'params' of group 0 must be the list"),
    (put([0, 0], "param_groups", 0, "params"), "twice in one: [0, 0]"),
    (put(None, "state"), "'state' must be a dict of one dict for each parameter, got None"),
    (put(None, "param_groups"), "param_groups must be a list of dicts, got None"),
    (put([None], "param_groups"), "group 0 must be a dict of arguments, got None"),
    (put(None, "state", 0), "'state' of 0 must be a dict, got None"),
    (put({}, "state", "w"), "must go by the parameters' numbers, has 'w'"),
    (put(1e12, "state", 0, "step"), "step of 'w' must be a whole number from 0 to 2147483647"),
    (put(np.ones(3), "state", 0, "step"), "step of 'w' must be one number, got an array of shape"),
    (put("x", "state", 0, "step"), "step of 'w' must be one number, got 'x'"),
    (put(0.1, "param_groups", 0, "lr_scale"), "delete it from the group"),
]


@pytest.mark.parametrize(("change", "message"), STATES)
def test_states_of_torch(change, message):
    state = state_of()
    change(state)
    refused(message, from_torch, "Adam", state, PARAMS, NAMES)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (None, "names must be a list of paths, got None"),
        ([None, "b"], "each must be a path or (path, axes), got None"),
        ([("w", (1.7, 0.2)), "b"], "the axes of 'w' must be whole numbers, got (1.7, 0.2)"),
        ([("w", None), "b"], "the axes of 'w' must be whole numbers, got None"),
    ],
)
def test_names(names, message):
    refused(message, from_torch, "Adam", state_of(), PARAMS, names)


def test_paths_that_collide():
    params = {"a": {"b": jnp.ones(2)}, "a/b": jnp.ones(2)}
    refused("two leaves are called 'a/b'", from_torch, "Adam", state_of(), params, ["a/b"])


SCHEDULERS = ["initial_lr", "max_lr", "min_lr", "base_lr", "swa_lr", "name"]
SCHEDULERS += ["max_momentum", "base_momentum", "min_momentum"]


@pytest.mark.parametrize("key", SCHEDULERS)
def test_what_schedulers_leave_is_no_argument(key):
    _, state = from_torch("Adam", state_of(**{key: 0.1}), PARAMS, NAMES)
    assert state[0].count == 7
    to_torch("Adam", state, PARAMS, NAMES, [{key: 0.1}], as_tensors=False)


class Tensor:
    """As torch writes its tensors: to four digits."""

    def __init__(self, value):
        self.value_there = value

    def detach(self):
        return self

    def item(self):
        return self.value_there

    def __repr__(self):
        return f"tensor({self.value_there:.4f})"


def test_groups_whose_tensors_look_alike_stay_apart():
    groups = [{"lr": Tensor(1e-5), "params": [0]}, {"lr": Tensor(2e-5), "params": [1]}]
    tx, state = from_torch("Adam", state_of(groups), PARAMS, NAMES)
    assert len(state.inner_states) == 2
    updates, _ = tx.update({"w": jnp.ones((3, 2)), "b": jnp.ones(2)}, state, PARAMS)
    assert float(updates["b"][0] / updates["w"][0, 0]) == pytest.approx(2.0)


def test_groups_in_another_order_come_back():
    """Names go by the order in the groups, as in `load_state_dict`, whatever the numbers."""
    groups = [{"lr": 1e-3, "params": [1]}, {"lr": 1e-2, "params": [0]}]
    before = state_of(groups)
    _, state = from_torch("Adam", before, PARAMS, NAMES[::-1])
    there = to_torch("Adam", state, PARAMS, NAMES[::-1], groups, as_tensors=False)
    for i, entry in before["state"].items():
        assert {k: np.shape(v) for k, v in there["state"][i].items()} == {
            k: np.shape(v) for k, v in entry.items()
        }


# --- back to torch and Keras


@pytest.mark.parametrize("shape", [(4, 2), (2, 3)])
def test_states_of_other_shapes_do_not_go_back(shape):
    other = {"w": jnp.ones(shape), "b": jnp.ones(2)}
    state = adamjax.adam().init(other)
    message = f"mu of 'w' has shape {shape}, but (3, 2) is that of the parameters"
    refused(message, to_torch, "Adam", state, PARAMS, NAMES, [{}], as_tensors=False)
    refused(message, to_keras, saved("Adam", 4), state, PARAMS, ["w", "b"])
    arrays = [np.int64(0), np.float32(0.1), *[np.zeros(s, np.float32) for s in [shape, shape]]]
    params = {"w": PARAMS["w"]}
    state = adamjax.adam().init(params)
    refused("of 'w' has shape", to_keras, ("Adam", {}, arrays), state, params, ["w"])


def test_states_of_other_arguments_do_not_go_back():
    state = adamjax.nadam(style="optax").init(PARAMS)
    message = "keeps no product of the momentum of 'w'"
    _, state = adamjax.nadam(style="optax").update(PARAMS, state, PARAMS)
    refused(message, to_torch, "NAdam", state, PARAMS, NAMES, [{}], as_tensors=False)
    state = adamjax.rmsprop().init(PARAMS)
    refused(
        "state: keeps no mean of",
        *(to_torch, "RMSprop", state, PARAMS, NAMES, [{"centered": True}]),
        as_tensors=False,
    )
    refused("param_groups must be", to_torch, "Adam", state, PARAMS, NAMES, None, as_tensors=False)


def test_advice_about_codes_can_be_followed():
    params = {"w": jnp.ones((256, 256))}
    state = adamjax.adam(storage="8bit").init(params)
    with pytest.raises(ValueError, match="kept in codes") as caught:
        to_torch("Adam", state, params, ["w"], [{}], as_tensors=False)
    advice = re.search(r"adamjax\.convert_state\(.*\)", str(caught.value)).group()
    state = eval(advice)
    to_torch("Adam", state, params, ["w"], [{}], as_tensors=False)


def saved(name, moments, count=0, rate=0.1, config=None):
    shapes = [(3, 2), (3, 2), (2,), (2,)][:moments]
    arrays = [np.asarray(count), np.float32(rate), *[np.zeros(s, np.float32) for s in shapes]]
    return name, {"learning_rate": 0.1} if config is None else config, arrays


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ("adam", "optimizer must be one of keras.optimizers, built, or (name, config, arrays)"),
        (None, "optimizer must be one of keras.optimizers"),
        (("Adam", None, []), "optimizer must be one of keras.optimizers"),
        (saved("Adam", 4, count=-3), "the steps done must be a whole number from 0"),
        (saved("Adam", 4, count=2.5), "the steps done must be a whole number from 0"),
        (saved("Adam", 4, rate=NAN), "learning_rate must not be negative"),
    ],
)
def test_optimizers_of_keras(optimizer, message):
    refused(message, from_keras, optimizer, PARAMS, ["w", "b"])


def test_arrays_of_keras_tell_the_learning_rate():
    params = {"w": jnp.ones(2)}
    arrays = [np.int64(3), np.float32(0.5), np.full(2, -1.0, np.float32)]
    optimizer = ("SGD", {"learning_rate": 0.1, "momentum": 0.9}, arrays)
    tx, state = from_keras(optimizer, params, ["w"])
    assert state[0].mu["w"].tolist() == [2.0, 2.0]  # Keras keeps -lr B
    updates, _ = tx.update({"w": jnp.ones(2)}, state, params)
    np.testing.assert_allclose(updates["w"], -0.5 * (0.9 * 2.0 + 1.0), rtol=1e-6)
    assert to_keras(optimizer, state, params, ["w"])[1] == 0.5
