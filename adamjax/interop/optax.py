"""Continue a run of Optax, and return to Optax.

    tx, state = from_optax("adamw", optax_state, params, learning_rate=1e-3, weight_decay=0.1)

The arguments are Optax's, with Optax's defaults. The optimizer's state is found inside of
`optax.chain`, `optax.inject_hyperparams` and `optax.MultiSteps`. Where it is masked, the optimizer
here is masked alike. Convert each part of `optax.partition`, and chain the results:

    chained = [from_optax(…, optax_state.inner_states[label], params, …) for label in …]
    tx, state = optax.chain(*(tx for tx, _ in chained)), tuple(state for _, state in chained)
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.tree_util import GetAttrKey, tree_leaves_with_path

from adamjax.interop import tables
from adamjax.interop.arguments import Call
from adamjax.interop.optax_arguments import optax_call
from adamjax.interop.states import expected_rule, fill, moment_names, per_step, read, rule_of
from adamjax.interop.trees import check_no_codes, named_leaves
from adamjax.modifiers.map_updates import is_masked
from adamjax.trees import PyTree, leaf_name

Path = tuple[Any, ...]


def from_optax(
    name: str, optax_state: Any, params: PyTree, **arguments: Any
) -> tuple[optax.GradientTransformationExtraArgs, Any]:
    """Continue a run of Optax: return the optimizer here with the same name, and its state.

    Args:
      name: "adam", "adamw", "lion" …, as in `optax` or `optax.contrib`.
      optax_state: the state of that optimizer, alone or inside others. If it is masked, the
        optimizer here has the same mask.
      params: the parameters.
      **arguments: the arguments of Optax's optimizer.

    Returns:
      `(tx, state)`. If Optax counts no steps (adadelta, adagrad, rmsprop, sgd), the count is that
      of its schedule, or 0. Moments are widened to float32.

    Raises:
      ValueError: for an optimizer or an argument without an equal here, or if `optax_state` does
        not hold one such state for `params` (one part of `optax.partition`).
      TypeError: for an argument that Optax's optimizer does not have.

    >>> params = {"w": jnp.ones(2)}
    >>> state = optax.chain(optax.clip(1.0), optax.adamw(0.1)).init(params)
    >>> tx, state = from_optax("adamw", state, params, learning_rate=0.1)
    >>> type(state[0]).__name__, type(state[1]).__name__
    ('ScaleByAdamState', 'LearningRateState')
    """
    optimizer, call = _continued(name, arguments)
    tx, kwargs = call.make(), call.arguments
    fields = moment_names(expected_rule(tx, params))
    nodes, moments, counts = _locate(optax_state, optimizer, kwargs, fields)
    theirs = {field: named_leaves(nodes[path], is_masked) for field, path in moments.items()}
    mask = _mask(name, nodes, theirs, list(named_leaves(params)))
    if not all(mask):
        tx = optax.masked(tx, lambda tree: jax.tree.unflatten(jax.tree.structure(tree), mask))
    state = tx.init(params)
    rule = rule_of(state)
    values: dict[str, list[Any]] = {}
    for field, leaves in theirs.items():
        scale = _scale(name, field, kwargs)
        values[field] = []
        for path, like in named_leaves(getattr(rule, field)).items():
            value = jnp.asarray(leaves[path])
            _check_shapes(field, path, value, like)
            if jnp.promote_types(value.dtype, like.dtype) != like.dtype:
                raise ValueError(
                    f"optax_state: {field} of {path!r} is {value.dtype}, wider than that of adamjax"
                )
            values[field].append(value.reshape(like.shape).astype(like.dtype) * scale)
    count = int(nodes[counts[0]]) if counts else 0
    return tx, fill(state, count, values)


def to_optax(name: str, state: Any, params: PyTree, optax_state: Any, **arguments: Any) -> Any:
    """Return Optax's state with the moments of the state here: the inverse of `from_optax`.

    Args:
      name: as in `from_optax`.
      state: the state of the optimizer here.
      params: the parameters.
      optax_state: a state of Optax's optimizer, such as its `init(params)`. Only the moments and
        the counts of this optimizer are replaced.
      **arguments: the arguments of Optax's optimizer.

    Raises:
      ValueError: as in `from_optax`, and if `state` lacks a parameter.

    >>> params = {"w": jnp.ones(2)}
    >>> there = optax.adam(0.1).init(params)
    >>> tx, state = from_optax("adam", there, params, learning_rate=0.1)
    >>> _, state = tx.update(params, state, params)
    >>> int(to_optax("adam", state, params, there, learning_rate=0.1)[0].count)
    1
    """
    optimizer, call = _continued(name, arguments)
    rule, kwargs = expected_rule(call.make(), params), call.arguments
    nodes, moments, counts = _locate(optax_state, optimizer, kwargs, moment_names(rule))
    theirs = {field: named_leaves(nodes[where]) for field, where in moments.items()}
    ours = read(state, rule, [path for paths in theirs.values() for path in paths], name)
    count = next(iter(ours.values())).count if ours else rule_of(state).count
    new = {path: jnp.asarray(count, jnp.result_type(nodes[path])) for path in counts}
    for field, where in moments.items():
        if extra := sorted(ours.keys() - theirs[field].keys()):
            raise ValueError(f"optax_state: has no place for {field} of {extra[0]!r}")
        scale = _scale(name, field, kwargs)
        for key, like in tree_leaves_with_path(nodes[where]):
            path = leaf_name(key)
            value = ours[path].moments[field]
            check_no_codes(path, value)
            _check_shapes(field, path, like, value)
            value = (value / scale).reshape(jnp.shape(like))
            new[(*where, *key)] = value.astype(jnp.result_type(like))
    return jax.tree_util.tree_map_with_path(lambda path, leaf: new.get(path, leaf), optax_state)


def _continued(name: str, arguments: Mapping[str, Any]) -> tuple[tables.OptaxOptimizer, Call]:
    """Return the row of the table, and the call of the variant here."""
    call = optax_call(name, arguments)
    if not tables.OPTAX[name].moments:
        raise ValueError(f"optax.{name}: its state cannot be converted; call init instead")
    return tables.OPTAX[name], call


def _scale(name: str, field: str, kwargs: Mapping[str, Any]) -> float:
    """Return the factor from a moment of Optax to one here."""
    holds_steps = name == "rmsprop" and field == "mu"
    return -per_step(kwargs["learning_rate"]) if holds_steps else 1.0


def _check_shapes(field: str, path: str, theirs: Any, ours: Any) -> None:
    """Check that two shapes match; a single number may have any shape."""
    if jnp.shape(theirs) != jnp.shape(ours) and not jnp.size(theirs) == jnp.size(ours) == 1:
        raise ValueError(
            f"optax_state: {field} of {path!r} has shape {jnp.shape(theirs)}, not {jnp.shape(ours)}"
        )


def _nodes(state: Any) -> dict[Path, Any]:
    """Return all nodes of a state by path, each before the nodes in it."""

    def walk(path: Path, node: Any) -> Iterator[tuple[Path, Any]]:
        yield path, node
        for key, child in tree_leaves_with_path(node, is_leaf=lambda child: child is not node):
            if child is not node:
                yield from walk(path + key, child)

    return dict(walk((), state))


def _of_class(nodes: Mapping[Path, Any], *names: str) -> list[Path]:
    return [path for path, node in nodes.items() if type(node).__name__ in names]


def _is_partition(node: Any) -> bool:
    return "inner_states" in getattr(node, "_fields", ())


def _locate(
    optax_state: Any, optimizer: tables.OptaxOptimizer, kwargs: Mapping[str, Any], fields: list[str]
) -> tuple[dict[Path, Any], dict[str, Path], list[Path]]:
    """Return the nodes of a state, and the paths of the moments and of the counts."""
    nodes = _nodes(optax_state)
    moments: dict[str, Path] = {}
    for field in fields:
        attributes = dict(place.split(".") for place in optimizer.moments[field])
        matches = _of_class(nodes, *attributes)
        if len(matches) != 1:
            raise ValueError(
                f"optax_state: must hold one {' or '.join(attributes)} for {optimizer.name} with "
                f"these arguments, holds {len(matches)}; is it of another optimizer? Of several, "
                "give each its own part"
            )
        attribute = attributes[type(nodes[matches[0]]).__name__]
        moments[field] = (*matches[0], GetAttrKey(attribute))
    owners = dict.fromkeys(path[:-1] for path in moments.values())
    if not moments and callable(kwargs["learning_rate"]):
        schedules = _of_class(nodes, _SCHEDULE) or _of_class(nodes, *_INJECTS)
        if len(schedules) > 1:
            raise ValueError(
                f"optax_state: holds {len(schedules)} counts of schedules; give the optimizer's "
                "own part"
            )
        owners = dict.fromkeys(schedules)
    return nodes, moments, [path for owner in owners for path in _counts(nodes, owner)]


_SCHEDULE = "ScaleByScheduleState"
_INJECTS = ("InjectStatefulHyperparamsState", "InjectHyperparamsState")


def _counts(nodes: Mapping[Path, Any], owner: Path) -> list[Path]:
    """Return the counts at `owner`, then those of its chain's schedules and injections."""
    around = [owner[:length] for length in range(len(owner), -1, -1)]
    around = list(itertools.takewhile(lambda path: not _is_partition(nodes[path]), around))
    chain = [path for path in around if type(nodes[path]) in (tuple, list)][:1]
    schedules = [path for path in _of_class(nodes, _SCHEDULE) if path[:-1] in chain]
    injects = [path for path in around if path in _of_class(nodes, *_INJECTS)]
    hyperparams = [(*path, GetAttrKey("hyperparams_states")) for path in injects]
    hyperparams = [path for path in nodes if path[:-1] in hyperparams]
    return [
        (*path, GetAttrKey(count))
        for path in [owner, *schedules, *injects, *hyperparams]
        for count in ("count", "count_m2", "t")
        if count in getattr(nodes[path], "_fields", ())
    ]


