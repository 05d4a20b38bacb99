"""From a rule on one array to an `optax.GradientTransformation` over a tree.

A rule is a function `(gradient, moments, step[, param]) -> (update, moments)`: the paper's update
of one array, where `p <- p - learning_rate * update` is left to `adamjax.optimizer`. `lift` is the
only place that knows trees, dtypes, the step count and bias correction.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from adamjax.checks import check_beta, check_not_negative, refuse_state
from adamjax.matrices.layers import Stack, over_layers, shape_over_layers, stacks_of
from adamjax.moments import Array, Beta, Scalar, clamp, increment
from adamjax.trees import (
    Mask,
    PyTree,
    check_patterns,
    check_same_tree,
    flatten_floating,
    leaf_names,
    like_updates,
    map_columns,
    require_params,
    resolve_mask,
    unbox,
)

ScalarOrSchedule = Any  # a Scalar, or a function from the number of steps done (int32) to one
Rule = Callable[..., tuple[Array, Any]]
_MODULUS = "square_of_modulus"  # an extra argument of `update`, from `with_modulus` to `lift`


class Slot(NamedTuple):
    """How one moment is stored.

    Attributes:
      dtype: dtype between steps. None is float32, or float64 for float64 parameters. A moment of
        a complex parameter is complex.
      fill: value before the first step.
      shape: from the parameter's shape, and its layout with `layouts_of`, to the moment's. None
        keeps the shape. Moments of another shape are outside the boxes of parameters
        (`nnx.Variable`), since these have shardings.
      square: whether the moment averages `adamjax.moments.abs_sq`. Under `with_modulus` its pairs
        for complex parameters are then one number, on a last axis of size 1.
    """

    dtype: Any = None
    fill: Scalar = 0.0
    shape: Callable[..., tuple[int, ...]] | None = None
    square: bool = False

    def tree(self, params: PyTree) -> PyTree:
        """Return the tree of the moments, with the leaves of the parameters."""
        return params if self.shape is None else unbox(params)

    def spec(self, leaf: Any, stack: Stack = (), *layout: Any) -> tuple[tuple[int, ...], Any]:
        """Return shape and dtype of the moment of a parameter."""
        shape = jnp.shape(leaf)
        if self.shape is not None:
            shape = (*shape, 2) if is_complex(leaf) else shape
            shape = shape_over_layers(lambda layer: self.shape(layer, *layout), stack, shape)
        return shape, self.kept_dtype(leaf)

    def kept_dtype(self, leaf: Any) -> Any:
        """Return the dtype of the moment of a parameter."""
        dtype = at_least_float32(jnp.result_type(leaf))
        dtype = dtype if self.shape is None else real(dtype)
        return self.dtype if self.dtype is not None and real(dtype) == dtype else dtype

    def start(self, param: Any, stack: Stack = (), *layout: Any) -> Array:
        """Return the moment of one parameter before the first step."""
        shape, dtype = self.spec(param, stack, *layout)
        fill = self.fill * (1 + 1j) if jnp.issubdtype(dtype, jnp.complexfloating) else self.fill
        if self.shape is None:
            return jnp.full_like(param, fill, dtype=dtype)
        sharding = explicit_sharding(param)
        sharding = sharding and sharding_beside(shape, param.shape, sharding)
        return jnp.full_like(param, fill, dtype=dtype, shape=shape, device=sharding)


def explicit_sharding(x: Any) -> Any:
    """Return the sharding of an array on a mesh of Explicit axes, or None."""
    traced = isinstance(x, jax.core.Tracer)
    sharding = jax.typeof(x).sharding if traced else getattr(x, "sharding", None)
    kinds = sharding.mesh.axis_types if isinstance(sharding, NamedSharding) else ()
    return sharding if AxisType.Explicit in kinds else None


def sharding_beside(
    shape: tuple[int, ...], of_param: tuple[int, ...], sharding: NamedSharding
) -> NamedSharding:
    """Shard a moment like its parameter, in the dimensions of equal size from the last on."""
    own = [*sharding.spec, *[None] * (len(of_param) - len(sharding.spec))]
    last = zip(own[::-1], of_param[::-1], shape[::-1], strict=False)
    spec = [axis if size == other else None for axis, size, other in last][::-1]
    return NamedSharding(sharding.mesh, PartitionSpec(*[None] * (len(shape) - len(spec)), *spec))


class ScheduledBetaState(NamedTuple):
    """State of a rule with a beta that may change from step to step.

    Attributes:
      bias_corrections: 1 - b₁b₂…b_t so far, a scalar for each beta that is a schedule.
      inner_state: the state that the rule has with constant betas.
    """

    bias_corrections: dict[str, Array]
    inner_state: Any


def without_corrections(state: Any) -> Any:
    """Return a state of `lift` as it is with constant betas."""
    return state.inner_state if isinstance(state, ScheduledBetaState) else state


def at_least_float32(dtype: Any) -> Any:
    """Return the dtype to compute in: float32 for float32 and below, float64 for float64."""
    return np.promote_types(dtype, np.float32)  # jnp refuses it under strict promotion


def is_complex(x: Any) -> bool:
    """Return whether an array has complex numbers."""
    return jnp.issubdtype(jnp.result_type(x), jnp.complexfloating)


def real(dtype: Any) -> Any:
    """Return the dtype of the real part."""
    return jnp.finfo(dtype).dtype


def as_real(x: Any, dtype: Any) -> Array:
    """Cast an array to a real dtype. Complex numbers become pairs, on a last axis of size 2.

    >>> as_real(jnp.array([1 + 2j]), jnp.float32).tolist()
    [[1.0, 2.0]]
    """
    return jnp.stack([x.real, x.imag], -1).astype(dtype) if is_complex(x) else jnp.asarray(x, dtype)


def cast_like(x: Array, like: Any) -> Array:
    """Cast an array to the dtype of another one. Pairs become complex numbers, if it has them."""
    if is_complex(like):
        real, single = x[..., 0], x.shape[-1] == 1
        x = jax.lax.complex(real, jnp.zeros_like(real) if single else x[..., 1])
    return x.astype(jnp.result_type(like))


def value_at(scalar: ScalarOrSchedule, count: Any) -> Scalar:
    """Evaluate a scalar or schedule at the step that follows `count` steps."""
    value = scalar(count) if callable(scalar) else scalar
    if jnp.ndim(value) != 0:
        raise TypeError(f"a schedule must return a scalar, got one of shape {jnp.shape(value)}")
    return value.item() if isinstance(value, np.generic | np.ndarray) else value


def times(a: ScalarOrSchedule, b: ScalarOrSchedule) -> ScalarOrSchedule:
    """Return the product, a schedule if one of them is."""
    if callable(a) or callable(b):
        return lambda count: value_at(a, count) * value_at(b, count)
    return a * b


def cast(value: Scalar, dtype: Any) -> Scalar:
    """Cast an array. A Python number stays, since JAX gives it the dtype of its partner."""
    return value.astype(dtype) if isinstance(value, jax.Array) else value


def lift(
    rule: Rule,
    state_type: Any,
    slots: Mapping[str, Slot],
    *,
    betas: Mapping[str, ScalarOrSchedule] = {},
    scalars: Mapping[str, ScalarOrSchedule] = {},
    needs_params: bool = False,
    mask: Mask = None,
    tree_scalars: Callable[..., Mapping[str, Scalar]] | None = None,
    leaf_inputs: Callable[..., Mapping[str, PyTree | None]] | None = None,
    uses_axes: bool = False,
    layouts_of: Callable[[PyTree], Sequence[Any]] | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Turn a rule on one array into a gradient transformation over a tree.

    Args:
      rule: `(gradient, moments, step)` or, with `needs_params`, `(gradient, moments, step, param)`
        to `(update, moments)`. Arrays are float32 (float64 for float64 gradients), and the gradient
        is limited to ±2⁶³ so that its square is finite. `moments` is a `state_type` with the
        moments of this one array. `step` has `count` (t = 1, 2, …), each beta as a `Beta`, and
        each scalar and input by name.
      state_type: a NamedTuple with `count` and one field for each slot, such as
        `optax.ScaleByAdamState`. A rule beside another one in a state has `step_count` instead, so
        that `optax.tree_utils.tree_get(state, "count")` finds one count.
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
      uses_axes: whether the rule depends on the axes of an array. It is then not applied to complex
        leaves, which other rules take as pairs of real numbers, on a last axis of size 2.
      layouts_of: from a tree to the layout of each leaf, such as
        `adamjax.matrices.resolve.resolve_layouts`. The rule finds it as `step.layout`, and the
        `shape` of a slot takes it as second argument.

    Returns:
      A transformation whose updates have the gradients' dtypes. Its state has the same tree, shapes
      and dtypes at every step. With a beta that is a schedule the state is wrapped in a
      `ScheduledBetaState`, since the bias correction is then a product over the steps. For a beta
      that is an array, as under `optax.inject_hyperparams`, it is 1 - bᵗ with the present b.

    Raises:
      ValueError: for a beta or scalar out of range; in `update`, if the gradients do not fit the
        state, the state belongs to another optimizer or has less precision, or the parameters are
        missing.
      TypeError: for a hyperparameter that is no scalar, or a dtype of a moment that is not
        floating; in `init`, for parameters that are not floating-point, or complex ones with
        `uses_axes`.

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
    check_settings(betas, scalars, slots, mask)
    clock = "count" if "count" in state_type._fields else "step_count"
    scheduled = [name for name, value in betas.items() if callable(value)]

    def init(params: PyTree) -> Any:
        flatten_floating("params", params, real=uses_axes)
        check_patterns("mask", mask, params)
        state = state_type(**_starts(clock, slots, params, layouts_of))
        corrections = {name: jnp.zeros([], float) for name in scheduled}
        return ScheduledBetaState(corrections, state) if scheduled else state

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        corrections, state = _unwrap(state, state_type, scheduled)
        params = like_updates(updates, params)
        gradients, treedef = flat = flatten_floating("updates", updates, real=uses_axes)
        stacks, *layouts = columns = _stacks_and_layouts(updates, layouts_of)
        befores = _moments_of_leaves(slots, state, updates, flat, columns)
        seen: Sequence[Any] = [None] * len(gradients)
        if needs_params:
            require_params(params, "this rule")
            seen = check_same_tree("updates", updates, "params", params, flat=flat)
        decays = resolve_mask(mask, params if needs_params else updates)
        rows = _rows(leaf_inputs and leaf_inputs(updates, extra_args), treedef, decays, layouts)
        corrections, steps = _steps(getattr(state, clock), gradients, betas, scalars, corrections)
        state = state._replace(**{clock: increment(getattr(state, clock))})
        widen = partial(_widen, slots, state, extra_args.get(_MODULUS, False))
        shared = _shared(tree_scalars, map(widen, gradients, befores), steps)

        def on_layer(g: Array, before: dict[str, Array], inputs: Any, *params: Array) -> Any:
            step = _with_inputs(steps[g.dtype], {**shared, **inputs}, g.dtype)
            u, after = rule(g, state._replace(**before), step, *params)
            return u, [getattr(after, name) for name in slots]

        def on_leaf(gradient: Array, before: Any, param: Any, inputs: Any, stack: Stack) -> Any:
            g, moments = widen(gradient, before)
            wide = {name: getattr(moments, name) for name in slots}
            params = [as_real(param, g.dtype)] if needs_params else []
            u, after = over_layers(on_layer, stack, g, wide, inputs, *params)
            return cast_like(u, gradient), list(map(cast_like, after, before))

        results = map_columns(on_leaf, gradients, befores, seen, rows, stacks)
        new = treedef.unflatten([u for u, _ in results])
        state = _with_moments(state, slots, [after for _, after in results])
        return new, ScheduledBetaState(corrections, state) if scheduled else state

    return optax.GradientTransformationExtraArgs(init, update)


def _shared(tree_scalars: Any, rows: Iterable[Any], steps: Mapping[Any, Any]) -> Mapping[str, Any]:
    """Return the scalars of the tree, from the gradient and the moments of each leaf."""
    if not tree_scalars or not steps:
        return {}
    wide, moments = zip(*rows, strict=True)
    return tree_scalars(wide, moments, steps[wide[0].dtype])


def _with_moments(state: Any, names: Iterable[str], rows: Sequence[Sequence[Array]]) -> Any:
    """Return the state with the new moments of each leaf."""
    for i, name in enumerate(names):
        like = jax.tree.structure(getattr(state, name))
        state = state._replace(**{name: like.unflatten([row[i] for row in rows])})
    return state


def with_modulus(
    tx: optax.GradientTransformationExtraArgs,
) -> optax.GradientTransformationExtraArgs:
    """Average |g|² of complex leaves, as Optax does, instead of the squares of both parts.

    >>> from adamjax import scale_by_adam
    >>> tx, g = with_modulus(scale_by_adam()), jnp.complex64(3 + 4j)
    >>> round(abs(complex(tx.update(g, tx.init(g))[0])), 4)
    1.0
    """

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        return tx.update(updates, state, params, **{**extra_args, _MODULUS: True})

    return optax.GradientTransformationExtraArgs(tx.init, update)


def check_settings(
    betas: Mapping[str, Any], scalars: Mapping[str, Any], slots: Mapping[str, Slot], mask: Mask
) -> None:
    """Raise ValueError or TypeError for arguments of `lift` that do not fit."""
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


def _stacks_and_layouts(tree: PyTree, layouts_of: Any) -> list[Sequence[Any]]:
    """Return the stack of each leaf, and its layout if the rule treats stacks by layouts."""
    if layouts_of is None:
        return [stacks_of(tree)]
    layouts = layouts_of(tree)
    return [[()] * len(layouts), layouts]


def _starts(
    clock: str, slots: Mapping[str, Slot], params: PyTree, layouts_of: Any
) -> dict[str, PyTree]:
    """Return the step count and the moments of all parameters before the first step."""
    columns = _stacks_and_layouts(params, layouts_of)
    flat = {name: jax.tree.flatten(slot.tree(params)) for name, slot in slots.items()}
    trees = {
        name: treedef.unflatten(map(slots[name].start, leaves, *columns))
        for name, (leaves, treedef) in flat.items()
    }
    return {clock: jnp.zeros([], jnp.int32), **trees}


def _moments_of_leaves(
    slots: Mapping[str, Slot],
    state: Any,
    updates: PyTree,
    flat: tuple[list[Any], Any],
    layouts: list[Sequence[Any]],
) -> list[tuple[Array, ...]]:
    """Return the stored moments of each leaf, in the order of the slots."""
    columns = []
    for name, slot in slots.items():
        like = slot.tree(updates)
        treedef = flat[1] if like is updates else jax.tree.structure(like)
        shapes = [slot.spec(*row)[0] for row in zip(flat[0], *layouts, strict=True)]
        there = f"the state's {name}", getattr(state, name)
        moments = check_same_tree("updates", like, *there, shapes=shapes, flat=(flat[0], treedef))
        check_precision(name, updates, moments, slot)
        columns.append(moments)
    return list(zip(*columns, strict=True)) if slots else [()] * len(flat[0])


def check_precision(name: str, updates: PyTree, moments: Sequence[Any], slot: Slot) -> None:
    """Raise ValueError for a moment of less precision than its slot has, as it would stay so."""
    least = jax.dtypes.canonicalize_dtype(jnp.float32 if slot.dtype is None else slot.dtype)
    for i, (leaf, x) in enumerate(zip(jax.tree.leaves(updates), moments, strict=True)):
        dtype, pairs = jnp.result_type(x), is_complex(leaf) and slot.shape is None
        if is_complex(x) != pairs or np.promote_types(dtype, least) != dtype:
            raise ValueError(
                f"state: {name} of {leaf_names(updates)[i]!r} is {dtype}, but this optimizer keeps "
                f"it in {jnp.dtype(slot.kept_dtype(leaf))}; cast it, as "
                "adamjax.convert_state(state, to='float32') does for mu and nu"
            )


def _rows(
    columns: Any, treedef: Any, decays: list[bool], layouts: list[Any]
) -> list[dict[str, Any]]:
    """Return the inputs of each leaf by name. None excludes it from decay, and is static in jit."""
    absent, exclude = [None] * treedef.num_leaves, {"weight_decay": None}
    flat = {
        k: absent if x is None else treedef.flatten_up_to(x) for k, x in (columns or {}).items()
    }
    flat |= zip(["layout"], layouts, strict=False)
    rows = [{k: column[i] for k, column in flat.items()} for i in range(treedef.num_leaves)]
    return [row if on else row | exclude for row, on in zip(rows, decays, strict=True)]


def _widen(
    slots: Mapping[str, Slot], state: Any, joint: bool, gradient: Array, before: Sequence[Array]
) -> tuple[Array, Any]:
    """Return the gradient and the moments of one leaf in the dtype to compute in."""
    dtype = real(at_least_float32(jnp.result_type(gradient)))
    moments = {name: as_real(x, dtype) for name, x in zip(slots, before, strict=True)}
    if joint and is_complex(gradient):
        moments |= {name: moments[name][..., :1] for name, slot in slots.items() if slot.square}
    return clamp(as_real(gradient, dtype)), state._replace(**moments)


def _with_inputs(step: SimpleNamespace, inputs: Mapping[str, Any], dtype: Any) -> SimpleNamespace:
    """Return the step with the scalars of the tree and the inputs of one leaf."""
    if not inputs:
        return step
    fields = {k: as_real(x, dtype) if isinstance(x, jax.Array) else x for k, x in inputs.items()}
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
        dtype = real(at_least_float32(jnp.result_type(g)))
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
    resolution = float(jnp.finfo(beta.dtype if floating else jnp.float32).epsneg)
    return jnp.maximum(1 - beta.astype(at_least_float32(beta.dtype)), resolution)
