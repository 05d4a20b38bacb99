"""Arguments, names and states that do not fit: the message names the cause."""

import copy
import re

import jax.numpy as jnp
import numpy as np
import pytest

import adamjax
from adamjax.interop.keras import from_keras, to_keras, unwrap_loss_scale
from adamjax.interop.torch import from_torch, to_torch

INF, NAN = float("inf"), float("nan")


def refused(message, call, *arguments, **keywords):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(*arguments, **keywords)


TORCH_ARGUMENTS = [
    ("Adamv", {}, "unknown optimizer of torch.optim 'Adamv'"),
    (["Adam"], {}, "the optimizer's name must be a string"),
    ("LBFGS", {}, "optax.lbfgs"),
    ("Adam", {"learning_rate": 0.1}, "unknown argument of torch.optim.Adam: 'learning_rate'"),
    ("SGD", {"momentum": 0.9, "dampening": 0.1}, "dampening=0.1 has no equiv"),
    ("SGD", {"nesterov": True}, "nesterov needs a momentum"),
    ("Adam", {"lr": INF}, "lr must be finite, got inf"),
    ("Adam", {"lr": "x"}, "torch.optim.Adam: lr must be a number"),
    ("Adam", {"lr": np.ones(2)}, "torch.optim.Adam: lr must be one number"),
    ("Adam", {"lr": -1.0}, "learning_rate is lr there"),
    ("Adam", {"betas": (0.9,)}, "betas must be two values, got (0.9,)"),
    ("Adam", {"betas": (0.9, 1.5)}, "b2 must be at least 0 and below 1, got 1.5 (b2 is betas[1]"),
    ("Adafactor", {"beta2_decay": 1.0}, "decay_rate is -beta2_decay there"),
    ("Adafactor", {"eps": (-1.0, 1e-3)}, "eps1 is eps[0] there"),
    ("Adafactor", {"eps": 1e-8}, "eps must be two values, got 1e-08"),
    ("Adagrad", {"lr_decay": -1.0}, "lr_decay must not be negative"),
    ("Adagrad", {"lr_decay": lambda count: 0.1}, "lr_decay must be a number"),
    ("Adam", {"maximize": "False"}, "maximize must be True or False, got 'False'"),
]
KERAS_ARGUMENTS = [
    ("Ftrl", {}, "has no equivalent"),
    (None, {}, "the optimizer's name must be a string"),
    ("Adam", {"lr": 0.1}, "unknown argument of keras.optimizers.Adam: 'lr'"),
    ("Adam", {"use_ema": True, "ema_momentum": 1.0}, "ema_momentum must be at least 0 and below"),
    ("Adam", {"use_ema": True, "ema_overwrite_frequency": 9}, "by adamjax.eval_params(state, par"),
    ("Muon", {"exclude_layers": "head"}, "exclude_layers must be a list of patterns, got 'head'"),
    ("Muon", {"adam_lr_ratio": 0.0}, "adam_lr_ratio must be positive"),
    ("Muon", {"rms_rate": -1.0}, "rms_rate must be positive"),
    ("Muon", {"rms_rate": lambda count: 0.2}, "rms_rate must be a number"),
    ("Muon", {"adam_beta_2": 1.5}, "b2 is adam_beta_2 there"),
    ("LossScaleOptimizer", {}, "see adamjax.interop.keras.unwrap_loss_scale"),
    ("Adam", {"gradient_accumulation_steps": 4}, "optax.MultiSteps"),
    ("Adam", {"clipnorm": 1.0, "clipvalue": 1.0}, "only one of clipnorm, clipvalue"),
    ("Adam", {"clipnorm": NAN}, "clipnorm must be positive"),
    ("Adam", {"learning_rate": {"class_name": "ExponentialDecay"}}, "give the schedule itself"),
    ("SGD", {"learning_rate": lambda count: 0.1, "momentum": 0.9}, "momentum"),
    ("Adafactor", {"weight_decay": 0.1}, "weight_decay before"),
]
ARGUMENTS = [(adamjax.from_torch_args, *case) for case in TORCH_ARGUMENTS]
ARGUMENTS += [(adamjax.from_keras_args, *case) for case in KERAS_ARGUMENTS]


@pytest.mark.parametrize(("make", "name", "arguments", "message"), ARGUMENTS)
def test_arguments(make, name, arguments, message):
    refused(message, make, name, **arguments)


# --- from torch

