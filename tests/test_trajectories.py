"""The library and its oracles against the recorded trajectories of other implementations."""

import json
import pathlib

import numpy as np
import pytest

import adamjax
from tests.oracles import ORACLES
from tests.reference import family_of, make, replay, resolve

FOLDER = pathlib.Path(__file__).parent / "trajectories"
INDEX = json.loads((FOLDER / "index.json").read_text())

# A style that another one equals on a trajectory: on matrices and vectors, at constant rates.
TWINS = [
    ("adafactor_momentum_decay_unscaled.npz", {"style": "t5", "min_dim_size_to_factor": 2}),
    ("adafactor_big_vision.npz", {"style": "bigvision", "min_dim_size_to_factor": 2}),
    ("laprop.npz", {"style": "paper"}),
    ("nadam_momentum_decay_1.npz", {"style": "keras", "momentum_decay": 0.004}),
]
CASES = [(file, {}) for file in INDEX] + TWINS
IDS = [file.removesuffix(".npz") + "".join(f"-{v}" for v in o.values()) for file, o in CASES]


def load(file):
    with np.load(FOLDER / file) as arrays:
        return dict(arrays)


def worst(path, trajectory):
    return max(abs(rows - trajectory[f"params_{leaf}"]).max() for leaf, rows in path.items())


def test_the_index_has_every_file_and_repeats_its_entry():
    assert {path.name for path in FOLDER.glob("*.npz")} == set(INDEX)
    for file, entry in INDEX.items():
        assert json.loads(str(load(file)["meta"])) == entry
        assert entry["variant"] == file.removesuffix(".npz")


@pytest.mark.parametrize(("file", "overrides"), CASES, ids=IDS)
def test_library_in_float64(file, overrides):
    trajectory = load(file)
    path = replay(make(INDEX[file], **overrides), trajectory, np.float64)
    assert set(path) == set(INDEX[file]["leaves"])
    assert path["W"].dtype == np.float64
    assert worst(path, trajectory) <= INDEX[file]["tolerance"]


@pytest.mark.parametrize(("file", "overrides"), CASES, ids=IDS)
def test_library_in_float32(file, overrides):
    # Parameters near 1 are rounded by up to 6e-8 in each of 12 steps.
    trajectory = load(file)
    path = replay(make(INDEX[file], **overrides), trajectory, np.float32)
    assert path["W"].dtype == np.float32
    assert worst(path, trajectory) <= max(2e-6, INDEX[file]["tolerance"])


@pytest.mark.parametrize(("file", "overrides"), CASES, ids=IDS)
def test_oracle(file, overrides):
    entry, trajectory = INDEX[file], load(file)
    name, arguments = resolve(entry)
    arguments = {k: v for k, v in (arguments | overrides).items() if k != "mu_dtype"}
    params = {leaf: trajectory[f"params_{leaf}"][0] for leaf in entry["leaves"]}
    grads = [
        {leaf: trajectory[f"grads_{leaf}"][t] for leaf in entry["leaves"]}
        for t in range(entry["steps"])
    ]
    path = ORACLES[name](params, grads, **arguments)
    rows = {leaf: np.stack([params[leaf], *(p[leaf] for p in path)]) for leaf in params}
    assert worst(rows, trajectory) <= entry["tolerance"]


def test_every_style_has_a_trajectory():
    # A W variant is the plain one but for the default of weight_decay; so is adamc but for the
    # schedule, on which its oracle looks.
    plain = {"adamc": "adam", "adamw": "adam", "adamaxw": "adamax", "nadamw": "nadam"}
    seen = set()
    for file, overrides in CASES:
        name, arguments = resolve(INDEX[file])
        seen.add((plain.get(name, name), (arguments | overrides).get("style")))
    for name in adamjax.list_variants():
        for style in adamjax.get_variant(name).styles or [None]:
            assert (plain.get(name, name), style) in seen, (name, style)


def test_only_the_family_and_the_hyperparameters_count():
    for entry in INDEX.values():
        later = {
            "variant": family_of(entry["variant"]) + "_recorded_later",
            "hyperparameters": entry["hyperparameters"],
        }
        assert resolve(later) == resolve(entry)


def test_whether_the_threshold_of_radam_itself_counts():
    torch, author = (INDEX[f"{name}.npz"] for name in ("radam", "radam_no_update"))
    for entry, inclusive, sign in ((torch, True, -1), (author, False, 1)):
        hyperparameters = entry["hyperparameters"] | {"inclusive": inclusive}
        threshold = resolve(entry | {"hyperparameters": hyperparameters})[1]["threshold"]
        assert 0 < (threshold - 5) * sign < 1e-14


@pytest.mark.parametrize(
    ("variant", "changes", "named"),
    [
        ("adamz", {}, "adamz"),
        ("lookahead_adam", {}, "lookahead"),
        ("adam_later", {"matrix_block": "row"}, "matrix_block"),
        ("adam", {"eps_mode": "clamp"}, "eps_mode='clamp'"),
        ("adam", {"eps_mode": "hat", "bias_correction": False}, "bias_correction=False"),
        ("adam", {"decay": "at_y"}, "decay='at_y'"),
        ("adam", {"decay": "decoupled_scaled"}, "decay='decoupled_scaled'"),
        ("adam", {"b2": None}, "'b2' is missing"),
    ],
)
def test_an_entry_that_cannot_be_honoured_is_refused(variant, changes, named):
    hyperparameters = INDEX["adam.npz"]["hyperparameters"] | changes
    hyperparameters = {k: v for k, v in hyperparameters.items() if v is not None}
    with pytest.raises(ValueError, match=named):
        make({"variant": variant, "hyperparameters": hyperparameters})
