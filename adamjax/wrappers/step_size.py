"""One step size for all leaves, that an optimizer finds by itself."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adamjax.moments import Array, Beta, divide
from adamjax.rule import Scalar, at_least_float32, beta_at
from adamjax.trees import PyTree


class StepSize(NamedTuple):
    """What a step size is found from.

    Attributes:
      d: the estimate, which never falls, of how far it is from the start to the solution.
      numerator: what it is the quotient of.
      factor: what the learning rate was multiplied by at the last step.
      weights: 1 - b₁b₂…b_t of both averages.
    """

    d: Array
    numerator: Array
    factor: Array
    weights: tuple[Array, Array]


def first_step_size(d0: Scalar) -> StepSize:
    """The estimate before the first step.

    >>> float(first_step_size(0.5).d)
    0.5
    """
    numerator, factor, *weights = (jnp.zeros([], float) for _ in range(4))
    d = jnp.array(d0, float)
    return StepSize(d, numerator, factor, (weights[0], weights[1]))


def next_step_size(
    found: StepSize, b1: Scalar, b2: Scalar, *, bias_correction: bool
) -> tuple[StepSize, Beta, Beta]:
    """The factor of this step, d √(1 - b₂ᵗ) / (1 - b₁ᵗ) or d, and both coefficients.

    >>> found, _, _ = next_step_size(first_step_size(0.5), 0.5, 0.75, bias_correction=True)
    >>> float(found.factor)
    0.5
    """
    first, second = (beta_at(b, jnp.ones_like(found.d)) for b in (b1, b2))
    weight1, weight2 = found.weights
    weight1 = _like(weight1 + first.one_minus * (1 - weight1), found.d)
    weight2 = _like(weight2 + second.one_minus * (1 - weight2), found.d)
    correction = divide(jnp.sqrt(weight2), weight1) if bias_correction else 1.0
    factor = _like(found.d * correction, found.d)
    return found._replace(factor=factor, weights=(weight1, weight2)), first, second


def larger(found: StepSize, numerator: Array, denominator: Array, d: Array) -> StepSize:
    """The estimate after this step: not below the one before.

    >>> float(larger(first_step_size(0.5), jnp.float32(1.0), jnp.float32(1.0), jnp.float32(2.0)).d)
    2.0
    """
    d = jnp.maximum(found.d, jnp.where(denominator > 0, d, 0.0))
    return found._replace(d=_like(d, found.d), numerator=_like(numerator, found.d))


def total(function: Callable[..., Array], *trees: PyTree) -> Array:
    """The sum over all elements of a function of the leaves of several trees.

    >>> float(total(jnp.multiply, {"a": jnp.ones(2), "b": jnp.ones(1)}, {"a": 2.0, "b": 3.0}))
    7.0
    """
    first, *others = trees
    leaves, treedef = jax.tree.flatten(first)
    columns = [leaves, *(treedef.flatten_up_to(tree) for tree in others)]

    def summed(*each: Array) -> Array:
        dtype = at_least_float32(jnp.result_type(each[0]))
        return jnp.sum(function(*(jnp.asarray(x, dtype) for x in each))).astype(float)

    return sum((summed(*each) for each in zip(*columns, strict=True)), jnp.zeros([], float))


def _like(x: Any, other: Array) -> Array:
    return jnp.asarray(x, other.dtype)