def _mask(
    name: str, nodes: Mapping[Path, Any], moments: Mapping[str, dict[str, Any]], paths: list[str]
) -> list[bool]:
    """Return for each parameter whether the optimizer updates it."""
    partition = any(map(_is_partition, nodes.values()))
    if not moments and (partition or _of_class(nodes, "MaskedState")):
        raise ValueError(
            f"optax_state: is masked, and {name} with these arguments keeps nothing that tells "
            "which leaves; give the part inside, and mask the optimizer by optax.masked"
        )
    mask = [True] * len(paths)
    for field, leaves in moments.items():
        masked = {path for path, leaf in leaves.items() if is_masked(leaf)}
        for i, path in enumerate(paths):
            folders = itertools.accumulate(path.split("/"), "{}/{}".format)
            if masked.intersection({leaf_name(()), *folders}):
                mask[i] = False
            elif path not in leaves:
                raise ValueError(
                    f"optax_state: has no {field} of {path!r}; leave out of params what the "
                    "optimizer did not step"
                )
        for path in sorted(leaves.keys() - masked - set(paths)):
            raise ValueError(f"optax_state: has {path!r}, which params does not have")
    if not all(mask) and partition:
        raise ValueError(
            f"optax_state: {paths[mask.index(False)]!r} is in another part of optax.partition; "
            "convert each part (optax_state.inner_states[label]), and chain the results: "
            "optax.chain(tx_1, tx_2). Frozen leaves are optax.masked(optax.set_to_zero(), mask)"
        )
    return mask
