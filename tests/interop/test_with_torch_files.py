"""Files of optimizer states, whole and damaged, and pickles that are refused."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from adamjax.interop.torch import from_torch, load, save, to_torch
from tests.interop.test_with_torch import NAMES, Run, assert_equal


@pytest.fixture
def state():
    run = Run("AdamW", {"lr": torch.tensor(1e-2)})
    run.train(0, 3)
    return run.state()


def written(folder, ending, state):
    path = folder / f"optimizer.{ending}"
    torch.save(state, path) if ending == "pt" else save(path, state)
    return path


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_files(tmp_path, state, ending):
    loaded = load(written(tmp_path, ending, state))
    run = Run("AdamW", {})
    _, here = from_torch("AdamW", loaded, run.params(), NAMES)
    back = to_torch("AdamW", here, run.params(), NAMES, loaded["param_groups"])
    assert_equal(back, state)
    run.optimizer.load_state_dict(back)
    assert run.optimizer.param_groups[0]["betas"] == (0.9, 0.999)


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_damaged_files(tmp_path, state, ending):
    path = written(tmp_path, ending, state)
    whole = path.read_bytes()
    for share in (0.0, 0.3, 0.9):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ValueError, match=f"optimizer.{ending}: .*truncated") as caught:
            load(path)
        assert "weights_only=False" not in str(caught.value)


class Evil:
    def __reduce__(self):
        return print, ("this must not be printed",)


def test_pickles_are_refused(tmp_path, capsys):
    with pytest.raises(ValueError, match="holds more than tensors"):
        load(written(tmp_path, "pt", {"state": Evil()}))
    assert capsys.readouterr().out == ""


NO_GROUPS = [None, 3, {}, [None], [{"lr": 0.1}], [{"params": 3}], [{"params": ["w"]}]]


def test_other_files(tmp_path, state):
    def refused(message, tensors, metadata=None):
        save_file(tensors, tmp_path / "o.safetensors", metadata)
        with pytest.raises(ValueError, match=f"o.safetensors: not a file that .*{message}"):
            load(tmp_path / "o.safetensors")

    ones = np.ones(2)
    refused("has no param_groups", {"state.0.exp_avg": ones})
    for groups in [*map(json.dumps, NO_GROUPS), "{", "[" * 100000]:
        refused("", {"state.0.mu": ones}, {"param_groups": groups})
    for name in ["state", "state.x.mu", "state.0.", "other.0.mu", "state.-1.mu"]:
        refused(name, {name: ones}, {"param_groups": "[]"})
    with pytest.raises(OSError, match="missing"):
        load(tmp_path / "missing.pt")
    with pytest.raises(ValueError, match=r"must end in \.safetensors"):
        save(tmp_path / "optimizer.pt", state)
    state["param_groups"][0]["hook"] = print
    with pytest.raises(ValueError, match="param_groups: cannot be written"):
        save(tmp_path / "optimizer.safetensors", state)


def test_arrays_that_are_not_contiguous(tmp_path):
    tensor = torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last)
    entry = {"exp_avg": tensor, "exp_avg_sq": torch.arange(6.0).reshape(2, 3).T}
    groups = [{"lr": 0.1, "params": [0]}]
    path = written(tmp_path, "safetensors", {"state": {0: entry}, "param_groups": groups})
    for key, value in load(path)["state"][0].items():
        np.testing.assert_array_equal(value, entry[key], strict=True)
