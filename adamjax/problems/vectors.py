"""Problems of 32 dimensions, most of them a quadratic with a difficulty in its gradients."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.problems.problem import Array, noise, problem

SIZE = 32
TWOS = (2.0,) * SIZE


def curvatures(smallest: float) -> Array:
    """32 curvatures from 1 down to the smallest, in equal proportions."""
    return jnp.asarray(np.geomspace(1, smallest, SIZE), jnp.float32)


def quadratic(x: Array, smallest: float) -> Array:
    """½ Σ λᵢ (xᵢ - 1)², with these curvatures λ."""
    return 0.5 * jnp.dot(curvatures(smallest), (x - 1) ** 2)


oval = functools.partial(quadratic, smallest=0.1)


@problem(
    "curvatures from 1 to 0.0001 along the axes: whether each coordinate gets its own step size",
    start=TWOS,
)
def ill_conditioned(x: Array) -> Array:
    """½ Σ λᵢ (xᵢ - 1)², the curvatures λ from 1 down to 1e-4."""
    return quadratic(x, 1e-4)


ROTATION = np.linalg.qr(np.random.default_rng(0).normal(size=(SIZE, SIZE)))[0]


@problem(
    "the same curvatures in random directions, where scaling coordinates cannot help",
    start=TWOS,
)
def rotated(x: Array) -> Array:
    """`ill_conditioned` with its axes turned at random about the minimum."""
    return quadratic(1 + jnp.asarray(ROTATION, jnp.float32) @ (x - 1), 1e-4)


@problem(
    "32 layers of one weight: gradients of 1e-7 at the start, and a steep end",
    start=(0.6,) * SIZE,
    seen=lambda x: jnp.prod(x)[None],
)
def vanishing(x: Array) -> Array:
    """½ (x₀ x₁ ⋯ x₃₁ - 1)²: a network of 32 layers with one linear neuron each."""
    return 0.5 * (jnp.prod(x) - 1) ** 2


# Word i is in a text with probability 1 / i, as in natural language, and counts 1 or -1.
_WEIGHTS = tuple(1.0 if i % 2 else -1.0 for i in range(SIZE))


def words(x: Array) -> Array:
    """Least squares on texts of random words: E ½ (a·(x - x*))² with aᵢ = 1 with chance 1 / i."""
    chance = 1 / jnp.arange(1.0, SIZE + 1)
    error = x - jnp.array(_WEIGHTS)
    return 0.5 * (jnp.sum(chance * (1 - chance) * error**2) + jnp.dot(chance, error) ** 2)


@problem(
    "rare words: whether a coordinate whose gradient is nearly always 0 still learns",
    start=(0.0,) * SIZE,
    optima=(_WEIGHTS,),
    mean=words,
)
def sparse(x: Array, t: Array, key: Array) -> Array:
    """The mean of ½ (a·(x - x*))² over four texts, drawn anew at each step."""
    chance = 1 / jnp.arange(1.0, SIZE + 1)
    texts = jax.random.bernoulli(key, chance[None], (4, SIZE)).astype(x.dtype)
    return 0.5 * jnp.mean((texts @ (x - jnp.array(_WEIGHTS))) ** 2)


@problem(
    "gradient noise of infinite variance: whether one gradient can throw a method far off",
    start=TWOS,
    source="Zhang et al., Why are Adaptive Methods Good for Attention Models?, 2020, "
    "arXiv:1912.03194",
    mean=oval,
)
def heavy_tailed(x: Array, t: Array, key: Array) -> Array:
    """`oval` with noise of infinite variance: P(|noise| > s) = 1 / (1 + s)^1.5."""
    size_key, sign_key = jax.random.split(key)
    chance = jax.random.uniform(size_key, x.shape, x.dtype, minval=1e-6)
    sign = jax.random.rademacher(sign_key, x.shape, x.dtype)
    return oval(x) + jnp.vdot(sign * (chance ** (-1 / 1.5) - 1), x)


@problem(
    "about one gradient in fifty is noise, a thousand times larger than the others",
    start=TWOS,
    mean=oval,
)
def outliers(x: Array, t: Array, key: Array) -> Array:
    """`oval` with small noise that is a thousand times larger at one step in fifty."""
    rare = jax.random.bernoulli(jax.random.fold_in(key, 1), 0.02)
    return oval(x) + noise(key, x, jnp.where(rare, 100.0, 0.1))


@problem(
    "four gradients of ten point the wrong way: how long a method averages before it moves",
    start=TWOS,
    mean=oval,
)
def flipped(x: Array, t: Array, key: Array) -> Array:
    """`oval` times 5, or times -5 with chance 0.4."""
    return jnp.where(jax.random.bernoulli(key, 0.4), -5.0, 5.0) * oval(x)


@problem(
    "noise of three times the gradient, which vanishes with it: some learning rates keep "
    "the mean stable, but not the variance",
    start=TWOS,
    mean=oval,
)
def multiplicative(x: Array, t: Array, key: Array) -> Array:
    """`oval`, each of its curvatures times 1 + 3 n with normal n."""
    factors = 1 + 3 * jax.random.normal(key, x.shape, x.dtype)
    return 0.5 * jnp.dot(curvatures(0.1) * factors, (x - 1) ** 2)


def ball(x: Array) -> Array:
    """½ |x - 1|²."""
    return 0.5 * jnp.vdot(x - 1, x - 1)


@problem(
    "equal curvatures, and noise of 10 or 0.001: v measures the noise, not the curvature",
    start=TWOS,
    mean=ball,
)
def uneven_noise(x: Array, t: Array, key: Array) -> Array:
    """`ball` with noise from 10 in the first coordinate to 0.001 in the last."""
    return ball(x) + noise(key, x, jnp.asarray(np.geomspace(10, 1e-3, SIZE), x.dtype))
