"""Sharpness-Aware Minimization for Efficiently Improving Generalization. Foret et al., 2020.

arXiv:2010.01412. The gradient is taken at the nearby point of the highest loss, which prefers flat
minima. ASAM, Kwon et al., 2021, arXiv:2102.11600, scales the distance by the parameters.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_constants, check_not_negative
from adamjax.modifiers.map_updates import check_params, fill_absent, map_leaves
from adamjax.moments import Array, clamp, divide, norm
from adamjax.rule import at_least_float32
from adamjax.trees import PyTree


def sam(
    inner: optax.GradientTransformation, rho: float = 0.05, *, adaptive: bool = False
) -> optax.GradientTransformationExtraArgs:
    """Update with the gradient at p + ρ g / ‖g‖, the norm being over all leaves.

    `update` requires the keyword `grad_fn`, the function from parameters to the gradient on the
    data of the step: `tx.update(grads, state, params, grad_fn=lambda p: jax.grad(loss)(p, batch))`.
    A step costs two gradients. (`optax.contrib.sam` spreads them over two steps.)

    Args:
      inner: a ready-made optimizer.
      rho: ρ, the distance. ASAM uses about ten times as much.
      adaptive: whether to use ASAM, the gradient at p + ρ p² g / ‖p g‖.

    Returns:
      A transformation with the state of `inner`.

    Raises:
      ValueError: for a negative rho. In `update`, if the parameters or `grad_fn` are missing.

    >>> tx = sam(optax.sgd(1.0), rho=0.5)
    >>> p, slope = jnp.float32(1.0), jax.grad(lambda p: p**2)
    >>> float(tx.update(slope(p), tx.init(p), p, grad_fn=slope)[0])  # -2 · 1.5
    -3.0
    """
    check_constants(rho=rho)
    check_not_negative("rho", rho)
    inner = optax.with_extra_args_support(inner)

    def update(
        updates: PyTree,
        state: Any,
        params: PyTree = None,
        *,
        grad_fn: Callable[[PyTree], PyTree] | None = None,
        **extra_args: Any,
    ) -> Any:
        own = check_params(params, updates)
        if grad_fn is None:
            raise ValueError(
                "grad_fn: give update the function from parameters to gradients, grad_fn=..."
            )

        def uphill(g: Array, p: Array) -> Array:
            return clamp(jnp.abs(p) * clamp(g)) if adaptive else clamp(g)

        wide = jax.tree.map(lambda g: g.astype(at_least_float32(g.dtype)), updates)
        ascent = map_leaves(uphill, wide, own)
        length = norm(jnp.asarray([norm(x) for x in jax.tree.leaves(ascent)]))

        def ahead(p: Array, x: Array) -> Array:
            step = rho * divide(x, length.astype(p.dtype))
            return p + step * (jnp.abs(p) if adaptive else 1)

        there = fill_absent(map_leaves(ahead, own, ascent), params)
        return inner.update(grad_fn(there), state, params, **extra_args)

    return optax.GradientTransformationExtraArgs(inner.init, update)
