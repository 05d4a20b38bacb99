"""Read torch's state dicts: parameters by number, and groups of parameters with settings."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from adamjax.interop import tables
from adamjax.interop.arguments import Call, torch_call
from adamjax.interop.files import check_groups, parts
from adamjax.interop.trees import ParamMapping, number, plain, whole
from adamjax.rule import ScalarOrSchedule

# Keys of a group that are no arguments: those of the group itself, and those that schedulers of the
# learning rate add (all of them the first, then OneCycleLR, CyclicLR and SWALR).
_OF_GROUPS = {"params", "param_names", "name", "initial_lr", "base_lr", "max_lr", "min_lr"}
_OF_GROUPS |= {"base_momentum", "max_momentum", "min_momentum", "swa_lr"}


class Parameter(NamedTuple):
    """A parameter of torch with its state."""

    param: ParamMapping
    settings: dict[str, Any]  # its group's arguments
    entry: dict[str, Any]
    step: int
    product: float | None  # of NAdam's momenta


def call_of(name: str, group: Mapping[str, Any], learning_rate: ScalarOrSchedule | None) -> Call:
    """Return the call that a group of torch stands for."""
    settings = _settings(group)
    if name in tables.TORCH:
        known = {*tables.TORCH[name].defaults, *tables.TORCH_COMMON, *tables.TORCH_IGNORED}
        for key in sorted(settings.keys() - known):
            raise ValueError(
                f"param_groups: unknown argument of torch.optim.{name}: {key!r}; is it of another "
                "optimizer? If something else left it there, delete it from the group"
            )
    if learning_rate is not None:
        settings["lr"] = learning_rate
    return torch_call(name, settings)


def _settings(group: Mapping[str, Any]) -> dict[str, Any]:
    """Return a group's arguments with Python numbers, since torch rounds in `repr`."""
    return {key: _plain(key, value) for key, value in group.items() if key not in _OF_GROUPS}


def _plain(key: str, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_plain(key, each) for each in value)
    return plain(key, np.asarray(value) if isinstance(value, jax.Array) else value)


def parameters_of(state_dict: Any, where: list[ParamMapping]) -> list[Parameter]:
    """Return the parameters of a state dict, in the order of `where`."""
    states, groups = parts(state_dict)
    numbers = [i for group in groups for i in group["params"]]
    if len(numbers) != len(where):
        raise ValueError(
            f"names: torch has {len(numbers)} parameters in its groups, and {len(where)} are named"
        )
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"param_groups: a parameter is in two groups or twice in one: {numbers}")
    extra = sorted(states.keys() - set(numbers))
    if extra:
        raise ValueError(f"state_dict: 'state' has {extra}, which are in no group")
    order = iter(where)
    parameters = []
    for group in groups:
        settings = {k: v for k, v in _settings(group).items() if k not in tables.TORCH_IGNORED}
        for i in group["params"]:
            param = next(order)
            entry = {k: v for k, v in states.get(i, {}).items() if v is not None}
            step = whole(f"step of {param.path!r}", entry.get("step", 0))
            product = entry.get("mu_product")
            if product is not None:
                product = number(f"mu_product of {param.path!r}", product)
            parameters.append(Parameter(param, settings, entry, step, product))
    return parameters


def completed(
    name: str, param_groups: Sequence[Mapping[str, Any]], count: int
) -> list[dict[str, Any]]:
    """Return torch's groups with its defaults, each with its parameter numbers."""
    param_groups = check_groups(param_groups, numbered=False)
    every = list(range(count))
    alone: dict[str, Any] = {"params": every} if len(param_groups) == 1 else {}
    defaults = tables.TORCH[name].defaults if name in tables.TORCH else {}
    groups: list[dict[str, Any]] = [
        {**defaults, **tables.TORCH_COMMON, **alone, **group} for group in param_groups
    ]
    numbers = [i for group in groups for i in group.get("params", ())]
    if sorted(numbers) != every:
        raise ValueError(
            f"param_groups: their 'params' must number the {count} parameters once, got {numbers}"
        )
    return groups
