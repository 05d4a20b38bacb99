"""Large Batch Training of Convolutional Networks. You, Gitman and Ginsburg, 2017. arXiv:1708.03888.

LARS; and LAMB, You et al., 2019, arXiv:1904.00962. The norm of each leaf's update is that of its
parameters.
"""

import math

import jax.numpy as jnp
import optax

from adamjax.checks import check_constants, check_not_negative
from adamjax.modifiers.map_updates import map_updates
from adamjax.moments import Array, divide, norm


def trust_ratio(
    coefficient: float = 1.0, eps: float = 0.0, *, norm_cap: float = math.inf
) -> optax.GradientTransformationExtraArgs:
    """Scale each leaf's update to the norm of its parameters: u = c u ‖p‖ / (‖u‖ + ε).

    The update does not change if one of the norms is 0. Use it in a chain, after `scale_by_*` and
    weight decay. LARS has it before the momentum, LAMB after Adam.

    Args:
      coefficient: c. LARS uses 10⁻³, LAMB 1.
      eps: ε.
      norm_cap: upper limit of ‖p‖.

    Returns:
      A transformation without state.

    Raises:
      ValueError: for a negative number; in `update`, if the parameters are missing or do not fit.

    >>> tx = trust_ratio()
    >>> p = jnp.array([6.0, 8.0])
    >>> tx.update(jnp.array([0.0, 2.0]), tx.init(p), p)[0].tolist()
    [0.0, 10.0]
    """
    check_constants(coefficient=coefficient, eps=eps, norm_cap=norm_cap)
    check_not_negative("coefficient", coefficient)
    check_not_negative("eps", eps)
    check_not_negative("norm_cap", norm_cap)

    def modify(u: Array, _: Array, p: Array) -> Array:
        return scale_to_norm(u, p, coefficient, eps, norm_cap)

    return map_updates(optax.identity(), modify, needs_params=True)


def scale_to_norm(
    u: Array, p: Array, coefficient: float = 1.0, eps: float = 0.0, cap: float = math.inf
) -> Array:
    """Return c u min(‖p‖, cap) / (‖u‖ + ε), or u where a norm is 0."""
    size, own = norm(p), norm(u)
    unit = divide(u, own + eps)  # not ‖p‖ / ‖u‖, which may be infinite
    return jnp.where(size == 0, u, coefficient * jnp.minimum(size, cap) * unit)
