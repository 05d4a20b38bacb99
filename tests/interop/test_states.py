"""States of torch and Keras as arrays, without the frameworks: there, and back bit by bit."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from adamjax.interop.keras import from_keras, to_keras
from adamjax.interop.torch import from_torch, to_torch
from adamjax.interop.torch_groups import call_of
from adamjax.interop.trees import param_mappings
from tests.interop.test_errors import NAMES, PARAMS, state_of


class Tensor:
    """As torch writes its tensors: to four digits."""

    def __init__(self, number):
        self.number = number

    def detach(self):
        return self

    def item(self):
        return self.number

    def __repr__(self):
        return f"tensor({self.number:.4f})"


def numbered(shape, first):
    return first + np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def adam_of_torch(groups=None):
    """A state dict whose entries all differ."""
    state = state_of(groups)
    for i, entry in state["state"].items():
        for j, key in enumerate(("exp_avg", "exp_avg_sq")):
            entry[key] = numbered(entry[key].shape, 10 * i + 100 * j)
    return state


def test_torch_there_and_back():
    before = adam_of_torch()
    tx, state = from_torch("Adam", before, PARAMS, NAMES)
    assert state[0].count == 7
    np.testing.assert_array_equal(state[0].mu["w"], before["state"][0]["exp_avg"].T)
    np.testing.assert_array_equal(state[0].nu["b"], before["state"][1]["exp_avg_sq"])
    chained = optax.chain(optax.clip(1.0), tx).init(PARAMS)[0], state  # found inside of a chain
    after = to_torch("Adam", chained, PARAMS, NAMES, before["param_groups"], as_tensors=False)
    assert after["state"].keys() == before["state"].keys()
    for i, entry in before["state"].items():
        for key, value in entry.items():
            np.testing.assert_array_equal(after["state"][i][key], value, strict=True)
    assert after["param_groups"][0].items() >= before["param_groups"][0].items()
    fresh = to_torch("Adam", tx.init(PARAMS), PARAMS, NAMES, [{}], as_tensors=False)
    assert fresh["state"] == {}
    assert fresh["param_groups"][0]["betas"] == (0.9, 0.999)


def test_layouts_of_three_axes():
    (param,) = param_mappings([("c", (2, 0, 1))], {"c": jnp.zeros((4, 2, 3))})
    there = numbered((2, 3, 4), 0)
    here = param.to_here("c", there, jnp.zeros((4, 2, 3)))
    assert here[3, 1, 2] == there[1, 2, 3]
    np.testing.assert_array_equal(param.to_there(here), there)


def test_groups_of_torch():
    """Tensors that look alike stay apart, and names go by the order in the groups."""
    groups = [{"lr": Tensor(1e-5), "params": [1]}, {"lr": Tensor(2e-5), "params": [0]}]
    before = adam_of_torch(groups)
    tx, state = from_torch("Adam", before, PARAMS, NAMES[::-1])
    assert len(state.inner_states) == 2
    ones = {"w": jnp.ones((3, 2)), "b": jnp.ones(2)}
    zeros = from_torch("Adam", {"state": {}, "param_groups": groups}, PARAMS, NAMES[::-1])[1]
    updates, _ = jax.jit(tx.update)(ones, zeros, PARAMS)
    assert float(updates["w"][0, 0] / updates["b"][0]) == pytest.approx(2.0)
    after = to_torch("Adam", state, PARAMS, NAMES[::-1], groups, as_tensors=False)
    for i, entry in before["state"].items():
        np.testing.assert_array_equal(after["state"][i]["exp_avg"], entry["exp_avg"])


def test_tensors_of_one_element_are_numbers():
    call = call_of("Adam", {"lr": Tensor(0.25), "betas": (Tensor(0.25), 0.9)}, None)
    assert call.arguments["learning_rate"] == call.arguments["b1"] == 0.25


def test_learning_rate_instead_of_that_of_the_groups():
    call = call_of("Adam", {"lr": 0.1, "betas": (0.8, 0.9)}, 0.5)
    assert (call.arguments["learning_rate"], call.arguments["b1"]) == (0.5, 0.8)


def test_product_of_momenta():
    before = adam_of_torch()
    for entry in before["state"].values():
        entry["mu_product"] = np.float32(0.25)
    _, state = from_torch("NAdam", {**before, "param_groups": [{"params": [0, 1]}]}, PARAMS, NAMES)
    assert float(state[0].bias_corrections["momentum"]) == 0.75
    after = to_torch("NAdam", state, PARAMS, NAMES, [{}], as_tensors=False)
    assert after["state"][0]["mu_product"] == 0.25


KERAS = [("Adam", {}), ("Nadam", {}), ("RMSprop", {"momentum": 0.9, "centered": True})]
KERAS += [("Adafactor", {}), ("SGD", {"momentum": 0.9})]
ORDER = {
    "Adam": [(3, 2), (3, 2), (2,), (2,)],
    "Nadam": [(3, 2), (3, 2), (2,), (2,), ()],
    "RMSprop": [(3, 2), (2,)] * 3,
    "Adafactor": [(3,), (2,), (3, 2), (1,), (1,), (2,)],
    "SGD": [(3, 2), (2,)],
}


@pytest.mark.parametrize(("name", "config"), KERAS)
def test_keras_there_and_back(name, config):
    moments = [numbered(shape, 10 * i + 1) for i, shape in enumerate(ORDER[name])]
    if name == "Nadam":
        moments[-1] = np.float32(0.25)
    if name == "Adafactor":  # the mean over both dimensions is that of both factors
        moments[0], moments[1] = np.float32([1, 2, 3]), np.float32([1, 3])
        moments[2] = np.outer(moments[0] / 2, moments[1])
        moments[3] = moments[4] = np.zeros(1, np.float32)
    optimizer = (name, {"learning_rate": 0.1, **config}, [np.int64(3), np.float32(0.5), *moments])
    tx, state = from_keras(optimizer, PARAMS, ["w", "b"])
    after = to_keras(optimizer, state, PARAMS, ["w", "b"])
    for array, expected in zip(after, optimizer[2], strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-6)
    if name == "SGD":  # Keras keeps -lr B, and the arrays tell the learning rate
        np.testing.assert_allclose(state[0].mu["w"], -2.0 * moments[0])
        updates, _ = tx.update({"w": jnp.ones((3, 2)), "b": jnp.ones(2)}, state, PARAMS)
        np.testing.assert_allclose(updates["b"], 0.9 * moments[1] - 0.5, rtol=1e-6)
    if name == "RMSprop":
        np.testing.assert_array_equal(state[0].nu["w"], moments[0])
        np.testing.assert_allclose(state[0].mu["b"], 2.0 * moments[3])
        np.testing.assert_array_equal(state[0].mean["w"], moments[4])
    if name == "Nadam":
        assert float(state[0].bias_corrections["momentum"]) == 0.75


def test_learning_rate_of_keras_may_be_a_schedule():
    arrays = [np.int64(3), np.full(2, 0.5, np.float32)]
    optimizer = ("Lion", {"learning_rate": {"class_name": "CosineDecay"}}, arrays)
    tx, state = from_keras(optimizer, {"w": jnp.ones(2)}, ["w"], learning_rate=lambda t: 1.0 / t)
    updates, _ = tx.update({"w": jnp.ones(2)}, state, {"w": jnp.ones(2)})
    np.testing.assert_allclose(updates["w"], -1 / 3, rtol=1e-6)
