"""Copies of the parameters, for several wrappers."""

from typing import Any

import jax
import jax.numpy as jnp

from adamjax.modifiers.map_updates import check_params
from adamjax.moments import Array
from adamjax.rule import Slot, at_least_float32, check_precision
from adamjax.trees import PyTree, check_same_tree, flatten_floating


def copy_params(params: PyTree) -> PyTree:
    """Copy the parameters to float32 or wider. `jax.ShapeDtypeStruct` leaves become zeros."""
    flatten_floating("params", params)

    def copy(param: Any) -> Array:
        dtype = at_least_float32(jnp.result_type(param))
        is_shape = isinstance(param, jax.ShapeDtypeStruct)
        return jnp.zeros(param.shape, dtype) if is_shape else jnp.array(param, dtype)

    return jax.tree.map(copy, params)


def check_copies(copies: PyTree, params: PyTree, updates: PyTree) -> PyTree:
    """Return the parameters that have updates, or raise ValueError if structures differ."""
    name = "the state's copy of the parameters"
    flatten_floating("updates", updates)
    leaves = check_same_tree("updates", updates, name, copies)
    check_precision("the copy", updates, leaves, Slot())
    return check_params(params, updates)
