"""Names, masks and comparisons of parameter trees."""

import difflib
import fnmatch
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import jax
import jax.numpy as jnp
import numpy as np
import optax

PyTree = Any
Mask = PyTree | Callable[[PyTree], PyTree] | str | Sequence[str] | None


def leaf_name(path: tuple[Any, ...]) -> str:
    """Return the name of a leaf for patterns and error messages: its keys joined by "/".

    The name omits the trailing `value` in the path of an NNX variable.
    """
    if len(path) > 1 and path[-1] == jax.tree_util.GetAttrKey("value"):
        path = path[:-1]
    return jax.tree_util.keystr(path, simple=True, separator="/") or "(the whole tree)"


def leaf_names(tree: PyTree) -> list[str]:
    """Return the name of each leaf."""
    return [leaf_name(path) for path, _ in jax.tree_util.tree_leaves_with_path(tree)]


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Return whether a name matches one of the plain patterns (if any), and no "!" pattern.

    Patterns are globs on the whole name. "*" also matches "/".
    """
    included = [p for p in patterns if not p.startswith("!")]
    excluded = [p[1:] for p in patterns if p.startswith("!")]
    return (not included or _match_any(name, included)) and not _match_any(name, excluded)


def _match_any(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def resolve_mask(mask: Mask, params: PyTree) -> list[bool]:
    """Return one bool for each leaf of `params`, in order.

    Args:
      mask: None (every leaf), a tree of bools or a prefix of one, a function from the parameters
        to such a tree, a pattern, or a sequence of patterns on the leaf's name (see `matches`).
      params: the parameters.

    Raises:
      ValueError: if a pattern matches no parameter (see `check_patterns`), or the tree does not
        fit or has leaves that are not bools.
    """
    if mask is None:
        return [True] * len(jax.tree.leaves(params))
    if patterns := _patterns(mask):
        check_patterns("mask", patterns, params)
        return [matches(name, patterns) for name in leaf_names(params)]
    # A callable module may itself be the tree of bools.
    is_function = callable(mask) and not any(isinstance(x, bool) for x in jax.tree.leaves(mask))
    tree = mask(params) if is_function else mask
    for leaf in jax.tree.leaves(tree):
        if not isinstance(leaf, bool | np.bool_):
            raise ValueError(f"mask: leaves must be bools or patterns, got {leaf!r}")
    return list(map(bool, jax.tree.leaves(expand_prefix("mask: the tree of bools", tree, params))))


def expand_prefix(what: str, prefix: PyTree, params: PyTree) -> PyTree:
    """Return a tree like the parameters from a prefix of one, or raise ValueError."""
    try:
        return jax.tree.map(lambda x, part: jax.tree.map(lambda _: x, part), prefix, params)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{what} does not fit the parameters; give one for each leaf or for each "
            f"subtree ({str(error).splitlines()[0]})"
        ) from error


def align_columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def check_patterns(argument: str, mask: Mask, tree: PyTree) -> None:
    """Raise ValueError if one of the patterns in a mask matches no leaf of the tree.

    Parts of a tree pass, since the leaves may be in another part of `optax.partition`.
    """
    names = leaf_names(tree)
    patterns = _patterns(mask) if names and not has_masked(tree) else []
    for pattern in patterns:
        glob = pattern.removeprefix("!")
        if not any(_match_any(name, [glob]) for name in names):
            nearest = difflib.get_close_matches(glob.strip("*"), names, n=3, cutoff=0.0)
            raise ValueError(
                f"{argument}: no parameter matches {pattern!r}; the nearest names are {nearest} "
                "(a shared parameter has only one of its names)"
            )


Stacked = Mapping[str, int | Sequence[int]]
"""Axes that stack layers, one or several, by patterns of paths. The first match applies."""


def stack_axes(argument: str, stacked: Stacked, params: PyTree) -> list[tuple[int, ...]]:
    """Return the axes of each leaf that stack layers.

    Raises:
      TypeError: if `stacked` is not a dict from patterns to axes.
      ValueError: for a pattern that matches no leaf, or a leaf without such an axis.

    >>> params = {"layers": {"bias": jnp.ones((5, 3)), "scale": jnp.ones(3)}, "head": jnp.ones(4)}
    >>> stack_axes("stacked", {"*bias": 1, "layers/*": 0}, params)
    [(), (1,), (0,)]
    """
    check_stacked(argument, stacked)
    check_patterns(argument, tuple(stacked), params)
    arrays = unbox(params)
    shapes = map(np.shape, jax.tree.leaves(arrays))
    rows = zip(leaf_names(arrays), shapes, strict=True)
    return [stack_axes_of(argument, stacked, *row) for row in rows]


def check_stacked(argument: str, stacked: Any) -> None:
    """Raise TypeError unless the value is a dict from patterns to axes."""
    values = stacked.values() if isinstance(stacked, Mapping) else [None]
    for axes in values:
        each = axes if isinstance(axes, tuple | list) else [axes]
        if not all(isinstance(axis, int | np.integer) for axis in each):
            raise TypeError(
                f"{argument} must be a dict from patterns to axes, such as {{'layers/*': 0}}, got "
                f"{stacked!r}"
            )


def stack_axes_of(
    argument: str, stacked: Stacked, name: str, shape: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the axes of one leaf that stack layers, or raise ValueError if it has fewer axes."""
    axes = next((axes for glob, axes in stacked.items() if matches(name, [glob])), ())
    axes = tuple(sorted(axes)) if isinstance(axes, Sequence) else (axes,)
    if not set(axes) <= set(range(len(shape))):
        raise ValueError(
            f"{argument}: {name!r} of shape {shape} has no axis {axes[-1]} that stacks layers. "
            f"Write an axis from 0 on, or {{{name!r}: (), ...}} first if it is not stacked"
        )
    return axes


