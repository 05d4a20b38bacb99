"""AdaGC: Enhancing LLM Pretraining Stability via Adaptive Gradient Clipping. Wang et al., 2025.

arXiv:2502.11034. It clips each leaf to a multiple of the average norm of its past gradients.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_not_negative, check_positive
from adamjax.modifiers.map_updates import map_leaves
from adamjax.moments import Array, clamp, divide, increment, norm
from adamjax.trees import PyTree, check_real, check_same_tree


class AdagcState(NamedTuple):
    """Number of steps done, and γ, the average norm of each leaf's clipped gradients."""

    count: Array
    norm: PyTree


def adagc(
    threshold: float = 1.05,
    decay: float = 0.98,
    *,
    warmup_steps: int = 100,
    warmup_norm: float = 1.0,
) -> optax.GradientTransformationExtraArgs:
    """Clip each leaf to a multiple of its average norm: h = min(1, λ γ / ‖g‖), g = h g.

        γ = β γ + (1-β) ‖h g‖

    During warm-up the global norm is clipped, h = min(1, λ₀ / ‖all g‖), and γ is the smallest ‖h g‖
    so far. Non-finite gradients pass and do not change γ. Use it in a chain, before the optimizer.

    Args:
      threshold: λ, relative to the average norm.
      decay: β, 0 <= decay < 1.
      warmup_steps: number of steps in which the global norm is clipped.
      warmup_norm: λ₀.

    Returns:
      A transformation with an `AdagcState`.

    Raises:
      ValueError: for a number out of range.

    >>> tx = adagc(1.0, 0.5, warmup_steps=1)
    >>> g = jnp.array([0.5])
    >>> _, state = tx.update(g, tx.init(g))
    >>> updates, state = tx.update(4 * g, state)
    >>> updates.tolist(), float(state.norm)
    ([0.5], 0.5)
    """
    check_positive("threshold", threshold)
    check_beta("decay", decay)
    check_not_negative("warmup_steps", warmup_steps)
    check_positive("warmup_norm", warmup_norm)

    def init(params: PyTree) -> AdagcState:
        check_real("params", params)
        start = jax.tree.map(lambda p: jnp.asarray(jnp.inf, jnp.float32), params)
        return AdagcState(jnp.zeros([], jnp.int32), start)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        del params, extra_args
        check_real("updates", updates)
        check_same_tree("updates", updates, "the state's norm", state.norm, shape=lambda shape: ())
        early = state.count < warmup_steps
        updates = map_leaves(clamp, updates)
        norms = map_leaves(lambda gamma, g: norm(g), state.norm, updates)
        whole = norm(jnp.asarray(jax.tree.leaves(norms)))

        def factor(gamma: Array, length: Array) -> Array:
            relative = divide(threshold * gamma, length)
            limit = jnp.where(early, divide(jnp.float32(warmup_norm), whole), relative)
            return jnp.where(length == 0, 1, jnp.minimum(1, limit))

        def average(gamma: Array, length: Array, h: Array) -> Array:
            length = h * length
            smooth = decay * gamma + (1 - decay) * length
            new = jnp.where(early | jnp.isinf(gamma), jnp.minimum(gamma, length), smooth)
            return jnp.where(jnp.isfinite(length), new, gamma)

        factors = map_leaves(factor, state.norm, norms)
        clipped = map_leaves(lambda g, h: g * h, updates, factors)
        averages = map_leaves(average, state.norm, norms, factors)
        return clipped, state._replace(count=increment(state.count), norm=averages)

    return optax.GradientTransformationExtraArgs(init, update)
