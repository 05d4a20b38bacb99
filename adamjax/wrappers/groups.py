"""Groups of parameters: one optimizer whose settings depend on the path, with one state."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax.checks import is_number, lookup_or_suggest, refuse_state
from adamjax.moments import Array
from adamjax.registry import optimizer_function
from adamjax.rule import times, value_at
from adamjax.storage.state_moments import steps_done
from adamjax.trees import (
    PyTree,
    align_columns,
    check_patterns,
    check_same_tree,
    has_masked,
    is_masked,
    leaf_names,
    like_updates,
    matches,
)
from adamjax.wrappers.group_states import last_rates, merge, select, split
from adamjax.wrappers.layer_decay import decay_layers, layer_factors

FROZEN = "frozen"
_FACTOR = re.compile(r"\d*\.?\d+(e[+-]?\d+)?x")
Settings = Mapping[str, Any] | str  # arguments of the optimizer, or "frozen"


class GroupsState(NamedTuple):
    """State of `groups`.

    Attributes:
      inner_state: the state of one optimizer of all parameters, with `optax.MaskedNode` in place of
        frozen ones. It counts the steps of all groups.
      scalars: by group, the floating-point numbers in a state that belong to no parameter. Those of
        one group are in `inner_state`.
      learning_rates: the learning rate of the last step by group (float32), a record for tracking.
    """

    inner_state: Any
    scalars: dict[str, list[Array]]
    learning_rates: dict[str, Array]


class GroupRow(NamedTuple):
    """A parameter, its group, the settings (None if frozen), and the factors of its layers."""

    parameter: str
    shape: tuple[int, ...]
    group: str
    settings: dict[str, Any] | None
    factors: list[float]


class GroupTable(tuple[GroupRow, ...]):
    """A `GroupRow` for each parameter. `str` aligns them in columns."""

    __slots__ = ()

    def __str__(self) -> str:
        names = dict.fromkeys(name for row in self for name in row.settings or ())
        if not names and any(row.settings is None for row in self):
            names = {"settings": None}  # a column for "frozen"
        header = ["factor of the step"] if any(row.factors for row in self) else []
        lines = [("parameter", "shape", "group", *names, *header)]
        for row in self:
            settings = [FROZEN] if row.settings is None else map(_text, row.settings.values())
            cells = [*settings, *[""] * len(names)][: len(names)]
            ends = dict.fromkeys(map(_text, row.factors[:1] + row.factors[-1:]))
            factor = [" to ".join(ends)] * len(header)
            lines.append((row.parameter, str(row.shape), row.group, *cells, *factor))
        return align_columns(lines)


def _text(value: Any) -> str:
    if is_number(value):
        return f"{value:g}"
    return "schedule" if callable(value) else str(value)


class GroupedTransformation(optax.GradientTransformationExtraArgs):
    """A transformation with `table(params)`, the `GroupTable` of the parameters."""

    table: Callable[[PyTree], GroupTable]


class _Group(NamedTuple):
    """A group: patterns, settings to show, values of all arguments, and optimizer or None."""

    name: str
    patterns: list[str]
    settings: dict[str, Any] | None
    values: dict[str, Any]
    tx: optax.GradientTransformationExtraArgs | None


def groups(
    make: Callable[..., optax.GradientTransformation] | str,
    settings: Mapping[str | tuple[str, ...], Settings],
    *,
    default: Mapping[str, Any] | str = {},
    layer_decay: float | None = None,
    stacked: Mapping[str, int | Sequence[int]] = {},
) -> GroupedTransformation:
    """Give groups of parameters other settings of one optimizer, with one state.

    The state has one tree for each moment, as without groups, so `optax.tree_utils.tree_get`,
    storage formats, shardings and checkpoints work as usual. Frozen parameters have no state. The
    step of a group is that of `make(**settings)` on its leaves. Its sums over leaves, such as a
    global norm or the distance of Prodigy, are over the group: clip outside, as in
    `optax.chain(optax.clip_by_global_norm(1.0), groups(...))`. Transformations that skip steps
    (`optax.apply_if_finite`, `optax.MultiSteps`) belong around it as well.

    Args:
      make: a function from settings to an optimizer, such as `adamjax.adamw`, `optax.adamw` or a
        `functools.partial` with keywords, or the name of a variant.
      settings: from a pattern of paths, or several, to arguments of `make`, or to "frozen". A
        string such as "0.1x" multiplies the value of `default`. Schedules are values too. The first
        match applies.
      default: arguments of `make` for all groups, or "frozen" for the other leaves. `storage` and
        `param_rounding` are common to all groups.
      layer_decay: if given, in (0, 1]: the step of layer i of n is times `layer_decay ** (n - i)`,
        where embeddings are before layer 0. The layer is in the path (layers_3, block12, h/3) or
        stacked. Other leaves have a factor of 1.
      stacked: from patterns of paths to the axis of the layers: {"layers/*": 0}.

    Returns:
      A transformation with a `GroupsState`. Its method `table(params)` returns the group, settings
      and factor of each parameter, which `print` aligns. With `track` around it, `adamjax.metrics`
      has the learning rate of each group.

    Raises:
      TypeError: for settings that are no dict from patterns, those of a group that are neither
        arguments nor "frozen", or an optimizer as `make`.
      ValueError: for an unknown or missing argument, a factor without a value to multiply, a
        `layer_decay` outside (0, 1], `stacked` without it, or settings that are common to all
        groups; in `init`, for a pattern without leaves, settings that change the state's tree,
        paths without layers for `layer_decay`, or an optimizer whose step it cannot scale; in
        `update`, for gradients that do not fit the parameters.

    >>> from adamjax import adamw
    >>> tx = groups(
    ...     adamw,
    ...     {"*embedding": {"learning_rate": "0.1x", "weight_decay": 0.0}, "head/*": "frozen"},
    ...     default={"learning_rate": 1e-2},
    ... )
    >>> params = {"embedding": jnp.ones(3), "head": {"bias": jnp.ones(1)}, "kernel": jnp.ones(2)}
    >>> print(tx.table(params))
    parameter  shape  group       learning_rate  weight_decay
    embedding  (3,)   *embedding  0.001          0
    head/bias  (1,)   head/*      frozen
    kernel     (2,)   default     0.01           0.01
    """
    if stacked and layer_decay is None:
        raise ValueError("stacked: it is the axis for layer_decay; give that too, such as 0.9")
    if not isinstance(settings, Mapping) or not all(isinstance(k, str | tuple) for k in settings):
        raise TypeError(
            "settings must be a dict from patterns of paths to arguments, such as "
            f"{{'*bias': {{'weight_decay': 0.0}}}}, got {settings!r}"
        )
    globs = [[key] if isinstance(key, str) else list(key) for key in settings]
    names = map(", ".join, globs)
    make = optimizer_function(make)
    parts = make_groups(make, list(zip(names, globs, settings.values(), strict=True)), default)
    tx = grouped(parts)

    def table(params: PyTree) -> GroupTable:
        owners = [parts[i] for i in _owners(params, parts, strict=True)]
        names, shapes = leaf_names(params), map(np.shape, jax.tree.leaves(params))
        factors: list[Any] = [[]] * len(names)
        if layer_decay is not None:
            factors = layer_factors(params, layer_decay, stacked)
        rows = zip(names, shapes, owners, factors, strict=True)
        return GroupTable(
            GroupRow(name, shape, part.name, part.settings, np.ravel(factor).tolist())
            for name, shape, part, factor in rows
        )

    if layer_decay is not None:
        tx = decay_layers(tx, layer_decay, stacked)
    tabled = GroupedTransformation(*tx)
    tabled.table = table
    return tabled


def grouped(parts: list[_Group]) -> optax.GradientTransformationExtraArgs:
    """Return the transformation of `groups` without layer-wise decay."""
    trained = {i: part.tx for i, part in enumerate(parts) if part.tx is not None}
    if not trained:
        raise ValueError('settings: all groups are "frozen"; give one of them arguments')
    *_, main = trained

    def init(params: PyTree) -> GroupsState:
        owners = _owners(params, parts, strict=True)
        whole = trained[main].init(select(params, owners, trained))
        states = {i: tx.init(select(params, owners, [i])) for i, tx in trained.items()}
        _check_trees(parts, trained, main, whole)
        inner, others = merge(trained[main], states | {main: whole}, main, owners, params)
        scalars = {parts[i].name: each for i, each in others.items()}
        rates = _learning_rates(parts, states, steps_done(whole))
        return GroupsState(inner, scalars, jax.tree.map(jnp.zeros_like, rates))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        if not isinstance(state, GroupsState):
            refuse_state(state)
        params = like_updates(updates, params)
        owners, (leaves, treedef) = _owners(updates, parts), jax.tree.flatten(updates)
        if params is not None:
            check_same_tree("updates", updates, "params", params, flat=(leaves, treedef))
        steps: list[Any] = [None] * len(leaves)
        own = {i: state.scalars[p.name] for i, p in enumerate(parts) if p.name in state.scalars}
        before = split(trained[main], state.inner_state, trained, owners, updates, own)
        states = {}
        for i, tx in trained.items():

            def mine(tree: PyTree, i: int = i) -> PyTree:
                fits = jax.tree.structure(tree) == treedef
                return select(tree, owners, [i]) if fits else tree

            extra = {name: mine(value) for name, value in extra_args.items()}
            new, states[i] = tx.update(mine(updates), before[i], mine(params), **extra)
            for k, step in enumerate(treedef.flatten_up_to(new)):
                steps[k] = step if owners[k] == i else steps[k]
        steps = [jnp.zeros_like(g) if u is None else u for g, u in zip(leaves, steps, strict=True)]
        inner, others = merge(trained[main], states, main, owners, updates)
        scalars = {parts[i].name: each for i, each in others.items()}
        rates = _learning_rates(parts, states, steps_done(state.inner_state))
        return treedef.unflatten(steps), GroupsState(inner, scalars, rates)

    return optax.GradientTransformationExtraArgs(init, update)


def make_groups(
    make: Callable[..., Any],
    named: Sequence[tuple[str, list[str], Settings]],
    default: Settings,
) -> list[_Group]:
    """Return the groups of (name, patterns, settings), that of the other leaves last."""
    labels, patterns, chosen = map(list, zip(*named, ("default", [], default), strict=True))
    _check_labels(labels)
    for row in chosen:
        _check_row(row)
    rows = [None if isinstance(row, str) else dict(row) for row in chosen]
    parameters = inspect.signature(make).parameters
    base = {name: p.default for name, p in parameters.items() if p.default is not p.empty}
    base |= (common := _scaled(rows[-1] or {}, base))
    names = dict.fromkeys([*common, *(name for row in rows if row for name in row)])
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        for name in names:
            lookup_or_suggest("setting", name, parameters)
    for name in ("storage", "param_rounding"):
        if any(name in row for row in rows[:-1] if row):
            raise ValueError(f"{name}: it is common to all groups; give it in default")
    values = [None if row is None else base | _scaled(row, base) for row in rows[:-1]]
    values.append(None if rows[-1] is None else base)
    for globs, each in zip(patterns, values, strict=True):
        _check_required(parameters, globs, each)
    parts = []
    for label, globs, row, each in zip(labels, patterns, rows, values, strict=True):
        shown = None
        if row is not None and each is not None:
            shown = {name: each[name] for name in names if name in each}
            # The factor of a schedule says more than the schedule.
            shown |= {k: row[k] for k, v in shown.items() if callable(v) and k in row}
        parts.append(_Group(label, globs, shown, each or {}, None))
    for name in names:
        _schedule_all(name, [part.values for part in parts if part.settings is not None])
    return [part if part.settings is None else _with_optimizer(make, part) for part in parts]


def _check_labels(labels: list[str]) -> None:
    """Raise ValueError for equal labels, since the state has numbers by label."""
    for i, label in enumerate(labels):
        if label in labels[:i]:
            raise ValueError(
                f"settings: two groups are called {label!r}; write the pattern in another way, "
                f"such as '[{label[:1]}]{label[1:]}'"
            )


def _check_row(row: Any) -> None:
    if isinstance(row, str):
        lookup_or_suggest("settings", row, {FROZEN: None})
    elif not isinstance(row, Mapping):
        raise TypeError(
            "settings, default: give arguments such as {'learning_rate': 1e-3}, or 'frozen', "
            f"got {row!r}"
        )


def _check_required(parameters: Mapping[str, Any], globs: list[str], values: Any) -> None:
    """Raise ValueError for an argument without a default that a group does not have."""
    for name, p in parameters.items():
        optional = p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        if values is not None and not optional and name not in values:
            raise ValueError(
                f"{name}: the group {', '.join(globs) or 'default'!r} has none; give it in "
                f"default, such as default={{{name!r}: 1e-3}}"
            )


def _with_optimizer(make: Callable[..., Any], part: _Group) -> _Group:
    tx = make(**{name: part.values[name] for name in part.settings or ()})
    return part._replace(tx=optax.with_extra_args_support(tx))


def _scaled(row: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with a factor such as "0.1x" times the value of `base`."""
    values = dict(row)
    for name, text in row.items():
        if not isinstance(text, str):
            continue
        if text.startswith("x") and _FACTOR.fullmatch(turned := f"{text[1:]}x"):
            raise ValueError(f"{name}: {text!r} is no factor; write {turned!r}")
        if not _FACTOR.fullmatch(text):
            continue
        factor, value = float(text[:-1]), base.get(name, text)
        if not callable(value) and not _is_scalar(value):
            raise ValueError(f"{name}: {text!r} multiplies the value in default; give it one")
        values[name] = times(factor, value)
    return values


def _is_scalar(value: Any) -> bool:
    return is_number(value) or (isinstance(value, jax.Array) and value.ndim == 0)


def _schedule_all(name: str, values: list[dict[str, Any]]) -> None:
    """Turn the numbers of a setting into schedules if it has one, since the states would differ."""
    if any(callable(each.get(name)) for each in values):
        for each in values:
            if _is_scalar(each.get(name)):
                each[name] = optax.constant_schedule(each[name])


def _owners(tree: PyTree, parts: list[_Group], *, strict: bool = False) -> list[int]:
    """Return the index of the group of each leaf. With `strict`, each pattern has to own one."""
    names = leaf_names(tree)
    owners = [next(i for i, p in enumerate(parts) if matches(name, p.patterns)) for name in names]
    for i, part in enumerate(parts[:-1] if strict and names and not has_masked(tree) else ()):
        check_patterns("settings", part.patterns, tree)
        if i not in owners:
            raise ValueError(
                f"settings: the leaves that match {part.name!r} are in earlier groups; move it "
                "before them"
            )
    return owners


def _check_trees(parts: list[_Group], trained: Mapping[int, Any], main: int, state: Any) -> None:
    """Raise ValueError for a state whose tree depends on settings or on the parameters."""
    marks = trained[main].init(optax.MaskedNode())
    try:
        jax.tree.map(lambda *_: None, marks, state, is_leaf=is_masked)
    except ValueError as error:
        raise ValueError(
            "make: the tree of its state depends on the names of the parameters, as with "
            "adamjax.track(per_layer=True); put track around groups"
        ) from error
    trees = {i: jax.tree.structure(tx.init(optax.MaskedNode())) for i, tx in trained.items()}
    for i, tree in trees.items():
        if tree != trees[main]:
            raise ValueError(
                f"settings: those of {parts[i].name!r} change the tree of the state, which all "
                f"groups share; give {sorted(parts[i].settings or ())} in default, or use "
                "optax.partition"
            )


def _learning_rates(
    parts: list[_Group], states: Mapping[int, Any], count: Array | None
) -> dict[str, Array]:
    """Return the learning rate of each group: that in its state, or that of its settings."""
    rates = {}
    for i, state in states.items():
        setting = parts[i].values.get("learning_rate")
        found = last_rates(state)
        if found:
            rate = jnp.max(jnp.stack(found))
        elif setting is None or (callable(setting) and count is None):
            continue
        else:
            rate = value_at(setting, count)
        rates[parts[i].name] = jnp.asarray(rate, jnp.float32)
    return rates
