"""Files of optimizer states, none of which can run code: safetensors, and torch's weights only."""

import json
import os
import pickle
from collections.abc import Mapping
from typing import Any

from adamjax.interop.trees import as_numpy

_GROUPS = "param_groups"


def load(path: str | os.PathLike[str]) -> Any:
    """A state dict from a file.

    Args:
      path: a `.safetensors` file that `save` wrote, or any file of `torch.save`, which is read with
        `weights_only=True` onto the CPU: never an unrestricted pickle.

    Returns:
      `{"state": …, "param_groups": …}` for `from_torch`; of torch's files, whatever was saved.

    Raises:
      ValueError: for a file that is truncated, of another kind, or holds more than weights.
      OSError: for one that cannot be opened.
    """
    with open(path, "rb"):  # so that a missing file is said to be missing
        pass
    read = _load_safetensors if str(path).endswith(".safetensors") else _load_torch
    return read(path)


def save(path: str | os.PathLike[str], state_dict: Mapping[str, Any]) -> None:
    """Writes a state dict to a `.safetensors` file: "state.0.exp_avg" …, the groups as JSON.

    Args:
      path: must end in ".safetensors"; torch's own files are written by `torch.save`.
      state_dict: of tensors or arrays, such as `to_torch` gives.

    Raises:
      ValueError: for another ending, or groups that are not numbers, strings and lists of them.
    """
    from safetensors.numpy import save_file  # pyrefly: ignore[missing-import]

    if not str(path).endswith(".safetensors"):
        raise ValueError(f"path must end in .safetensors, got {str(path)!r}; or use torch.save")
    arrays = {
        f"state.{i}.{key}": as_numpy(value)
        for i, entry in state_dict["state"].items()
        for key, value in entry.items()
        if value is not None
    }
    groups = [{k: _plain(v) for k, v in group.items()} for group in state_dict[_GROUPS]]
    try:
        metadata = {_GROUPS: json.dumps(groups)}
    except TypeError as error:
        raise ValueError(f"param_groups: cannot be written as JSON: {error}") from error
    save_file(arrays, path, metadata)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "detach") else value


def _load_torch(path: Any) -> Any:
    import torch  # pyrefly: ignore[missing-import]

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise ValueError(
            f"{path}: torch.load(weights_only=True) cannot read it ({_first_line(error)}); it is "
            "truncated, or holds more than tensors, numbers, lists and dicts: save the "
            "state_dict alone"
        ) from error


def _load_safetensors(path: Any) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open  # pyrefly: ignore[missing-import]

    state: dict[int, dict[str, Any]] = {}
    try:
        with safe_open(path, framework="numpy") as file:
            groups = (file.metadata() or {}).get(_GROUPS)
            for name in file.keys():  # noqa: SIM118 (it is no dict)
                _, number, key = name.split(".", 2)
                state.setdefault(int(number), {})[key] = file.get_tensor(name)
    except (SafetensorError, ValueError) as error:
        raise ValueError(
            f"{path}: not a file that adamjax.interop.torch.save wrote, or a truncated one "
            f"({_first_line(error)})"
        ) from error
    if groups is None:
        raise ValueError(f"{path}: has no {_GROUPS}; write it with adamjax.interop.torch.save")
    return {"state": state, _GROUPS: [_with_pairs(group) for group in json.loads(groups)]}


def _with_pairs(group: dict[str, Any]) -> dict[str, Any]:
    """A group with its pairs as tuples again, which JSON does not have."""
    lists = {"params", "param_names"}
    return {k: tuple(v) if isinstance(v, list) and k not in lists else v for k, v in group.items()}


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
