"""Going on with the state of an optimizer of Optax, and the way back.

    tx, state = from_optax("adamw", optax_state, params, learning_rate=1e-3, weight_decay=0.1)

The arguments are Optax's, with Optax's defaults. The state is found wherever it is in
`optax_state`: in `optax.chain`, `optax.inject_hyperparams`, `optax.MultiSteps`; where it is masked,
the optimizer here is masked alike.
"""

import functools
import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax.interop.optax_arguments import Source, read_arguments
from adamjax.interop.trees import check_no_codes, counts, fill, kept, rule_of
from adamjax.registry import create
from adamjax.trees import PyTree, leaf_name

# Where the momentum holds steps, of the learning rate then, and not gradients.
_HOLDS_STEPS = {"rmsprop": ("mu",)}
_COUNTS = ("count", "count_m2", "t")


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
        such state, or more than one; naming the path, if it does not fit `params`.
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
    paths = [leaf_name(path) for path, _ in jax.tree_util.tree_leaves_with_path(params)]
    found = {field: _leaves(name, optax_state, source.fields[field]) for field in kept(rule)}
    there = {path for leaves in found.values() for path in leaves} if found else set(paths)
    extra = sorted(there - set(paths))
    if extra:
        raise ValueError(f"optax_state: has {extra[0]!r}, which params does not have")
    if there < set(paths):
        mask = [path in there for path in paths]
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
    return tx, fill(state, _count(source, optax_state), moments)


def to_optax(name: str, state: Any, params: PyTree, optax_state: Any, **arguments: Any) -> Any:
    """Optax's state with the moments of the one here: the way back of `from_optax`.

    Args:
      name: as in `from_optax`.
      state: of the optimizer here.
      params: the parameters.
      optax_state: a state of Optax's optimizer, such as its `init(params)`: what it is made of
        stays, but for moments and counts.
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
    back = {}
    for field in kept(rule):
        scale = _scale(source.variant, field, given)
        values = jax.tree_util.tree_leaves_with_path(getattr(mine[0], field))
        values = {leaf_name(path): leaf / scale if scale != 1 else leaf for path, leaf in values}
        _leaves(name, optax_state, source.fields[field])  # that there is one
        back |= dict.fromkeys(source.fields[field], (field, values))

    def on(node: Any) -> Any:
        new: dict[str, Any] = {}
        for there in getattr(node, "_fields", ()):
            field, values = back.get(f"{type(node).__name__}.{there}", (None, {}))
            if field is not None:
                put = functools.partial(_returned, field, values)
                new[there] = jax.tree_util.tree_map_with_path(put, getattr(node, there))
            elif there in _COUNTS:
                new[there] = jnp.asarray(mine[0].count, jnp.result_type(getattr(node, there)))
        return node._replace(**new) if new else node

    def ours(node: Any) -> bool:
        return counts(node) or any(key.startswith(f"{type(node).__name__}.") for key in back)

    return jax.tree.map(on, optax_state, is_leaf=ours)


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
    nodes = jax.tree.leaves(optax_state, is_leaf=lambda node: type(node).__name__ in fields)
    nodes = [node for node in nodes if type(node).__name__ in fields]
    if len(nodes) != 1:
        raise ValueError(
            f"optax_state: must hold one {' or '.join(fields)} for {name} with these arguments, "
            f"holds {len(nodes)}; is it of another optimizer? Of several, give each its own part"
        )
    tree = getattr(nodes[0], fields[type(nodes[0]).__name__])
    return {leaf_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def _count(source: Source, optax_state: Any) -> int:
    """The steps that the optimizer's state counts, or else those of its schedule."""
    classes = {each.split(".")[0] for wanted in source.fields.values() for each in wanted}
    for these in (classes, {"ScaleByScheduleState"}):
        for node in jax.tree.leaves(optax_state, is_leaf=lambda n: type(n).__name__ in these):  # noqa: B023
            for name in _COUNTS if type(node).__name__ in these else ():
                if hasattr(type(node), name) and name in node._fields:
                    return int(getattr(node, name))
    return 0


def _adopted(field: str, path: str, value: Any, like: Any, scale: float) -> Any:
    if value is None:
        raise ValueError(f"optax_state: has no {field} of {path!r}")
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
    check_no_codes(path, value)
    if math.prod(np.shape(value)) != math.prod(np.shape(like)):
        raise ValueError(f"state: {field} of {path!r} has shape {np.shape(value)}")
    return value.reshape(np.shape(like)).astype(jnp.result_type(like))
