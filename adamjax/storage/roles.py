"""Roles of the fields of an optimizer's state, which determine their codes.

| role | meaning | example |
|---|---|---|
| mean | average of the same gradients as in the "square", |m| ≲ √v | Adam's mu |
| square | average or sum of squares, not negative | nu |
| maximum | largest "square" so far; rounding must not increase it | AMSGrad's nu_max |
| signed | any other moment | Lion's and SGD's mu, AdaBelief's mu |
"""

from collections.abc import Mapping
from typing import Any

import jax
import optax

ROLES = ("mean", "square", "maximum", "signed")

_ADAM = {"mu": "mean", "nu": "square"}
# AdaBelief's v is the average of (g - m)² and does not bound m. A Hessian's diagonal has a sign.
_OF_OPTAX = {
    optax.ScaleByAdamState: _ADAM,
    optax.ScaleByAmsgradState: {**_ADAM, "nu_max": "maximum"},
    optax.ScaleByBeliefState: {"mu": "signed", "nu": "square"},
    optax.ScaleByAdanState: {"m": "signed", "v": "signed", "n": "square", "g": "signed"},
    optax.FactoredState: {"v": "square"},
    optax.TraceState: {"trace": "signed"},
    optax.EmaState: {"ema": "signed"},
    optax.ScaleByRssState: {"sum_of_squares": "square"},
    optax.ScaleByAdaDeltaState: {"e_g": "square", "e_x": "square"},
    optax.contrib.ScaleByAdemamixState: {"m1": "mean", "m2": "signed", "nu": "square"},
    optax.contrib.ScaleBySimplifiedAdEMAMixState: {"m": "signed", "n": "square"},
    optax.contrib.SophiaState: {"mu": "signed", "nu": "signed"},
    # v - m² of rounded moments is noise. SM3's accumulators have another tree than parameters.
    optax.ScaleByRStdDevState: {},
    optax.ScaleBySM3State: {},
}
_BY_NAME = {"mu": "signed", "nu": "square"}


def roles_of(node: Any, overrides: Mapping[str, str]) -> dict[str, str]:
    """Return the role of each field of a state. Other nodes have no roles.

    Roles come from `overrides`, the state's attribute `roles`, or its class if it is Optax's.
    In other states a field `mu` is "signed" and a field `nu` a "square".
    """
    fields = getattr(node, "_fields", ())
    if not fields:
        return {}
    # Parameters may also have a field `mu`.
    is_state = "count" in fields or type(node).__name__.endswith("State")
    by_name = _BY_NAME if is_state else {}
    known = getattr(node, "roles", None) or _OF_OPTAX.get(type(node), by_name)
    roles = {**known, **overrides}
    return {
        name: roles[name] for name in fields if name in roles and getattr(node, name) is not None
    }


def roles_in(state: Any) -> dict[str, str]:
    """Return the role of each moment in a whole state, by field.

    Parts without parameters (`optax.partition`) are ignored.
    """
    return {
        field: role
        for node in jax.tree.leaves(state, is_leaf=lambda node: bool(roles_of(node, {})))
        for field, role in roles_of(node, {}).items()
        if jax.tree.leaves(getattr(node, field))
    }