def is_masked(node: Any) -> bool:
    """Return whether a node replaces leaves under `optax.masked` or `optax.partition`."""
    return isinstance(node, optax.MaskedNode)


def find_nodes(tree: PyTree, is_node: Callable[[Any], bool]) -> list[Any]:
    """Return the outermost nodes and the leaves of a tree for which `is_node` holds, in order.

    >>> find_nodes({"a": (1, 2), "b": [(3,), 4]}, lambda node: isinstance(node, tuple))
    [(1, 2), (3,)]
    """
    return list(filter(is_node, jax.tree.leaves(tree, is_leaf=is_node)))


def has_masked(tree: PyTree) -> bool:
    """Return whether a tree is a part of another one under `optax.masked` or `optax.partition`."""
    return bool(find_nodes(tree, is_masked))


def _patterns(mask: Any) -> list[str]:
    """Return the patterns in a mask, or an empty list for another kind of mask."""
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
    shapes: Sequence[tuple[int, ...]] | None = None,
    flat: tuple[list[Any], Any] | None = None,
) -> list[Any]:
    """Return the leaves of `other` if it has the structure and the shapes of `tree`.

    Args:
      name: name of `tree` in errors.
      tree: the reference.
      other_name: name of `other` in errors.
      other: the tree to check.
      shapes: the shapes of the leaves of `other`. None is those of `tree`.
      flat: leaves and treedef of `tree`, if known.

    Raises:
      ValueError: if they differ. The message names the first leaf that does.
    """
    leaves, treedef = flat or jax.tree.flatten(tree)
    others, other_treedef = jax.tree.flatten(other)
    if other_treedef != treedef:
        _refuse_structure(name, tree, other_name, other)
    shapes = [jnp.shape(a) for a in leaves] if shapes is None else shapes
    for i, (a, b) in enumerate(zip(leaves, others, strict=True)):
        if shapes[i] != jnp.shape(b):
            raise ValueError(
                f"{name}[{leaf_names(tree)[i]!r}] has shape {jnp.shape(a)}, but in {other_name} "
                f"it is {jnp.shape(b)}"
            )
    return others


def _refuse_structure(name: str, tree: PyTree, other_name: str, other: PyTree) -> NoReturn:
    names, others = (dict.fromkeys(leaf_names(t)) for t in (tree, other))
    extra = ", ".join(repr(leaf) for leaf in names if leaf not in others)
    missing = ", ".join(repr(leaf) for leaf in others if leaf not in names)
    raise ValueError(
        f"{name} and {other_name} do not match: {extra or 'nothing'} is only in {name}, "
        f"{missing or 'nothing'} only in {other_name}"
        if extra or missing
        else f"{name} and {other_name} have the same names in different containers: "
        f"{jax.tree.structure(tree)} and {jax.tree.structure(other)}"
    )


