"""Leaves whose gradient is their new value, such as the scales of float8 layers."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.modifiers.map_updates import check_params, map_leaves
from adamjax.moments import ZERO, Array
from adamjax.trees import Mask, PyTree, flatten_floating, like_updates, resolve_mask

VALUES = {"replace": lambda p, g: g, "max": jnp.maximum}


def overwrite(
    inner: optax.GradientTransformation, mask: Mask, *, how: str = "replace"
) -> optax.GradientTransformationExtraArgs:
    """Overwrite leaves with their gradients, and step the others.

    Layers of Flax (`_overwrite_with_gradient`) and Keras (`overwrite_with_gradient`) return the new
    scales and amax histories of float8 as gradients. `inner` does not see these leaves: they have
    no moments and no weight decay, and take no part in norms.

    Put it around everything else. Inside `accumulate`, the leaves would get a mean.

    Args:
      inner: any optimizer.
      mask: the overwritten leaves, in any of the forms of `adamjax.optimizer`.
      how: "replace" sets p to g, "max" to the maximum of both.

    Returns:
      A transformation with the state of `optax.partition`. Values that are not finite are ignored.
      As the updates are differences, the error is a rounding error of the old value, and the next
      step corrects it.

    Raises:
      TypeError: in `update`, for overwritten leaves that are not floating-point arrays.
      ValueError: for an unknown `how`, a pattern that matches no parameter, or missing parameters.

    >>> tx = overwrite(optax.sgd(1.0), "*scale")
    >>> p = {"kernel": jnp.float32(1.0), "kernel_scale": jnp.float32(2.0)}
    >>> g = {"kernel": jnp.float32(0.5), "kernel_scale": jnp.float32(0.25)}
    >>> updates, _ = tx.update(g, tx.init(p), p)
    >>> jax.tree.map(float, optax.apply_updates(p, updates))
    {'kernel': 0.5, 'kernel_scale': 0.25}
    """
    value = lookup_or_suggest("how", how, VALUES)

    def change(updates: PyTree, params: PyTree) -> PyTree:
        def move(p: Array, g: Array, eps: Array) -> Array:
            new = value(p, g)
            # A tiny scale after a large one does not round to 0, by which layers divide.
            tiny = (jnp.abs(new) < jnp.abs(p) * eps / 2) & (new != 0)
            return jnp.where(jnp.isfinite(g), jnp.where(tiny, p * (eps - 1), new - p), ZERO)

        params = check_params(params, updates)
        flatten_floating("params", params)
        eps = jax.tree.map(lambda p: jnp.finfo(jnp.result_type(p)).eps, params)
        return map_leaves(move, params, updates, eps)

    def labels(tree: PyTree) -> PyTree:
        names = ["overwrite" if on else "step" for on in resolve_mask(mask, tree)]
        return jax.tree.structure(tree).unflatten(names)

    parts: dict[Any, Any] = {"step": inner, "overwrite": optax.stateless(change)}
    tx = optax.with_extra_args_support(optax.partition(parts, labels))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        return tx.update(updates, state, like_updates(updates, params), **extra_args)

    return optax.GradientTransformationExtraArgs(tx.init, update)
