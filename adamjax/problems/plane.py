"""Problems of one or two dimensions, which a picture shows completely."""

import math

import jax
import jax.numpy as jnp

from adamjax.problems.problem import Array, noise, problem


@problem(
    "a curved, nearly flat valley: how fast a method follows it",
    start=(-1.2, 1.0),
    window=(-1.8, 1.6, -0.7, 2.2),
    source="Rosenbrock, The Computer Journal, 1960",
)
def rosenbrock(x: Array) -> Array:
    """(1 - x₀)² + 100 (x₁ - x₀²)²."""
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


@problem(
    "a long valley at 30° to the axes (condition number 200): scaling the "
    "coordinates cannot straighten it",
    start=(-1.0, 2.5),
    window=(-1.6, 3.0, -0.9, 3.0),
)
def quadratic(x: Array) -> Array:
    """½ (a² + 200 b²), with the coordinates a along and b across 30°, from (1, 1)."""
    x = x - 1
    cosine, sine = math.cos(math.pi / 6), math.sin(math.pi / 6)
    along, across = cosine * x[0] + sine * x[1], cosine * x[1] - sine * x[0]
    return 0.5 * (along**2 + 200 * across**2)


@problem(
    "gradients that differ ten-thousandfold between the walls and the flat floor",
    start=(1.0, 1.6),
    optima=((3.0, 0.5),),
    window=(-0.2, 4.2, -0.8, 2.2),
    source="Beale, On an Iterative Method for Finding a Local Minimum, 1958",
)
def beale(x: Array) -> Array:
    """(1.5 - x₀ + x₀ x₁)² + (2.25 - x₀ + x₀ x₁²)² + (2.625 - x₀ + x₀ x₁³)²."""
    powers = jnp.stack([x[1], x[1] ** 2, x[1] ** 3])
    return jnp.sum((jnp.array([1.5, 2.25, 2.625]) - x[0] + x[0] * powers) ** 2)


@problem(
    "a start almost on the ridge: how fast a method leaves a saddle point",
    start=(1.2, 1e-4),
    optima=((0.0, 1.0), (0.0, -1.0)),
    window=(-1.6, 1.6, -1.6, 1.6),
)
def saddle(x: Array) -> Array:
    """½ x₀² + ¼ (x₁² - 1)²: a saddle at 0 between two minima."""
    return 0.5 * x[0] ** 2 + 0.25 * (x[1] ** 2 - 1) ** 2


@problem(
    "gradients of 0.00002 at the start: whether steps depend on their size",
    start=(5.0, 4.0),
    window=(-1.0, 6.0, -1.0, 4.6),
)
def plateau(x: Array) -> Array:
    """1 - exp(-½ |x - 1|²): a hole in a plain."""
    return -jnp.expm1(-0.5 * jnp.sum((x - 1) ** 2))


@problem(
    "gradients that do not shrink towards the minimum: whether steps shrink",
    start=(-0.7, 2.3),
    window=(-1.2, 2.4, -0.2, 2.8),
)
def kink(x: Array) -> Array:
    """|x₀ - 1| + 10 |x₁ - 1|."""
    return jnp.abs(x[0] - 1) + 10 * jnp.abs(x[1] - 1)


@problem(
    "a first gradient a thousand times larger than the next: how long its effect lasts",
    start=(3.0, 2.0),
    window=(-0.6, 4.0, -0.6, 3.0),
    source="Pascanu, Mikolov and Bengio, On the Difficulty of Training Recurrent Neural "
    "Networks, 2013, arXiv:1211.5063",
)
def cliff(x: Array) -> Array:
    """½ (0.01 a² + b²) + 500 max(a + b - 2, 0)², (a, b) = x - 1: a valley at the foot of a wall."""
    x = x - 1
    wall = jnp.maximum(x[0] + x[1] - 2, 0)
    return 0.5 * (0.01 * x[0] ** 2 + x[1] ** 2) + 500 * wall**2


