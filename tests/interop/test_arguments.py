"""torch's and Keras's arguments, against trajectories that they recorded; and what is refused."""

import json
import pathlib
import re

import jax.numpy as jnp
import numpy as np
import pytest

import adamjax
from adamjax.interop import tables
from adamjax.interop.arguments import keras_call, torch_call
from tests.reference import replay

FOLDER = pathlib.Path(__file__).parent.parent / "trajectories"
INDEX = json.loads((FOLDER / "index.json").read_text())
ADAM = {"lr": 1e-2, "betas": (0.9, 0.99), "eps": 1e-3}
KERAS_ADAM = {"learning_rate": 1e-2, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-3}
DECOUPLED = {"weight_decay": 0.1, "decoupled_weight_decay": True}
RMSPROP = {"lr": 1e-2, "alpha": 0.9, "eps": 1e-3}
TORCH = {
    "sgd_momentum": ("SGD", {"lr": 1e-2, "momentum": 0.9}),
    "sgd_nesterov": ("SGD", {"lr": 1e-2, "momentum": 0.9, "nesterov": True}),
    "adagrad": ("Adagrad", {"lr": 1e-2, "eps": 1e-3, "initial_accumulator_value": 0.1}),
    "rmsprop": ("RMSprop", RMSPROP),
    "rmsprop_centered": ("RMSprop", {**RMSPROP, "centered": True}),
    "rmsprop_momentum": ("RMSprop", {**RMSPROP, "momentum": 0.9}),
    "adadelta": ("Adadelta", {}),
    "adam": ("Adam", ADAM),
    "adam_l2": ("Adam", {**ADAM, "weight_decay": 0.1}),
    "adamw": ("AdamW", {**ADAM, "weight_decay": 0.1}),
    "adamax": ("Adamax", ADAM),
    "nadam": ("NAdam", ADAM),
    "nadamw": ("NAdam", {**ADAM, **DECOUPLED}),
    "amsgrad": ("Adam", {**ADAM, "amsgrad": True}),
    "amsgradw": ("AdamW", {**ADAM, "amsgrad": True, "weight_decay": 0.1}),
    "radam": ("RAdam", ADAM),
    "radamw": ("RAdam", {**ADAM, **DECOUPLED}),
    "adafactor_clamp": ("Adafactor", {"lr": 1e-2, "eps": (3e-2, 0.2)}),
}
KERAS = {
    "adagrad_eps_inside": ("Adagrad", {"learning_rate": 1e-2, "epsilon": 1e-3}),
    "rmsprop_eps_inside": ("RMSprop", {"learning_rate": 1e-2, "epsilon": 1e-3}),
    "adam_eps_hat": ("Adam", KERAS_ADAM),
    "adamw_eps_hat": ("AdamW", {**KERAS_ADAM, "weight_decay": 0.1}),
    "adamax_eps_after_max": ("Adamax", KERAS_ADAM),
    "nadam_momentum_decay_1": ("Nadam", KERAS_ADAM),
    "amsgrad_eps_hat": ("Adam", {**KERAS_ADAM, "amsgrad": True}),
    # Of other implementations, which Keras's equal.
    "sgd_nesterov": ("SGD", {"learning_rate": 1e-2, "momentum": 0.9, "nesterov": True}),
    "adadelta": ("Adadelta", {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-6}),
    "lion": (
        "Lion",
        {"learning_rate": 1e-2, "beta_1": 0.9, "beta_2": 0.99, "weight_decay": 0.1},
    ),
    "adafactor": ("Adafactor", {"learning_rate": 1e-2}),
}
CASES = [(adamjax.from_torch_args, *case) for case in TORCH.items()]
CASES += [(adamjax.from_keras_args, *case) for case in KERAS.items()]


@pytest.mark.parametrize(
    ("make", "file", "call"), CASES, ids=lambda x: x if isinstance(x, str) else ""
)
def test_trajectory(make, file, call):
    name, arguments = call
    entry = INDEX[f"{file}.npz"]
    with np.load(FOLDER / f"{file}.npz") as arrays:
        trajectory = dict(arrays)
    path = replay(make(name, **arguments), trajectory, np.float64)
    for leaf, rows in path.items():
        assert abs(rows - trajectory[f"params_{leaf}"]).max() <= entry["tolerance"]


