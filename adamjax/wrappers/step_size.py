"""One step size for all leaves, estimated from the distance to the solution."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adamjax.moments import Array, Beta, divide, root
from adamjax.rule import Scalar, as_real, at_least_float32, beta_at, real
from adamjax.trees import PyTree


class StepSize(NamedTuple):
    """State of the estimate.

    Attributes:
      d: the estimated distance from the start to the solution, which never decreases.
      numerator: the numerator of the estimate.
      factor: the factor of the learning rate in the last step.
      weights: 1 - b₁b₂…b_t of both averages.
    """

    d: Array
    numerator: Array
    factor: Array
    weights: tuple[Array, Array]


def first_step_size(d0: Scalar) -> StepSize:
    """Return the estimate before the first step."""
    numerator, factor, weight1, weight2 = (jnp.zeros([], float) for _ in range(4))
    return StepSize(jnp.array(d0, float), numerator, factor, (weight1, weight2))


def next_step_size(
    found: StepSize, b1: Scalar, b2: Scalar, *, bias_correction: bool
) -> tuple[StepSize, Beta, Beta]:
    """Return the factor of this step, d √(1 - b₂ᵗ) / (1 - b₁ᵗ) or d, and both coefficients."""
    first, second = (beta_at(b, jnp.ones_like(found.d)) for b in (b1, b2))
    weight1, weight2 = found.weights
    weight1 = _like(weight1 + first.one_minus * (1 - weight1), found.d)
    weight2 = _like(weight2 + second.one_minus * (1 - weight2), found.d)
    correction = divide(root(weight2), weight1) if bias_correction else 1.0
    factor = _like(found.d * correction, found.d)
    return found._replace(factor=factor, weights=(weight1, weight2)), first, second


def larger(found: StepSize, numerator: Array, denominator: Array, d: Array) -> StepSize:
    """Return the estimate after this step, not below the previous one."""
    d = jnp.maximum(found.d, jnp.where(denominator > 0, d, 0.0))
    return found._replace(d=_like(d, found.d), numerator=_like(numerator, found.d))


def total(function: Callable[..., Array], *trees: PyTree) -> Array:
    """Sum a function of the leaves of several trees over all elements."""
    first, *others = trees
    leaves, treedef = jax.tree.flatten(first)
    columns = [leaves, *(treedef.flatten_up_to(tree) for tree in others)]

    def summed(*each: Array) -> Array:
        dtype = real(at_least_float32(jnp.result_type(each[0])))
        return jnp.sum(function(*(as_real(x, dtype) for x in each))).astype(float)

    return sum((summed(*each) for each in zip(*columns, strict=True)), jnp.zeros([], float))


def _like(x: Any, other: Array) -> Array:
    return jnp.asarray(x, other.dtype)
