"""Problems of 32 dimensions, most of them a quadratic whose gradients have something wrong."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.problems.problem import Array, Problem, noise

SIZE = 32
ZEROS, ONES, TWOS = (0.0,) * SIZE, (1.0,) * SIZE, (2.0,) * SIZE


def curvatures(smallest: float) -> Array:
    """32 curvatures from 1 down to the smallest, in equal proportions.

    >>> print(curvatures(0.01)[jnp.array([0, -1])])
    [1.   0.01]
    """
    return jnp.asarray(np.geomspace(1, smallest, SIZE), jnp.float32)


def valley(x: Array) -> Array:
    """½ Σ λᵢ (xᵢ - 1)², the curvatures λ from 1 down to 1e-4.

    >>> float(valley(jnp.ones(32)))
    0.0
    """
    return 0.5 * jnp.dot(curvatures(1e-4), (x - 1) ** 2)


@functools.cache
def rotation() -> np.ndarray:
    """A rotation, the same at each call.

    >>> np.allclose(rotation() @ rotation().T, np.eye(32))
    True
    """
    return np.linalg.qr(np.random.default_rng(0).normal(size=(SIZE, SIZE)))[0]


def rotated(x: Array) -> Array:
    """`valley` with its axes turned at random about the minimum.

    >>> float(rotated(jnp.ones(32)))
    0.0
    """
    return valley(1 + jnp.asarray(rotation(), jnp.float32) @ (x - 1))


def oval(x: Array) -> Array:
    """½ Σ λᵢ (xᵢ - 1)², the curvatures λ from 1 down to 0.1.

    >>> float(oval(jnp.ones(32)))
    0.0
    """
    return 0.5 * jnp.dot(curvatures(0.1), (x - 1) ** 2)


def _heavy_tails(x: Array, t: Array, key: Array) -> Array:
    """`oval` under noise whose chance to be above s is 1 / (1 + s)^1.5: of infinite variance."""
    size_key, sign_key = jax.random.split(key)
    chance = jax.random.uniform(size_key, x.shape, x.dtype, minval=1e-6)
    sign = jax.random.rademacher(sign_key, x.shape, x.dtype)
    return oval(x) + jnp.vdot(sign * (chance ** (-1 / 1.5) - 1), x)


def _outliers(x: Array, t: Array, key: Array) -> Array:
    """`oval` under small noise that is a thousand times as large at every fiftieth step or so."""
    rare = jax.random.bernoulli(jax.random.fold_in(key, 1), 0.02)
    return oval(x) + noise(key, x, jnp.where(rare, 100.0, 0.1))


def _flipped(x: Array, t: Array, key: Array) -> Array:
    """`oval` five times as large, upside down with chance 0.4."""
    return jnp.where(jax.random.bernoulli(key, 0.4), -5.0, 5.0) * oval(x)


def _random_curvature(x: Array, t: Array, key: Array) -> Array:
    """`oval`, each of its curvatures times 1 + 3 n with normal n."""
    factors = 1 + 3 * jax.random.normal(key, x.shape, x.dtype)
    return 0.5 * jnp.dot(curvatures(0.1) * factors, (x - 1) ** 2)


def ball(x: Array) -> Array:
    """½ |x - 1|².

    >>> float(ball(jnp.ones(32)))
    0.0
    """
    return 0.5 * jnp.vdot(x - 1, x - 1)


def _uneven_noise(x: Array, t: Array, key: Array) -> Array:
    """`ball` under noise that is 10 in the first coordinate and 0.001 in the last."""
    scales = jnp.asarray(np.geomspace(10, 1e-3, SIZE), x.dtype)
    return ball(x) + noise(key, x, scales)


def chain(x: Array) -> Array:
    """½ (x₀ x₁ ⋯ x₃₁ - 1)²: a network of 32 layers with one linear neuron each.

    >>> float(chain(jnp.ones(32)))
    0.0
    """
    return 0.5 * (jnp.prod(x) - 1) ** 2


# Word i is in a text with probability 1 / i, as in natural language, and counts 1 or -1.
_WEIGHTS = tuple(1.0 if i % 2 else -1.0 for i in range(SIZE))


def words(x: Array) -> Array:
    """Least squares on texts of random words: E ½ (a·(x - x*))² with aᵢ = 1 with chance 1 / i.

    >>> float(words(jnp.array(_WEIGHTS)))
    0.0
    """
    chance = 1 / jnp.arange(1.0, SIZE + 1)
    error = x - jnp.array(_WEIGHTS)
    return 0.5 * (jnp.sum(chance * (1 - chance) * error**2) + jnp.dot(chance, error) ** 2)


def _four_texts(x: Array, t: Array, key: Array) -> Array:
    """The mean of ½ (a·(x - x*))² over four texts, drawn anew at each step."""
    chance = 1 / jnp.arange(1.0, SIZE + 1)
    texts = jax.random.bernoulli(key, chance[None], (4, SIZE)).astype(x.dtype)
    return 0.5 * jnp.mean((texts @ (x - jnp.array(_WEIGHTS))) ** 2)


PROBLEMS = (
    Problem(
        "ill_conditioned",
        "curvatures from 1 to 0.0001 along the axes: whether each coordinate gets its own step",
        TWOS,
        valley,
        (ONES,),
    ),
    Problem(
        "rotated",
        "the same curvatures in random directions, where scaling coordinates cannot help",
        TWOS,
        rotated,
        (ONES,),
    ),
    Problem(
        "vanishing",
        "32 layers of one weight: gradients of a ten-millionth at the start, and a steep end",
        (0.6,) * SIZE,
        chain,
        (ONES,),
        seen=lambda x: jnp.prod(x)[None],
    ),
    Problem(
        "sparse",
        "rare words: whether a coordinate whose gradient is nearly always 0 still learns",
        ZEROS,
        words,
        (_WEIGHTS,),
        sample=_four_texts,
    ),
    Problem(
        "heavy_tailed",
        "gradient noise without a variance: whether one gradient can throw a method far off",
        TWOS,
        oval,
        (ONES,),
        sample=_heavy_tails,
        source="Zhang et al., Why are Adaptive Methods Good for Attention Models?, 2020, "
        "arXiv:1912.03194",
    ),
    Problem(
        "outliers",
        "every fiftieth gradient or so is noise, a thousand times as large as the others'",
        TWOS,
        oval,
        (ONES,),
        sample=_outliers,
    ),
    Problem(
        "flipped",
        "four gradients of ten point the wrong way: how long a method listens before it moves",
        TWOS,
        oval,
        (ONES,),
        sample=_flipped,
    ),
    Problem(
        "multiplicative",
        "noise three times the gradient, that vanishes with it: learning rates that are stable "
        "for the mean are not for the variance",
        TWOS,
        oval,
        (ONES,),
        sample=_random_curvature,
    ),
    Problem(
        "uneven_noise",
        "equal curvatures under noise of 10 here and 0.001 there: v measures noise, not curvature",
        TWOS,
        ball,
        (ONES,),
        sample=_uneven_noise,
    ),
)
"""Those of this file."""