def test_every_trajectory_of_torch_and_keras_is_compared():
    made_by = {file.removesuffix(".npz"): entry["oracle"] for file, entry in INDEX.items()}
    known = {f"torch.optim.{name}" for name in tables.TORCH}
    known |= {f"keras.optimizers.{name}" for name in tables.KERAS}
    wanted = {file for file, oracle in made_by.items() if oracle.split("(")[0] in known}
    assert wanted == {file for file in {**TORCH, **KERAS} if made_by[file].split("(")[0] in known}


def test_every_optimizer_is_compared():
    assert {name for name, _ in TORCH.values()} == set(tables.TORCH)
    assert {name for name, _ in KERAS.values()} == set(tables.KERAS)


# --- arguments that no trajectory has


def steps_of(tx, gradients, start=2.0):
    params, path = jnp.float32(start), []
    state = tx.init(params)
    for g in gradients:
        updates, state = tx.update(jnp.float32(g), state, params)
        params = params + updates
        path.append(float(params))
    return path


def test_implementations_change_nothing():
    plain = steps_of(adamjax.from_torch_args("Adam"), [1.0, -3.0])
    other = adamjax.from_torch_args("Adam", foreach=True, fused=None, capturable=True)
    assert steps_of(other, [1.0, -3.0]) == plain


def test_maximize_goes_up_and_still_decays():
    down = adamjax.from_torch_args("SGD", lr=0.1, weight_decay=0.5)
    up = adamjax.from_torch_args("SGD", lr=0.1, weight_decay=0.5, maximize=True)
    assert steps_of(up, [-1.0, 2.0]) == steps_of(down, [1.0, -2.0])
    assert up.init(jnp.ones(1)) is not None


def test_learning_rate_of_adagrad_decays():
    tx = adamjax.from_torch_args("Adagrad", lr=1.0, lr_decay=1.0)
    # Squares of the signs sum to 1 and 2; rates 1 and 1/2.
    path = steps_of(tx, [1.0, 1.0])
    np.testing.assert_allclose(path, [1.0, 1.0 - 0.5 / np.sqrt(2)], rtol=1e-6)


def test_schedules_pass():
    tx = adamjax.from_torch_args("SGD", lr=lambda count: 1.0 / (1.0 + count))
    assert steps_of(tx, [1.0, 1.0]) == [1.0, 0.5]
    tx = adamjax.from_torch_args("Adagrad", lr=lambda count: 4.0 / (1.0 + count), lr_decay=1.0)
    np.testing.assert_allclose(steps_of(tx, [1.0, 1.0])[1], -2.0 - 1.0 / np.sqrt(2), rtol=1e-6)
    tx = adamjax.from_keras_args("SGD", learning_rate=lambda count: 1.0 / (1.0 + count))
    assert steps_of(tx, [1.0, 1.0]) == [1.0, 0.5]


@pytest.mark.parametrize(
    ("clip", "seen"),
    [
        ({"clipnorm": 1.0}, ([0.6, 0.8], [0.5])),
        ({"global_clipnorm": 1.0}, ([3 / 5.5, 4 / 5.5], [0.5 / 5.5])),
        ({"clipvalue": 2.0}, ([2.0, 2.0], [0.5])),
        ({"clipnorm": None}, ([3.0, 4.0], [0.5])),
    ],
)
def test_clips_of_keras(clip, seen):
    tx = adamjax.from_keras_args("SGD", learning_rate=1.0, **clip)
    grads = {"a": jnp.array([3.0, 4.0]), "b": jnp.array([0.5])}
    if "global_clipnorm" in clip:  # of norm 5.5
        grads["b"] = jnp.array([0.5])
        grads["c"] = jnp.array([np.sqrt(5.5**2 - 25.25)])
    updates, _ = tx.update(grads, tx.init(grads), grads)
    np.testing.assert_allclose(-updates["a"], seen[0], rtol=1e-6)
    np.testing.assert_allclose(-updates["b"], seen[1], rtol=1e-6)


