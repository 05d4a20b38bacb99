"""The library and its oracles against the recorded trajectories of other implementations."""

import json
import pathlib

import numpy as np
import pytest

import adamjax
from tests.matrices.test_trajectories_of_matrices import PRESETS
from tests.oracles import ORACLES
from tests.reference import make, replay, resolve

pytestmark = pytest.mark.xdist_group("float64")
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


def assert_follows(path, trajectory, tolerance):
    assert max(abs(p - trajectory[f"params_{leaf}"]).max() for leaf, p in path.items()) <= tolerance


def test_the_index_has_every_file_and_repeats_its_entry():
    assert {path.name for path in FOLDER.glob("*.npz")} == set(INDEX)
    for file, entry in INDEX.items():
        assert json.loads(str(load(file)["meta"])) == entry
        assert entry["variant"] == file.removesuffix(".npz")


@pytest.mark.usefixtures("compiled_quickly")
@pytest.mark.parametrize(("file", "overrides"), CASES, ids=IDS)
def test_trajectory(file, overrides):
    """In float64, of the library and of the oracle."""
    entry, trajectory = INDEX[file], load(file)
    path = replay(make(entry, **overrides), trajectory, np.float64)
    assert set(path) == set(entry["leaves"])
    assert {p.dtype for p in path.values()} == {np.dtype(np.float64)}
    assert_follows(path, trajectory, entry["tolerance"])
    name, arguments = resolve(entry)
    arguments = {k: v for k, v in (arguments | overrides).items() if k != "mu_dtype"}
    params = {leaf: trajectory[f"params_{leaf}"][0] for leaf in entry["leaves"]}
    grads = [
        {leaf: trajectory[f"grads_{leaf}"][t] for leaf in entry["leaves"]}
        for t in range(entry["steps"])
    ]
    path = [params, *ORACLES[name](params, grads, **arguments)]
    path = {leaf: np.stack([p[leaf] for p in path]) for leaf in params}
    assert_follows(path, trajectory, entry["tolerance"])


def test_every_style_has_a_trajectory():
    # A W variant differs from the plain one in the default of weight_decay, adamc in the schedule,
    # which its oracle uses.
    plain = {"adamc": "adam", "adamw": "adam", "adamaxw": "adamax", "nadamw": "nadam"}
    # tests/interop/test_drop_in.py compares these with Optax.
    covered = {("schedule_free_sgd", "optax"), ("sophia", "optax")}
    of_matrices = [(load(f"matrices/{file.name}"), {}) for file in FOLDER.glob("matrices/*.npz")]
    of_matrices += [(load(f"matrices/{file}.npz"), {"style": style}) for file, style in PRESETS]
    of_matrices = [(json.loads(str(arrays["meta"])), given) for arrays, given in of_matrices]
    for entry, overrides in [(INDEX[file], given) for file, given in CASES] + of_matrices:
        name, arguments = resolve(entry)
        default = next(iter(adamjax.get_variant(name).styles), None)
        covered.add((plain.get(name, name), (arguments | overrides).get("style", default)))
    for name in adamjax.list_variants():
        for style in adamjax.get_variant(name).styles or [None]:
            assert (plain.get(name, name), style) in covered, (name, style)
