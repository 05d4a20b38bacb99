"""Files of optimizer states, whole and damaged, and pickles that are refused."""

import json
import struct

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from adamjax.interop.torch import from_torch, load, save, to_torch
from tests.interop import trainings
from tests.interop.test_with_torch import Run, equal


@pytest.fixture
def state():
    run = Run("AdamW", {"lr": torch.tensor(1e-2)})
    run.steps(0, 3)
    return run.state()


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_files(tmp_path, state, ending):
    path = tmp_path / f"optimizer.{ending}"
    torch.save(state, path) if ending == "pt" else save(path, state)
    params = trainings.here(trainings.WEIGHTS, trainings.start(trainings.WEIGHTS))
    names = trainings.names_of(trainings.WEIGHTS)
    read = load(path)
    _, found = from_torch("AdamW", read, params, names)
    assert equal(to_torch("AdamW", found, params, names, read["param_groups"]), state)
    optimizer = Run("AdamW", {}).optimizer
    optimizer.load_state_dict(to_torch("AdamW", found, params, names, read["param_groups"]))
    assert optimizer.param_groups[0]["betas"] == (0.9, 0.999)


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_truncated_files(tmp_path, state, ending, share):
    path = tmp_path / f"optimizer.{ending}"
    torch.save(state, path) if ending == "pt" else save(path, state)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=f"optimizer.{ending}: .*truncated"):
        load(path)


class Evil:
    def __reduce__(self):
        return print, ("this must not be printed",)


def test_pickles_are_refused(tmp_path, capsys):
    torch.save({"state": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(ValueError, match="holds more than tensors"):
        load(tmp_path / "evil.pt")
    assert capsys.readouterr().out == ""


def test_other_files(tmp_path, state):
    with pytest.raises(OSError, match="missing"):
        load(tmp_path / "missing.pt")
    save_file({"weight": np.ones(2)}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="not a file that"):
        load(tmp_path / "model.safetensors")
    save_file({"state.0.exp_avg": np.ones(2)}, tmp_path / "bare.safetensors")
    with pytest.raises(ValueError, match="has no param_groups"):
        load(tmp_path / "bare.safetensors")
    with pytest.raises(ValueError, match=r"must end in \.safetensors"):
        save(tmp_path / "optimizer.pt", state)
    state["param_groups"][0]["hook"] = print
    with pytest.raises(ValueError, match="param_groups: cannot be written"):
        save(tmp_path / "optimizer.safetensors", state)


# --- arrays as they lie in memory


def test_arrays_that_are_not_contiguous(tmp_path):
    wanted = torch.arange(24.0).reshape(1, 2, 3, 4)
    entry = {"step": torch.tensor(3.0), "exp_avg": wanted.to(memory_format=torch.channels_last)}
    entry["exp_avg_sq"] = torch.arange(6.0).reshape(2, 3).T
    groups = [{"lr": 0.1, "params": [0]}]
    save(tmp_path / "o.safetensors", {"state": {0: entry}, "param_groups": groups})
    for key, value in load(tmp_path / "o.safetensors")["state"][0].items():
        np.testing.assert_array_equal(value, entry[key], strict=True)


# --- damage


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_damaged_files(tmp_path, state, ending):
    """Each is either read or refused by its name; nothing else is raised, and nothing advised."""
    path = tmp_path / f"optimizer.{ending}"
    legacy = {"_use_new_zipfile_serialization": False}
    torch.save(state, path, **legacy) if ending == "pt" else save(path, state)
    whole = path.read_bytes()
    draw, refused = np.random.default_rng(0), 0
    for trial in range(300):
        damaged = bytearray(whole)
        for at in draw.integers(0, 900, size=1 + trial % 3):
            damaged[at] = draw.integers(256)
        path.write_bytes(damaged)
        try:
            load(path)
        except ValueError as error:
            refused += 1
            assert f"optimizer.{ending}: " in str(error)
            assert "weights_only=False" not in str(error)
            assert ending != "pt" or error.__suppress_context__
    assert refused > 100


def written(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


NO_GROUPS = [None, 3, {}, [None], [{"lr": 0.1}], [{"params": 3}], [{"params": ["w"]}]]


@pytest.mark.parametrize("groups", [*map(json.dumps, NO_GROUPS), "{", "[" * 100000])
def test_groups_of_another_form(tmp_path, groups):
    save_file({"state.0.mu": np.ones(2)}, tmp_path / "o.safetensors", {"param_groups": groups})
    with pytest.raises(ValueError, match=r"o\.safetensors: not a file that"):
        load(tmp_path / "o.safetensors")


@pytest.mark.parametrize("name", ["state", "state.x.mu", "state.0.", "other.0.mu", "state.-1.mu"])
def test_foreign_names(tmp_path, name):
    save_file({name: np.ones(2)}, tmp_path / "o.safetensors", {"param_groups": "[]"})
    with pytest.raises(ValueError, match=f"o.safetensors: not a file that .*{name}"):
        load(tmp_path / "o.safetensors")


def test_floats_that_numpy_does_not_know(tmp_path):
    tensor = {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}
    header = {"__metadata__": {"param_groups": "[]"}, "state.0.mu": tensor}
    path = written(tmp_path / "o.safetensors", header, b"\0\0")
    try:
        assert load(path)["state"][0]["mu"].dtype.itemsize == 1
    except ValueError as error:
        assert "o.safetensors: not a file that" in str(error)
