"""Small losses on which optimizers differ, for `python -m adamjax compare` and teaching.

Every problem has the least loss 0 and draws its noise from a seed, 0 unless told. None has its
minimum at the origin, which some methods find by chance: where steps are as long as parameters, as
LAMB's are, or weights decay.

>>> import jax
>>> problem = get_problem("rosenbrock")
>>> jax.grad(problem.loss)(jax.numpy.array([1.0, 1.0])).tolist()
[0.0, 0.0]
"""

from collections.abc import Mapping

from adamjax.checks import lookup_or_suggest
from adamjax.problems import matrices, plane, vectors
from adamjax.problems.problem import Problem as Problem, parameters as parameters

PROBLEMS: Mapping[str, Problem] = {
    problem.name: problem for problem in (*plane.PROBLEMS, *vectors.PROBLEMS, *matrices.PROBLEMS)
}
"""All of them, by name."""


def get_problem(name: str) -> Problem:
    """The problem of this name.

    Raises:
      ValueError: for an unknown name, with the nearest ones.

    >>> get_problem("saddle").optima
    ((0.0, 1.0), (0.0, -1.0))
    """
    return lookup_or_suggest("problem", name, PROBLEMS)
