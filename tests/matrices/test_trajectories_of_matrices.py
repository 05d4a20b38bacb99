"""Matrix optimizers against their authors' code, on matrices, stacks and fused parameters."""

import json

import numpy as np
import pytest

from tests import ROOT
from tests.reference import make, replay

FOLDER = ROOT / "tests/trajectories/matrices"
FILES = sorted(file.stem for file in FOLDER.glob("*.npz"))


def load(name):
    """The entry of a file and its arrays."""
    with np.load(FOLDER / f"{name}.npz") as file:
        arrays = dict(file)
    return json.loads(str(arrays.pop("meta"))), arrays


@pytest.mark.usefixtures("compiled_quickly")
@pytest.mark.xdist_group("float64")
@pytest.mark.parametrize("name", FILES)
def test_trajectory(name):
    entry, arrays = load(name)
    path = replay(make(entry), arrays, entry["dtype"])
    assert set(path) == set(entry["leaves"])
    for leaf, p in path.items():
        expected = arrays[f"params_{leaf}"]
        np.testing.assert_allclose(p, expected, rtol=0, atol=entry["tolerance"])
