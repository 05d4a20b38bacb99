"""Gradient Descent with Adaptive Momentum Scaling. Cao et al., 2024. arXiv:2412.17107.

The update has the magnitude of the optimizer's update and the sign of the gradient.
"""

import jax.numpy as jnp
import optax

from adamjax.modifiers.map_updates import map_updates


def align_sign_with_gradient(
    inner: optax.GradientTransformation,
) -> optax.GradientTransformationExtraArgs:
    """Give each element of an update the sign of its gradient: u = sign(g) |u|.

    Args:
      inner: a transformation from gradients to updates, before weight decay and learning rate.

    Returns:
      A transformation with the state of `inner`.

    >>> tx = align_sign_with_gradient(optax.trace(0.5))
    >>> g = jnp.array([4.0])
    >>> _, state = tx.update(g, tx.init(g))
    >>> tx.update(-g / 4, state)[0].tolist()  # the momentum is 1
    [-1.0]
    """
    return map_updates(inner, lambda u, g: jnp.sign(g) * jnp.abs(u))
