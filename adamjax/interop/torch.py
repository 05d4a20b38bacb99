"""Continue a run of torch, and return to torch.

    names = [("dense/kernel", (1, 0)), "dense/bias"]   # in the order of model.parameters()
    tx, state = from_torch("AdamW", optimizer.state_dict(), params, names)

`names` maps torch's parameters to paths in the tree here. If the layout differs, add the axes for
`np.transpose`: (1, 0) from torch's Linear (out, in) to Flax's Dense (in, out), and (2, 3, 1, 0)
from torch's Conv2d to Flax's Conv.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import optax

from adamjax.checks import canonical
from adamjax.interop import states, tables
from adamjax.interop.arguments import Call
from adamjax.interop.files import load as load, save as save
from adamjax.interop.torch_groups import Parameter, call_of, completed, parameters_of
from adamjax.interop.trees import Name, ParamMapping, param_mappings
from adamjax.rule import ScalarOrSchedule
from adamjax.trees import PyTree


def from_torch(
    name: str,
    state_dict: Mapping[str, Any],
    params: PyTree,
    names: Sequence[Name],
    *,
    learning_rate: ScalarOrSchedule | None = None,
) -> tuple[optax.GradientTransformationExtraArgs, Any]:
    """Continue a run of torch: return the optimizer here and its state.

    Args:
      name: the optimizer's class, such as "AdamW"; see `adamjax.from_torch_args`.
      state_dict: the result of `optimizer.state_dict()`, of tensors or NumPy arrays; see `load`.
      params: the parameters here, a tree of arrays.
      names: for each of torch's parameters, in the order of the groups, its path in `params`, or
        (path, axes) where the layout differs.
      learning_rate: a number or a schedule that replaces the `lr` of the groups. SGD and Muon count
        no steps, so a schedule starts at step 0.

    Returns:
      `(tx, state)`, those of the variant if all parameters have equal settings and step counts,
      otherwise those of `optax.partition` with labels "group0", "group1", … by path. The state is
      float32, or as wide as the parameters.

    Raises:
      ValueError: if `names`, `params` and the state do not fit (the error names the path), if an
        argument has no equivalent, or if Adafactor factors other axes here.

    >>> import jax.numpy as jnp
    >>> entry = {"momentum_buffer": np.ones((3, 2), np.float32)}
    >>> saved = {"state": {0: entry}, "param_groups": [{"momentum": 0.9, "params": [0]}]}
    >>> params = {"kernel": jnp.zeros((2, 3))}
    >>> tx, state = from_torch("SGD", saved, params, [("kernel", (1, 0))])
    >>> state[0].mu["kernel"].shape
    (2, 3)
    """
    name = canonical(name, tables.TORCH)
    parameters = parameters_of(state_dict, param_mappings(names, params))
    groups: dict[Any, list[Parameter]] = {}
    for parameter in sorted(parameters, key=lambda parameter: parameter.param.leaf):
        shared = parameter.step, parameter.product
        groups.setdefault(repr((sorted(parameter.settings.items()), shared)), []).append(parameter)
    members = list(groups.values())
    where = [parameter.param for parameter in parameters]
    calls = [_call(name, group[0].settings, learning_rate, where) for group in members]
    if len(calls) == 1:
        tx = calls[0].make()
        return tx, _filled(calls[0], tx.init(params), members[0])
    labels = [""] * len(parameters)
    for i, group in enumerate(members):
        for parameter in group:
            labels[parameter.param.leaf] = f"group{i}"
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
    """Return the state for `optimizer.load_state_dict` of torch: the inverse of `from_torch`.

    Args:
      name: the optimizer's class in torch.
      state: the optimizer state here, also inside `optax.chain`, `optax.partition` and others. A
        momentum of Muon must be an average, as with the styles "author" and "torch".
      params: the parameters here.
      names: as in `from_torch`, in the order of the groups.
      param_groups: torch's settings, such as `optimizer.state_dict()["param_groups"]`. A single
        group may omit "params". Missing arguments have torch's defaults.
      as_tensors: return tensors, which imports torch, instead of NumPy arrays.

    Returns:
      `{"state": …, "param_groups": …}`. The state from `from_torch` is reproduced bit by bit,
      except NAdam's `mu_product` P, since 1 - P is stored here.

    Raises:
      ValueError: if the state is of another optimizer or encoded by a storage format, or if
        `names` or the groups do not fit the parameters.

    >>> import adamjax, jax.numpy as jnp
    >>> params = {"w": jnp.zeros((2, 3))}
    >>> tx = adamjax.from_torch_args("SGD", momentum=0.9)
    >>> _, state = tx.update({"w": jnp.ones((2, 3))}, tx.init(params), params)
    >>> names, groups = [("w", (1, 0))], [{"momentum": 0.9}]
    >>> there = to_torch("SGD", state, params, names, groups, as_tensors=False)
    >>> there["state"][0]["momentum_buffer"].shape, there["param_groups"][0]["params"]
    ((3, 2), [0])
    """
    name, where = canonical(name, tables.TORCH), param_mappings(names, params)
    groups = completed(name, param_groups, len(where))
    order = iter(where)
    convert: Callable[[np.ndarray], Any] = np.asarray
    if as_tensors:
        import torch  # pyrefly: ignore[missing-import]

        convert = torch.from_numpy
    entries = {}
    for group in groups:
        call = _call(name, group, None, where)
        rule = states.expected_rule(call.make(), params)
        # torch too goes by the order in the groups, not by number.
        mine = {i: next(order) for i in group["params"]}
        leaves = states.read(state, rule, [param.path for param in mine.values()], call.variant)
        for i, param in mine.items():
            if param.path not in leaves:
                continue
            keys = _keys(call, param, states.moment_names(rule))
            entry = _entry(name, call, param, leaves[param.path], keys)
            if entry:
                entries[i] = {key: convert(value) for key, value in entry.items()}
    return {"state": entries, "param_groups": groups}


def _call(
    name: str,
    settings: Mapping[str, Any],
    learning_rate: ScalarOrSchedule | None,
    where: Sequence[ParamMapping],
) -> Call:
    """Return the call of a group. Parameters of torch's Muon are matrices (outputs, inputs)."""
    call = call_of(name, settings, learning_rate)
    if call.variant == "muon":
        layouts = {p.path: ("in out" if p.moved else "out in") + " -> out in" for p in where}
        call.arguments["layouts"] = layouts
    return call


