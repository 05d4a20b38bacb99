"""From a rule on one array to an `optax.GradientTransformation` over a tree.

A rule is a function `(gradient, moments, step[, param]) -> (update, moments)`: the paper's update
of one array, where `p <- p - learning_rate * update` is left to `adamjax.optimizer`. `lift` is the
only place that knows trees, dtypes, the step count and bias correction.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax.checks import check_beta, check_not_negative, is_number, refuse_state
from adamjax.moments import Array, Beta, Scalar, clamp, increment
from adamjax.trees import (
    Mask,
    PyTree,
    check_patterns,
    check_real,
    check_same_tree,
    flatten_real,
    map_columns,
    require_params,
    resolve_mask,
)

ScalarOrSchedule = Any  # a Scalar, or a function from the number of steps done (int32) to one
Rule = Callable[..., tuple[Array, Any]]


class Slot(NamedTuple):
    """How one moment is stored.

    Attributes:
      dtype: dtype between steps. None is float32, or float64 for float64 parameters.
      fill: value before the first step.
      shape: from the parameter's shape to the moment's. None keeps the shape.
    """

    dtype: Any = None
    fill: Scalar = 0.0
    shape: Callable[[tuple[int, ...]], tuple[int, ...]] | None = None

    def start(self, param: Any) -> Array:
        """Return the moment of one parameter before the first step."""
        dtype = at_least_float32(jnp.result_type(param)) if self.dtype is None else self.dtype
        shape = None if self.shape is None else self.shape(jnp.shape(param))
        return jnp.full_like(param, self.fill, dtype=dtype, shape=shape)


class ScheduledBetaState(NamedTuple):
    """State of a rule with a beta that may change from step to step.

    Attributes:
      bias_corrections: 1 - b₁b₂…b_t so far, a scalar for each beta that is a schedule or an array.
      inner_state: the state that the rule has with constant betas.
    """

    bias_corrections: dict[str, Array]
    inner_state: Any


def without_corrections(state: Any) -> Any:
    """Return a state of `lift` as it is with constant betas."""
    return state.inner_state if isinstance(state, ScheduledBetaState) else state


def at_least_float32(dtype: Any) -> Any:
    """Return the dtype to compute in: float32 for float32 and below, float64 for float64."""
    return jnp.promote_types(dtype, jnp.float32)


def value_at(scalar: ScalarOrSchedule, count: Any) -> Scalar:
    """Evaluate a scalar or schedule at the step that follows `count` steps."""
    value = scalar(count) if callable(scalar) else scalar
    if jnp.ndim(value) != 0:
        raise TypeError(f"a schedule must return a scalar, got one of shape {jnp.shape(value)}")
    return value.item() if isinstance(value, np.generic | np.ndarray) else value


def cast(value: Scalar, dtype: Any) -> Scalar:
    """Cast an array. A Python number stays, since JAX gives it the dtype of its partner."""
    return value.astype(dtype) if isinstance(value, jax.Array) else value


def lift(
    rule: Rule,
    state_type: type,
    slots: Mapping[str, Slot],
    *,
    betas: Mapping[str, ScalarOrSchedule] | None = None,
    scalars: Mapping[str, ScalarOrSchedule] | None = None,
    needs_params: bool = False,
    mask: Mask = None,
    tree_scalars: Callable[..., Mapping[str, Scalar]] | None = None,
    leaf_inputs: Callable[..., Mapping[str, PyTree | None]] | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Turn a rule on one array into a gradient transformation over a tree.

    Args:
      rule: `(gradient, moments, step)` or, with `needs_params`, `(gradient, moments, step, param)`
        to `(update, moments)`. Arrays are float32 (float64 for float64 gradients), and the gradient
        is limited to ±2⁶³ so that its square is finite. `moments` is a `state_type` with the
        moments of this one array. `step` has `count` (t = 1, 2, …), each beta as a `Beta`, and
        each scalar and input by name.
      state_type: a NamedTuple with `count` and one field for each slot, such as
        `optax.ScaleByAdamState`.
      slots: how each moment is stored.
      betas: averaging coefficients, 0 <= b < 1: numbers, arrays or schedules.
      scalars: other hyperparameters, not negative: numbers, arrays or schedules.
      needs_params: whether the rule takes the parameter.
      mask: leaves to which `scalars["weight_decay"]` applies, in any form that `adamjax.optimizer`
        accepts. It is None for the others, see `adamjax.moments.add_decay`.
      tree_scalars: `(gradients, moments, step)`, lists over the leaves, to scalars by name, which
        the rule finds on `step`.
      leaf_inputs: `(updates, extra_args)`, the extra arguments of `update`, to trees like the
        updates by name. The rule finds the leaf, or None in place of a tree, on `step`.

    Returns:
      A transformation whose updates have the gradients' dtypes. Its state has the same tree, shapes
      and dtypes at every step. With a beta that is a schedule or an array (as under
      `optax.inject_hyperparams`) the state is wrapped in a `ScheduledBetaState`, since the bias
      correction is then a product over the steps.

    Raises:
      ValueError: for a beta or scalar out of range; in `update`, if the gradients do not fit the
        state, the state belongs to another optimizer, or the parameters are missing.
      TypeError: for a hyperparameter that is no scalar, or a dtype of a moment that is not
        floating; in `init`, for integer or complex parameters.

    >>> from adamjax.moments import ema
    >>> def average(g, moments, step):
    ...     mu = ema(g, moments.mu, step.b1)
    ...     return mu, moments._replace(mu=mu)
    >>> class State(NamedTuple):
    ...     count: Array
    ...     mu: PyTree
    >>> tx = lift(average, State, {"mu": Slot()}, betas={"b1": 0.75})
    >>> updates, state = tx.update({"w": jnp.float32(4.0)}, tx.init({"w": jnp.float32(0.0)}))
    >>> float(updates["w"])
    1.0
    """
    betas, scalars = dict(betas or {}), dict(scalars or {})
    _check_settings(betas, scalars, slots, mask)
    scheduled = [name for name, value in betas.items() if not is_number(value)]

    def init(params: PyTree) -> Any:
        check_real("params", params)
        check_patterns("mask", mask, params)
        trees = {name: jax.tree.map(slot.start, params) for name, slot in slots.items()}
        state = state_type(count=jnp.zeros([], jnp.int32), **trees)
        if not scheduled:
            return state
        return ScheduledBetaState({name: jnp.zeros([], float) for name in scheduled}, state)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        corrections, state = _unwrap(state, state_type, scheduled)
        gradients, treedef = flat = flatten_real("updates", updates)
        befores = _moments_of_leaves(slots, state, updates, flat)
        seen: Sequence[Any] = [None] * len(gradients)
        if needs_params:
            require_params(params, "this rule")
            seen = check_same_tree("updates", updates, "params", params, flat=flat)
        rows = _rows(leaf_inputs(updates, extra_args) if leaf_inputs else {}, treedef)
        if mask is not None:
            rows = _masked(rows, resolve_mask(mask, params if needs_params else updates))
        corrections, steps = _steps(state.count, gradients, betas, scalars, corrections)
        state = state._replace(count=increment(state.count))
        widen = partial(_widen, slots, state)
        shared: Mapping[str, Scalar] = {}
        if tree_scalars and gradients:
            wide, moments = zip(*map(widen, gradients, befores), strict=True)
            shared = tree_scalars(wide, moments, steps[wide[0].dtype])

        def on_leaf(gradient: Array, before: Sequence[Array], param: Any, inputs: Any) -> Any:
            g, moments = widen(gradient, before)
            step = _with_inputs(steps[g.dtype], {**shared, **inputs}, g.dtype)
            arguments = [jnp.asarray(param, g.dtype)] if needs_params else []
            u, after = rule(g, moments, step, *arguments)
            kept = [getattr(after, k).astype(x.dtype) for k, x in zip(slots, before, strict=True)]
            return u.astype(jnp.result_type(gradient)), kept

        results = map_columns(on_leaf, gradients, befores, seen, rows)
        new = treedef.unflatten([u for u, _ in results])
        moments = {k: treedef.unflatten([x[i] for _, x in results]) for i, k in enumerate(slots)}
        state = state._replace(**moments)
        return new, ScheduledBetaState(corrections, state) if scheduled else state

    return optax.GradientTransformationExtraArgs(init, update)


