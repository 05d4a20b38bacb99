"""A problem: a loss to minimize, and the gradients of it that an optimizer sees."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

Array = jax.Array
Params = Any
"""The parameters: a vector, a matrix, or matrices by name."""
Point = tuple[float, ...] | np.ndarray | Mapping[str, np.ndarray]
Loss = Callable[[Params], Array]


class Problem(NamedTuple):
    """A loss to minimize.

    Attributes:
      name: its name on the command line.
      shows: one sentence on the property that separates optimizers here.
      start: the point to start from: a vector, a matrix, or matrices by name.
      loss: the loss to evaluate, from such a point to a scalar of at least 0.
      optima: points at which the loss is 0.
      sample: the loss that step t = 1, 2, … differentiates, a function of the point, t (int32) and
        a random key of the step. Its mean over the steps is `loss`, up to a constant. None is
        `loss`.
      window: the part of the plane to draw, (left, right, bottom, top), for two dimensions.
      limits: the interval to which each coordinate is clipped after a step.
      learning_rate: the learning rate at which to run it. None asks for the best of several.
      arguments: hyperparameters that the problem is about, for optimizers that have them.
      source: the publication.
      delay: the age, in steps, of the point whose gradient a step sees.
      seen: the part of a point that the loss depends on, if not all of it. Distances are measured
        between these images.
    """

    name: str
    shows: str
    start: Point
    loss: Loss
    optima: tuple[Point, ...]
    sample: Callable[[Params, Array, Array], Array] | None = None
    window: tuple[float, float, float, float] | None = None
    limits: tuple[float, float] = (-math.inf, math.inf)
    learning_rate: float | None = None
    arguments: Mapping[str, Any] = {}
    source: str = ""
    delay: int = 0
    seen: Callable[[Params], Array] | None = None

    def of_step(self, t: Array, seed: Array | int = 0) -> Loss:
        """Return the loss that step t = 1, 2, … differentiates, with noise from this seed."""
        sample = self.sample
        if sample is None:
            return self.loss
        key = jax.random.fold_in(jax.random.key(seed), t)
        return lambda x: sample(x, t, key)

    def gradient(self, x: Params, t: Array, seed: Array | int = 0) -> Params:
        """Return the gradient that step t = 1, 2, … sees."""
        return jax.grad(self.of_step(t, seed))(x)

    def curvature(self, x: Params, t: Array, seed: Array | int = 0) -> Params:
        """Return the exact diagonal of the Hessian of the same loss."""
        loss, (flat, unravel) = self.of_step(t, seed), ravel_pytree(x)
        return unravel(jnp.diag(jax.hessian(lambda v: loss(unravel(v)))(flat)))

    def distance(self, x: Params) -> Array:
        """Return the Euclidean distance to the nearest optimum, between the `seen` parts."""
        seen = (lambda x: ravel_pytree(x)[0]) if self.seen is None else self.seen
        optima = [seen(parameters(point)) for point in self.optima]
        return jnp.min(jnp.stack([jnp.linalg.norm(seen(x) - each) for each in optima]))


def problem(
    shows: str, start: Any, optima: tuple[Point, ...] = (), *, mean: Loss | None = None, **rest: Any
) -> Callable[[Callable[..., Array]], Problem]:
    """Turn a loss into a problem of its name, or with a `mean` loss, the sample of a step."""
    optima = optima or ((1.0,) * len(start),)

    def declare(function: Callable[..., Array]) -> Problem:
        loss, sample = (function, None) if mean is None else (mean, function)
        return Problem(function.__name__, shows, start, loss, optima, sample, **rest)

    return declare


def parameters(point: Point) -> Params:
    """Convert a start or an optimum to a float32 array, or to arrays by name."""
    if isinstance(point, Mapping):
        return {name: jnp.asarray(values, jnp.float32) for name, values in point.items()}
    return jnp.asarray(point, jnp.float32)


def noise(key: Array, x: Array, scale: Any = 1.0) -> Array:
    """A loss whose gradient is normal noise of this scale."""
    return jnp.vdot(scale * jax.random.normal(key, x.shape, x.dtype), x)
