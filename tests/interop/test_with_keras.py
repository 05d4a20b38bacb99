"""Runs of Keras that go on here, and the way back."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

import adamjax
from adamjax.interop import tables
from adamjax.interop.keras import from_keras, to_keras, unwrap_loss_scale
from tests.interop import trainings

LR = {"learning_rate": 1e-2}
EPS = {**LR, "epsilon": 1e-3}
DECAY = {"weight_decay": 0.1}
CASES = {
    "adadelta": ("Adadelta", {**DECAY, "learning_rate": 1.0, "epsilon": 1e-3}),
    "adafactor": ("Adafactor", {"learning_rate": 0.1}),
    "adagrad": ("Adagrad", {**EPS, **DECAY}),
    "adam-amsgrad": ("Adam", {**EPS, **DECAY, "amsgrad": True, "beta_1": 0.8, "beta_2": 0.9}),
    "adam-clipnorm": ("Adam", {**EPS, "clipnorm": 1.0}),
    "adam-clipvalue": ("Adam", {**EPS, "clipvalue": 0.5}),
    "adamax": ("Adamax", {**EPS, **DECAY}),
    "adamw": ("AdamW", {**EPS, **DECAY}),
    "lion": ("Lion", {**LR, **DECAY}),
    "muon": ("Muon", {**EPS, "weight_decay": 0.1, "adam_weight_decay": 0.2, "adam_beta_2": 0.9}),
    "muon-all": (
        "Muon",
        {
            **EPS,
            "weight_decay": None,
            "adam_lr_ratio": 0.5,
            "rms_rate": 0.4,
            "ns_steps": 3,
            "nesterov": False,
            "exclude_layers": ["d_kernel"],  # in Keras's path, but not here
            "use_ema": True,
        },
    ),
    "muon-no-rate": ("Muon", {**LR, "rms_rate": None, "global_clipnorm": 2.0}),
    "nadam": ("Nadam", {**EPS, **DECAY}),
    "nadam-ema": ("Nadam", {**EPS, **DECAY, "use_ema": True, "ema_momentum": 0.8}),
    "rmsprop": ("RMSprop", {**EPS, **DECAY}),
    "rmsprop-all": ("RMSprop", {**EPS, "centered": True, "momentum": 0.9}),
    "sgd": ("SGD", {**LR, **DECAY}),
    "sgd-nesterov": ("SGD", {**LR, "momentum": 0.9, "nesterov": True, "global_clipnorm": 2.0}),
}
# Kernels have the same layout in Keras.
WEIGHTS = {
    "head/kernel": ((5, 3), None),
    "head/bias": ((3,), None),
    "conv/kernel": ((2, 3, 4, 5), None),
    "row": ((1, 4), None),
    "scale": ((), None),
}
NAMES = list(WEIGHTS)


class Run:
    """Variables of Keras with their optimizer, fed the gradients of `trainings`."""

    def __init__(self, optimizer):
        arrays = trainings.start(WEIGHTS)
        names = [path.replace("/", "_") for path in WEIGHTS]
        self.variables = [keras.Variable(a, name=n) for a, n in zip(arrays, names, strict=True)]
        self.optimizer = optimizer
        self.optimizer.build(self.variables)

    def train(self, first, steps):
        path = []
        for t in range(first, first + steps):
            grads = [trainings.gradient(a, t, i) for i, a in enumerate(self.arrays())]
            self.optimizer.apply(grads, self.variables)
            path.append(self.arrays())
        return path

    def arrays(self):
        return [np.array(v.value) for v in self.variables]

    def params(self):
        return trainings.here(WEIGHTS, self.arrays())


def check_goes_on(run, tx, state, steps=50):
    """Seven steps were done: the next ones are the same here as in Keras."""
    path, params, state = trainings.train(WEIGHTS, tx, state, run.params(), 7, steps)
    assert trainings.deviation(run.train(7, steps), path) <= 2e-6
    return params, state


@pytest.mark.parametrize("case", CASES)
def test_goes_on_here_and_back(case):
    name, arguments = CASES[case]
    run = Run(getattr(keras.optimizers, name)(**arguments))
    run.train(0, 7)
    tx, state = from_keras(run.optimizer, run.params(), NAMES)
    back = to_keras(run.optimizer, state, run.params(), NAMES)
    for array, variable in zip(back, run.optimizer.variables, strict=True):
        assert array.shape == variable.shape
        np.testing.assert_allclose(array, variable.value, rtol=1e-6, atol=1e-7)
    check_goes_on(run, tx, state)


def test_every_optimizer_of_keras_is_known():
    assert {name for name, _ in CASES.values()} == set(tables.KERAS)
    classes = {
        name
        for name, value in vars(keras.optimizers).items()
        if isinstance(value, type) and issubclass(value, keras.optimizers.Optimizer)
    }
    known = {*tables.KERAS, *tables.KERAS_REFUSED, "Optimizer"}
    assert classes - known <= {"OptimizerMap"}


@pytest.mark.parametrize("name", tables.KERAS)
def test_defaults(name):
    config = getattr(keras.optimizers, name)().get_config()
    for argument, default in {**tables.KERAS_COMMON, **tables.KERAS[name].defaults}.items():
        assert config[argument] == (default if default is None else pytest.approx(default))


def test_schedules():
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-2, 10, 0.5)
    run = Run(keras.optimizers.AdamW(schedule))
    run.train(0, 7)
    with pytest.raises(ValueError, match="give the schedule itself"):
        from_keras(run.optimizer, run.params(), NAMES)
    tx, state = from_keras(run.optimizer, run.params(), NAMES, learning_rate=schedule)
    assert state[0].count == 7
    params, state = check_goes_on(run, tx, state)
    assert to_keras(run.optimizer, state, params, NAMES, learning_rate=schedule)[0] == 57


def test_variables_that_are_excluded_from_decay():
    optimizer = keras.optimizers.AdamW(**EPS, **DECAY)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    run = Run(optimizer)
    run.train(0, 7)
    tx, state = from_keras(run.optimizer, run.params(), NAMES, mask=["!*bias"])
    check_goes_on(run, tx, state)


def test_averages_go_on():
    run = Run(keras.optimizers.SGD(**LR, use_ema=True, ema_momentum=0.8))
    run.train(0, 7)
    tx, state = from_keras(run.optimizer, run.params(), NAMES)
    params, state = check_goes_on(run, tx, state)
    mean = trainings.there(WEIGHTS, adamjax.eval_params(state, params))
    run.optimizer.finalize_variable_values(run.variables)  # the averages
    assert trainings.deviation([run.arrays()], [mean]) <= 2e-6


def test_muon_without_the_paths_of_its_variables():
    run = Run(keras.optimizers.Muon(**LR, exclude_layers=["head"]))
    run.train(0, 7)
    variables = run.optimizer.variables
    saved = ("Muon", run.optimizer.get_config(), [np.array(v.value) for v in variables])
    _, state = from_keras(saved, run.params(), NAMES)
    back = to_keras(saved, state, run.params(), NAMES)
    for array, variable in zip(back, saved[2], strict=True):
        np.testing.assert_allclose(array, variable, rtol=1e-6)


def test_muon_decays_a_mask_at_a_schedule():
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-2, 10, 0.5)
    optimizer = keras.optimizers.Muon(schedule, adam_lr_ratio=0.5, epsilon=1e-3, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias", "row"])
    run = Run(optimizer)
    run.train(0, 7)
    mask = ["!*bias", "!row"]
    arguments = {"learning_rate": schedule, "mask": mask}
    tx, state = from_keras(run.optimizer, run.params(), NAMES, **arguments)
    check_goes_on(run, tx, state)


def test_loss_scale():
    run = Run(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(**EPS), 4.0, 3))
    weights, kept = ([v.value for v in vs] for vs in (run.variables, run.optimizer.variables))
    # Three finite steps double the scale, and one that is not halves it.
    for factor in (4.0, 4.0, 4.0, np.inf, 4.0, 4.0):
        gradients = [factor * np.ones_like(a) for a in run.arrays()]
        weights, kept = run.optimizer.stateless_apply(kept, gradients, weights)
    for variable, array in zip(run.optimizer.variables, kept, strict=True):
        variable.assign(array)
    inner, scale = unwrap_loss_scale(run.optimizer)
    assert scale == (4.0, 2, 3)
    _, state = from_keras(inner, run.params(), NAMES)
    assert state[0].count == 5
    kernel = run.optimizer.inner_optimizer.variables[2]
    np.testing.assert_allclose(state[0].mu["head"]["kernel"], kernel.value, rtol=1e-6)


def test_variables_that_do_not_fit():
    run = Run(keras.optimizers.Adam())
    params = run.params()
    with pytest.raises(ValueError, match="is it built"):
        from_keras(keras.optimizers.Adam(), params, NAMES)
    variables = list(run.optimizer.variables)
    variables[2:4] = variables[3:1:-1]
    with pytest.raises(ValueError, match="expected a variable 'momentum' of 'head/kernel'"):
        from_keras(("Adam", run.optimizer.get_config(), variables), params, NAMES)


def test_document(tmp_path, monkeypatch):
    trainings.run_document(tmp_path, monkeypatch, "", "keras")
