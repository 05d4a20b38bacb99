"""Stacked layers as separate layers."""

from typing import Any

import optax

from adamjax.matrices.layers import layers_apart
from adamjax.matrices.resolve import stack_axes
from adamjax.trees import PyTree


def per_layer(
    inner: optax.GradientTransformation, layouts: Any
) -> optax.GradientTransformationExtraArgs:
    """Treat each layer of a stack as a parameter of its own, so that `scan` does not change steps.

    Optimizers such as LAMB, Adafactor and Adam-mini reduce over a leaf. On layers that `scan`
    stacks, they would reduce over all layers together. The state keeps its stacked leaves.
    It has an effect on transformations of adamjax, not on those of Optax.

    Args:
      inner: any transformation, such as an optimizer.
      layouts: the stacked parameters, in the form of `adamjax.matrix_layouts`. Only
        `adamjax.stacked_layouts` in it count here: {"blocks/*": stacked_layouts()}.

    Returns:
      A transformation with the state of `inner`.

    Raises:
      ValueError: in `init`, for a stacked parameter without that axis, or the path of a parameter
        that does not exist.

    >>> import jax.numpy as jnp
    >>> from adamjax import stacked_layouts, trust_ratio
    >>> tx = per_layer(trust_ratio(), {"blocks/*": stacked_layouts()})
    >>> params = {"blocks": {"w": jnp.array([[6.0, 8.0], [0.0, 1.0]])}}
    >>> g = {"blocks": {"w": jnp.array([[1.0, 0.0], [0.0, 2.0]])}}
    >>> tx.update(g, tx.init(params), params)[0]["blocks"]["w"].tolist()
    [[10.0, 0.0], [0.0, 1.0]]
    """
    inner, apart = optax.with_extra_args_support(inner), layers_apart(layouts)

    def init(params: PyTree) -> Any:
        stack_axes(params, layouts)
        return apart(inner.init)(params)

    return optax.GradientTransformationExtraArgs(init, apart(inner.update))
