"""torch's and Keras's arguments, against trajectories that they recorded."""

import json
import pathlib
from functools import partial

import jax
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
    "muon_keras": ("Muon", {"learning_rate": 2e-2, "weight_decay": 0.1}),
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
    assert {name for name, _ in TORCH.values()} | {"Muon"} == set(tables.TORCH)
    assert {name for name, _ in KERAS.values()} == set(tables.KERAS)


def test_trajectory_of_muon():
    with np.load(FOLDER / "matrices/muon_torch_match_rms.npz") as arrays:
        trajectory = dict(arrays)
    settings = {"lr": 1e-2, "momentum": 0.9, "adjust_lr_fn": "match_rms_adamw"}
    path = replay(adamjax.from_torch_args("Muon", **settings), trajectory, np.float64)
    for leaf, rows in path.items():
        np.testing.assert_allclose(rows, trajectory[f"params_{leaf}"], rtol=0, atol=1e-12)


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
    options = {"foreach": True, "fused": None, "capturable": True}
    assert torch_call("Adam", options) == torch_call("Adam", {})


def test_config_of_keras_is_known():
    options = {"name": "adam", "use_ema": False, "ema_momentum": 0.99, "loss_scale_factor": None}
    options |= {"ema_overwrite_frequency": None, "gradient_accumulation_steps": None}
    assert keras_call("Adam", options) == keras_call("Adam", {})


def test_maximize_goes_up_and_still_decays():
    down = adamjax.from_torch_args("SGD", lr=0.1, weight_decay=0.5)
    up = adamjax.from_torch_args("SGD", lr=0.1, weight_decay=0.5, maximize=True)
    assert steps_of(up, [-1.0, 2.0]) == steps_of(down, [1.0, -2.0])


def test_schedules():
    tx = adamjax.from_torch_args("SGD", lr=lambda count: 1.0 / (1.0 + count))
    assert steps_of(tx, [1.0, 1.0]) == [1.0, 0.5]
    tx = adamjax.from_keras_args("SGD", learning_rate=lambda count: 1.0 / (1.0 + count))
    assert steps_of(tx, [1.0, 1.0]) == [1.0, 0.5]
    # Squares of the signs sum to 1 and 2. The rates are 1 and 1/2, then 4 and 1.
    tx = adamjax.from_torch_args("Adagrad", lr=1.0, lr_decay=1.0)
    np.testing.assert_allclose(steps_of(tx, [1.0, 1.0])[1], 1.0 - 0.5 / np.sqrt(2), rtol=1e-6)
    tx = adamjax.from_torch_args("Adagrad", lr=lambda count: 4.0 / (1.0 + count), lr_decay=1.0)
    np.testing.assert_allclose(steps_of(tx, [1.0, 1.0])[1], -2.0 - 1.0 / np.sqrt(2), rtol=1e-6)


def test_clips_of_keras():
    clips = [
        ({"clipnorm": 1.0}, ([0.6, 0.8], [0.5])),
        ({"global_clipnorm": 1.0}, ([0.48, 0.64], [0.6])),
        ({"clipvalue": 2.0}, ([2.0, 2.0], [0.5])),
        ({"clipnorm": None}, ([3.0, 4.0], [0.5])),
    ]
    for clip, expected in clips:
        tx = adamjax.from_keras_args("SGD", learning_rate=1.0, **clip)
        # Of norm 6.25 together.
        last = 3.75 if "global_clipnorm" in clip else 0.5
        grads = {"a": jnp.array([3.0, 4.0]), "b": jnp.array([last])}
        updates, _ = jax.jit(tx.update)(grads, tx.init(grads), grads)
        np.testing.assert_allclose(-updates["a"], expected[0], rtol=1e-6)
        np.testing.assert_allclose(-updates["b"], expected[1], rtol=1e-6)


def test_mask_is_what_keras_excludes_from_decay():
    tx = adamjax.from_keras_args("SGD", learning_rate=1.0, weight_decay=0.5, mask=["!*bias"])
    params = {"bias": jnp.ones(1), "kernel": jnp.ones(1)}
    grads = {"bias": jnp.zeros(1), "kernel": jnp.zeros(1)}
    updates, _ = tx.update(grads, tx.init(params), params)
    assert updates["bias"].item() == 0
    assert updates["kernel"].item() == -0.5


def test_matrices_of_keras():
    matrix, tensor = jnp.ones((2, 3)), jnp.ones((2, 3, 4))
    params = {"Embed/x": matrix, "Embedding": matrix, "head": matrix, "w": matrix, "conv": tensor}
    tx = adamjax.from_keras_args("Muon", exclude_layers=["he.d$"])
    others = tx.init(params).inner_states["others"].inner_state[0].nu
    assert {name for name in params if hasattr(others[name], "shape")} == {
        "Embedding",
        "head",
        "conv",
    }


def test_names_ignore_case():
    assert_same = partial(jax.tree.map, np.testing.assert_array_equal)
    p = {"w": jnp.ones(2)}
    for make, name in ((adamjax.from_torch_args, "AdamW"), (adamjax.from_keras_args, "SGD")):
        state = make(name).init(p)
        assert_same(state, make(name.lower()).init(p))
    with pytest.raises(ValueError, match=r"torch.optim.LBFGS has no equivalent"):
        adamjax.from_torch_args("lbfgs")
