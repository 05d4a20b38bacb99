"""Small loss functions on which optimizers differ, for `python -m adamjax compare` and teaching.

Every problem has its minimum at 0, takes a vector and draws its noise from a fixed seed.

>>> problem = get_problem("rosenbrock")
>>> jax.grad(problem.loss)(jnp.array([1.0, 1.0])).tolist()
[0.0, 0.0]
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adamjax.checks import pick

Array = jax.Array
Point = tuple[float, ...]


class Problem(NamedTuple):
    """A loss to minimise.

    Attributes:
      name: its name on the command line.
      shows: one sentence: what tells optimizers apart here.
      start: the point to start from.
      loss: the loss that counts, from a vector of shape (dimension,) to a scalar of at least 0.
      optima: the points at which the loss is 0.
      sample: the loss whose gradient step t = 1, 2, … sees, from the vector and t (int32); None
        is `loss`.
      window: the part of the plane to draw, (left, right, bottom, top), for two dimensions.
      limits: each coordinate is brought back between these two after a step.
      learning_rate: the one at which to see it; None asks for the best of several.
      arguments: hyperparameters that the problem is about, for optimizers that have them.
      source: where it comes from.
    """

    name: str
    shows: str
    start: Point
    loss: Callable[[Array], Array]
    optima: tuple[Point, ...]
    sample: Callable[[Array, Array], Array] | None = None
    window: tuple[float, float, float, float] | None = None
    limits: tuple[float, float] = (-math.inf, math.inf)
    learning_rate: float | None = None
    arguments: Mapping[str, Any] = {}
    source: str = ""

    def gradient(self, x: Array, t: Array) -> Array:
        """The gradient that step t = 1, 2, … sees.

        >>> PROBLEMS["reddi"].gradient(jnp.zeros(1), jnp.int32(2)).tolist()
        [-1.0]
        """
        return jax.grad(self.loss)(x) if self.sample is None else jax.grad(self.sample)(x, t)

    def distance(self, x: Array) -> Array:
        """The Euclidean distance to the nearest optimum.

        >>> float(PROBLEMS["saddle"].distance(jnp.array([0.0, -3.0])))
        2.0
        """
        return jnp.min(jnp.linalg.norm(x[None] - jnp.array(self.optima), axis=-1))


def get_problem(name: str) -> Problem:
    """The problem of this name.

    Raises:
      ValueError: for an unknown name, with the nearest ones.
    """
    return pick("problem", name, PROBLEMS)


def _key(t: Array) -> Array:
    return jax.random.fold_in(jax.random.key(0), t)


def rosenbrock(x: Array) -> Array:
    """(1 - x₀)² + 100 (x₁ - x₀²)².

    >>> float(rosenbrock(jnp.array([0.0, 0.0])))
    1.0
    """
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def quadratic(x: Array) -> Array:
    """½ (a² + 200 b²), where a and b are the coordinates along and across 30°.

    >>> float(quadratic(jnp.array([0.0, 0.0])))
    0.0
    """
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
    """1 - exp(-½ |x|²): a hole in a plain.

    >>> float(plateau(jnp.zeros(2)))
    0.0
    """
    return -jnp.expm1(-0.5 * jnp.sum(x**2))


def bowl(x: Array) -> Array:
    """½ (x₀² + 10 x₁²).

    >>> float(bowl(jnp.array([1.0, 1.0])))
    5.5
    """
    return 0.5 * (x[0] ** 2 + 10 * x[1] ** 2)


def _noisy_bowl(x: Array, t: Array) -> Array:
    """`bowl`, its gradient disturbed by standard normal noise."""
    return bowl(x) + jnp.dot(jax.random.normal(_key(t), x.shape), x)


# Word i is in a text with probability 1 / i, as in natural language, and counts 1 or -1.
WORDS = 32
_WEIGHTS = tuple(1.0 if i % 2 else -1.0 for i in range(WORDS))


def words(x: Array) -> Array:
    """Least squares on texts of random words: E ½ (a·(x - x*))² with aᵢ = 1 with chance 1 / i.

    >>> float(words(jnp.array(PROBLEMS["sparse"].optima[0])))
    0.0
    """
    chance = 1 / jnp.arange(1.0, WORDS + 1)
    error = x - jnp.array(_WEIGHTS)
    return 0.5 * (jnp.sum(chance * (1 - chance) * error**2) + jnp.dot(chance, error) ** 2)


def _four_texts(x: Array, t: Array) -> Array:
    """The mean of ½ (a·(x - x*))² over four texts, drawn anew at each step."""
    chance = 1 / jnp.arange(1.0, WORDS + 1)
    texts = jax.random.bernoulli(_key(t), chance[None], (4, WORDS)).astype(x.dtype)
    return 0.5 * jnp.mean((texts @ (x - jnp.array(_WEIGHTS))) ** 2)


# How much larger the rare gradient is: above 2, so that the sum of three points to -1.
RARE = 4.0


def regret(x: Array) -> Array:
    """(C - 2) (x + 1) / 3: the mean of `_rare_gradient` over its three steps, with C = 4.

    >>> float(regret(jnp.array([-1.0])))
    0.0
    """
    return (RARE - 2) / 3 * (x[0] + 1)


def _rare_gradient(x: Array, t: Array) -> Array:
    """C (x + 1) at every third step, -(x + 1) at the two others."""
    return jnp.where(t % 3 == 1, RARE, -1.0) * (x[0] + 1)


# The chance of "yes" at a is σ(a - 5); the loss bends 28 times less along the intercept.
_TRUTH = (-5.0, 1.0)
_ROWS = tuple((1.0, 0.5 * i) for i in range(21))


def logistic(x: Array) -> Array:
    """Logistic regression: the mean Kullback-Leibler divergence from the true chances.

    >>> float(logistic(jnp.array(PROBLEMS["logistic"].optima[0])))
    0.0
    """
    rows = jnp.array(_ROWS)
    score, true_score = rows @ x, rows @ jnp.array(_TRUTH)
    gap = jax.nn.softplus(score) - jax.nn.softplus(true_score)
    return jnp.mean(gap - jax.nn.sigmoid(true_score) * (score - true_score))


def _eight_answers(x: Array, t: Array) -> Array:
    """The cross-entropy of eight random rows whose answers are drawn with the true chances."""
    row_key, answer_key = jax.random.split(_key(t))
    rows = jax.random.choice(row_key, jnp.array(_ROWS), (8,))
    answers = jax.random.bernoulli(answer_key, jax.nn.sigmoid(rows @ jnp.array(_TRUTH)))
    score = rows @ x
    return jnp.mean(jax.nn.softplus(score) - answers.astype(x.dtype) * score)


PROBLEMS: Mapping[str, Problem] = {
    problem.name: problem
    for problem in (
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
            (-2.0, 1.5),
            quadratic,
            ((0.0, 0.0),),
            window=(-2.6, 2.0, -1.9, 2.0),
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
            (4.0, 3.0),
            plateau,
            ((0.0, 0.0),),
            window=(-2.0, 5.0, -2.0, 3.6),
        ),
        Problem(
            "noisy",
            "a bowl under gradient noise: how well a method averages it away",
            (-2.5, 1.5),
            bowl,
            ((0.0, 0.0),),
            sample=_noisy_bowl,
            window=(-3.0, 1.6, -1.6, 2.0),
        ),
        Problem(
            "sparse",
            "rare words: whether a coordinate whose gradient is nearly always 0 still learns",
            (0.0,) * WORDS,
            words,
            (_WEIGHTS,),
            sample=_four_texts,
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
}
