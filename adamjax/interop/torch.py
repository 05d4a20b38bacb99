"""Going on in JAX with the state of an optimizer of `torch.optim`, and the way back.

    names = [("dense/kernel", (1, 0)), "dense/bias"]   # in the order of model.parameters()
    tx, state = from_torch("AdamW", optimizer.state_dict(), params, names)

`names` says where each of torch's parameters is in the tree here; where the layout differs, with
the axes of `np.transpose` from torch's layout to this one's: torch's Linear keeps (out, in) and
Flax's Dense (in, out); torch's Conv2d keeps (out, in, height, width) and Flax's Conv (height,
width, in, out), which is (2, 3, 1, 0).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

from adamjax.interop import tables
from adamjax.interop.arguments import Call, torch_call
from adamjax.interop.files import load as load, save as save
from adamjax.interop.trees import Kept, Name, Place, as_numpy, fill, kept, places, read, rule_of
from adamjax.rule import ScalarOrSchedule
from adamjax.trees import PyTree

# Keys of a group that are no arguments: of the group itself, and what a scheduler leaves.
_OF_GROUPS = {"params", "param_names", "initial_lr"}


class _Parameter(NamedTuple):
    """A parameter of torch's: where it is here, its settings there, its state there."""

    place: Place
    settings: dict[str, Any]
    entry: dict[str, Any]


def from_torch(
    name: str,
    state_dict: Mapping[str, Any],
    params: PyTree,
    names: Sequence[Name],
    *,
    learning_rate: ScalarOrSchedule | None = None,
) -> tuple[optax.GradientTransformationExtraArgs, Any]:
    """The optimizer and the state with which a run of torch goes on in JAX.

    Args:
      name: the optimizer's class, such as "AdamW"; see `adamjax.from_torch_args`.
      state_dict: what `optimizer.state_dict()` gives, of tensors or NumPy arrays; see `load`.
      params: the parameters here, a tree of arrays.
      names: for each of torch's parameters, in the order of the groups, its path in `params`, or
        (path, axes) where the layout differs.
      learning_rate: a number or a schedule of the steps done instead of the groups' `lr`. SGD
        counts no steps, so that a schedule starts anew for it.

    Returns:
      `(tx, state)`. If all parameters have equal settings and as many steps, these are the
      variant's own; otherwise those of `optax.partition`, its labels "group0", "group1", … by path.
      The state is float32, or as wide as the parameters.

    Raises:
      ValueError: naming the path, if `names` do not fit `params` or the state, shapes or dtypes
        differ, the state is of another optimizer, an argument has no equal here (see
        `adamjax.from_torch_args`), or Adafactor factors other axes here.

    >>> import jax.numpy as jnp
    >>> entry = {"step": 7.0, "exp_avg": np.ones((3, 2)), "exp_avg_sq": np.ones((3, 2))}
    >>> entry = {key: np.float32(value) for key, value in entry.items()}
    >>> group = {"lr": 0.1, "betas": (0.9, 0.99), "weight_decay": 0.0, "params": [0]}
    >>> params = {"dense": {"kernel": jnp.zeros((2, 3))}}
    >>> tx, state = from_torch(
    ...     "AdamW",
    ...     {"state": {0: entry}, "param_groups": [group]},
    ...     params,
    ...     [("dense/kernel", (1, 0))],
    ... )
    >>> int(state[0].count), state[0].mu["dense"]["kernel"].shape
    (7, (2, 3))
    """
    parameters = _parameters(name, state_dict, places(names, params))
    groups: dict[Any, list[_Parameter]] = {}
    for parameter in sorted(parameters, key=lambda parameter: parameter.place.leaf):
        shared = _step(parameter), parameter.entry.get("mu_product")
        key = repr((sorted(parameter.settings.items()), *map(_number, shared)))
        groups.setdefault(key, []).append(parameter)
    members = list(groups.values())
    calls = [_call(name, group[0].settings, learning_rate) for group in members]
    if len(calls) == 1:
        tx = calls[0].make()
        return tx, _filled(calls[0], tx.init(params), members[0])
    labels = [""] * len(parameters)
    for i, group in enumerate(members):
        for parameter in group:
            labels[parameter.place.leaf] = f"group{i}"
    tx = optax.partition(
        {f"group{i}": call.make() for i, call in enumerate(calls)},
        lambda tree: jax.tree.unflatten(jax.tree.structure(tree), labels),
    )
    state: Any = tx.init(params)
    inner = dict(state.inner_states)
    for i, (call, group) in enumerate(zip(calls, members, strict=True)):
        masked = inner[f"group{i}"]
        filled = _filled(call, masked.inner_state, group)
        inner[f"group{i}"] = masked._replace(inner_state=filled)
    return tx, state._replace(inner_states=inner)