def _check_settings(
    betas: Mapping[str, Any], scalars: Mapping[str, Any], slots: Mapping[str, Slot], mask: Mask
) -> None:
    if mask is not None and "weight_decay" not in scalars:
        raise ValueError("mask: there is no scalars['weight_decay'] that it could apply to")
    for name, value in betas.items():
        check_beta(name, value)
    for name, value in scalars.items():
        check_not_negative(name, value)
    for slot in slots.values():
        if slot.dtype is not None and not jnp.issubdtype(slot.dtype, jnp.floating):
            raise TypeError(f"mu_dtype and nu_dtype must be floating dtypes, got {slot.dtype!r}")


def _unwrap(state: Any, state_type: Any, scheduled: list[str]) -> tuple[dict[str, Array], Any]:
    """Return the bias corrections that are carried, and the state of the rule itself."""
    corrections, inner = {}, state
    if isinstance(state, ScheduledBetaState):
        corrections, inner = state
    if not isinstance(inner, state_type) or set(corrections) != set(scheduled):
        refuse_state(state)
    return corrections, inner


def _moments_of_leaves(
    slots: Mapping[str, Slot], state: Any, updates: PyTree, flat: tuple[list[Any], Any]
) -> list[tuple[Array, ...]]:
    """Return the stored moments of each leaf, in the order of the slots."""
    columns = []
    for name, slot in slots.items():
        tree = getattr(state, name)
        columns.append(
            check_same_tree(
                "updates", updates, f"the state's {name}", tree, shape=slot.shape, flat=flat
            )
        )
    return list(zip(*columns, strict=True)) if slots else [()] * len(flat[0])


