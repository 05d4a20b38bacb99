"""Names, masks and comparisons of parameter trees."""

import fnmatch
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import jax
import jax.numpy as jnp
import numpy as np

PyTree = Any
Mask = PyTree | Callable[[PyTree], PyTree] | str | Sequence[str] | None


def leaf_name(path: tuple[Any, ...]) -> str:
    """The name of a leaf as patterns and error messages write it: keys joined by "/".

    The trailing `value` that an NNX variable adds to the path is left out.

    >>> tree = {"dense": {"kernel": 1.0}}
    >>> [leaf_name(path) for path, _ in jax.tree_util.tree_leaves_with_path(tree)]
    ['dense/kernel']
    """
    if len(path) > 1 and path[-1] == jax.tree_util.GetAttrKey("value"):
        path = path[:-1]
    return jax.tree_util.keystr(path, simple=True, separator="/") or "(the whole tree)"


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a leaf is meant: by one of the plain patterns (or none is given), by no "!" pattern.

    Patterns are globs on the whole name; "*" also crosses "/".

    >>> matches("block/0/kernel", ["*kernel"]), matches("block/0/kernel", ["!block/0/*"])
    (True, False)
    """
    wanted = [p for p in patterns if not p.startswith("!")]
    unwanted = [p[1:] for p in patterns if p.startswith("!")]
    return (not wanted or any(fnmatch.fnmatchcase(name, p) for p in wanted)) and not any(
        fnmatch.fnmatchcase(name, p) for p in unwanted
    )


def resolve_mask(mask: Mask, params: PyTree) -> list[bool]:
    """One bool for each leaf of `params`, in order.

    Args:
      mask: None (every leaf); a tree of bools, or a prefix of one; a function from the parameters
        to such a tree; a pattern or a sequence of patterns on the leaf's name (see `matches`).
      params: the parameters.

    Raises:
      ValueError: if no parameter matches a pattern (those with "!" may match none), or the tree
        does not fit or holds something else than bools.

    >>> resolve_mask(["*kernel"], {"bias": 1.0, "kernel": 2.0})
    [False, True]
    """
    if mask is None:
        return [True] * _count(params)
    patterns = _patterns(mask)
    if patterns:
        names = [name for name, _ in _named_leaves(params)]
        for pattern in patterns if names else ():
            found = any(fnmatch.fnmatchcase(name, pattern) for name in names)
            if not found and not pattern.startswith("!"):
                raise ValueError(
                    f"mask: no parameter matches {pattern!r}; names look like {names[:3]}"
                )
        return [matches(name, patterns) for name in names]
    # A module that can be called may itself be the tree: then its leaves are bools.
    is_function = callable(mask) and not any(isinstance(x, bool) for x in jax.tree.leaves(mask))
    tree = mask(params) if is_function else mask
    for keep in jax.tree.leaves(tree):
        if not isinstance(keep, bool | np.bool_):
            raise ValueError(f"mask: its leaves must be bools, got {keep!r}; or give patterns")
    try:
        full = jax.tree.map(lambda keep, part: [bool(keep)] * _count(part), tree, params)
    except (ValueError, TypeError) as error:
        raise ValueError(
            "mask: the tree of bools does not fit the parameters; give one bool for each leaf or "
            f"for each subtree ({str(error).splitlines()[0]})"
        ) from error
    return jax.tree.leaves(full)


def _count(tree: PyTree) -> int:
    return len(jax.tree.leaves(tree))


def _patterns(mask: Any) -> list[str]:
    """The patterns that the mask consists of; none if it is something else."""
    patterns = [mask] if isinstance(mask, str) else mask
    if isinstance(patterns, list | tuple) and all(isinstance(p, str) for p in patterns):
        return list(patterns)
    return []


def check_same_tree(
    name: str,
    tree: PyTree,
    other_name: str,
    other: PyTree,
    *,
    shape: Callable[[tuple[int, ...]], tuple[int, ...]] | None = None,
    flat: tuple[list[Any], Any] | None = None,
) -> list[Any]:
    """Return the leaves of `other`, a tree of the structure and the shapes of `tree`.

    Args:
      name: name of `tree` in errors.
      tree: the one tree.
      other_name: name of `other` in errors.
      other: the other tree.
      shape: from the shape of a leaf of `tree` to that of `other`. None is the same shape.
      flat: leaves and treedef of `tree`, where they are known.

    Raises:
      ValueError: names the first leaf that differs in place or shape.

    >>> check_same_tree("updates", {"a": 1.0}, "params", {"a": 2.0})
    [2.0]
    >>> check_same_tree("updates", {"a": 1.0}, "params", {"b": 2.0})
    Traceback (most recent call last):
    ValueError: updates and params do not match: 'a' is only in updates, 'b' only in params
    """
    leaves, treedef = flat or jax.tree.flatten(tree)
    others, other_treedef = jax.tree.flatten(other)
    if other_treedef != treedef:
        _refuse_structure(name, tree, other_name, other)
    for place, (a, b) in enumerate(zip(leaves, others, strict=True)):
        if (shape(jnp.shape(a)) if shape else jnp.shape(a)) != jnp.shape(b):
            leaf, _ = _named_leaves(tree)[place]
            raise ValueError(
                f"{name}[{leaf!r}] has shape {jnp.shape(a)}, but in {other_name} it is "
                f"{jnp.shape(b)}"
            )
    return others


def _refuse_structure(name: str, tree: PyTree, other_name: str, other: PyTree) -> NoReturn:
    names, others = ({leaf: None for leaf, _ in _named_leaves(t)} for t in (tree, other))
    extra = ", ".join(repr(leaf) for leaf in names if leaf not in others)
    missing = ", ".join(repr(leaf) for leaf in others if leaf not in names)
    raise ValueError(
        f"{name} and {other_name} do not match: {extra or 'nothing'} is only in {name}, "
        f"{missing or 'nothing'} only in {other_name}"
        if extra or missing
        else f"{name} and {other_name} have the same names in different containers: "
        f"{jax.tree.structure(tree)} and {jax.tree.structure(other)}"
    )


def _named_leaves(tree: PyTree) -> list[tuple[str, Any]]:
    return [(leaf_name(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]


def check_real(name: str, tree: PyTree) -> None:
    """Raise TypeError that names the first leaf which is not a real floating-point array.

    >>> check_real("params", {"w": jnp.ones(2), "steps": jnp.zeros(2, int)})
    Traceback (most recent call last):
    TypeError: params['steps'] is int32, but only real floating-point leaves can be optimized; \
