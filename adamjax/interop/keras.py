"""Continue a run of Keras 3, and return to Keras.

    names = ["dense/kernel", "dense/bias"]   # in the order of model.trainable_variables
    tx, state = from_keras(optimizer, params, names)

`optimizer.variables` lists the step count, the learning rate (unless it is a schedule), averages of
the parameters (if it keeps them) and the moments. Keras's kernels have the layout of Flax's.
"""

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax.checks import canonical, is_number
from adamjax.interop import states, tables
from adamjax.interop.arguments import Call, keras_call
from adamjax.interop.trees import (
    Name,
    ParamMapping,
    as_numpy,
    named_leaves,
    number,
    param_mappings,
    whole,
)
from adamjax.moments import divide
from adamjax.rule import ScalarOrSchedule
from adamjax.trees import Mask, PyTree, find_nodes
from adamjax.wrappers.averaging import AveragingState

# The moments in Keras's order, with the endings of Keras's names. Those of one tuple alternate,
# parameter by parameter. Other variants have those moments of Adam that they keep.
_ADAM = [(("mu", "momentum"), ("nu", "velocity")), (("nu_max", "velocity_hat"),)]
_SLOTS = {
    "adamax": [(("mu", "momentum"), ("nu", "norm"))],
    "rmsprop": [(("nu", "velocity"),), (("mu", "momentum"),), (("mean", "average_gradient"),)],
    "adagrad": [(("nu", "accumulator"),)],
    "adadelta": [(("nu", "accumulated_grad"), ("delta", "accumulated_delta_var"))],
    "adafactor": [(("v_row", ""), ("v_col", ""), ("v", "velocity"))],
}
# The sign of the steps of the learning rate that the momentum holds instead of gradients.
_HOLDS_STEPS = {"sgd": -1.0, "rmsprop": 1.0}


_Moments = Mapping[str, Mapping[str, Any]]  # by field and path


class LossScale(NamedTuple):
    """The state of `keras.optimizers.LossScaleOptimizer`.

    Attributes:
      scale: the factor of the loss.
      steps: the number of finite steps since the scale has changed.
      growth_steps: the number of finite steps after which it doubles.
    """

    scale: float
    steps: int
    growth_steps: int


class _Optimizer(NamedTuple):
    """The contents of an optimizer of Keras."""

    call: Call
    variables: list[Any]
    rate: Any
    scheduled: bool
    params: list[ParamMapping]

    def parts(self, state: Any) -> dict[str, Any]:
        """Return the states of Muon and of its Adam by label, or the only state."""
        state = state if self.call.ema is None else state.inner_state
        if self.call.others is None:
            return {"": state}
        return {label: masked.inner_state for label, masked in state.inner_states.items()}

    def with_parts(self, state: Any, parts: Mapping[str, Any]) -> Any:
        """Return the state, without that of an average, with these parts."""
        if self.call.others is None:
            return parts[""]
        inner = (state if self.call.ema is None else state.inner_state).inner_states
        filled: dict[Any, Any] = {
            label: inner[label]._replace(inner_state=part) for label, part in parts.items()
        }
        return optax.transforms.PartitionState(filled)

    def slots(self, moments: Collection[_Moments]) -> list[tuple[Any, str, ParamMapping | None]]:
        """Check the variables, and return each with its field here and its parameter."""
        expected: list[tuple[str, str, ParamMapping | None]] = [("count", "iteration", None)]
        if not self.scheduled:
            expected.append(("learning_rate", "learning_rate", None))
        for block in [(("average", "average"),), *_SLOTS.get(self.call.variant, _ADAM)]:
            for param, (field, ending) in itertools.product(self.params, block):
                if _holder(moments, field, param.path) is not None:
                    expected.append((field, ending, param))
        if self.call.variant == "nadam":
            expected.append(("momentum", "", None))
        if len(self.variables) != len(expected):
            raise ValueError(
                f"optimizer: has {len(self.variables)} variables, but {self.call.variant} with "
                f"these settings has {len(expected)} for {len(self.params)} parameters; is it "
                "built, and are names those of its trainable variables?"
            )
        slots = []
        for variable, (field, ending, param) in zip(self.variables, expected, strict=True):
            path = getattr(variable, "path", None)
            if isinstance(path, str) and not path.endswith(ending):
                raise ValueError(
                    f"optimizer: expected a variable {ending!r} of {_owner(param)}, found "
                    f"{path!r}; this version of Keras keeps another order"
                )
            slots.append((variable, field, param))
        return slots

    def scale(self, field: str) -> float:
        """Return the factor from a moment of Keras to one here."""
        sign = _HOLDS_STEPS.get(self.call.variant) if field == "mu" else None
        return 1.0 if sign is None else sign * states.per_step(self.rate)