def to_torch(
    name: str,
    state: Any,
    params: PyTree,
    names: Sequence[Name],
    param_groups: Sequence[Mapping[str, Any]],
    *,
    as_tensors: bool = True,
) -> dict[str, Any]:
    """The state as `optimizer.load_state_dict` of torch takes it: the way back of `from_torch`.

    Args:
      name: the optimizer's class in torch.
      state: of the optimizer here, whatever it is wrapped in (`optax.chain`, `optax.partition` …).
      params: the parameters here.
      names: as in `from_torch`.
      param_groups: torch's settings, such as `optimizer.state_dict()["param_groups"]`; a single
        group need not name its "params". Arguments not given are torch's defaults.
      as_tensors: whether to give tensors, which imports torch, or NumPy arrays.

    Returns:
      `{"state": …, "param_groups": …}`. What `from_torch` read comes back bit by bit, but for
      NAdam's `mu_product` P, since 1 - P is kept here.

    Raises:
      ValueError: naming the path, if the state is not of this optimizer or keeps moments in codes,
        or `names` or the groups do not fit the parameters.

    >>> import adamjax, jax.numpy as jnp
    >>> params = {"w": jnp.zeros((2, 3))}
    >>> tx = adamjax.from_torch_args("SGD", momentum=0.9)
    >>> _, state = tx.update({"w": jnp.ones((2, 3))}, tx.init(params), params)
    >>> there = to_torch(
    ...     "SGD", state, params, [("w", (1, 0))], [{"momentum": 0.9}], as_tensors=False
    ... )
    >>> there["state"][0]["momentum_buffer"].shape, there["param_groups"][0]["params"]
    ((3, 2), [0])
    """
    where = places(names, params)
    groups = _completed(name, param_groups, len(where))
    to_tensor = _tensors() if as_tensors else np.asarray
    entries = {}
    for group in groups:
        call = _call(name, group, None)
        rule = rule_of(jax.eval_shape(call.make().init, params))
        found = read(state, type(rule))
        for i in group["params"]:
            entry = _entry(name, call, where[i], found.get(where[i].path), kept(rule))
            if entry:
                entries[i] = {key: to_tensor(value) for key, value in entry.items()}
    return {"state": entries, "param_groups": groups}


def _tensors() -> Callable[[np.ndarray], Any]:
    import torch  # pyrefly: ignore[missing-import]

    return torch.from_numpy


def _call(name: str, group: Mapping[str, Any], learning_rate: ScalarOrSchedule | None) -> Call:
    settings = {key: value for key, value in group.items() if key not in _OF_GROUPS}
    return torch_call(
        name, settings if learning_rate is None else {**settings, "lr": learning_rate}
    )


def _number(value: Any) -> Any:
    return None if value is None else float(as_numpy(value))


def _step(parameter: _Parameter) -> int:
    step = _number(parameter.entry.get("step", 0))
    if not (step >= 0 and step.is_integer()):
        raise ValueError(f"step of {parameter.place.path!r} must be a whole number, got {step}")
    return int(step)