def _rows(columns: Mapping[str, PyTree | None], treedef: Any) -> list[dict[str, Any]]:
    """Return the inputs of each leaf by name."""
    absent = [None] * treedef.num_leaves
    flat = {k: absent if x is None else treedef.flatten_up_to(x) for k, x in columns.items()}
    return [{k: column[i] for k, column in flat.items()} for i in range(treedef.num_leaves)]


def _masked(rows: list[dict[str, Any]], decays: list[bool]) -> list[dict[str, Any]]:
    """Set the weight decay of excluded leaves to None, which is static under jit."""
    exclude = {"weight_decay": None}
    return [row if on else {**row, **exclude} for row, on in zip(rows, decays, strict=True)]


def _widen(
    slots: Mapping[str, Slot], state: Any, gradient: Array, before: Sequence[Array]
) -> tuple[Array, Any]:
    """Return the gradient and the moments of one leaf in the dtype to compute in."""
    dtype = at_least_float32(jnp.result_type(gradient))
    moments = {name: x.astype(dtype) for name, x in zip(slots, before, strict=True)}
    return clamp(jnp.asarray(gradient, dtype)), state._replace(**moments)


def _with_inputs(step: SimpleNamespace, inputs: Mapping[str, Any], dtype: Any) -> SimpleNamespace:
    """Return the step with the scalars of the tree and the inputs of one leaf."""
    if not inputs:
        return step
    fields = {name: cast(value, dtype) for name, value in inputs.items()}
    return SimpleNamespace(**{**vars(step), **fields})


def _steps(
    count: Array,
    gradients: Sequence[Any],
    betas: Mapping[str, ScalarOrSchedule],
    scalars: Mapping[str, ScalarOrSchedule],
    corrections: Mapping[str, Array],
) -> tuple[dict[str, Array], dict[Any, SimpleNamespace]]:
    """Return the new bias corrections, and the step as rules see it in each dtype of gradients."""
    values = {name: value_at(b, count) for name, b in betas.items()}
    settings = {name: value_at(value, count) for name, value in scalars.items()}
    corrections = {name: c + _one_minus(values[name]) * (1 - c) for name, c in corrections.items()}
    count = increment(count)
    steps = {}
    for g in gradients:
        dtype = at_least_float32(jnp.result_type(g))
        if dtype in steps:
            continue
        t = count.astype(dtype)
        now = {name: beta_at(value, t) for name, value in values.items()}
        for name, correction in corrections.items():
            now[name] = now[name]._replace(bias_correction=correction.astype(dtype))
        constants = {name: cast(value, dtype) for name, value in settings.items()}
        steps[dtype] = SimpleNamespace(count=t, **now, **constants)
    return corrections, steps


def beta_at(value: Scalar, t: Array) -> Beta:
    """Return a beta at step t in the dtype of t, with the bias correction of a constant beta."""
    one_minus = cast(_one_minus(value), t.dtype)
    if isinstance(value, jax.Array):
        neg_log = -jnp.log1p(-one_minus)
    else:
        neg_log = -math.log(value) if value > 0 else math.inf
    return Beta(1 - one_minus, one_minus, neg_log, -jnp.expm1(-neg_log * t))


def _one_minus(beta: Scalar) -> Scalar:
    """Return 1 - b, above 0.

    An array of low precision may have rounded b = 0.999 to 1, as `optax.inject_hyperparams` on
    bfloat16 parameters does. It then counts as the largest number below 1 of its dtype.
    """
    if not isinstance(beta, jax.Array):
        return 1 - beta
    floating = jnp.issubdtype(beta.dtype, jnp.floating)
    resolution = jnp.finfo(beta.dtype if floating else jnp.float32).epsneg
    return jnp.maximum(1 - beta.astype(at_least_float32(beta.dtype)), resolution)
