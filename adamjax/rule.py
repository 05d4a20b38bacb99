"""From a rule on one array to an `optax.GradientTransformation` over a tree.

A rule is a function `(gradient, moments, step[, parameter]) -> (direction, moments)`: the paper's
update for one array, with `p <- p - learning_rate * direction` left to `adamjax.optimizer`.
`lift` is the only place that knows trees, dtypes, the step count and bias correction.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax import one_pass
from adamjax.checks import check_decay, check_not_negative, is_number, refuse_state
from adamjax.moments import Array, Decay, Scalar, clamp
from adamjax.trees import PyTree, check_real, check_same_tree

ScalarOrSchedule = Any  # a Scalar, or a function from the steps done (int32) to one
Rule = Callable[..., tuple[Array, Any]]


class Slot(NamedTuple):
    """How one moment is kept.

    Attributes:
      fill: its value before the first step.
      dtype: how it is stored between steps; None is float32, or float64 for float64 parameters.
      shape: from the parameter's shape to the moment's; None keeps it.
    """

    fill: Scalar = 0.0
    dtype: Any = None
    shape: Callable[[tuple[int, ...]], tuple[int, ...]] | None = None

    def start(self, param: Any) -> Array:
        """The moment of one parameter before the first step."""
        dtype = at_least_float32(jnp.result_type(param)) if self.dtype is None else self.dtype
        shape = None if self.shape is None else self.shape(jnp.shape(param))
        return jnp.full_like(param, self.fill, dtype=dtype, shape=shape)


class ScheduledDecayState(NamedTuple):
    """The state of a rule of which a decay may change from step to step.

    Attributes:
      corrections: for each decay that is a schedule or an array, 1 - b₁b₂…b_t so far (a scalar).
      inner_state: the state that the rule has with constant decays.
    """

    corrections: dict[str, Array]
    inner_state: Any


def with_fields(state: Any, **fields: Any) -> Any:
    """A state of `lift`, wrapped in a `ScheduledDecayState` or not, with other moments.

    >>> plain = optax.ScaleByLionState(count=0, mu=1.0)
    >>> with_fields(ScheduledDecayState({}, plain), mu=2.0)
    ScheduledDecayState(corrections={}, inner_state=ScaleByLionState(count=0, mu=2.0))
    """
    if isinstance(state, ScheduledDecayState):
        return state._replace(inner_state=state.inner_state._replace(**fields))
    return state._replace(**fields)


def without_corrections(state: Any) -> Any:
    """A state of `lift` as it is with constant decays.

    >>> without_corrections(ScheduledDecayState({}, optax.EmptyState()))
    EmptyState()
    """
    return state.inner_state if isinstance(state, ScheduledDecayState) else state


def at_least_float32(dtype: Any) -> Any:
    """The dtype to compute in: float32 for float32 and below, float64 for float64."""
    return jnp.promote_types(dtype, jnp.float32)


def value_at(scalar: ScalarOrSchedule, count: Any) -> Scalar:
    """A scalar at the step that follows `count` steps: a schedule is asked, the rest is itself."""
    value = scalar(count) if callable(scalar) else scalar
    if jnp.ndim(value) != 0:
        raise TypeError(f"a schedule must return a scalar, got one of shape {jnp.shape(value)}")
    return value.item() if isinstance(value, np.generic | np.ndarray) else value


def cast(value: Scalar, dtype: Any) -> Scalar:
    """An array in this dtype; a Python number as it is, since JAX gives it its partner's dtype."""
    return value.astype(dtype) if isinstance(value, jax.Array) else value


def traced_once(
    function: Callable[..., Any], leaves: Sequence[Any], **options: Any
) -> Callable[..., Any]:
    """A function of one leaf that is traced once for all leaves of a shape, if there are many.

    >>> traced_once(jnp.sqrt, []) is jnp.sqrt
    True
    """
    many = len(leaves) > 8 and any(isinstance(x, jax.core.Tracer) for x in leaves)
    return jax.jit(function, **options) if many else function


