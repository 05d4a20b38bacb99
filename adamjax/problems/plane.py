"""Problems of one or two dimensions, which a picture shows whole."""

import math

import jax
import jax.numpy as jnp

from adamjax.problems.problem import Array, Problem, noise


def rosenbrock(x: Array) -> Array:
    """(1 - x₀)² + 100 (x₁ - x₀²)².

    >>> float(rosenbrock(jnp.array([0.0, 0.0])))
    1.0
    """
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def quadratic(x: Array) -> Array:
    """½ (a² + 200 b²), where a and b are the coordinates along and across 30°, seen from (1, 1).

    >>> float(quadratic(jnp.array([1.0, 1.0])))
    0.0
    """
    x = x - 1
    cosine, sine = math.cos(math.pi / 6), math.sin(math.pi / 6)
    along, across = cosine * x[0] + sine * x[1], cosine * x[1] - sine * x[0]
    return 0.5 * (along**2 + 200 * across**2)


def beale(x: Array) -> Array:
    """(1.5 - x₀ + x₀ x₁)² + (2.25 - x₀ + x₀ x₁²)² + (2.625 - x₀ + x₀ x₁³)².

    >>> float(beale(jnp.array([3.0, 0.5])))
    0.0
    """
    powers = jnp.stack([x[1], x[1] ** 2, x[1] ** 3])
    return jnp.sum((jnp.array([1.5, 2.25, 2.625]) - x[0] + x[0] * powers) ** 2)


def saddle(x: Array) -> Array:
    """½ x₀² + ¼ (x₁² - 1)²: a saddle at 0 between two minima.

    >>> float(saddle(jnp.zeros(2)))
    0.25
    """
    return 0.5 * x[0] ** 2 + 0.25 * (x[1] ** 2 - 1) ** 2


def plateau(x: Array) -> Array:
    """1 - exp(-½ |x - 1|²): a hole in a plain.

    >>> float(plateau(jnp.ones(2)))
    0.0
    """
    return -jnp.expm1(-0.5 * jnp.sum((x - 1) ** 2))


def bowl(x: Array) -> Array:
    """½ ((x₀ - 1)² + 10 (x₁ - 1)²).

    >>> float(bowl(jnp.array([0.0, 0.0])))
    5.5
    """
    return 0.5 * ((x[0] - 1) ** 2 + 10 * (x[1] - 1) ** 2)


def kink(x: Array) -> Array:
    """|x₀ - 1| + 10 |x₁ - 1|.

    >>> float(kink(jnp.array([2.0, 0.0])))
    11.0
    """
    return jnp.abs(x[0] - 1) + 10 * jnp.abs(x[1] - 1)


def cliff(x: Array) -> Array:
    """½ (0.01 a² + b²) + 500 max(a + b - 2, 0)², (a, b) = x - 1: a valley at the foot of a wall.

    >>> float(cliff(jnp.array([1.0, 3.0])))
    2.0
    """
    x = x - 1
    wall = jnp.maximum(x[0] + x[1] - 2, 0)
    return 0.5 * (0.01 * x[0] ** 2 + x[1] ** 2) + 500 * wall**2


def recurrent(x: Array) -> Array:
    """½ (x₁ x₀²⁰ - 1)²: one weight applied twenty times, as in a recurrent network.

    >>> float(recurrent(jnp.array([1.0, 1.0])))
    0.0
    """
    return 0.5 * (x[1] * x[0] ** 20 - 1) ** 2


def _noisy_bowl(x: Array, t: Array, key: Array) -> Array:
    """`bowl`, its gradient disturbed by standard normal noise."""
    return bowl(x) + noise(key, x)


# For how many steps in a row the data pull the same way.
TURN = 20


