"""Load and save optimizer states without running code: safetensors, and torch's weights only."""

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from adamjax.interop.trees import as_numpy, plain

_GROUPS = "param_groups"


def load(path: str | os.PathLike[str]) -> Any:
    """Load a state dict from a file.

    Args:
      path: a `.safetensors` file of `save`, or a file of `torch.save`, which is read onto the CPU
        with `weights_only=True`, never as an unrestricted pickle.

    Returns:
      `{"state": …, "param_groups": …}` for `from_torch`, or any other content of torch's files.
      Safetensors give NumPy arrays. torch's `load_state_dict` needs `to_torch` in between.

    Raises:
      ValueError: for a file that is damaged, of another kind, or holds more than weights.
      OSError: for a file that cannot be opened.
    """
    with open(path, "rb"):  # so that a missing file is said to be missing
        pass
    read = _load_safetensors if str(path).endswith(".safetensors") else _load_torch
    return read(path)


def save(path: str | os.PathLike[str], state_dict: Mapping[str, Any]) -> None:
    """Write a state dict to a `.safetensors` file: "state.0.exp_avg" …, the groups as JSON.

    Args:
      path: a path that ends in ".safetensors". Use `torch.save` for torch's own files.
      state_dict: a state dict of tensors or arrays, such as `to_torch` returns.

    Raises:
      ValueError: for another ending, another structure, or groups that JSON cannot express.
    """
    from safetensors.numpy import save_file  # pyrefly: ignore[missing-import]

    if not str(path).endswith(".safetensors"):
        raise ValueError(f"path must end in .safetensors, got {str(path)!r}; or use torch.save")
    state, groups = parts(state_dict)
    arrays = {
        f"state.{i}.{key}": as_numpy(value, f"state: {key} of {i}")
        for i, entry in state.items()
        for key, value in entry.items()
        if value is not None
    }
    groups = [{k: plain(f"{_GROUPS}: {k}", v) for k, v in group.items()} for group in groups]
    try:
        metadata = {_GROUPS: json.dumps(groups)}
    except TypeError as error:
        raise ValueError(f"{_GROUPS}: cannot be written as JSON: {error}") from error
    save_file(arrays, path, metadata)


def parts(state_dict: Any) -> tuple[dict[int, Mapping[str, Any]], list[dict[str, Any]]]:
    """Return the states by parameter number and the groups of a state dict, after checks."""
    if not isinstance(state_dict, Mapping) or not {"state", _GROUPS} <= state_dict.keys():
        raise ValueError(
            "state_dict must be the result of optimizer.state_dict(), with 'state' and "
            "'param_groups'; of a checkpoint take the optimizer's part"
        )
    state = state_dict["state"]
    if not isinstance(state, Mapping):
        raise ValueError(
            f"state_dict: 'state' must be a dict of one dict for each parameter, got {state!r}"
        )
    for i, entry in state.items():
        if not re.fullmatch(r"\d+", str(i)):
            raise ValueError(f"state_dict: 'state' must go by the parameters' numbers, has {i!r}")
        if not isinstance(entry, Mapping):
            raise ValueError(f"state_dict: 'state' of {i} must be a dict, got {entry!r}")
    return {int(i): entry for i, entry in state.items()}, check_groups(state_dict[_GROUPS])


def check_groups(groups: Any, numbered: bool = True) -> list[dict[str, Any]]:
    """Return the groups after checking that each lists the numbers of its parameters."""
    if not isinstance(groups, list | tuple):
        raise ValueError(f"{_GROUPS} must be a list of dicts, got {groups!r}")
    for i, group in enumerate(groups):
        if not isinstance(group, Mapping) or not all(isinstance(key, str) for key in group):
            raise ValueError(f"{_GROUPS}: group {i} must be a dict of arguments, got {group!r}")
        numbers = group.get("params", None if numbered else [])
        if not isinstance(numbers, list | tuple) or not all(type(n) is int for n in numbers):
            raise ValueError(
                f"{_GROUPS}: 'params' of group {i} must be the list of its parameters' numbers, "
                f"got {numbers!r}"
            )
    return [dict(group) for group in groups]


def _load_torch(path: Any) -> Any:
    import torch  # pyrefly: ignore[missing-import]

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 (a damaged file may raise anything)
        # Without torch's words, which advise to let the pickle run.
        raise ValueError(
            f"{path}: torch.load(weights_only=True) cannot read it ({type(error).__name__}); it is "
            "truncated or damaged, or holds more than tensors, numbers, lists and dicts: save the "
            "state_dict alone"
        ) from None


def _load_safetensors(path: Any) -> dict[str, Any]:
    from safetensors import safe_open  # pyrefly: ignore[missing-import]

    state: dict[int, dict[str, Any]] = {}
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if _GROUPS not in metadata:
                raise ValueError(f"has no {_GROUPS}")
            for name in file.keys():  # noqa: SIM118 (it is no dict)
                match = re.fullmatch(r"state\.(\d+)\.(.+)", name)
                if match is None:
                    raise ValueError(f"holds {name!r}")
                state.setdefault(int(match[1]), {})[match[2]] = file.get_tensor(name)
        groups = check_groups(json.loads(metadata[_GROUPS]))
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"{path}: not a file that adamjax.interop.torch.save wrote, or a truncated or damaged "
            f"one ({reason})"
        ) from error
    for group in groups:
        for key, value in group.items():
            if isinstance(value, list) and key not in ("params", "param_names"):
                group[key] = tuple(value)  # JSON has no tuples
    return {"state": state, _GROUPS: groups}
