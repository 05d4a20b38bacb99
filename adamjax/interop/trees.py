"""Parameters that have a number in one framework and a path in another, and their moments.

What torch, Keras and Optax have in common: `names` in the order of the other framework, layouts,
and filling and reading the state of a ready-made optimizer.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.moments import Array
from adamjax.rule import ScheduledDecayState, without_corrections
from adamjax.trees import PyTree, leaf_name

Name = str | tuple[str, Sequence[int]]


class Place(NamedTuple):
    """Where a parameter of another framework is here.

    Attributes:
      path: its path in the tree of parameters, as `leaf_name` writes it.
      leaf: its number among the tree's leaves.
      shape: its shape here.
      axes: `np.transpose(there, axes)` has the layout that it has here.
    """

    path: str
    leaf: int
    shape: tuple[int, ...]
    axes: tuple[int, ...]

    def to_here(self, what: str, value: Any, like: Array) -> Array:
        """An array of the other framework in this one's layout.

        Raises:
          ValueError: if it then has not the shape of `like`, or a dtype that `like` cannot hold.
        """
        array = as_numpy(value)
        known = "" if self.moved else "; is its layout another there? Then give (path, axes)"
        if array.ndim == len(self.axes):
            array = np.transpose(array, self.axes)
        if array.shape != jnp.shape(like):
            raise ValueError(
                f"{what} of {self.path!r} has shape {array.shape} in this layout, but "
                f"{jnp.shape(like)} was expected{known}"
            )
        dtype = jnp.result_type(like)
        if not jnp.issubdtype(array.dtype, jnp.floating):
            raise ValueError(f"{what} of {self.path!r} is {array.dtype}, not floating")
        if jnp.promote_types(array.dtype, dtype) != dtype:
            raise ValueError(
                f"{what} of {self.path!r} is {array.dtype}, which {dtype} does not hold; cast the "
                f"state to {dtype} first, or use {array.dtype} parameters"
            )
        return jnp.asarray(array, dtype)

    def to_there(self, value: Any) -> np.ndarray:
        """An array of this framework in the other one's layout, in float32 or wider.

        Raises:
          ValueError: for moments that a storage format keeps in codes.
        """
        array = as_numpy(value)
        check_no_codes(self.path, array)
        array = np.asarray(array, jnp.promote_types(array.dtype, jnp.float32))
        return np.transpose(array, np.argsort(self.axes)).copy()

    @property
    def moved(self) -> bool:
        """Whether the layouts differ."""
        return self.axes != tuple(range(len(self.axes)))


def as_numpy(value: Any) -> np.ndarray:
    """An array of NumPy, JAX, Keras or torch, known by what it can do, as one of NumPy.

    >>> as_numpy([1.0, 2.0])
    array([1., 2.])
    """
    value = getattr(value, "value", value)  # of a variable of Keras
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if "bfloat16" in str(value.dtype) else value
    return np.array(value.numpy() if hasattr(value, "numpy") else value)


def check_no_codes(path: str, moment: Any) -> None:
    """Raises ValueError for a moment that a storage format keeps in codes."""
    dtype = jnp.result_type(moment)
    if not jnp.issubdtype(dtype, jnp.floating):
        raise ValueError(
            f"state: that of {path!r} is kept in codes ({dtype}); convert it first: "
            'adamjax.convert_state(state, params, to="float32")'
        )


def places(names: Sequence[Name], params: PyTree) -> list[Place]:
    """Where each of the names is.

    Args:
      names: for each parameter, in the other framework's order, its path in `params`, or
        (path, axes) where the layout differs.
      params: the tree of parameters.

    Raises:
      ValueError: if a path is not in `params`, stands there twice or is missing, or if axes are no
        permutation.

    >>> places([("w", (1, 0))], {"w": jnp.ones((2, 3))})
    [Place(path='w', leaf=0, shape=(2, 3), axes=(1, 0))]
    >>> places(["v"], {"w": jnp.ones((2, 3))})
    Traceback (most recent call last):
    ValueError: names: there is no parameter 'v'; there are 'w'
    """
    if isinstance(names, str):
        raise ValueError(f"names must be a list of paths, got {names!r}")
    leaves = jax.tree_util.tree_leaves_with_path(params)
    known = {leaf_name(path): i for i, (path, _) in enumerate(leaves)}
    found: dict[str, Place] = {}
    for name in names:
        path, axes = (name, None) if isinstance(name, str) else _pair(name)
        if path not in known:
            near = difflib.get_close_matches(path, known, n=3) or list(known)[:3]
            raise ValueError(
                f"names: there is no parameter {path!r}; there are {', '.join(map(repr, near))}"
            )
        if path in found:
            raise ValueError(f"names: {path!r} stands there twice")
        shape = jnp.shape(leaves[known[path]][1])
        axes = tuple(range(len(shape))) if axes is None else axes
        if sorted(axes) != list(range(len(shape))):
            raise ValueError(
                f"names: {path!r} has shape {shape}, so its axes must be a permutation of "
                f"{tuple(range(len(shape)))}, got {axes}"
            )
        found[path] = Place(path, known[path], shape, axes)
    missing = [path for path in known if path not in found]
    if missing:
        raise ValueError(
            f"names: {', '.join(map(repr, missing[:3]))} of params is not among them "
            f"({len(missing)} missing); name every parameter, or leave out of params what the "
            "other optimizer did not train"
        )
    return list(found.values())


def _pair(name: Any) -> tuple[str, tuple[int, ...]]:
    if not isinstance(name, list | tuple) or len(name) != 2 or not isinstance(name[0], str):
        raise ValueError(f"names: each must be a path or (path, axes), got {name!r}")
    return name[0], tuple(int(axis) for axis in name[1])


def counts(node: Any) -> bool:
    """Whether a part of a state counts steps by itself."""
    return isinstance(node, ScheduledDecayState) or "count" in getattr(node, "_fields", ())


def rule_of(state: Any) -> Any:
    """The moments in the state of a ready-made optimizer, with the count: its first part.

    >>> import adamjax
    >>> type(rule_of(adamjax.nadam().init(jnp.ones(2)))).__name__
    'ScaleByAdamState'
    """
    return without_corrections(next(filter(counts, jax.tree.leaves(state, is_leaf=counts))))


def kept(rule: Any) -> list[str]:
    """The names of the moments that a rule's state keeps.

    >>> import adamjax
    >>> kept(rule_of(adamjax.adam().init(jnp.ones(2))))
    ['mu', 'nu']
    """
    return [name for name in rule._fields if name != "count" and getattr(rule, name) is not None]


def fill(
    state: Any,
    count: int,
    moments: Mapping[str, Sequence[Array]],
    corrections: Mapping[str, float] | None = None,
) -> Any:
    """The state of a ready-made optimizer after `count` steps, with these moments.

    Args:
      state: what `init` makes.
      count: steps done.
      moments: for each name that is kept, its leaves in the tree's order.
      corrections: 1 - b₁b₂…b_t of each decay that is scheduled.

    >>> import adamjax
    >>> state = fill(adamjax.sgd(momentum=0.5).init({"w": jnp.ones(1)}), 3, {"mu": [jnp.ones(1)]})
    >>> int(state[0].count), state[0].mu["w"].tolist()
    (3, [1.0])
    """
    rule = type(rule_of(state))

    def filled(node: Any) -> Any:
        if isinstance(node, ScheduledDecayState):
            new = {
                k: jnp.asarray(v, node.corrections[k].dtype) for k, v in (corrections or {}).items()
            }
            return ScheduledDecayState({**node.corrections, **new}, filled(node.inner_state))
        if isinstance(node, rule):
            fields = {
                name: jax.tree.unflatten(jax.tree.structure(getattr(node, name)), leaves)
                for name, leaves in moments.items()
            }
            node = node._replace(**fields)
        done = counts(node) and node.count is not None
        return node._replace(count=jnp.asarray(count, jnp.int32)) if done else node

    return jax.tree.map(filled, state, is_leaf=counts)


class Kept(NamedTuple):
    """What a state keeps of one parameter: steps done, corrections and moments by name."""

    count: int
    corrections: Mapping[str, Array]
    moments: Mapping[str, Array]


def read(state: Any, state_type: type) -> dict[str, Kept]:
    """What the states of a rule, anywhere in an optimizer's state, keep of each path.

    Raises:
      ValueError: if there is none, or two keep the same path.

    >>> import adamjax
    >>> state = adamjax.adam().init({"w": jnp.ones(2)})
    >>> found = read(state, type(rule_of(state)))
    >>> int(found["w"].count), found["w"].moments["mu"].tolist()
    (0, [0.0, 0.0])
    """
    wanted = (ScheduledDecayState, state_type)
    nodes = jax.tree.leaves(state, is_leaf=lambda node: isinstance(node, wanted))
    found: dict[str, Kept] = {}
    for node in nodes:
        rule = without_corrections(node)
        if not isinstance(rule, state_type):
            continue
        corrections = node.corrections if isinstance(node, ScheduledDecayState) else {}
        each: dict[str, dict[str, Array]] = {}
        for name in kept(rule):
            for path, leaf in jax.tree_util.tree_leaves_with_path(getattr(rule, name)):
                each.setdefault(leaf_name(path), {})[name] = leaf
        for path, moments in each.items():
            if path in found:
                raise ValueError(f"state: two states of the optimizer keep {path!r}; give one")
            found[path] = Kept(int(rule.count), corrections, moments)
    return found