def _keys(call: Call, param: ParamMapping, names: list[str]) -> dict[str, str]:
    """Return torch's names of the moments that are kept of one parameter."""
    if call.variant != "adafactor":
        slots = tables.TORCH_SLOTS.get(call.variant, tables.TORCH_ADAM_SLOTS)
        return {name: slots[name] for name in names}
    rank = len(param.shape)
    if rank < 2:
        return {"v": "variance"}
    if param.axes[-2:] == (rank - 2, rank - 1):
        return {"v_row": "row_var", "v_col": "col_var"}
    if param.axes[-2:] == (rank - 1, rank - 2):
        return {"v_row": "col_var", "v_col": "row_var"}
    raise ValueError(
        f"names: torch's Adafactor factors the last two axes of {param.path!r}, which are not the "
        f"last two here (axes {param.axes}); its second moment cannot be converted"
    )


def _filled(call: Call, state: Any, group: list[Parameter]) -> Any:
    """Fill the state of one group, its parameters in leaf order."""
    moments = states.moment_leaves(states.rule_of(state))
    scalars = {"muon": [], "sgd": [], "nadam": ["step", "mu_product"]}.get(call.variant, ["step"])
    for i, parameter in enumerate(group):
        param, entry = parameter.param, parameter.entry
        keys = _keys(call, param, list(moments))
        expected = {*keys.values(), *scalars}
        if not entry:
            continue
        if entry.keys() != expected:
            raise ValueError(
                f"state of {param.path!r}: has {sorted(entry)}, but with these settings "
                f"{call.variant} has {sorted(expected)}; is it of another optimizer?"
            )
        for name, key in keys.items():
            moments[name][i] = param.to_here(key, entry[key], moments[name][i])
    return states.fill(state, group[0].step, moments, group[0].product)


def _entry(
    name: str, call: Call, param: ParamMapping, here: states.LeafState, keys: Mapping[str, str]
) -> dict[str, Any]:
    """Return torch's state of one parameter; empty before its first step."""
    entry = {key: param.to_there(here.moments[name]) for name, key in keys.items()}
    if here.count == 0 and name != "Adagrad" and not any(map(np.any, entry.values())):
        return {}
    if call.variant == "nadam":
        entry = {"mu_product": np.array(here.product_of_momenta(), np.float32)} | entry
    if call.variant not in ("muon", "sgd"):
        entry = {"step": np.array(here.count, np.float32)} | entry
    return entry
