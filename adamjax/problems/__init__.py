"""Small losses that separate optimizers, for `python -m adamjax compare` and teaching.

The minimum of every loss is 0. Noise is drawn from a seed, by default 0. No problem has its minimum
at the origin, because some methods find that by chance: those with weight decay, and those like
LAMB whose steps scale with the parameters.

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
    value.name: value
    for module in (plane, vectors, matrices)
    for value in vars(module).values()
    if isinstance(value, Problem)
}
"""All problems by name."""


def get_problem(name: str) -> Problem:
    """Return a problem by name, or raise ValueError with the nearest names."""
    return lookup_or_suggest("problem", name, PROBLEMS, ignore_case=True)