def lift(
    rule: Rule,
    state_type: type,
    slots: Mapping[str, Slot],
    *,
    decays: Mapping[str, ScalarOrSchedule] | None = None,
    scalars: Mapping[str, ScalarOrSchedule] | None = None,
    needs_params: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Turns a rule on one array into a gradient transformation over a tree.

    Args:
      rule: `(gradient, moments, step)` or, with `needs_params`, `(gradient, moments, step, param)`
        to `(direction, moments)`. Arrays come in float32 (float64 for float64 gradients), the
        gradient limited to ±2⁶³ so that its square is finite. `moments` is a `state_type` that
        holds the moments of this one array; `step` has `count` (t = 1, 2, …), each decay as a
        `Decay` and each scalar, by name.
      state_type: a NamedTuple with `count` and one field for each slot, such as
        `optax.ScaleByAdamState`.
      slots: how each moment is kept.
      decays: averaging coefficients, 0 <= b < 1: numbers, arrays or schedules.
      scalars: other hyperparameters, not negative: numbers, arrays or schedules.
      needs_params: whether the rule sees the parameter.

    Returns:
      A transformation whose directions have the gradients' dtypes and whose state has the same
      tree, shapes and dtypes at every step. With a decay that is a schedule or an array (as under
      `optax.inject_hyperparams`) the state is wrapped in a `ScheduledDecayState`, as the bias
      correction is then a product that must be carried.

    Raises:
      ValueError: for a decay or scalar out of range; in `update`, if the gradients do not fit the
        state, the state is of another optimizer or the parameters are missing.
      TypeError: for a hyperparameter that is no scalar, a moment's dtype that is not floating; in
        `init`, for integer or complex parameters.

    >>> from adamjax.moments import ema
    >>> def average(g, moments, step):
    ...     mu = ema(g, moments.mu, step.b1)
    ...     return mu, moments._replace(mu=mu)
    >>> class State(NamedTuple):
    ...     count: Array
    ...     mu: PyTree
    >>> tx = lift(average, State, {"mu": Slot()}, decays={"b1": 0.75})
    >>> updates, state = tx.update({"w": jnp.float32(4.0)}, tx.init({"w": jnp.float32(0.0)}))
    >>> float(updates["w"])
    1.0
    """
    decays, scalars = dict(decays or {}), dict(scalars or {})
    _check_settings(decays, scalars, slots)
    scheduled = [name for name, value in decays.items() if not is_number(value)]

    def init(params: PyTree) -> Any:
        check_real("params", params)
        trees = {name: jax.tree.map(slot.start, params) for name, slot in slots.items()}
        state = state_type(count=jnp.zeros([], jnp.int32), **trees)
        if not scheduled:
            return state
        return ScheduledDecayState({name: jnp.zeros([], float) for name in scheduled}, state)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        del extra_args
        corrections, state = _opened(state, state_type, scheduled)
        check_real("updates", updates)
        _check_inputs(updates, state, slots, params, needs_params)
        values = {name: value_at(b, state.count) for name, b in decays.items()}
        corrections = {
            name: c + _complement(values[name]) * (1 - c) for name, c in corrections.items()
        }
        settings = {name: value_at(value, state.count) for name, value in scalars.items()}
        state = state._replace(count=optax.safe_increment(state.count))

        leaves, treedef = jax.tree.flatten(updates)
        moments = {name: treedef.flatten_up_to(getattr(state, name)) for name in slots}
        seen = treedef.flatten_up_to(params) if needs_params else leaves
        # In order, so that every process traces the same program.
        dtypes = dict.fromkeys(at_least_float32(jnp.result_type(g)) for g in leaves)
        steps = {d: _step(state.count, d, values, corrections, settings) for d in dtypes}

        def on_leaf(gradient: Array, before: dict[str, Array], param: Array) -> Any:
            dtype = at_least_float32(jnp.result_type(gradient))
            wide = state._replace(**{name: x.astype(dtype) for name, x in before.items()})
            seen = [jnp.asarray(param, dtype)] if needs_params else []
            direction, after = rule(clamp(jnp.asarray(gradient, dtype)), wide, steps[dtype], *seen)
            kept = {name: getattr(after, name).astype(x.dtype) for name, x in before.items()}
            return direction.astype(jnp.result_type(gradient)), kept

        run = _each_by_itself(on_leaf, slots) if one_pass.asked_for() else on_leaf
        run = traced_once(run, leaves)
        befores = [{name: trees[i] for name, trees in moments.items()} for i in range(len(leaves))]
        results = list(map(run, leaves, befores, seen))
        trees = {name: treedef.unflatten([kept[name] for _, kept in results]) for name in slots}
        state = state._replace(**trees)
        directions = treedef.unflatten([direction for direction, _ in results])
        return directions, ScheduledDecayState(corrections, state) if scheduled else state

    return optax.GradientTransformationExtraArgs(init, update)


def _each_by_itself(on_leaf: Callable[..., Any], slots: Mapping[str, Slot]) -> Callable[..., Any]:
    """A function that computes the direction and each moment from the inputs by itself."""

    def run(*inputs: Any) -> Any:
        (direction, _), *others = one_pass.separately(on_leaf, inputs, 1 + len(slots))
        return direction, {k: kept[k] for k, (_, kept) in zip(slots, others, strict=True)}

    return run


def _check_settings(
    decays: Mapping[str, Any], scalars: Mapping[str, Any], slots: Mapping[str, Slot]
) -> None:
    for name, value in decays.items():
        check_decay(name, value)
    for name, value in scalars.items():
        check_not_negative(name, value)
    for slot in slots.values():
        if slot.dtype is not None and not jnp.issubdtype(slot.dtype, jnp.floating):
            raise TypeError(f"mu_dtype and nu_dtype must be floating dtypes, got {slot.dtype!r}")


def _opened(state: Any, state_type: Any, scheduled: list[str]) -> tuple[dict[str, Array], Any]:
    """The corrections that are carried, and the state of the rule itself."""
    corrections, inner = {}, state
    if isinstance(state, ScheduledDecayState):
        corrections, inner = state
    if not isinstance(inner, state_type) or set(corrections) != set(scheduled):
        refuse_state(state)
    return corrections, inner


def _check_inputs(
    updates: PyTree, state: Any, slots: Mapping[str, Slot], params: PyTree, needs_params: bool
) -> None:
    for name, slot in slots.items():
        kept = getattr(state, name)
        check_same_tree("updates", updates, f"the state's {name}", kept, shape=slot.shape)
    if needs_params:
        if params is None:
            raise ValueError(
                "params: this rule looks at the parameters; call update(updates, state, params)"
            )
        check_same_tree("params", params, "updates", updates)


def _step(
    count: Array,
    dtype: Any,
    values: Mapping[str, Scalar],
    corrections: Mapping[str, Array],
    settings: Mapping[str, Scalar],
) -> SimpleNamespace:
    """What a rule may know of the present step, in the dtype it computes in."""
    t = count.astype(dtype)
    decays = {name: decay_at(value, t) for name, value in values.items()}
    for name, correction in corrections.items():
        decays[name] = decays[name]._replace(correction=correction.astype(dtype))
    scalars = {name: cast(value, dtype) for name, value in settings.items()}
    return SimpleNamespace(count=t, **decays, **scalars)


def decay_at(value: Scalar, t: Array) -> Decay:
    """A coefficient at step t, its correction as if it had always been the same; in t's dtype.

    >>> [round(float(x), 4) for x in decay_at(0.5, jnp.float32(2.0))]
    [0.5, 0.5, 0.6931, 0.75]
    """
    complement = cast(_complement(value), t.dtype)
    rate = -jnp.log1p(-complement) if isinstance(value, jax.Array) else _rate(value)
    return Decay(1 - complement, complement, rate, -jnp.expm1(-rate * t))


def _rate(decay: float) -> float:
    """-log b of a Python number, in double precision."""
    return -math.log(decay) if decay > 0 else math.inf


def _complement(decay: Scalar) -> Scalar:
    """1 - b, above 0.

    An array of low precision may have rounded b = 0.999 to 1 (`optax.inject_hyperparams` on
    bfloat16 parameters does); it is then taken for the largest number below 1 of its dtype.
    """
    if not isinstance(decay, jax.Array):
        return 1 - decay
    floating = jnp.issubdtype(decay.dtype, jnp.floating)
    resolution = jnp.finfo(decay.dtype if floating else jnp.float32).epsneg
    return jnp.maximum(1 - decay.astype(at_least_float32(decay.dtype)), resolution)
