"""Copies of the parameters, which several wrappers keep."""

from typing import Any

import jax
import jax.numpy as jnp

from adamjax.modifiers.map_updates import check_params
from adamjax.moments import Array
from adamjax.rule import at_least_float32
from adamjax.trees import PyTree, check_real, check_same_tree


def copy_params(params: PyTree) -> PyTree:
    """The parameters in float32 or above, in memory of their own.

    Of `jax.ShapeDtypeStruct` leaves it makes a template, with zeros.

    >>> copy_params({"w": jnp.ones(2, jnp.bfloat16)})
    {'w': Array([1., 1.], dtype=float32)}
    """
    check_real("params", params)
    return jax.tree.map(_copy, params)


def check_copies(copies: PyTree, params: PyTree, updates: PyTree) -> None:
    """Raises ValueError if the parameters are missing, or do not fit gradients and copies.

    >>> check_copies({"w": 1.0}, None, {"w": 1.0})
    Traceback (most recent call last):
    ValueError: params: this looks at the parameters; call update(updates, state, params)
    """
    check_real("updates", updates)
    check_same_tree("updates", updates, "the state's copy of the parameters", copies)
    check_params(params, updates)


def _copy(param: Any) -> Array:
    dtype = at_least_float32(jnp.result_type(param))
    is_shape = isinstance(param, jax.ShapeDtypeStruct)
    return jnp.zeros(param.shape, dtype) if is_shape else jnp.array(param, dtype)