def _parameters(name: str, state_dict: Any, where: list[Place]) -> list[_Parameter]:
    """The parameters of a state dict, each with its settings and its state."""
    if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= state_dict.keys():
        raise ValueError(
            "state_dict must be what optimizer.state_dict() gives, with 'state' and "
            "'param_groups'; of a checkpoint take the optimizer's part"
        )
    states = {int(i): entry for i, entry in state_dict["state"].items()}
    numbers = [i for group in state_dict["param_groups"] for i in group["params"]]
    if len(numbers) != len(where):
        raise ValueError(
            f"names: torch has {len(numbers)} parameters in its groups, and {len(where)} are named"
        )
    extra = sorted(states.keys() - set(numbers))
    if extra:
        raise ValueError(f"state_dict: 'state' has {extra}, which are in no group")
    found, order = [], iter(where)
    for group in state_dict["param_groups"]:
        settings = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in group.items()
            if key not in _OF_GROUPS | tables.TORCH_IGNORED
        }
        for i in group["params"]:
            entry = {k: v for k, v in states.get(i, {}).items() if v is not None}
            found.append(_Parameter(next(order), settings, entry))
    return found


def _keys(call: Call, place: Place, names: list[str]) -> dict[str, str]:
    """What torch calls the moments that are kept of one parameter."""
    if call.variant != "adafactor":
        return {name: tables.TORCH_SLOTS[call.variant][name] for name in names}
    rank = len(place.shape)
    if rank < 2:
        return {"v": "variance"}
    if place.axes[-2:] == (rank - 2, rank - 1):
        return {"v_row": "row_var", "v_col": "col_var"}
    if place.axes[-2:] == (rank - 1, rank - 2):
        return {"v_row": "col_var", "v_col": "row_var"}
    raise ValueError(
        f"names: torch's Adafactor factors the last two axes of {place.path!r}, which are not the "
        f"last two here (axes {place.axes}); its second moment cannot be carried over"
    )


def _filled(call: Call, state: Any, group: list[_Parameter]) -> Any:
    """The state of one group, its parameters in the order of the leaves."""
    rule = rule_of(state)
    names = kept(rule)
    moments = {name: list(jax.tree.leaves(getattr(rule, name))) for name in names}
    for i, (place, _, entry) in enumerate(group):
        keys = _keys(call, place, names)
        wanted = {*keys.values(), *_scalars(call)}
        if entry and entry.keys() != wanted:
            raise ValueError(
                f"state of {place.path!r}: has {sorted(entry)}, but with these settings "
                f"{call.variant} has {sorted(wanted)}; is it of another optimizer?"
            )
        for name, key in keys.items() if entry else ():
            moments[name][i] = place.to_here(key, entry[key], moments[name][i])
    product = _number(group[0].entry.get("mu_product"))
    corrections = None if product is None else {"momentum": 1 - product}
    return fill(state, _step(group[0]), moments, corrections)


def _scalars(call: Call) -> list[str]:
    """The numbers that torch keeps with the moments."""
    if call.variant == "sgd":
        return []
    return ["step", "mu_product"] if call.variant == "nadam" else ["step"]


def _completed(
    name: str, param_groups: Sequence[Mapping[str, Any]], count: int
) -> list[dict[str, Any]]:
    """torch's groups with its defaults, each with the numbers of its parameters."""
    every = list(range(count))
    alone: dict[str, Any] = {"params": every} if len(param_groups) == 1 else {}
    foreign = tables.TORCH[name] if name in tables.TORCH else tables.Foreign(name, {})
    defaults = {**foreign.defaults, **tables.TORCH_COMMON}
    groups: list[dict[str, Any]] = [{**defaults, **alone, **group} for group in param_groups]
    numbers = [i for group in groups for i in group.get("params", ())]
    if sorted(numbers) != every:
        raise ValueError(
            f"param_groups: their 'params' must number the {count} parameters once, got {numbers}"
        )
    return groups


def _entry(
    name: str, call: Call, place: Place, here: Kept | None, names: list[str]
) -> dict[str, Any]:
    """What torch keeps of one parameter; nothing before its first step."""
    if here is None and names:
        raise ValueError(f"state: holds no moments of {place.path!r} of {call.variant}")
    if here is None:
        return {}
    keys = _keys(call, place, names)
    entry = {key: place.to_there(here.moments[name]) for name, key in keys.items()}
    if here.count == 0 and name != "Adagrad" and not any(map(np.any, entry.values())):
        return {}
    numbers = {"step": float(here.count)}
    if call.variant == "nadam":
        numbers["mu_product"] = 1 - float(here.corrections["momentum"])
    return {key: np.array(numbers[key], np.float32) for key in _scalars(call)} | entry
