"""Matrix optimizers against their authors' code, on matrices, stacks and fused parameters."""

import json

import numpy as np
import pytest

from tests import ROOT
from tests.reference import make, replay

FOLDER = ROOT / "tests/trajectories/matrices"
FILES = sorted(file.stem for file in FOLDER.glob("*.npz"))
# Files whose settings are the defaults of a style, but for ε.
PRESETS = [
    ("muon_jordan", "author"),
    ("muon_torch", "torch"),
    ("muon_optax_attention", "optax"),
    ("muon_moonlight", "keras"),
    ("muon_keras_wide", "keras"),
    ("muon_dion", "dion"),
    ("muon_nvidia", "nvidia"),
    ("muon_timm", "timm"),
    ("normuon", "author"),
    ("normuon_dion", "dion"),
    ("normuon_nvidia", "nvidia"),
    ("adamuon", "author"),
    ("adamuon_nvidia", "nvidia"),
    ("muown", "author"),
    ("muown_nvidia", "nvidia"),
]


def load(name):
    """The entry of a file and its arrays."""
    with np.load(FOLDER / f"{name}.npz") as file:
        arrays = dict(file)
    return json.loads(str(arrays.pop("meta"))), arrays


def check(entry, arrays, **overrides):
    path = replay(make(entry, **overrides), arrays, entry["dtype"])
    assert set(path) == set(entry["leaves"])
    for leaf, p in path.items():
        expected = arrays[f"params_{leaf}"]
        np.testing.assert_allclose(p, expected, rtol=0, atol=entry["tolerance"])


@pytest.mark.usefixtures("compiled_quickly")
@pytest.mark.xdist_group("float64")
@pytest.mark.parametrize("name", FILES)
def test_trajectory(name):
    check(*load(name))


@pytest.mark.usefixtures("compiled_quickly")
@pytest.mark.xdist_group("float64")
@pytest.mark.parametrize(("name", "style"), PRESETS)
def test_style(name, style):
    entry, arrays = load(name)
    defaults = dict.fromkeys(("nesterov", "coefficients", "scale"))
    ns_eps = entry["hyperparameters"]["ns_eps"]
    check(entry, arrays, style=style, ns_eps=ns_eps, **defaults)
