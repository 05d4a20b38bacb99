"""Gradient Centralization. Yong et al., 2020. arXiv:2004.01461.

What a neuron's weights have in common in their gradient is taken out of it.
"""

import jax.numpy as jnp
import optax

from adamjax.modifiers.map_updates import map_updates
from adamjax.moments import Array


def gradient_centralization(out_axis: int = -1) -> optax.GradientTransformationExtraArgs:
    """Takes from each gradient its mean over a neuron's inputs: g = g - mean(g).

    Of a leaf with two axes or more, the mean is taken over all axes but that of the outputs. It
    stands in a chain, in front of the optimizer.

    Args:
      out_axis: the axis of the outputs: the last of a kernel in Flax, the first in torch and
        Equinox (0).

    Returns:
      A transformation without a state.

    >>> tx = gradient_centralization()
    >>> g = jnp.array([[1.0, 4.0], [3.0, 4.0]])
    >>> tx.update(g, tx.init(g))[0].tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """

    def modify(u: Array, g: Array) -> Array:
        del g
        if u.ndim < 2:
            return u
        axes = [axis for axis in range(u.ndim) if axis != out_axis % u.ndim]
        return u - jnp.mean(u, axes, keepdims=True)

    return map_updates(optax.identity(), modify)
