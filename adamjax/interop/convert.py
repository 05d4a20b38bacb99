"""Go on with another optimizer: the averages of one optimizer's state in the state of another."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.modifiers.eigenbasis import EigenbasisState
from adamjax.moments import Array, divide, norm
from adamjax.rule import ScheduledBetaState, is_complex
from adamjax.storage.roles import roles_of
from adamjax.storage.rounding import RoundParamsState, carry_residual
from adamjax.storage.state_moments import CLOCKS, Moments, split_moments, steps_done
from adamjax.storage.store import store_like, wide_moments
from adamjax.trees import PyTree, find_nodes, leaf_names
from adamjax.wrappers.accumulate import AccumulateState
from adamjax.wrappers.averaging import AveragingState

_KINDS = {"mean": "mean", "signed": "mean", "square": "square"}  # by role
_CLOCKS = (*CLOCKS, "gradient_step")
_MICROBATCHES = 1000  # of `accumulate` and `optax.MultiSteps` until a step, at most


class _Average(NamedTuple):
    """A moment of one leaf that follows x = decay x + gain g, of gradients g or their squares."""

    field: str
    gain: float
    decay: float

    @property
    def is_sum(self) -> bool:
        """Whether the gain is 1, not 1 - decay."""
        return self.gain > 0.5 and self.gain**2 > 1 - self.decay

    def weight(self, count: float) -> float:
        """Return the sum of the weights of `count` gradients."""
        if not self.is_sum:
            return 1 - (1 - self.gain) ** count
        fades = self.decay < 1 - 1e-6
        return (1 - self.decay**count) / (1 - self.decay) if fades else count

    def length(self, count: float) -> float:
        """Return the number of equal weights that average as much noise away."""
        if self.decay > 1 - 1e-6:
            return count
        power = self.decay**count
        return (1 + self.decay) * (1 - power) / ((1 - self.decay) * (1 + power))


Key = tuple[str, str]  # a leaf, and "mean" or "square"
Averages = dict[Key, _Average]


def convert_optimizer(
    state: Any,
    old: optax.GradientTransformation,
    new: optax.GradientTransformation,
    params: PyTree,
) -> Any:
    """Return the state with which `new` goes on where `old` has stopped.

    The state has averages of the gradients and of their squares for each leaf. Three steps of each
    optimizer on small random gradients show which moments are averages or sums, and over how many
    steps. These moments of `new` are set to the same averages, in its storage format and with its
    factor, such as 1 / (1 - b1) for a sum. Its counts are the steps done, so schedules go on.

    | from, to | starts as |
    |---|---|
    | a first moment, to none before | 0, which grows as in a warm-up |
    | a first moment, over fewer steps before | the average with the weight of these steps |
    | a second moment, to none before | m² (1 + b) / (1 - b) of the smaller b, by row and column |
    | SOAP | Adam: its basis starts at that of the parameters |
    | from SOAP | m is turned back, v has the scale of SOAP's and the form of m² |
    | a schedule-free optimizer | the parameters and a new average of them |
    | `ema_params` or `swa`, before too | the same average |
    | `param_rounding` that stores errors, before too | the same errors, in its format |

    Call it outside of `jit`. The learning rate of `new` needs no ramp. In
    `python -m benchmarks.convert`, `new.init(params)` was as good as a converted state, or slightly
    better.

    Args:
      state: the state of `old`. If it counts no steps (`optax.sgd`), give
        `(state, optax.ScaleByScheduleState(jnp.asarray(steps)))`.
      old: the optimizer that has made `state`, of adamjax or Optax.
      new: the optimizer to go on with. Another learning rate or storage format may be the change.
      params: the parameters to go on from: those trained, or `adamjax.eval_params(state, params)`
        of a schedule-free optimizer.

    Returns:
      A state like `new.init(params)`.

    Raises:
      TypeError: for complex parameters.
      ValueError: if `state` counts no steps or is not of `old`, or if a moment of `new` has no
        source in it, as with factored moments and KL-SOAP.

    >>> import adamjax
    >>> params, old = {"w": jnp.ones((2, 3))}, optax.sgd(optax.constant_schedule(0.1), 0.9)
    >>> _, state = old.update(params, old.init(params))
    >>> new = adamjax.lion(1e-4, b2=0.5)
    >>> after = convert_optimizer(state, old, new, params)[0]
    >>> int(after.count), round(float(after.mu["w"][0, 0]), 4)  # (1 - 0.5) of one gradient
    (1, 0.5)
    """
    fresh, count, parts = new.init(params), steps_done(state), wide_moments(state)
    kinds = [
        [(part.names, part.roles) for part in x] for x in (parts, wide_moments(old.init(params)))
    ]
    if kinds[0] != kinds[1]:
        raise ValueError(
            "state: its moments are not those of old.init(params); if it is of old, restore the "
            "checkpoint into old.init(params) as the template"
        )
    if count is None:
        raise ValueError(
            "state: it counts no steps; give it with the steps done, "
            "(state, optax.ScaleByScheduleState(jnp.asarray(steps)))"
        )
    count, like = int(count), fresh
    if count == 0:
        return _with_parameters(params, state, fresh)
    alike = _spec(state) == _spec(fresh)  # all but the storage format
    known, sought = _averages(old, params), _averages(new, params)
    means, lengths, own = (
        _means(parts, known, count),
        _lengths(known, count),
        _lengths(sought, count),
    )
    rotated = set() if alike else _rotated(state)
    if rotated:
        chosen = {key: x for key, x in means.items() if key[0] in rotated}
        means |= _turned_back(state, old, known, params, chosen)
    for name, length in lengths.items():
        shorter = min(length, own.get(name, length))
        if name in rotated or (name, "square") not in means:
            square = _estimate(means[name, "mean"], shorter)
            scale = jnp.mean(means.get((name, "square"), square))  # of any basis
            means[name, "square"] = square * divide(scale, jnp.mean(square))
        means[name, "mean"] *= shorter / own.get(name, length)
    fresh = _with_hyperparams(state, fresh) if alike else _with_count(fresh, count)
    ages = [count if alike or not each else math.inf for each in _scheduled(fresh)]
    parts = wide_moments(fresh)
    for part, of_part in zip(parts, sought, strict=True):
        missing = [name for name in part.names if (name, "square") not in of_part]
        if missing and not alike and "square" in part.roles.values():
            raise ValueError(
                f"new: its second moment of {missing[0]!r} is no average of squares; start with "
                "new.init(params)"
            )
    rows = zip(parts, sought, ages, strict=True)
    filled = store_like(like, fresh, [_filled(*row, means) for row in rows])
    return _with_parameters(params, state, filled)


def _averages(tx: optax.GradientTransformation, params: PyTree) -> list[Averages]:
    """Return the first average of gradients and of squares by leaf and kind, for each part."""
    leaves, treedef = jax.tree.flatten(jax.tree.map(jnp.zeros_like, params))
    for name, x in zip(leaf_names(params), leaves, strict=True):
        if is_complex(x):
            raise TypeError(
                f"params[{name!r}] is {x.dtype}, whose second moments differ between libraries; "
                "start with new.init(params)"
            )
    zeros, update = treedef.unflatten(leaves), jax.jit(optax.with_extra_args_support(tx).update)
    small = 1e-3 / math.sqrt(max(1, sum(x.size for x in leaves)))  # below any clipping
    keys = jax.random.split(jax.random.key(0), len(leaves))
    pairs = zip(keys, leaves, strict=True)
    signs = [jax.random.rademacher(key, x.shape, jnp.float32) for key, x in pairs]
    grads = [(small * s).astype(x.dtype) for s, x in zip(signs, leaves, strict=True)]
    squares = dict(zip(leaf_names(zeros), map(_sum_of_squares, grads), strict=True))
    state, steps = tx.init(zeros), []
    for factor in (1, 1, 0):
        before = steps_done(state)
        for _ in range(_MICROBATCHES):
            each = treedef.unflatten([factor * g for g in grads])
            _, state = update(each, state, zeros, value=1.0)  # as `reduce_on_plateau` needs it
            if before is None or steps_done(state) != before:
                break
        parts = wide_moments(state)
        steps.append(jax.device_get([_sizes(part, squares) for part in parts]))
    return [_averages_of(part.roles, *each) for part, *each in zip(parts, *steps, strict=True)]


def _sum_of_squares(x: Array) -> Array:
    return jnp.sum(jnp.square(jnp.abs(x).astype(jnp.float32)))


def _sizes(part: Moments, squares: Mapping[str, Array]) -> dict[tuple[str, str], Array]:
    """Return the size of each moment of each leaf in units of the gradient."""
    sizes = {}
    for name, leaf in zip(part.names, part.leaves, strict=True):
        for field, x in leaf.items():
            is_square = _KINDS.get(part.roles[field]) == "square"
            ratio = jnp.sum(x) if is_square else _sum_of_squares(x)
            ratio = divide(ratio, squares[name])
            sizes[name, field] = ratio if is_square else jnp.sqrt(ratio)
    return sizes


def _averages_of(
    roles: Mapping[str, str], *sizes: Mapping[tuple[str, str], float]
) -> dict[tuple[str, str], _Average]:
    """Find averages from the sizes after two equal gradients and a third that is 0."""
    found: dict[tuple[str, str], _Average] = {}
    for (name, field), *steps in zip(sizes[0], *(each.values() for each in sizes), strict=True):
        first, second, third = map(float, steps)
        kind = _KINDS.get(roles[field])
        if kind is None or (name, kind) in found or not second > 0:
            continue
        decay = min(third / second, 1.0)
        average = _Average(field, second - decay * first, decay)
        # Of normalized gradients, or of other factors, a moment is no average.
        fits = abs(1 - decay - average.gain) <= average.gain + 0.005 or average.is_sum
        if fits and 0 < average.gain < 1.01:
            found[name, kind] = average
    return found


def _means(parts: Sequence[Moments], averages: Sequence[Averages], count: int) -> dict[Key, Array]:
    """Return the averages of gradients and squares."""
    means = {}
    for part, of_part in zip(parts, averages, strict=True):
        steps = count if part.count is None else int(part.count)
        leaves = dict(zip(part.names, part.leaves, strict=True))
        for key, average in of_part.items():
            means[key] = leaves[key[0]][average.field] / average.weight(steps)
    return means


def _lengths(averages: Sequence[Averages], count: int) -> dict[str, float]:
    """Return the length of the average of gradients by leaf."""
    rows = [row for each in averages for row in each.items()]
    return {name: average.length(count) for (name, kind), average in rows if kind == "mean"}


def _estimate(mean: Array, length: float) -> Array:
    """Estimate the average of squares from that of independent gradients, by row and column."""
    squares = jnp.square(jnp.abs(mean)) * length
    whole = jnp.mean(squares)
    if squares.ndim < 2:
        return jnp.full_like(squares, whole)
    columns = jnp.mean(squares, tuple(range(squares.ndim - 1)), keepdims=True)
    return divide(jnp.mean(squares, -1, keepdims=True), whole) * columns


def _put(part: Moments, averages: Averages, values: Mapping[Key, Array]) -> Moments:
    """Replace moments by the values of their leaves and kinds."""
    leaves = {name: dict(leaf) for name, leaf in zip(part.names, part.leaves, strict=True)}
    for name, kind in averages.keys() & values.keys():
        leaves[name][averages[name, kind].field] = values[name, kind]
    return part._replace(leaves=list(leaves.values()))


def _filled(part: Moments, averages: Averages, count: float, means: Mapping[Key, Array]) -> Moments:
    """Return the moments with these averages. First moments without one stay."""
    leaves, values = dict(zip(part.names, part.leaves, strict=True)), {}
    for (name, kind), average in averages.items():
        mean, field = means.get((name, kind)), average.field
        if mean is not None and mean.shape == leaves[name][field].shape:
            values[name, kind] = mean * average.weight(count)
        elif kind == "square":
            raise ValueError(
                f"state: it has no averages from which {field} of {name!r} could start; start "
                "with new.init(params)"
            )
    return _put(part, averages, values)


def _rotated(state: Any) -> set[str]:
    """Return the leaves whose moments are in the eigenbasis of SOAP."""
    nodes = find_nodes(state, lambda node: isinstance(node, EigenbasisState))
    sides = [tree for node in nodes for tree in node.bases]
    named = [
        row for side in sides for row in zip(leaf_names(side), jax.tree.leaves(side), strict=True)
    ]
    return {name for name, x in named if x.size > 1}


def _turned_back(
    state: Any,
    tx: optax.GradientTransformation,
    averages: Sequence[Averages],
    params: PyTree,
    means: Mapping[Key, Array],
) -> dict[Key, Array]:
    """Return the averages of gradients of SOAP in the basis of the parameters.

    They are proportional to the update without gradients, if the second moments are constant.
    """
    flat = {k: jnp.full_like(x, jnp.mean(x)) for k, x in means.items() if k[1] == "square"}
    rows = zip(wide_moments(state), averages, strict=True)
    state = store_like(state, state, [_put(*row, flat) for row in rows])
    zeros = jax.tree.map(jnp.zeros_like, params)
    updates, _ = jax.jit(tx.update)(zeros, state, zeros)
    turned = dict(zip(leaf_names(updates), jax.tree.leaves(updates), strict=True))
    return {
        (name, kind): -turned[name] * divide(norm(x), norm(turned[name]))
        for (name, kind), x in means.items()
        if kind == "mean"
    }


def _with_count(node: Any, count: int) -> Any:
    """Set the counts of steps in a state, but for those of transformations that begin."""
    is_node = lambda x: hasattr(x, "_fields")  # noqa: E731
    if not is_node(node):
        inner = lambda x: _with_count(x, count) if is_node(x) else x  # noqa: E731
        return jax.tree.map(inner, node, is_leaf=is_node)
    fields = {name: _with_count(getattr(node, name), count) for name in node._fields}
    roles = roles_of(node, {})
    # Optax's Muon has its coefficients in the state.
    known = {*roles, *_CLOCKS, "ns_coeffs"} if roles else fields.keys() - {"eigenvalues"}
    others = sorted(fields.keys() - known)
    if jax.tree.leaves([fields[name] for name in others]):
        raise ValueError(
            f"new: its {type(node).__name__} has {others}, which no average can start; start with "
            "new.init(params)"
        )
    counts = roles or fields.keys() & {"hyperparams", "bases", "weight_sum", "gradient_step"}
    plateau = isinstance(node, optax.contrib.ReduceLROnPlateauState)
    if counts or (not plateau and all(jnp.ndim(x) == 0 for x in jax.tree.leaves(node))):
        for name in _CLOCKS:
            if name in fields and fields[name] is not None and jnp.ndim(fields[name]) == 0:
                fields[name] = jnp.full_like(fields[name], count)
    if isinstance(node, ScheduledBetaState):
        fields["bias_corrections"] = jax.tree.map(jnp.ones_like, node.bias_corrections)
    return node._replace(**fields)


def _with_hyperparams(state: Any, new: Any) -> Any:
    """Replace the values of `optax.inject_hyperparams` by those of a new state."""
    injected = lambda x: "hyperparams" in getattr(x, "_fields", ())  # noqa: E731
    nodes = iter(find_nodes(new, injected))
    replace = lambda x: x._replace(hyperparams=next(nodes).hyperparams) if injected(x) else x  # noqa: E731
    return jax.tree.map(replace, state, is_leaf=injected)


def _with_parameters(params: PyTree, state: Any, new: Any) -> Any:
    """Carry averages of the parameters and their rounding errors to a new state."""
    sums = lambda x: isinstance(x, AccumulateState)  # noqa: E731
    # `accumulate` rounds the mean of gradients, not the parameters.
    state = jax.tree.map(lambda x: x.inner_opt_state if sums(x) else x, state, is_leaf=sums)
    averages = find_nodes(state, lambda x: isinstance(x, AveragingState))

    def carry(node: Any) -> Any:
        if sums(node):
            inner = _with_parameters(params, state, node.inner_opt_state)
            return node._replace(inner_opt_state=inner)
        if isinstance(node, AveragingState):
            treedef = jax.tree.structure(node.average)
            alike = [x for x in averages if jax.tree.structure(x.average) == treedef]
            inner = _with_parameters(params, state, node.inner_state)
            return (alike or [node])[0]._replace(inner_state=inner)
        return carry_residual(params, state, node) if isinstance(node, RoundParamsState) else node

    kinds = (AccumulateState, AveragingState, RoundParamsState)
    return jax.tree.map(carry, new, is_leaf=lambda x: isinstance(x, kinds))


def _scheduled(state: Any) -> list[bool]:
    """Return for each part of a state with moments whether its decay rates are schedules."""
    ends = lambda node: isinstance(node, ScheduledBetaState) or bool(roles_of(node, {}))  # noqa: E731
    return [isinstance(node, ScheduledBetaState) for node in find_nodes(state, ends)]


def _spec(state: Any) -> Any:
    """Return the tree and the shapes of a state in float32."""
    plain = split_moments(state, {})[1](wide_moments(state))
    return jax.tree.structure(plain), jax.tree.map(jnp.shape, jax.tree.leaves(plain))
