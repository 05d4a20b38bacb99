"""Map parameters and moments of torch and Keras, listed in order, to paths and layouts here."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.moments import Array
from adamjax.trees import PyTree, leaf_name

Name = str | tuple[str, Sequence[int]]


class ParamMapping(NamedTuple):
    """The place of another framework's parameter in the tree here."""

    path: str
    leaf: int  # its number among the tree's leaves
    shape: tuple[int, ...]
    axes: tuple[int, ...]  # np.transpose(there, axes) has the layout here

    def to_here(self, what: str, value: Any, like: Array) -> Array:
        """Convert an array of the other framework to the layout and the dtype of `like`."""
        array = as_numpy(value, f"{what} of {self.path!r}")
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
        """Convert an array to the other framework's layout, in float32 or wider."""
        array = as_numpy(value)
        check_no_codes(self.path, array)
        array = np.asarray(array, jnp.promote_types(array.dtype, jnp.float32))
        return np.transpose(array, np.argsort(self.axes)).copy()

    @property
    def moved(self) -> bool:
        """Whether the layouts differ."""
        return self.axes != tuple(range(len(self.axes)))


def as_numpy(value: Any, what: str = "value") -> np.ndarray:
    """Convert an array of NumPy, JAX, Keras or torch to a contiguous NumPy array."""
    value = getattr(value, "value", value)  # of a variable of Keras
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = value.float() if "bfloat16" in str(value.dtype) else value
        return np.array(value.numpy() if hasattr(value, "numpy") else value, order="C")
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{what} must be a dense array with numbers in it, neither sparse nor on 'meta', got a "
            f"{type(value).__name__} ({type(error).__name__})"
        ) from error


def number(what: str, value: Any) -> float:
    """Convert a number or an array of one element to a float."""
    array = as_numpy(value, what)
    if array.size != 1:
        raise ValueError(f"{what} must be one number, got an array of shape {array.shape}")
    if not jnp.issubdtype(array.dtype, jnp.number):
        raise ValueError(f"{what} must be one number, got {array.item()!r}")
    return float(array.item())


def whole(what: str, value: Any) -> int:
    """Convert a step count to an int that int32 holds."""
    steps = number(what, value)
    if not (0 <= steps < 2**31 and steps.is_integer()):
        raise ValueError(f"{what} must be a whole number from 0 to {2**31 - 1}, got {steps}")
    return int(steps)


def plain(what: str, value: Any) -> Any:
    """Convert a scalar of torch or NumPy to a Python number; return other values unchanged."""
    if not hasattr(value, "detach") and not isinstance(value, np.generic | np.ndarray):
        return value
    try:
        return value.item()
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{what} must be one number, got {value!r}") from error


def named_leaves(params: PyTree, is_leaf: Callable[[Any], bool] | None = None) -> dict[str, Any]:
    """Return the leaves by path, in tree order."""
    found: dict[str, Any] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(params, is_leaf):
        name = leaf_name(path)
        if name in found:
            raise ValueError(
                f"params: two leaves are called {name!r}; rename one, for states go by these names"
            )
        found[name] = leaf
    return found


def check_no_codes(path: str, moment: Any) -> None:
    """Raise ValueError for a moment that a storage format encodes."""
    dtype = jnp.result_type(moment)
    if not jnp.issubdtype(dtype, jnp.floating):
        raise ValueError(
            f"state: that of {path!r} is kept in codes ({dtype}); convert it first: "
            'adamjax.convert_state(state, to="float32")'
        )


def param_mappings(names: Sequence[Name], params: PyTree) -> list[ParamMapping]:
    """Find each name, a path or (path, axes), in the tree of parameters."""
    if isinstance(names, str | Mapping) or not isinstance(names, Iterable):
        raise ValueError(f"names must be a list of paths, got {names!r}")
    leaves = named_leaves(params)
    known = {path: i for i, path in enumerate(leaves)}
    found: dict[str, ParamMapping] = {}
    for name in names:
        path, axes = (name, None) if isinstance(name, str) else _pair(name)
        if path not in known:
            near = difflib.get_close_matches(path, known, n=3) or list(known)[:3]
            raise ValueError(
                f"names: there is no parameter {path!r}; there are {', '.join(map(repr, near))}"
            )
        if path in found:
            raise ValueError(f"names: {path!r} stands there twice")
        shape = jnp.shape(leaves[path])
        axes = tuple(range(len(shape))) if axes is None else axes
        if sorted(axes) != list(range(len(shape))):
            raise ValueError(
                f"names: {path!r} has shape {shape}, so its axes must be a permutation of "
                f"{tuple(range(len(shape)))}, got {axes}"
            )
        found[path] = ParamMapping(path, known[path], shape, axes)
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
    path, axes = name
    if not isinstance(axes, Iterable) or not all(isinstance(a, int | np.integer) for a in axes):
        raise ValueError(f"names: the axes of {path!r} must be whole numbers, got {axes!r}")
    return path, tuple(int(axis) for axis in axes)
