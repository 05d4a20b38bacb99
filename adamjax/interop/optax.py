"""Going on with the state of an optimizer of Optax, and the way back.

    tx, state = from_optax("adamw", optax_state, params, learning_rate=1e-3, weight_decay=0.1)

The arguments are Optax's, with Optax's defaults. The state is found wherever it is in
`optax_state`: in `optax.chain`, `optax.inject_hyperparams`, `optax.MultiSteps`; where it is masked,
the optimizer here is masked alike. Of `optax.partition`, each part comes by itself:

    chained = [from_optax(…, optax_state.inner_states[label], params, …) for label in …]
    tx, state = optax.chain(*(tx for tx, _ in chained)), tuple(state for _, state in chained)
"""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax.interop.optax_arguments import OptaxOptimizer, read_arguments
from adamjax.interop.optax_states import (
    INJECTS,
    SCHEDULE,
    changed,
    class_of,
    has_partition,
    nodes_of,
    own_counts,
    with_count,
)
from adamjax.interop.states import check_shape, fill, kept, rule_of
from adamjax.interop.trees import check_no_codes, named_leaves
from adamjax.modifiers.map_updates import is_masked
from adamjax.registry import create
from adamjax.trees import PyTree, leaf_name

# Where the momentum holds steps, of the learning rate then, and not gradients.
_HOLDS_STEPS = {"rmsprop": ("mu",)}


def from_optax(
    name: str, optax_state: Any, params: PyTree, **arguments: Any
) -> tuple[optax.GradientTransformationExtraArgs, Any]:
    """The optimizer here of the same name, and the state of Optax's in its form.

    Args:
      name: "adam", "adamw", "lion" …, as in `optax` or `optax.contrib`.
      optax_state: of that optimizer, by itself or inside of others; where it is masked, the
        optimizer here is `optax.masked` alike.
      params: the parameters.
      **arguments: those that Optax's optimizer was made with.

    Returns:
      `(tx, state)`. Where Optax counts no steps (adadelta, adagrad, rmsprop, sgd), the count is
      that of its schedule, or 0. Moments are widened to float32.

    Raises:
      ValueError: for an optimizer or an argument that has no equal here; if `optax_state` holds no
        such state, or more than one, or one of which another part of `optax.partition` has leaves;
        naming the path, if it does not fit `params`.
      TypeError: for an argument that Optax's optimizer does not have.

    >>> params = {"w": jnp.ones(2)}
    >>> state = optax.chain(optax.clip(1.0), optax.adamw(0.1)).init(params)
    >>> tx, state = from_optax("adamw", state, params, learning_rate=0.1)
    >>> type(state[0]).__name__, type(state[1]).__name__
    ('ScaleByAdamState', 'LearningRateState')
    """
    source, given = read_arguments(name, arguments)
    tx = create(source.variant, **given)
    rule = rule_of(jax.eval_shape(tx.init, params))
    found = {field: _leaves(name, optax_state, source.fields[field]) for field in kept(rule)}
    mask = _mask(name, optax_state, found, list(named_leaves(params)))
    if not all(mask):
        tx = optax.masked(tx, lambda tree: jax.tree.unflatten(jax.tree.structure(tree), mask))
    state = tx.init(params)
    rule = rule_of(state)
    moments = {}
    for field, leaves in found.items():
        scale = _scale(source.variant, field, given)
        likes = jax.tree_util.tree_leaves_with_path(getattr(rule, field))
        moments[field] = [
            _adopted(field, leaf_name(path), leaves.get(leaf_name(path)), like, scale)
            for path, like in likes
        ]
    return tx, fill(state, _count(source, optax_state, found, given), moments)