def test_mask_is_what_keras_excludes_from_decay():
    tx = adamjax.from_keras_args("SGD", learning_rate=1.0, weight_decay=0.5, mask=["!*bias"])
    params = {"bias": jnp.ones(1), "kernel": jnp.ones(1)}
    grads = {"bias": jnp.zeros(1), "kernel": jnp.zeros(1)}
    updates, _ = tx.update(grads, tx.init(params), params)
    assert updates["bias"].item() == 0
    assert updates["kernel"].item() == -0.5


def test_tensors_of_one_element_are_numbers():
    class Tensor:
        def detach(self):
            return self

        def item(self):
            return 0.25

    call = torch_call("Adam", {"lr": Tensor(), "betas": (Tensor(), 0.9)})
    assert call.arguments["learning_rate"] == call.arguments["b1"] == 0.25


TORCH_ERRORS = [
    ("adamw", {}, "unknown optimizer of torch.optim 'adamw'"),
    ("LBFGS", {}, "optax.lbfgs"),
    ("SparseAdam", {}, "lazy_rows"),
    ("Muon", {}, "bfloat16"),
    ("Adam", {"learning_rate": 0.1}, "unknown argument of torch.optim.Adam: 'learning_rate'"),
    ("Adamax", {"amsgrad": True}, "'amsgrad'"),
    ("SGD", {"momentum": 0.9, "dampening": 0.1}, "dampening=0.1 has no equal"),
    ("SGD", {"nesterov": True}, "nesterov needs a momentum"),
    ("Adam", {"betas": (0.9, float("nan"))}, "b2 must be"),
    ("Adam", {"betas": (0.9, 1.0)}, "b2 must be"),
    ("Adam", {"betas": (0.9,)}, "betas must be two values, got (0.9,)"),
    ("Adafactor", {"eps": 1e-8}, "eps must be two values, got 1e-08"),
    ("Adam", {"lr": float("nan")}, "learning_rate must not be negative"),
    ("AdamW", {"weight_decay": float("nan")}, "weight_decay"),
    ("RMSprop", {"momentum": float("nan")}, "momentum"),
    ("Adafactor", {"eps": (-1.0, 1e-3)}, "eps1"),
]
KERAS_ERRORS = [
    ("Ftrl", {}, "has no equal here"),
    ("Nadam", {"amsgrad": True}, "'amsgrad'"),
    ("Adam", {"lr": 0.1}, "unknown argument of keras.optimizers.Adam: 'lr'"),
    (
        "Adam",
        {"use_ema": True},
        "use_ema is not done here; wrap the optimizer in adamjax.ema_params",
    ),
    ("Adam", {"gradient_accumulation_steps": 4}, "optax.MultiSteps"),
    ("Adam", {"loss_scale_factor": 8.0}, "loss_scale_factor"),
    ("Adam", {"clipnorm": 1.0, "clipvalue": 1.0}, "only one of clipnorm, clipvalue"),
    ("Adam", {"clipnorm": float("nan")}, "clipnorm must be positive"),
    ("Adam", {"learning_rate": {"class_name": "ExponentialDecay"}}, "give the schedule itself"),
    ("SGD", {"learning_rate": lambda count: 0.1, "momentum": 0.9}, "momentum"),
    ("Adafactor", {"weight_decay": 0.1}, "weight_decay comes before"),
    ("Adam", {"beta_1": float("nan")}, "b1 must be"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), TORCH_ERRORS)
def test_errors_of_torch_arguments(name, arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        adamjax.from_torch_args(name, **arguments)


@pytest.mark.parametrize(("name", "arguments", "message"), KERAS_ERRORS)
def test_errors_of_keras_arguments(name, arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        adamjax.from_keras_args(name, **arguments)


def test_whatever_get_config_says_is_known():
    common = {"name": "adam", "use_ema": False, "ema_momentum": 0.99, "loss_scale_factor": None}
    common |= {"ema_overwrite_frequency": None, "gradient_accumulation_steps": None}
    assert keras_call("Adam", common) == keras_call("Adam", {})