def _in_turn(x: Array, t: Array, key: Array) -> Array:
    """`bowl`, pulled by (3, 3) to one side for `TURN` steps and then as long to the other."""
    return bowl(x) + jnp.where((t - 1) // TURN % 2 == 0, 3.0, -3.0) * jnp.sum(x)


# How much larger the rare gradient is: above 2, so that the sum of three points to -1.
RARE = 4.0


def regret(x: Array) -> Array:
    """(C - 2) (x + 1) / 3: the mean of `_rare_gradient` over its three steps, with C = 4.

    >>> float(regret(jnp.array([-1.0])))
    0.0
    """
    return (RARE - 2) / 3 * (x[0] + 1)


def _rare_gradient(x: Array, t: Array, key: Array) -> Array:
    """C (x + 1) at every third step, -(x + 1) at the two others."""
    return jnp.where(t % 3 == 1, RARE, -1.0) * (x[0] + 1)


# The chance of "yes" at a is σ(a - 5); the loss bends 28 times less along the intercept.
_TRUTH = (-5.0, 1.0)
_ROWS = tuple((1.0, 0.5 * i) for i in range(21))


def logistic(x: Array) -> Array:
    """Logistic regression: the mean Kullback-Leibler divergence from the true chances.

    >>> float(logistic(jnp.array([-5.0, 1.0])))
    0.0
    """
    rows = jnp.array(_ROWS)
    score, true_score = rows @ x, rows @ jnp.array(_TRUTH)
    gap = jax.nn.softplus(score) - jax.nn.softplus(true_score)
    return jnp.mean(gap - jax.nn.sigmoid(true_score) * (score - true_score))


def _eight_answers(x: Array, t: Array, key: Array) -> Array:
    """The cross-entropy of eight random rows whose answers are drawn with the true chances."""
    row_key, answer_key = jax.random.split(key)
    rows = jax.random.choice(row_key, jnp.array(_ROWS), (8,))
    answers = jax.random.bernoulli(answer_key, jax.nn.sigmoid(rows @ jnp.array(_TRUTH)))
    score = rows @ x
    return jnp.mean(jax.nn.softplus(score) - answers.astype(x.dtype) * score)


PROBLEMS = (
    Problem(
        "rosenbrock",
        "a curved, nearly flat valley: how fast a method follows it",
        (-1.2, 1.0),
        rosenbrock,
        ((1.0, 1.0),),
        window=(-1.8, 1.6, -0.7, 2.2),
        source="Rosenbrock, The Computer Journal, 1960",
    ),
    Problem(
        "quadratic",
        "a long valley (condition number 200) at 30° to the axes, which scaling each "
        "coordinate cannot straighten",
        (-1.0, 2.5),
        quadratic,
        ((1.0, 1.0),),
        window=(-1.6, 3.0, -0.9, 3.0),
    ),
    Problem(
        "beale",
        "gradients that differ ten-thousandfold between the walls and the flat floor",
        (1.0, 1.6),
        beale,
        ((3.0, 0.5),),
        window=(-0.2, 4.2, -0.8, 2.2),
        source="Beale, On an Iterative Method for Finding a Local Minimum, 1958",
    ),
    Problem(
        "saddle",
        "a start almost on the ridge: how fast a method leaves a saddle point",
        (1.2, 1e-4),
        saddle,
        ((0.0, 1.0), (0.0, -1.0)),
        window=(-1.6, 1.6, -1.6, 1.6),
    ),
    Problem(
        "plateau",
        "gradients of 0.00002 at the start: whether steps depend on their size",
        (5.0, 4.0),
        plateau,
        ((1.0, 1.0),),
        window=(-1.0, 6.0, -1.0, 4.6),
    ),
    Problem(
        "kink",
        "gradients that do not shrink towards the minimum: whether steps do",
        (-0.7, 2.3),
        kink,
        ((1.0, 1.0),),
        window=(-1.2, 2.4, -0.2, 2.8),
    ),
    Problem(
        "cliff",
        "a first gradient a thousand times those that follow: how long it is remembered",
        (3.0, 2.0),
        cliff,
        ((1.0, 1.0),),
        window=(-0.6, 4.0, -0.6, 3.0),
        source="Pascanu, Mikolov and Bengio, On the Difficulty of Training Recurrent Neural "
        "Networks, 2013, arXiv:1211.5063",
    ),
    Problem(
        "exploding",
        "a weight applied twenty times: gradients explode on one side and vanish on the other",
        (1.2, 1.0),
        recurrent,
        ((1.0, 1.0),),
        window=(0.7, 1.3, 0.4, 1.6),
        source="Bengio, Simard and Frasconi, Learning Long-Term Dependencies with Gradient "
        "Descent is Difficult, 1994",
        seen=lambda x: x[1:] * x[0] ** 20,
    ),
    Problem(
        "delayed",
        "gradients of the point ten steps before, as from slow workers: whether it oscillates",
        (-1.5, 2.5),
        bowl,
        ((1.0, 1.0),),
        window=(-2.0, 3.6, -1.6, 3.0),
        delay=10,
    ),
    Problem(
        "in_turn",
        "data in order, twenty steps that pull one way and twenty the other: drift, not noise",
        (-1.5, 2.5),
        bowl,
        ((1.0, 1.0),),
        sample=_in_turn,
        window=(-2.0, 3.6, -0.6, 3.0),
    ),
    Problem(
        "noisy",
        "a bowl under gradient noise: how well a method averages it away",
        (-1.5, 2.5),
        bowl,
        ((1.0, 1.0),),
        sample=_noisy_bowl,
        window=(-2.0, 2.6, -0.6, 3.0),
    ),
    Problem(
        "reddi",
        "a rare large gradient that points the right way: Adam forgets it and goes to the "
        "wrong end",
        (0.0,),
        regret,
        ((-1.0,),),
        sample=_rare_gradient,
        limits=(-1.0, 1.0),
        learning_rate=0.03,
        arguments={"b1": 0.0, "b2": 1 / (1 + RARE**2)},
        source="Reddi, Kale and Kumar, On the Convergence of Adam and Beyond, 2018, "
        "Theorem 1, arXiv:1904.09237",
    ),
    Problem(
        "logistic",
        "random batches and an intercept that hardly counts: noise and bad scaling at once",
        (0.0, 0.0),
        logistic,
        (_TRUTH,),
        sample=_eight_answers,
        window=(-8.0, 1.5, -0.4, 1.9),
    ),
)
"""Those of this file."""