def to_optax(name: str, state: Any, params: PyTree, optax_state: Any, **arguments: Any) -> Any:
    """Optax's state with the moments of the one here: the way back of `from_optax`.

    Args:
      name: as in `from_optax`.
      state: of the optimizer here.
      params: the parameters.
      optax_state: a state of Optax's optimizer, such as its `init(params)`: what it is made of
        stays, but for the moments and the counts of this optimizer.
      **arguments: those that Optax's optimizer is made with.

    Raises:
      ValueError: as in `from_optax`, and naming the path if `state` does not hold it.

    >>> params = {"w": jnp.ones(2)}
    >>> there = optax.adam(0.1).init(params)
    >>> tx, state = from_optax("adam", there, params, learning_rate=0.1)
    >>> _, state = tx.update(params, state, params)
    >>> int(to_optax("adam", state, params, there, learning_rate=0.1)[0].count)
    1
    """
    source, given = read_arguments(name, arguments)
    rule = rule_of(jax.eval_shape(create(source.variant, **given).init, params))
    nodes = jax.tree.leaves(state, is_leaf=lambda node: isinstance(node, type(rule)))
    mine = [node for node in nodes if isinstance(node, type(rule))]
    if len(mine) != 1:
        raise ValueError(f"state: must hold one state of {source.variant}, holds {len(mine)}")
    back: dict[str, Any] = {}
    for field in kept(rule):
        values = _values(field, mine[0], rule, _scale(source.variant, field, given))
        there = _leaves(name, optax_state, source.fields[field])
        lost = [path for path in values if is_masked(there.get(path, optax.MaskedNode()))]
        if lost:
            raise ValueError(f"optax_state: has no place for {field} of {lost[0]!r}")
        back |= dict.fromkeys(source.fields[field], (field, values))

    def held(node: Any) -> Any:
        new: dict[str, Any] = {}
        for there in node._fields:
            field, values = back.get(f"{class_of(node)}.{there}", (None, {}))
            if field is not None:
                put = functools.partial(_returned, field, values)
                new[there] = jax.tree_util.tree_map_with_path(put, getattr(node, there))
        return node._replace(**new)

    classes = {key.split(".")[0] for key in back} or _timed(optax_state, given)
    counted = functools.partial(with_count, count=mine[0].count)
    return changed(optax_state, classes, held, counted) if classes else optax_state


def _values(field: str, mine: Any, rule: Any, scale: float) -> dict[str, Any]:
    """A moment here by path, as Optax scales it, once its shapes are those of the parameters."""
    likes = named_leaves(getattr(rule, field))
    values = named_leaves(getattr(mine, field))
    for path, value in values.items():
        if path not in likes:
            raise ValueError(f"state: has {path!r}, which params does not have")
        check_no_codes(path, value)
        check_shape(f"{field} of {path!r}", value, np.shape(likes[path]))
    return {path: leaf / scale if scale != 1 else leaf for path, leaf in values.items()}


def _scale(variant: str, field: str, given: Mapping[str, Any]) -> float:
    """What a moment of Optax's is multiplied by to be one here."""
    if field not in _HOLDS_STEPS.get(variant, ()):
        return 1.0
    if not given["learning_rate"] > 0:
        raise ValueError("learning_rate must be positive: the momentum holds steps of it")
    return -1 / float(given["learning_rate"])


def _leaves(name: str, optax_state: Any, wanted: tuple[str, ...]) -> dict[str, Any]:
    """The leaves of the one field of a state that is wanted, by path."""
    fields = dict(each.split(".") for each in wanted)
    nodes = nodes_of(optax_state, fields)
    if len(nodes) != 1:
        raise ValueError(
            f"optax_state: must hold one {' or '.join(fields)} for {name} with these arguments, "
            f"holds {len(nodes)}; is it of another optimizer? Of several, give each its own part"
        )
    tree = getattr(nodes[0], fields[class_of(nodes[0])])
    leaves = jax.tree_util.tree_leaves_with_path(tree, is_leaf=is_masked)
    return {leaf_name(path): leaf for path, leaf in leaves}


