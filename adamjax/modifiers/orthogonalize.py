"""Muon: An optimizer for hidden layers in neural networks. Jordan et al., 2024.

https://kellerjordan.github.io/posts/muon. A Newton-Schulz iteration replaces each matrix by the
nearest orthogonal matrix, so that all its singular values are about 1.
"""

import math
from functools import partial

import jax.numpy as jnp
import optax

from adamjax.checks import check_count, check_not_negative, lookup_or_suggest
from adamjax.modifiers.map_updates import auto_sharded, map_updates
from adamjax.moments import Array, divide, norm

COEFFICIENTS = (3.4445, -4.775, 2.0315)  # the authors': singular values end between 0.7 and 1.2
_SCALES = {  # functions of rows, columns and outputs
    "none": lambda n, m, outputs: 1.0,
    "aspect": lambda n, m, outputs: math.sqrt(max(1, outputs * outputs / (n * m))),
    "rms": lambda n, m, outputs: 0.2 * math.sqrt(max(n, m)),
}


def orthogonalize(
    steps: int = 5, eps: float = 1e-7, *, scale: str = "none", out_axis: int = -1
) -> optax.GradientTransformationExtraArgs:
    """Orthogonalize each matrix approximately, u ≈ U Vᵀ for u = U S Vᵀ.

        X = u / (‖u‖ + ε)
        A = X Xᵀ;  X = a X + (b A + c A²) X        in each iteration

    The last two axes of a leaf form matrices. Leaves with fewer axes do not change. Use it in a
    chain, after a momentum.

    Args:
      steps: number of iterations.
      eps: ε.
      scale: factor of the result: "none", 1; "aspect", √max(1, outputs / inputs), the authors';
        "rms", 0.2 √max(rows, columns), the root mean square of Adam's updates (arXiv:2502.16982).
      out_axis: axis of the outputs, -1 for kernels in Flax or -2 in torch.

    Returns:
      A transformation without state.

    Raises:
      ValueError: for an invalid number of steps, a negative eps, an unknown scale or another axis.

    >>> u = jnp.array([[4.0, 0.0], [0.0, -1.0]])
    >>> tx = orthogonalize(steps=10)
    >>> jnp.round(jnp.abs(tx.update(u, tx.init(u))[0])).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    check_count("steps", steps)
    check_not_negative("eps", eps)
    factor = lookup_or_suggest("scale", scale, _SCALES)
    if out_axis not in (-1, -2):
        raise ValueError(f"out_axis must be -1 or -2, got {out_axis}")

    def modify(u: Array, _: Array) -> Array:
        if u.ndim < 2 or u.size == 0:
            return u
        orthogonal = auto_sharded(partial(newton_schulz, steps=steps, eps=eps), u)
        return orthogonal * factor(u.shape[-2], u.shape[-1], u.shape[out_axis])

    return map_updates(optax.identity(), modify, uses_axes=True)


def newton_schulz(u: Array, steps: int, eps: float) -> Array:
    """Iterate with the smaller of X Xᵀ and Xᵀ X."""
    tall = u.shape[-2] > u.shape[-1]
    a, b, c = COEFFICIENTS
    x = divide(u, norm(u, (-2, -1)) + eps)
    x = jnp.matrix_transpose(x) if tall else x
    for _ in range(steps):
        square = x @ jnp.matrix_transpose(x)
        x = a * x + (b * square + c * square @ square) @ x
    return jnp.matrix_transpose(x) if tall else x