def _moments(rule: Any) -> dict[str, dict[str, Any]]:
    return {name: named_leaves(getattr(rule, name)) for name in states.moment_names(rule)}


def _holder(moments: Collection[_Moments], field: str, path: str) -> Any:
    return next((part[field] for part in moments if path in part.get(field, ())), None)


def _owner(param: ParamMapping | None) -> str:
    return "all" if param is None else repr(param.path)


def from_keras(
    optimizer: Any,
    params: PyTree,
    names: Sequence[Name],
    *,
    learning_rate: ScalarOrSchedule | None = None,
    mask: Mask = None,
) -> tuple[optax.GradientTransformationExtraArgs, Any]:
    """Continue a run of Keras: return the optimizer here and its state.

    Args:
      optimizer: one of `keras.optimizers`, built; or `(name, config, arrays)`: the class name,
        `optimizer.get_config()` and the arrays of `optimizer.variables`. The learning rate comes
        from the arrays.
      params: the parameters here, a tree of arrays.
      names: for each of `model.trainable_variables` its path in `params`, or (path, axes) as in
        `adamjax.interop.torch`.
      learning_rate: a number or a schedule that replaces Keras's. Required if that is a schedule.
      mask: the leaves that decay, see `adamjax.from_keras_args`.

    Returns:
      `(tx, state)`, those of the variant in Keras's style, in float32. With `use_ema` they are
      those of `adamjax.ema_params` around it, with Keras's averages.

    Raises:
      ValueError: if `names` or the variables do not fit `params`, or if an argument has no
        equivalent (see `adamjax.from_keras_args`).

    >>> arrays = [np.int32(7), np.float32(0.1), np.ones((2, 3), np.float32)]
    >>> config = {"learning_rate": 0.1, "momentum": 0.9}
    >>> params = {"w": jnp.zeros((2, 3))}
    >>> tx, state = from_keras(("SGD", config, arrays), params, ["w"])
    >>> int(state[0].count), float(state[0].mu["w"][0, 0])  # Keras keeps -lr B
    (7, -10.0)
    """
    known = _known(optimizer, params, names, learning_rate, mask)
    tx = known.call.make()
    state: Any = tx.init(params)
    parts = known.parts(state)
    moments = {label: _moments(states.rule_of(part)) for label, part in parts.items()}
    average = {} if known.call.ema is None else {"average": named_leaves(state.average)}
    everything = [*moments.values(), average]
    count, product = 0, None
    for variable, field, param in known.slots(everything):
        if field == "count":
            count = whole("optimizer: the steps done", variable)
        elif field == "momentum":
            product = number("optimizer: the product of momenta", variable)
        elif param is not None:
            holder = _holder(everything, field, param.path)
            like = holder[param.path]
            if known.call.variant == "adafactor":
                variable = _of_adafactor(field, variable, param, like)
            value = param.to_here(field, variable, like)
            holder[param.path] = value * known.scale(field)
    for label, part in parts.items():
        leaves = {field: list(named.values()) for field, named in moments[label].items()}
        parts[label] = states.fill(part, count, leaves, product)
    inner = known.with_parts(state, parts)
    if known.call.ema is None:
        return tx, inner
    mean = jax.tree.structure(state.average).unflatten(average["average"].values())
    steps = jnp.asarray(count, jnp.int32)
    return tx, AveragingState(steps, steps, mean, inner)


