"""Gradient Centralization. Yong et al., 2020. arXiv:2004.01461.

It makes the gradient of each neuron's weights have zero mean.
"""

import jax.numpy as jnp
import optax

from adamjax.modifiers.map_updates import map_updates
from adamjax.moments import Array


def gradient_centralization(out_axis: int = -1) -> optax.GradientTransformationExtraArgs:
    """Subtract the mean over a neuron's inputs from each gradient: g = g - mean(g).

    The mean is over all axes except that of the outputs. Leaves with fewer than two axes do not
    change. Use it in a chain, before the optimizer.

    Args:
      out_axis: axis of the outputs, the last of a kernel in Flax, the first (0) in torch and
        Equinox.

    Returns:
      A transformation without state.

    >>> tx = gradient_centralization()
    >>> g = jnp.array([[1.0, 4.0], [3.0, 4.0]])
    >>> tx.update(g, tx.init(g))[0].tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """

    def modify(u: Array, _: Array) -> Array:
        if u.ndim < 2:
            return u
        axes = [axis for axis in range(u.ndim) if axis != out_axis % u.ndim]
        return u - jnp.mean(u, axes, keepdims=True)

    return map_updates(optax.identity(), modify, uses_axes=True)
