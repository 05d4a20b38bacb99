"""AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant Weights.

Heo et al., 2020. arXiv:2006.08217. Weights before a normalization are scale-invariant and
orthogonal to their gradient. The projection prevents updates from increasing their norm.
"""

import math

import jax.numpy as jnp
import optax

from adamjax.checks import check_constants, check_not_negative
from adamjax.modifiers.map_updates import map_updates
from adamjax.moments import Array, norm


def projection(
    inner: optax.GradientTransformation,
    delta: float = 0.1,
    eps: float = 1e-8,
    *,
    out_axis: int = -1,
) -> optax.GradientTransformationExtraArgs:
    """Remove the component along scale-invariant weights: u = u - (u·n) n, n = p/‖p‖.

    Weights of n elements count as scale-invariant if |cos(g, p)| < δ/√n. If those of every neuron
    are, the projection is per neuron. Otherwise, if the leaf as one vector is, it is per leaf.
    Leaves with fewer than two axes do not change.

    Args:
      inner: a transformation from gradients to updates, before weight decay and learning rate.
      delta: δ.
      eps: lower limit of norms in the cosine, and ε of ‖p‖ + ε.
      out_axis: axis of the neurons, the last of a kernel in Flax, the first (0) in torch.

    Returns:
      A transformation with the state of `inner`.

    Raises:
      ValueError: for a negative number; in `update`, if the parameters are missing or do not fit.

    >>> tx = projection(optax.identity())
    >>> p, g = jnp.array([[3.0], [4.0]]), jnp.array([[-4.0], [3.0]])
    >>> tx.update(g, tx.init(p), p)[0].tolist()  # orthogonal to p
    [[-4.0], [3.0]]
    """
    check_constants(delta=delta, eps=eps)
    check_not_negative("delta", delta)
    check_not_negative("eps", eps)

    def modify(u: Array, g: Array, p: Array) -> Array:
        if p.ndim < 2:
            return u
        by_neuron, by_leaf = projected(g, p, delta, eps, out_axis=out_axis)
        whole = jnp.where(by_leaf, _orthogonal(u, p, eps, tuple(range(p.ndim))), u)
        return jnp.where(by_neuron, _orthogonal(u, p, eps, _inputs(p, out_axis)), whole)

    return map_updates(inner, modify, needs_params=True, uses_axes=True)


def projected(
    g: Array, p: Array, delta: float, eps: float, *, out_axis: int
) -> tuple[Array, Array]:
    """Return whether the weights of every neuron, and those of the leaf, are scale-invariant."""

    def invariant(axes: tuple[int, ...]) -> Array:
        a, b = (x / jnp.maximum(norm(x, axes), eps) for x in (g, p))
        cosine = jnp.sum(a * b, axes)
        count = math.prod(p.shape[axis] for axis in axes)
        return jnp.max(jnp.abs(cosine)) < delta / math.sqrt(count)

    if p.ndim < 2 or p.size == 0:
        return jnp.asarray(False), jnp.asarray(False)
    return invariant(_inputs(p, out_axis)), invariant(tuple(range(p.ndim)))


def _orthogonal(u: Array, p: Array, eps: float, axes: tuple[int, ...]) -> Array:
    n = p / (norm(p, axes) + eps)
    return u - n * jnp.sum(n * u, axes, keepdims=True)


def _inputs(p: Array, out_axis: int) -> tuple[int, ...]:
    return tuple(axis for axis in range(p.ndim) if axis != out_axis % p.ndim)
