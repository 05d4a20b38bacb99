"""Which arrays of an optimizer's state belong to which parameter, for several wrappers."""

from collections.abc import Callable
from typing import Any

import jax
import optax

from adamjax.trees import PyTree, is_masked


def map_state(
    inner: optax.GradientTransformation,
    function: Callable[..., Any],
    state: Any,
    *trees: PyTree,
    other: Callable[[Any], Any],
) -> Any:
    """Map arrays of parameters, with the leaf of each tree like the parameters, and other arrays.

    Raises:
      ValueError: if the state has other trees in place of the parameters'.
    """
    if "metrics" in getattr(state, "_fields", ()):  # of `track`, with the names of leaves in a tree
        outer: Callable[..., Any] = inner.init
        within = optax.GradientTransformation(
            lambda params: outer(params).inner_state, inner.update
        )
        part = map_state(within, function, state.inner_state, *trees, other=other)
        return state._replace(inner_state=part, metrics=jax.tree.map(other, state.metrics))
    try:
        return optax.tree_utils.tree_map_params(
            inner.init,
            lambda x, *leaves: x if is_masked(x) else function(x, *leaves),
            state,
            *trees,
            transform_non_params=other,
            is_leaf=is_masked,
        )
    except (ValueError, TypeError) as error:
        reason = " ".join(line.strip() for line in str(error).splitlines()[:2])
        raise ValueError(
            "state: cannot tell which parts of it belong to which parameter. If adamjax.track is "
            f"inside of a chain, put it outside: {reason}"
        ) from error