NAMES = [("w", (1, 0)), "b"]
PARAMS = {"w": jnp.ones((3, 2)), "b": jnp.ones(2)}
MISPLACED = [
    (None, "names must be a list of paths, got None"),
    (["b"], "names: 'w' of params is not among them"),
    (["weight", "b"], "there is no parameter 'weight'; there are 'b', 'w'"),
    (["b", "b"], "names: 'b' stands there twice"),
    ([None, "b"], "each must be a path or (path, axes), got None"),
    ([("w", (1, 0), 3), "b"], "each must be a path or (path, axes)"),
    ([("w", None), "b"], "the axes of 'w' must be whole numbers, got None"),
    ([("w", (0, 2)), "b"], "axes must be a permutation of (0, 1), got (0, 2)"),
    ([("w", (0, 1)), "b"], "'w' has shape (2, 3) in this layout"),
    (["w", "b"], "is its layout another there? Then give (path, axes)"),
    (NAMES[::-1], "exp_avg of 'b' has shape (2, 3)"),
]


def state_of(groups=None, **settings):
    def entry(shape):
        moments = {key: np.full(shape, 0.5, np.float32) for key in ("exp_avg", "exp_avg_sq")}
        return {"step": np.float32(7.0), **moments}

    group = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "params": [0, 1], **settings}
    return {"state": {0: entry((2, 3)), 1: entry((2,))}, "param_groups": groups or [group]}


@pytest.mark.parametrize(("names", "message"), MISPLACED)
def test_names(names, message):
    refused(message, from_torch, "Adam", state_of(), PARAMS, names)


GONE = object()


def put(value, *path):
    """Change one entry of a state dict. `GONE` deletes it."""

    def change(node):
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = value
        if value is GONE:
            del node[path[-1]]

    return change


GROUP, FIRST = ("param_groups", 0), ("state", 0)
WHOLE = "step of 'w' must be a whole number from 0 to 2147483647, got "
STATES = [
    ("Adam", put(GONE, "param_groups"), "state_dict must be the result of optimizer.state_dict()"),
    ("Adam", put(None, "param_groups"), "param_groups must be a list of dicts, got None"),
    ("Adam", put(None, *GROUP), "group 0 must be a dict of arguments, got None"),
    ("Adam", put(GONE, *GROUP, "params"), "of group 0 must be the list of its parameters' numbers"),
    ("Adam", put([0, 0], *GROUP, "params"), "twice in one: [0, 0]"),
    ("Adam", put([0], *GROUP, "params"), "torch has 1 parameters in its groups, and 2 are named"),
    ("Adam", put([0, 7], *GROUP, "params"), "'state' has [1], which are in no group"),
    ("Adam", put(0.1, *GROUP, "lr_scale"), "'lr_scale'; is it of another optimizer? If something"),
    ("Adam", put(None, "state"), "'state' must be a dict of one dict for each parameter, got None"),
    ("Adam", put({}, "state", "w"), "must go by the parameters' numbers, has 'w'"),
    ("Adam", put(None, *FIRST), "'state' of 0 must be a dict, got None"),
    ("Adam", put(GONE, *FIRST, "exp_avg"), "state of 'w': has ['exp_avg_sq', 'step']"),
    ("Adam", put(True, *GROUP, "amsgrad"), "amsgrad has ['exp_avg', 'exp_avg_sq', 'max_exp_avg_sq"),
    ("Adamax", put(7.0, *FIRST, "step"), "adamax has ['exp_avg', 'exp_inf', 'step']; is it of an"),
    ("SGD", put(GONE, *GROUP, "betas"), "unknown argument of torch.optim.SGD: 'eps'"),
    ("Adam", put(np.ones((2, 4)), *FIRST, "exp_avg"), "exp_avg of 'w' has shape (4, 2)"),
    ("Adam", put(np.ones((2, 3)), *FIRST, "exp_avg"), "is float64, which float32 does not hold"),
    ("Adam", put(np.ones((2, 3), int), *FIRST, "exp_avg"), "is int64, not floating"),
    ("Adam", put(1e12, *FIRST, "step"), WHOLE),
    ("Adam", put(0.5, *FIRST, "step"), WHOLE + "0.5"),
    ("Adam", put(np.ones(3), *FIRST, "step"), "step of 'w' must be one number, got an array"),
]


@pytest.mark.parametrize(("name", "change", "message"), STATES)
def test_states(name, change, message):
    state = state_of()
    change(state)
    before = copy.deepcopy(state)
    refused(message, from_torch, name, state, PARAMS, NAMES)
    assert repr(state) == repr(before)


