"""Runs of Keras that go on here, and runs from here that go on in Keras."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

from adamjax.interop import tables
from adamjax.interop.keras import from_keras, to_keras
from tests.interop import trainings
from tests.interop.documents import blocks

LR = {"learning_rate": 1e-2}
EPS = {**LR, "epsilon": 1e-3}
DECAY = {"weight_decay": 0.1}
CASES = {
    "adadelta": ("Adadelta", {**DECAY, "learning_rate": 1.0, "epsilon": 1e-3}),
    "adafactor": ("Adafactor", {"learning_rate": 0.1}),
    "adagrad": ("Adagrad", {**EPS, **DECAY}),
    "adam": ("Adam", EPS),
    "adam-amsgrad": ("Adam", {**EPS, **DECAY, "amsgrad": True, "beta_1": 0.8, "beta_2": 0.9}),
    "adam-clipnorm": ("Adam", {**EPS, "clipnorm": 1.0}),
    "adam-clipvalue": ("Adam", {**EPS, "clipvalue": 0.5}),
    "adamax": ("Adamax", {**EPS, **DECAY}),
    "adamw": ("AdamW", {**EPS, **DECAY}),
    "lion": ("Lion", {**LR, **DECAY}),
    "nadam": ("Nadam", {**EPS, **DECAY}),
    "rmsprop": ("RMSprop", {**EPS, **DECAY}),
    "rmsprop-all": ("RMSprop", {**EPS, "centered": True, "momentum": 0.9}),
    "sgd": ("SGD", {**LR, **DECAY}),
    "sgd-momentum": ("SGD", {**LR, "momentum": 0.9}),
    "sgd-nesterov": ("SGD", {**LR, "momentum": 0.9, "nesterov": True, "global_clipnorm": 2.0}),
}
# Kernels lie in Keras as they do here.
WEIGHTS = {
    "head/kernel": ((5, 3), None),
    "head/bias": ((3,), None),
    "conv/kernel": ((2, 3, 4, 5), None),
    "row": ((1, 4), None),
    "scale": ((), None),
}
NAMES = trainings.names_of(WEIGHTS)


class Run:
    """Variables of Keras with their optimizer, fed the gradients of `trainings`."""

    def __init__(self, name, arguments, arrays=None):
        arrays = trainings.start(WEIGHTS) if arrays is None else arrays
        names = [path.replace("/", "_") for path in WEIGHTS]
        self.variables = [keras.Variable(a, name=n) for a, n in zip(arrays, names, strict=True)]
        self.optimizer = getattr(keras.optimizers, name)(**arguments)
        self.optimizer.build(self.variables)

    def steps(self, first, count):
        path = []
        for t in range(first, first + count):
            grads = [trainings.gradient(a, t, i) for i, a in enumerate(self.arrays())]
            self.optimizer.apply(grads, self.variables)
            path.append(self.arrays())
        return path

    def arrays(self):
        return [np.array(v.value) for v in self.variables]


@pytest.mark.parametrize("case", CASES)
def test_goes_on_here_and_back(case, record_property):
    name, arguments = CASES[case]
    run = Run(name, arguments)
    run.steps(0, trainings.BEFORE)
    params = trainings.here(WEIGHTS, run.arrays())
    tx, state = from_keras(run.optimizer, params, NAMES)
    back = to_keras(run.optimizer, state, params, NAMES)
    for array, variable in zip(back, run.optimizer.variables, strict=True):
        assert array.shape == variable.shape
        np.testing.assert_allclose(array, variable.value, rtol=1e-6, atol=1e-7)

    wanted = run.steps(trainings.BEFORE, trainings.AFTER)
    path, params, state = trainings.go_on(
        WEIGHTS, tx, state, params, trainings.BEFORE, trainings.AFTER
    )
    record_property("deviation", trainings.deviation(wanted, path))
    assert trainings.deviation(wanted, path) <= 2e-6

    there = Run(name, arguments, list(trainings.leaves_there(WEIGHTS, params)))
    arrays = to_keras(there.optimizer, state, params, NAMES)
    for variable, array in zip(there.optimizer.variables, arrays, strict=True):
        variable.assign(array)
    wanted = there.steps(trainings.BEFORE + trainings.AFTER, 20)
    path, _, _ = trainings.go_on(WEIGHTS, tx, state, params, trainings.BEFORE + trainings.AFTER, 20)
    assert trainings.deviation(wanted, path) <= 2e-6


def test_every_optimizer_is_continued():
    assert {name for name, _ in CASES.values()} == set(tables.KERAS)


def test_every_optimizer_of_keras_is_known():
    classes = {
        name
        for name, value in vars(keras.optimizers).items()
        if isinstance(value, type) and issubclass(value, keras.optimizers.Optimizer)
    }
    known = {*tables.KERAS, *tables.KERAS_REFUSED, "Optimizer"}
    assert classes - known <= {"OptimizerMap"}


def test_schedules():
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-2, 10, 0.5)
    run = Run("AdamW", {"learning_rate": schedule})
    run.steps(0, 7)
    params = trainings.here(WEIGHTS, run.arrays())
    with pytest.raises(ValueError, match="give the schedule itself"):
        from_keras(run.optimizer, params, NAMES)
    tx, state = from_keras(run.optimizer, params, NAMES, learning_rate=schedule)
    assert state[1].count == 7
    path, params, state = trainings.go_on(WEIGHTS, tx, state, params, 7, 50)
    assert trainings.deviation(run.steps(7, 50), path) <= 2e-6
    assert to_keras(run.optimizer, state, params, NAMES, learning_rate=schedule)[0] == 57


def test_what_is_excluded_from_decay():
    run = Run("SGD", {})
    run.optimizer = keras.optimizers.AdamW(**EPS, **DECAY)
    run.optimizer.exclude_from_weight_decay(var_names=["bias"])
    run.optimizer.build(run.variables)
    run.steps(0, 7)
    params = trainings.here(WEIGHTS, run.arrays())
    tx, state = from_keras(run.optimizer, params, NAMES, mask=["!*bias"])
    path, _, _ = trainings.go_on(WEIGHTS, tx, state, params, 7, 50)
    assert trainings.deviation(run.steps(7, 50), path) <= 2e-6


def test_saved_without_keras():
    run = Run("Adam", EPS)
    run.steps(0, 3)
    params = trainings.here(WEIGHTS, run.arrays())
    arrays = [np.array(v.value) for v in run.optimizer.variables]
    saved = ("Adam", run.optimizer.get_config(), arrays)
    _, state = from_keras(saved, params, NAMES)
    _, other = from_keras(run.optimizer, params, NAMES)
    assert (state[0].mu["scale"], state[0].count) == (other[0].mu["scale"], 3)


def test_variables_that_do_not_fit():
    run = Run("Adam", EPS)
    params = trainings.here(WEIGHTS, run.arrays())
    with pytest.raises(ValueError, match="'conv/kernel' of params is not among them"):
        from_keras(run.optimizer, params, [n for n in NAMES if n != "conv/kernel"])
    with pytest.raises(ValueError, match=r"'head/bias' has shape \(5, 3\)"):
        from_keras(run.optimizer, params, [NAMES[1], NAMES[0], *NAMES[2:]])
    with pytest.raises(ValueError, match="is it built"):
        from_keras(keras.optimizers.Adam(), params, NAMES)
    variables = list(run.optimizer.variables)
    variables[2:4] = variables[3:1:-1]
    with pytest.raises(ValueError, match="expected a variable 'momentum' of 'head/kernel'"):
        from_keras(("Adam", run.optimizer.get_config(), variables), params, NAMES)
    _, state = from_keras(run.optimizer, params, NAMES)
    with pytest.raises(ValueError, match="holds no moments of 'head/kernel' of lion"):
        to_keras(Run("Lion", {}).optimizer, state, params, NAMES)


def test_document(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks("", "keras"), "docs/interop.md", "exec"), {})