def flatten_floating(name: str, tree: PyTree, *, real: bool = False) -> tuple[list[Any], Any]:
    """Flatten a tree of floating-point arrays, real or complex, into its leaves and treedef.

    Raises:
      TypeError: for other leaves. The message names the first one.
    """
    leaves, treedef = jax.tree.flatten(tree)
    for i, value in enumerate(leaves):
        try:
            dtype = jnp.result_type(value)
        except TypeError as error:
            raise TypeError(
                f"{name}[{leaf_names(tree)[i]!r}] is {value!r}, not an array; filter the "
                "model's parameters first (equinox.filter, nnx.state(model, nnx.Param))"
            ) from error
        inexact = jnp.issubdtype(dtype, jnp.floating if real else jnp.inexact)
        if not inexact or jnp.finfo(dtype).bits < 16:
            raise TypeError(f"{name}[{leaf_names(tree)[i]!r}] is {dtype}, but {_fix_for(dtype)}")
    return leaves, treedef


def _fix_for(dtype: Any) -> str:
    if jnp.issubdtype(dtype, jnp.complexfloating):
        return (
            "this transformation acts on the axes of real arrays; exclude it, or wrap the "
            "optimizer in optax.contrib.split_real_and_imaginary"
        )
    if jnp.issubdtype(dtype, jnp.floating):
        return (
            "optimizers need 16 bits or more; keep it in bfloat16 or float32, and cast it to "
            f"{dtype} where the model uses it"
        )
    return (
        "only floating-point leaves can be optimized; exclude it (optax.masked, "
        "optax.partition, or a filter of the model's parameters)"
    )


def like_updates(updates: PyTree, params: PyTree) -> PyTree:
    """Return the parameters without the leaves that have no update.

    Equinox users pass the whole model, which also contains functions, and updates with None there.

    >>> like_updates({"f": None, "w": 1.0}, {"f": abs, "w": 2.0})
    {'f': None, 'w': 2.0}
    """
    if updates is None or jax.tree.structure(updates) == jax.tree.structure(params):
        return params
    leaves, treedef = jax.tree.flatten(updates, is_leaf=lambda x: x is None)
    try:
        parts = treedef.flatten_up_to(params)
    except ValueError:  # They do not fit, which check_same_tree explains.
        return params
    return treedef.unflatten([None if u is None else p for u, p in zip(leaves, parts, strict=True)])


_IN_BOX = [
    (jax.tree_util.GetAttrKey("value"),),  # nnx.Variable, flax.core.meta.Partitioned
    (jax.tree_util.GetAttrKey("array"),),
    (jax.tree_util.FlattenedIndexKey(0),),  # haliax.NamedArray
]


def unbox(tree: PyTree) -> PyTree:
    """Replace boxes around one array, such as `nnx.Variable`, by the array or `optax.MaskedNode`.

    A box may hold the sharding or the names of the axes of its array.
    """

    def inside(node: Any) -> list[Any]:
        return jax.tree_util.tree_leaves_with_path(node, is_leaf=is_masked)

    def is_box(node: Any) -> bool:
        if isinstance(node, dict | list | tuple):
            return False
        return [path for path, _ in inside(node)] in [[path] for path in _IN_BOX]

    return jax.tree.map(lambda node: inside(node)[0][1], tree, is_leaf=is_box)


def require_params(params: PyTree, reader: str) -> None:
    """Raise ValueError if the parameters are missing."""
    if params is None:
        raise ValueError(
            f"params: {reader} needs the parameters; call update(updates, state, params)"
        )


def count_resolved(tree: PyTree, step: Any, coarse: Sequence[str]) -> int:
    """Count the elements that a step of this size changes: all, except large ones of coarse dtypes.

    An array without values, as under jit, has none if its dtype is coarse.
    """
    leaves = [x if hasattr(x, "size") else jnp.asarray(x) for x in jax.tree.leaves(tree)]
    unknown = (jax.core.Tracer, jax.ShapeDtypeStruct)

    def count(x: Any) -> int:
        if x.dtype.name not in coarse:
            return x.size
        if isinstance(x, unknown) or isinstance(step, unknown):
            return 0
        return int(jnp.sum(jnp.abs(x) * (jnp.finfo(x.dtype).eps / 4) < step))

    return sum(map(count, leaves))


def map_columns(function: Callable[..., Any], first: Sequence[Any], *others: Any) -> list[Any]:
    """Apply a function to the leaves of aligned trees, given as lists.

    Under jit, leaves of the same shape share one trace if there are many.
    """
    many = len(first) > 8 and any(isinstance(x, jax.core.Tracer) for x in first)
    run = jax.jit(function) if many else function
    return [run(*row) for row in zip(first, *others, strict=True)]