def test_other_things_than_states():
    refused("state_dict must be the result", from_torch, "Adam", [1, 2], PARAMS, NAMES)
    params = {"a": {"b": jnp.ones(2)}, "a/b": jnp.ones(2)}
    refused("two leaves are called 'a/b'", from_torch, "Adam", state_of(), params, ["a/b"])
    params = {"conv": jnp.ones((3, 3, 4, 5))}
    entry = {"step": 1.0, "row_var": np.ones((5, 4, 3, 1)), "col_var": np.ones((5, 4, 1, 3))}
    state = {"state": {0: entry}, "param_groups": [{"lr": 1e-2, "params": [0]}]}
    message = "torch's Adafactor factors the last two axes of 'conv'"
    refused(message, from_torch, "Adafactor", state, params, [("conv", (2, 3, 1, 0))])


def test_learning_rate_schedulers_may_leave_their_keys():
    keys = ["initial_lr", "max_lr", "min_lr", "base_lr", "swa_lr", "name"]
    keys += ["max_momentum", "base_momentum", "min_momentum"]
    settings = dict.fromkeys(keys, 0.1)
    _, state = from_torch("Adam", state_of(**settings), PARAMS, NAMES)
    assert state[0].count == 7
    to_torch("Adam", state, PARAMS, NAMES, [settings], as_tensors=False)


# --- back to torch and Keras


def keras_optimizer(name, count=0, rate=0.1):
    shapes = [(3, 2), (3, 2), (2,), (2,)]
    arrays = [np.asarray(count), np.float32(rate), *[np.zeros(s, np.float32) for s in shapes]]
    return name, {"learning_rate": 0.1}, arrays


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ("adam", "optimizer must be one of keras.optimizers, built, or (name, config, arrays)"),
        (("Adam", None, []), "optimizer must be one of keras.optimizers"),
        (keras_optimizer("Adam", count=-3), "the steps done must be a whole number from 0"),
        (keras_optimizer("Adam", count=2.5), "the steps done must be a whole number from 0"),
        (keras_optimizer("Adam", rate=NAN), "learning_rate must not be negative"),
        (keras_optimizer("Lion"), "has 6 variables, but lion with these settings has 4"),
    ],
)
def test_optimizers_of_keras(optimizer, message):
    refused(message, from_keras, optimizer, PARAMS, ["w", "b"])


def test_loss_scales_of_keras():
    message = "optimizer must be a LossScaleOptimizer of Keras, built; got Lion"
    refused(message, unwrap_loss_scale, keras_optimizer("Lion"))


def to_numpy(name, state, group, params=PARAMS, names=NAMES):
    return to_torch(name, state, params, names, [group], as_tensors=False)


def test_states_that_cannot_go_back():
    state = adamjax.adam().init(PARAMS)
    name, config, arrays = keras_optimizer("Adam")
    saved = (name, {**config, "use_ema": True}, arrays)
    refused("it has no average of the par", to_keras, saved, state, PARAMS, ["w", "b"])
    message = "state: holds no moments of 'w' of adamax"
    refused(message, to_numpy, "Adamax", state, {})
    refused(message, to_keras, keras_optimizer("Adamax"), state, PARAMS, ["w", "b"])
    refused("must number the 2 parameters once, got [0]", to_numpy, "Adam", state, {"params": [0]})
    refused("two states of the optimizer keep 'b'", to_numpy, "Adam", (state, state), {})
    refused("param_groups must be", to_torch, "Adam", state, PARAMS, NAMES, None, as_tensors=False)

    other = adamjax.adam().init({**PARAMS, "w": jnp.ones((2, 3))})
    message = "mu of 'w' has shape (2, 3), but (3, 2) is that of the parameters"
    refused(message, to_numpy, "Adam", other, {})
    refused(message, to_keras, keras_optimizer("Adam"), other, PARAMS, ["w", "b"])
    name, config, arrays = keras_optimizer("Adam")
    reversed_arrays = (name, config, arrays[:2] + arrays[:1:-1])
    refused("mu of 'w' has shape (2,)", to_keras, reversed_arrays, state, PARAMS, ["w", "b"])

    state = adamjax.nadam(style="optax").init(PARAMS)
    _, state = adamjax.nadam(style="optax").update(PARAMS, state, PARAMS)
    refused("keeps no product of the momentum of 'w'", to_numpy, "NAdam", state, {})
    state = adamjax.rmsprop().init(PARAMS)
    refused("state: keeps no mean of", to_numpy, "RMSprop", state, {"centered": True})


def test_advice_about_codes_can_be_followed():
    params = {"w": jnp.ones((256, 256))}
    state = adamjax.adam(storage="8bit").init(params)
    with pytest.raises(ValueError, match="that of 'w' is kept in codes") as caught:
        to_numpy("Adam", state, {}, params, ["w"])
    advice = re.search(r"adamjax\.convert_state\(.*\)", str(caught.value)).group()
    state = eval(advice)
    to_numpy("Adam", state, {}, params, ["w"])
