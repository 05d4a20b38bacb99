"""Stacked layers as separate layers."""

from typing import Any

import optax

from adamjax.matrices.layers import layers_apart
from adamjax.trees import PyTree, Stacked, stack_axes


def per_layer(
    inner: optax.GradientTransformation, stacked: Stacked
) -> optax.GradientTransformationExtraArgs:
    """Treat each layer of a stack as a parameter of its own, so that `scan` does not change steps.

    Optimizers such as LAMB, Adafactor and Adam-mini reduce over a leaf. On layers that `scan`
    stacks, they would reduce over all layers together. The state keeps its stacked leaves.
    It has an effect on transformations of adamjax, not on those of Optax.

    Args:
      inner: any transformation, such as an optimizer.
      stacked: from patterns of paths to the axis that stacks layers, or to several, such as
        {"blocks/*": 0}. The first match applies, and () is none.

    Returns:
      A transformation with the state of `inner`.

    Raises:
      ValueError: in `init`, for a stacked parameter without that axis, or a pattern that matches no
        parameter.

    >>> import jax.numpy as jnp
    >>> from adamjax import trust_ratio
    >>> tx = per_layer(trust_ratio(), {"blocks/*": 0})
    >>> params = {"blocks": {"w": jnp.array([[6.0, 8.0], [0.0, 1.0]])}}
    >>> g = {"blocks": {"w": jnp.array([[1.0, 0.0], [0.0, 2.0]])}}
    >>> tx.update(g, tx.init(params), params)[0]["blocks"]["w"].tolist()
    [[10.0, 0.0], [0.0, 1.0]]
    """
    inner, apart = optax.with_extra_args_support(inner), layers_apart(stacked)

    def init(params: PyTree) -> Any:
        stack_axes("stacked", stacked, params)
        return apart(inner.init)(params)

    return optax.GradientTransformationExtraArgs(init, apart(inner.update))
