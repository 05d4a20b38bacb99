"""Clip by the global norm of the gradients of the step before."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_constants, check_positive, refuse_state
from adamjax.moments import Array, root
from adamjax.rule import cast
from adamjax.trees import PyTree, flatten_floating


class PreviousNormState(NamedTuple):
    """Σ g² over all gradients of the last step, a float32."""

    squares: Array


def clip_by_previous_norm(max_norm: float) -> optax.GradientTransformationExtraArgs:
    """Clip all gradients to a norm, as measured in the step before.

        g <- g min(1, c / ‖all g of the step before‖)

    `optax.clip_by_global_norm` needs all gradients before the first update. This one does not, so
    it is one pass over memory, and works in `adamjax.release`. A sudden large gradient passes, and
    the next one is reduced. Nothing is clipped in the first step, and after a step whose norm is
    not finite.

    Args:
      max_norm: c.

    Returns:
      A transformation with a `PreviousNormState`.

    Raises:
      ValueError: for a norm that is not positive.

    >>> tx = clip_by_previous_norm(1.0)
    >>> g = jnp.array([3.0, 4.0])
    >>> updates, state = tx.update(g, tx.init(g))
    >>> tx.update(g, state)[0].tolist()
    [0.6000000238418579, 0.800000011920929]
    """
    check_constants(max_norm=max_norm)
    check_positive("max_norm", max_norm)

    def init(params: PyTree) -> PreviousNormState:
        del params
        return PreviousNormState(jnp.zeros([], jnp.float32))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        del params, extra_args
        if not isinstance(state, PreviousNormState):
            refuse_state(state)
        leaves, treedef = flatten_floating("updates", updates)
        norm = root(state.squares)
        factor = jnp.where(jnp.isfinite(norm), max_norm / jnp.maximum(norm, max_norm), 1)
        squares = [jnp.sum(jnp.square(jnp.abs(g).astype(jnp.float32))) for g in leaves]
        scale = lambda g: g * cast(factor, jnp.finfo(g.dtype).dtype)  # noqa: E731
        total = sum(squares, jnp.zeros([], jnp.float32))
        return treedef.unflatten(map(scale, leaves)), PreviousNormState(total)

    return optax.GradientTransformationExtraArgs(init, update)
