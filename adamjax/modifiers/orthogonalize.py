"""Muon: An optimizer for hidden layers in neural networks. Jordan et al., 2024.

https://kellerjordan.github.io/posts/muon. A matrix is moved as far along each of its singular
directions: the nearest orthogonal matrix, by a few steps of Newton and Schulz.
"""

import math
from collections.abc import Callable

import jax.numpy as jnp
import optax

from adamjax.checks import check_count, check_not_negative, lookup_or_suggest
from adamjax.modifiers.map_updates import map_updates
from adamjax.moments import Array, divide, norm

COEFFICIENTS = (3.4445, -4.775, 2.0315)  # the authors': singular values end between 0.7 and 1.2


def _none(rows: int, columns: int, outputs: int) -> float:
    return 1.0


def _aspect(rows: int, columns: int, outputs: int) -> float:
    """√max(1, outputs / inputs), the authors'."""
    return math.sqrt(max(1, outputs * outputs / (rows * columns)))


def _rms(rows: int, columns: int, outputs: int) -> float:
    """0.2 √max(rows, columns): the root mean square that Adam's steps have. arXiv:2502.16982."""
    return 0.2 * math.sqrt(max(rows, columns))


_SCALES: dict[str, Callable[[int, int, int], float]] = {
    "none": _none,
    "aspect": _aspect,
    "rms": _rms,
}


def orthogonalize(
    steps: int = 5, eps: float = 1e-7, *, scale: str = "none", out_axis: int = -1
) -> optax.GradientTransformationExtraArgs:
    """Makes each matrix about orthogonal, u ≈ U Vᵀ of u = U S Vᵀ.

        X = u / (‖u‖ + ε)
        A = X Xᵀ;  X = a X + (b A + c A²) X        a few times

    It stands in a chain, behind a momentum. The matrices are the last two axes, further ones a
    stack of them; leaves with fewer axes stay.

    Args:
      steps: how often to iterate.
      eps: ε.
      scale: what the result is multiplied by: "none"; "aspect", √max(1, outputs / inputs), as the
        authors do; "rms", 0.2 √max(rows, columns), which makes it as long as a step of Adam.
      out_axis: the axis of the outputs: -1, the last of a kernel in Flax, or -2 as in torch.

    Returns:
      A transformation without a state.

    Raises:
      ValueError: for steps that are no whole number from 1, a negative eps, an unknown scale or
        another axis.

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

    def modify(u: Array, g: Array) -> Array:
        del g
        if u.ndim < 2 or u.size == 0:
            return u
        return newton_schulz(u, steps, eps) * factor(u.shape[-2], u.shape[-1], u.shape[out_axis])

    return map_updates(optax.identity(), modify)


def newton_schulz(u: Array, steps: int, eps: float) -> Array:
    """The iteration alone, of the smaller of X Xᵀ and Xᵀ X.

    >>> newton_schulz(jnp.zeros((2, 3)), 5, 1e-7).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    tall = u.shape[-2] > u.shape[-1]
    a, b, c = COEFFICIENTS
    x = divide(u, norm(u, (-2, -1)) + eps)
    x = jnp.matrix_transpose(x) if tall else x
    for _ in range(steps):
        square = x @ jnp.matrix_transpose(x)
        x = a * x + (b * square + c * square @ square) @ x
    return jnp.matrix_transpose(x) if tall else x
