"""Large Batch Training of Convolutional Networks. You, Gitman and Ginsburg, 2017. arXiv:1708.03888.

LARS; and LAMB, You et al., 2019, arXiv:1904.00962: the step of a leaf is as long as its parameters
are.
"""

import math

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative
from adamjax.modifiers.map_updates import map_updates
from adamjax.moments import Array, divide, norm


def trust_ratio(
    coefficient: float = 1.0, eps: float = 0.0, *, norm_cap: float = math.inf
) -> optax.GradientTransformationExtraArgs:
    """Makes each direction as long as its parameters: u = c u ‖p‖ / (‖u‖ + ε).

    Where one of the norms is 0, u stays as it is. It stands in a chain, behind a direction and its
    weight decay; LARS has it in front of the momentum, LAMB behind Adam.

    Args:
      coefficient: c; LARS takes 10⁻³, LAMB 1.
      eps: ε.
      norm_cap: the largest ‖p‖ that counts.

    Returns:
      A transformation without a state.

    Raises:
      ValueError: for a negative number; in `update`, if the parameters are missing or do not fit.

    >>> tx = trust_ratio()
    >>> p = jnp.array([6.0, 8.0])
    >>> tx.update(jnp.array([0.0, 2.0]), tx.init(p), p)[0].tolist()
    [0.0, 10.0]
    """
    check_not_negative("coefficient", coefficient)
    check_not_negative("eps", eps)
    check_not_negative("norm_cap", norm_cap)

    def modify(u: Array, g: Array, p: Array) -> Array:
        del g
        size, own = norm(p), norm(u)
        unit = divide(u, own + eps)  # not ‖p‖ / ‖u‖, which may be infinite
        return jnp.where(size == 0, u, coefficient * jnp.minimum(size, norm_cap) * unit)

    return map_updates(optax.identity(), modify, needs_params=True)