def to_keras(
    optimizer: Any,
    state: Any,
    params: PyTree,
    names: Sequence[Name],
    *,
    learning_rate: ScalarOrSchedule | None = None,
) -> list[np.ndarray]:
    """Return the arrays for `optimizer.variables` of Keras: the inverse of `from_keras`.

        for variable, array in zip(optimizer.variables, to_keras(...)):
            variable.assign(array)

    Args:
      optimizer: as in `from_keras`; its moments are not read.
      state: the optimizer state here, also inside other states.
      params: the parameters here.
      names: as in `from_keras`.
      learning_rate: as in `from_keras`.

    Raises:
      ValueError: as in `from_keras`, and if `state` is of another optimizer or encoded.

    >>> arrays = [np.int32(0), np.float32(0.1), np.zeros(2, np.float32)]
    >>> saved = ("Lion", {"learning_rate": 0.1}, arrays)
    >>> tx, state = from_keras(saved, {"w": jnp.zeros(2)}, ["w"])
    >>> _, state = tx.update({"w": jnp.ones(2)}, state)
    >>> int(to_keras(saved, state, {"w": jnp.zeros(2)}, ["w"])[0])
    1
    """
    known = _known(optimizer, params, names, learning_rate)
    like = known.parts(jax.eval_shape(known.call.make().init, params))
    everything, leaves = [], {}
    for rule in map(states.rule_of, like.values()):
        everything.append(_moments(rule))
        named = everything[-1].values()
        paths = [p.path for p in known.params if any(p.path in leaf for leaf in named)]
        found = states.read(state, rule, paths, known.call.variant)
        leaves |= {path: leaf for path, leaf in found.items() if path in paths}
    if known.call.ema is not None:
        everything.append({"average": _average(state)})
    first = next(iter(leaves.values()), None)
    arrays = []
    for variable, field, param in known.slots(everything):
        if field == "average" and param is not None:
            array = param.to_there(everything[-1][field][param.path])
        elif param is not None:
            array = _back(known, field, leaves[param.path], param)
        elif field == "count":
            array = states.rule_of(state).count if first is None else first.count
        elif field == "momentum" and first is not None:
            array = first.product_of_momenta()
        else:
            array = known.rate
        arrays.append(_shaped(array, as_numpy(variable), field, param))
    return arrays


def unwrap_loss_scale(optimizer: Any) -> tuple[tuple[str, dict[str, Any], list[Any]], LossScale]:
    """Return the optimizer inside Keras's `LossScaleOptimizer`, for `from_keras`, and its scale.

    Flax's `DynamicScale(scale=scale.scale, fin_steps=scale.steps,
    growth_interval=scale.growth_steps - 1)` goes on with the scale, and `adamjax.guard` skips the
    steps that are not finite.

    Args:
      optimizer: a `keras.optimizers.LossScaleOptimizer`, built, or `(name, config, arrays)` of it.

    Raises:
      ValueError: if it is another optimizer or not built.

    >>> inner = {"class_name": "Lion", "config": {"learning_rate": 0.1}}
    >>> config = {"inner_optimizer": inner, "dynamic_growth_steps": 2000}
    >>> arrays = [0, 0.0, 12, 1024.0, np.int32(7), np.float32(0.1), np.ones(2, np.float32)]
    >>> saved, scale = unwrap_loss_scale(("LossScaleOptimizer", config, arrays))
    >>> tx, state = from_keras(saved, {"w": jnp.zeros(2)}, ["w"])
    >>> int(state[0].count), scale
    (7, LossScale(scale=1024.0, steps=12, growth_steps=2000))
    """
    name, config, variables = _opened(optimizer)
    inner = config.get("inner_optimizer")
    built = len(variables) > 4 and getattr(variables[3], "path", "dynamic_scale").endswith(
        "dynamic_scale"
    )
    if not isinstance(inner, Mapping) or not built:
        raise ValueError(f"optimizer must be a LossScaleOptimizer of Keras, built; got {name}")
    steps = whole("optimizer: step_counter", variables[2])
    scale = number("optimizer: dynamic_scale", variables[3])
    saved = inner["class_name"], dict(inner["config"]), variables[4:]
    return saved, LossScale(scale, steps, config["dynamic_growth_steps"])


