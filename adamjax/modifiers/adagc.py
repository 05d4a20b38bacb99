"""AdaGC: Enhancing LLM Pretraining Stability via Adaptive Gradient Clipping. Wang et al., 2025.

arXiv:2502.11034. It clips each leaf to a multiple of the average norm of its past gradients.
"""

from typing import NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_constants, check_not_negative, check_positive
from adamjax.moments import Array, divide, norm
from adamjax.rule import Slot, lift
from adamjax.trees import PyTree


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
    check_constants(
        threshold=threshold, decay=decay, warmup_steps=warmup_steps, warmup_norm=warmup_norm
    )
    check_positive("threshold", threshold)
    check_beta("decay", decay)
    check_not_negative("warmup_steps", warmup_steps)
    check_positive("warmup_norm", warmup_norm)

    def global_norm(gradients, moments, step):
        return {"global_norm": norm(jnp.stack([norm(g) for g in gradients]))}

    def rule(g, moments, step):
        early, length = step.count <= warmup_steps, norm(g)
        first = jnp.isinf(moments.norm)
        # No infinity reaches an operation, whose derivative would be NaN.
        limit = divide(threshold * jnp.where(first, 0, moments.norm), length)
        limit = jnp.where(first, 1, limit)
        if warmup_steps:
            limit = jnp.where(early, divide(jnp.asarray(warmup_norm), step.global_norm), limit)
        h = jnp.where(length == 0, 1, jnp.minimum(1, limit))
        clipped = h * length
        average = decay * moments.norm + (1 - decay) * clipped
        smallest = jnp.minimum(moments.norm, clipped)
        new = jnp.where(early | first, smallest, average)
        new = jnp.where(jnp.isfinite(clipped), new, moments.norm)
        return g * h, moments._replace(norm=new)

    slot = Slot(jnp.float32, fill=jnp.inf, shape=lambda shape: ())
    shared = global_norm if warmup_steps else None
    return lift(rule, AdagcState, {"norm": slot}, tree_scalars=shared)