def _mask(
    name: str, optax_state: Any, found: Mapping[str, Mapping[str, Any]], paths: list[str]
) -> list[bool]:
    """Which leaves the optimizer steps: those that it keeps moments of."""
    if not found:
        masked = nodes_of(optax_state, ("MaskedState",))
        if masked or has_partition(optax_state):
            raise ValueError(
                f"optax_state: is masked, and {name} with these arguments keeps nothing that tells "
                "which leaves; give the part inside, and mask the optimizer by optax.masked"
            )
        return [True] * len(paths)
    each = [_mask_of(field, leaves, paths) for field, leaves in found.items()]
    mask = [all(stepped) for stepped in zip(*each, strict=True)]
    if not all(mask) and has_partition(optax_state):
        raise ValueError(
            f"optax_state: {paths[mask.index(False)]!r} is in another part of optax.partition; "
            "give each part by itself (optax_state.inner_states[label]), and chain what they give: "
            "optax.chain(tx_1, tx_2). What was frozen is optax.masked(optax.set_to_zero(), mask)"
        )
    return mask


def _mask_of(field: str, leaves: Mapping[str, Any], paths: list[str]) -> list[bool]:
    masked = [path for path, leaf in leaves.items() if is_masked(leaf)]
    every = leaf_name(()) in masked

    def stepped(path: str) -> bool:
        if every or any(path == m or path.startswith(f"{m}/") for m in masked):
            return False
        if path not in leaves:
            raise ValueError(
                f"optax_state: has no {field} of {path!r}; leave out of params what the optimizer "
                "did not step"
            )
        return True

    mask = [stepped(path) for path in paths]
    extra = sorted(leaves.keys() - set(paths) - set(masked))
    if extra:
        raise ValueError(f"optax_state: has {extra[0]!r}, which params does not have")
    return mask


def _timed(optax_state: Any, given: Mapping[str, Any]) -> set[str]:
    """The class of the state that counts the steps of an optimizer without moments.

    Raises:
      ValueError: if there are several.
    """
    if not callable(given["learning_rate"]):
        return set()
    nodes = nodes_of(optax_state, (SCHEDULE,)) or nodes_of(optax_state, INJECTS)
    if len(nodes) > 1:
        raise ValueError(
            f"optax_state: holds {len(nodes)} counts of schedules; give the optimizer's own part"
        )
    return {class_of(node) for node in nodes}


def _count(
    source: OptaxOptimizer, optax_state: Any, found: Mapping[str, Any], given: Mapping[str, Any]
) -> int:
    """The steps that the optimizer's state counts, or else those around it."""
    classes = {each.split(".")[0] for field in found for each in source.fields[field]}
    classes = classes or _timed(optax_state, given)
    return next(iter(own_counts(optax_state, classes) if classes else []), 0)


def _adopted(field: str, path: str, value: Any, like: Any, scale: float) -> Any:
    value = jnp.asarray(value)
    if value.size == np.size(like) == 1:  # one number for a leaf, of whatever shape
        value = value.reshape(np.shape(like))
    if value.shape != np.shape(like):
        raise ValueError(
            f"optax_state: {field} of {path!r} has shape {value.shape}, not {np.shape(like)}"
        )
    if jnp.promote_types(value.dtype, like.dtype) != like.dtype:
        raise ValueError(f"optax_state: {field} of {path!r} is {value.dtype}, wider than here")
    return value.astype(like.dtype) * scale if scale != 1 else value.astype(like.dtype)


def _returned(field: str, values: Mapping[str, Any], where: Any, like: Any) -> Any:
    path = leaf_name(where)
    if path not in values:
        raise ValueError(f"state: holds no {field} of {path!r}")
    value = values[path]
    if value.size == np.size(like) == 1:  # one number for a leaf, of whatever shape
        value = value.reshape(np.shape(like))
    if value.shape != np.shape(like):
        raise ValueError(
            f"optax_state: {field} of {path!r} has shape {np.shape(like)}, not {value.shape}"
        )
    return value.astype(jnp.result_type(like))
