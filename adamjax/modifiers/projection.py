"""AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant Weights.

Heo et al., 2020. arXiv:2006.08217. Where a gradient is across its weights, whose scale then does
not matter (they are normalised later), a direction must not make them grow.
"""

import math

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative
from adamjax.modifiers.map_updates import map_updates
from adamjax.moments import Array, norm


def projection(
    inner: optax.GradientTransformation,
    delta: float = 0.1,
    eps: float = 1e-8,
    *,
    out_axis: int = -1,
) -> optax.GradientTransformationExtraArgs:
    """Takes out of a direction what lies along scale-invariant weights: u = u - (u·n) n, n = p/‖p‖.

    Weights of n elements count as scale-invariant where |cos(g, p)| < δ/√n. First those of each
    neuron by themselves, if all are; else those of the leaf as one vector. Leaves with fewer than
    two axes stay.

    Args:
      inner: a transformation from gradients to directions, before weight decay and learning rate.
      delta: δ.
      eps: the least length that counts, and ε of ‖p‖ + ε.
      out_axis: the axis of the neurons: the last of a kernel in Flax, the first in torch (0).

    Returns:
      A transformation with the state of `inner`. AdamP and SGDP decay projected leaves by a tenth:
      see `projected`.

    Raises:
      ValueError: for a negative number; in `update`, if the parameters are missing or do not fit.

    >>> tx = projection(optax.identity())
    >>> p, g = jnp.array([[3.0], [4.0]]), jnp.array([[-4.0], [3.0]])
    >>> tx.update(g, tx.init(p), p)[0].tolist()  # across p: nothing to take out
    [[-4.0], [3.0]]
    """
    check_not_negative("delta", delta)
    check_not_negative("eps", eps)

    def modify(u: Array, g: Array, p: Array) -> Array:
        if p.ndim < 2:
            return u
        by_neuron, by_leaf = projected(g, p, delta, eps, out_axis=out_axis)
        whole = jnp.where(by_leaf, _across(u, p, eps, tuple(range(p.ndim))), u)
        return jnp.where(by_neuron, _across(u, p, eps, _inputs(p, out_axis)), whole)

    return map_updates(inner, modify, needs_params=True)


def projected(
    g: Array, p: Array, delta: float, eps: float, *, out_axis: int
) -> tuple[Array, Array]:
    """Whether the weights of every neuron are scale-invariant, and whether those of the leaf are.

    >>> p, g = jnp.array([[3.0], [4.0]]), jnp.array([[-4.0], [3.0]])
    >>> [bool(x) for x in projected(g, p, 0.1, 1e-8, out_axis=-1)]
    [True, True]
    """

    def invariant(axes: tuple[int, ...]) -> Array:
        a, b = (x / jnp.maximum(norm(x, axes), eps) for x in (g, p))
        cosine = jnp.sum(a * b, axes)
        count = math.prod(p.shape[axis] for axis in axes)
        return jnp.max(jnp.abs(cosine)) < delta / math.sqrt(count)

    if p.ndim < 2 or p.size == 0:
        return jnp.asarray(False), jnp.asarray(False)
    return invariant(_inputs(p, out_axis)), invariant(tuple(range(p.ndim)))


def _across(u: Array, p: Array, eps: float, axes: tuple[int, ...]) -> Array:
    """What of u is at right angles to p."""
    n = p / (norm(p, axes) + eps)
    return u - n * jnp.sum(n * u, axes, keepdims=True)


def _inputs(p: Array, out_axis: int) -> tuple[int, ...]:
    """All axes but that of the neurons."""
    return tuple(axis for axis in range(p.ndim) if axis != out_axis % p.ndim)