def _average(state: Any) -> dict[str, Any]:
    found = find_nodes(state, lambda node: isinstance(node, AveragingState))
    if not found:
        raise ValueError("state: it has no average of the parameters, as use_ema keeps there")
    return named_leaves(found[0].average)


def _shaped(array: Any, before: np.ndarray, field: str, param: ParamMapping | None) -> np.ndarray:
    """Convert an array to the dtype and the shape of its variable."""
    array = np.asarray(array, before.dtype)
    if array.size == before.size == 1:  # Keras keeps some numbers as one, some as an array
        array = array.reshape(before.shape)
    if array.shape != before.shape:
        raise ValueError(
            f"optimizer: its {field} of {_owner(param)} has shape {before.shape}, but "
            f"{array.shape} is that of params"
        )
    return array


def _known(
    optimizer: Any,
    params: PyTree,
    names: Sequence[Name],
    learning_rate: ScalarOrSchedule | None,
    mask: Mask = None,
) -> _Optimizer:
    name, config, variables = _opened(optimizer)
    name = canonical(name, tables.KERAS)
    scheduled = not is_number(config.get("learning_rate", 0.0))
    if learning_rate is not None:
        config = {**config, "learning_rate": learning_rate}
    elif not scheduled and len(variables) > 1:
        config = {**config, "learning_rate": number("optimizer: learning_rate", variables[1])}
    call, mappings = keras_call(name, config, mask), param_mappings(names, params)
    if call.others is not None:
        _follow_velocities(call, variables, mappings)
    rate = config.get("learning_rate", tables.KERAS[name].defaults["learning_rate"])
    return _Optimizer(call, variables, rate, scheduled, mappings)


def _follow_velocities(
    call: Call, variables: Sequence[Any], params: Sequence[ParamMapping]
) -> None:
    """Take the matrices of a built Muon. It has no velocity of them."""
    paths = [str(getattr(variable, "path", "")) for variable in variables]
    pairs = itertools.pairwise([*paths, ""])
    others = [after.endswith("velocity") for path, after in pairs if path.endswith("momentum")]
    if len(others) == len(params):
        chosen = zip(params, others, strict=True)
        layouts = {p.path: "other" if other else "in out -> out in" for p, other in chosen}
        call.arguments["layouts"] = layouts


def _opened(optimizer: Any) -> tuple[str, dict[str, Any], list[Any]]:
    """Return the name, the config and the variables of an optimizer."""
    if isinstance(optimizer, tuple | list) and len(optimizer) == 3:
        name, config, variables = optimizer
        if isinstance(config, Mapping) and isinstance(variables, Sequence | np.ndarray):
            return name, dict(config), list(variables)
    elif hasattr(optimizer, "get_config") and hasattr(optimizer, "variables"):
        return type(optimizer).__name__, optimizer.get_config(), list(optimizer.variables)
    raise ValueError(
        "optimizer must be one of keras.optimizers, built, or (name, config, arrays): its class's "
        f"name, optimizer.get_config() and the arrays of optimizer.variables; got {optimizer!r}"
    )


def _of_adafactor(field: str, variable: Any, param: ParamMapping, like: Any) -> np.ndarray:
    """Return a moment of Adafactor with an axis of size 1 for the averaged one."""
    if param.moved:
        raise ValueError(f"names: {param.path!r}: give Adafactor's factors in Keras's layout")
    array = as_numpy(variable)
    if len(param.shape) < 2:
        return array if field == "v" else np.asarray(like)
    return {"v_row": array[..., None], "v_col": array[..., None, :], "v": np.asarray(like)}[field]


def _back(known: _Optimizer, field: str, here: states.LeafState, param: ParamMapping) -> np.ndarray:
    if known.call.variant == "adafactor" and len(param.shape) > 1:
        row, col = here.moments["v_row"], here.moments["v_col"]
        if field == "v":
            return param.to_there(divide(row, jnp.mean(row, -2, keepdims=True)) * col)
        moment = param.to_there(here.moments[field])
        return moment[..., 0] if field == "v_row" else moment[..., 0, :]
    return param.to_there(here.moments[field]) / known.scale(field)