@problem(
    "a weight applied twenty times: gradients explode on one side and vanish on the other",
    start=(1.2, 1.0),
    window=(0.7, 1.3, 0.4, 1.6),
    source="Bengio, Simard and Frasconi, Learning Long-Term Dependencies with Gradient "
    "Descent is Difficult, 1994",
    seen=lambda x: x[1:] * x[0] ** 20,
)
def exploding(x: Array) -> Array:
    """½ (x₁ x₀²⁰ - 1)²: one weight applied twenty times, as in a recurrent network."""
    return 0.5 * (x[1] * x[0] ** 20 - 1) ** 2


def bowl(x: Array) -> Array:
    """½ ((x₀ - 1)² + 10 (x₁ - 1)²)."""
    return 0.5 * ((x[0] - 1) ** 2 + 10 * (x[1] - 1) ** 2)


@problem(
    "gradients of ten steps ago, as from slow workers: whether a method oscillates",
    start=(-1.5, 2.5),
    window=(-2.0, 3.6, -1.6, 3.0),
    delay=10,
)
def delayed(x: Array) -> Array:
    """`bowl`."""
    return bowl(x)


# The number of steps in a row in which the data pull the same way.
TURN = 20


@problem(
    "ordered data, which pulls one way for twenty steps and then the other: drift, not noise",
    start=(-1.5, 2.5),
    window=(-2.0, 3.6, -0.6, 3.0),
    mean=bowl,
)
def in_turn(x: Array, t: Array, key: Array) -> Array:
    """`bowl`, pulled by (3, 3) to one side for `TURN` steps and then as long to the other."""
    return bowl(x) + jnp.where((t - 1) // TURN % 2 == 0, 3.0, -3.0) * jnp.sum(x)


@problem(
    "a bowl under gradient noise: how well a method averages it away",
    start=(-1.5, 2.5),
    window=(-2.0, 2.6, -0.6, 3.0),
    mean=bowl,
)
def noisy(x: Array, t: Array, key: Array) -> Array:
    """`bowl` with standard normal noise in its gradient."""
    return bowl(x) + noise(key, x)


# The size of the rare gradient: above 2, so that the sum of three points to -1.
RARE = 4.0


def regret(x: Array) -> Array:
    """(C - 2) (x + 1) / 3: the mean of `reddi` over its three steps, with C = 4."""
    return (RARE - 2) / 3 * (x[0] + 1)


@problem(
    "a rare large gradient points the right way: Adam forgets it and goes to the wrong end",
    start=(0.0,),
    optima=((-1.0,),),
    limits=(-1.0, 1.0),
    learning_rate=0.03,
    arguments={"b1": 0.0, "b2": 1 / (1 + RARE**2)},
    source="Reddi, Kale and Kumar, On the Convergence of Adam and Beyond, 2018, "
    "Theorem 1, arXiv:1904.09237",
    mean=regret,
)
def reddi(x: Array, t: Array, key: Array) -> Array:
    """C (x + 1) at every third step, -(x + 1) at the two others."""
    return jnp.where(t % 3 == 1, RARE, -1.0) * (x[0] + 1)


# The chance of "yes" at a is σ(a - 5). The loss bends 28 times less along the intercept.
_TRUTH = (-5.0, 1.0)
_ROWS = tuple((1.0, 0.5 * i) for i in range(21))


def divergence(x: Array) -> Array:
    """Logistic regression: the mean Kullback-Leibler divergence from the true chances."""
    rows = jnp.array(_ROWS)
    score, true_score = rows @ x, rows @ jnp.array(_TRUTH)
    gap = jax.nn.softplus(score) - jax.nn.softplus(true_score)
    return jnp.mean(gap - jax.nn.sigmoid(true_score) * (score - true_score))


@problem(
    "random batches and an intercept of little effect: noise and bad scaling at once",
    start=(0.0, 0.0),
    optima=(_TRUTH,),
    window=(-8.0, 1.5, -0.4, 1.9),
    mean=divergence,
)
def logistic(x: Array, t: Array, key: Array) -> Array:
    """The cross-entropy of eight random rows whose answers are drawn with the true chances."""
    row_key, answer_key = jax.random.split(key)
    rows = jax.random.choice(row_key, jnp.array(_ROWS), (8,))
    answers = jax.random.bernoulli(answer_key, jax.nn.sigmoid(rows @ jnp.array(_TRUTH)))
    score = rows @ x
    return jnp.mean(jax.nn.softplus(score) - answers.astype(x.dtype) * score)