leave it out (optax.masked, optax.partition, or a filter of the model's parameters)
    """
    flatten_real(name, tree)


def flatten_real(name: str, tree: PyTree) -> tuple[list[Any], Any]:
    """Flatten a tree of real floating-point arrays into its leaves and treedef.

    Raises:
      TypeError: as `check_real` does.

    >>> flatten_real("updates", {"w": 1.0})[0]
    [1.0]
    """
    leaves, treedef = jax.tree.flatten(tree)
    for place, value in enumerate(leaves):
        try:
            dtype = jnp.result_type(value)
        except TypeError as error:
            raise TypeError(
                f"{name}[{_named_leaves(tree)[place][0]!r}] is {value!r}, not an array; filter the "
                "model's parameters first (equinox.filter, nnx.state(model, nnx.Param))"
            ) from error
        if not jnp.issubdtype(dtype, jnp.floating):
            leaf, _ = _named_leaves(tree)[place]
            raise TypeError(f"{name}[{leaf!r}] is {dtype}{_fix_for(dtype)}")
    return leaves, treedef


def _fix_for(dtype: Any) -> str:
    if jnp.issubdtype(dtype, jnp.complexfloating):
        return (
            ": an adaptive step for complex numbers is not defined alike everywhere; wrap the "
            "optimizer in optax.contrib.split_real_and_imaginary"
        )
    return (
        ", but only real floating-point leaves can be optimized; leave it out (optax.masked, "
        "optax.partition, or a filter of the model's parameters)"
    )


def require_params(params: PyTree, reader: str) -> None:
    """Raise ValueError if the parameters are missing.

    >>> require_params(None, "weight_decay")
    Traceback (most recent call last):
    ValueError: params: weight_decay needs the parameters; call update(updates, state, params)
    """
    if params is None:
        raise ValueError(
            f"params: {reader} needs the parameters; call update(updates, state, params)"
        )


def map_columns(function: Callable[..., Any], first: Sequence[Any], *others: Any) -> list[Any]:
    """Apply a function to the leaves of aligned trees, given as columns.

    Many leaves share one trace for each shape.

    >>> map_columns(jnp.add, [1, 2], [3, 4])
    [Array(4, dtype=int32, weak_type=True), Array(6, dtype=int32, weak_type=True)]
    """
    many = len(first) > 8 and any(isinstance(x, jax.core.Tracer) for x in first)
    run = jax.jit(function) if many else function
    return [run(*row) for row in zip(first, *others, strict=True)]
