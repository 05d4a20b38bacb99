"""What a problem is: a loss to minimise, and what an optimizer sees of it."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

Array = jax.Array
Params = Any
"""A vector, a matrix, or matrices by name: what an optimizer trains."""
Point = tuple[float, ...] | np.ndarray | Mapping[str, np.ndarray]


class Problem(NamedTuple):
    """A loss to minimise.

    Attributes:
      name: its name on the command line.
      shows: one sentence: what tells optimizers apart here.
      start: the point to start from: a vector, a matrix, or matrices by name.
      loss: the loss that counts, from such a point to a scalar of at least 0.
      optima: points at which the loss is 0.
      sample: the loss whose gradient step t = 1, 2, … sees, from the point, t (int32) and a key for
        random numbers of that step; its mean over the steps is `loss`, up to a constant. None is
        `loss`.
      window: the part of the plane to draw, (left, right, bottom, top), for two dimensions.
      limits: each coordinate is brought back between these two after a step.
      learning_rate: the one at which to see it; None asks for the best of several.
      arguments: hyperparameters that the problem is about, for optimizers that have them.
      source: where it comes from.
      delay: how many steps old the point is at which a step sees the gradient.
      seen: what of a point the loss depends on, where that is less than all of it: between the
        images of points distances are measured.
    """

    name: str
    shows: str
    start: Point
    loss: Callable[[Params], Array]
    optima: tuple[Point, ...]
    sample: Callable[[Params, Array, Array], Array] | None = None
    window: tuple[float, float, float, float] | None = None
    limits: tuple[float, float] = (-math.inf, math.inf)
    learning_rate: float | None = None
    arguments: Mapping[str, Any] = {}
    source: str = ""
    delay: int = 0
    seen: Callable[[Params], Array] | None = None

    def of_step(self, t: Array, seed: Array | int = 0) -> Callable[[Params], Array]:
        """The loss whose gradient step t = 1, 2, … sees, the noise drawn from this seed."""
        sample = self.sample
        if sample is None:
            return self.loss
        key = jax.random.fold_in(jax.random.key(seed), t)
        return lambda x: sample(x, t, key)

    def gradient(self, x: Params, t: Array, seed: Array | int = 0) -> Params:
        """The gradient that step t = 1, 2, … sees.

        >>> from adamjax.problems import get_problem
        >>> get_problem("reddi").gradient(jnp.zeros(1), jnp.int32(2)).tolist()
        [-1.0]
        """
        return jax.grad(self.of_step(t, seed))(x)

    def curvature(self, x: Params, t: Array, seed: Array | int = 0) -> Params:
        """The diagonal of the Hessian of the same loss, exact, for optimizers that ask for one.

        >>> from adamjax.problems import get_problem
        >>> get_problem("noisy").curvature(jnp.zeros(2), jnp.int32(1)).tolist()
        [1.0, 10.0]
        """
        loss, (flat, unravel) = self.of_step(t, seed), ravel_pytree(x)
        return unravel(jnp.diag(jax.hessian(lambda v: loss(unravel(v)))(flat)))

    def distance(self, x: Params) -> Array:
        """The Euclidean distance to the nearest optimum, between what is `seen` of both.

        >>> from adamjax.problems import get_problem
        >>> float(get_problem("saddle").distance(jnp.array([0.0, -3.0])))
        2.0
        """
        seen = (lambda x: ravel_pytree(x)[0]) if self.seen is None else self.seen
        optima = [seen(parameters(point)) for point in self.optima]
        return jnp.min(jnp.stack([jnp.linalg.norm(seen(x) - each) for each in optima]))


def parameters(point: Point) -> Params:
    """A point of a problem as float32 arrays.

    >>> parameters((1.0, 2.0)).shape
    (2,)
    """
    if isinstance(point, Mapping):
        return {name: jnp.asarray(values, jnp.float32) for name, values in point.items()}
    return jnp.asarray(point, jnp.float32)


def noise(key: Array, x: Array, scale: Any = 1.0) -> Array:
    """A loss whose gradient is normal noise of this scale.

    >>> float(noise(jax.random.key(0), jnp.zeros(3)))
    0.0
    """
    return jnp.vdot(scale * jax.random.normal(key, x.shape, x.dtype), x)
