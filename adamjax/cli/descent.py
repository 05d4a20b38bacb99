"""One run of an optimizer on a problem: what `compare` and the benchmarks repeat."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import optax

from adamjax.problems.problem import Array, Params, Problem
from adamjax.wrappers.evaluation import eval_params

HESSIAN_EVERY = 10
"""How often an optimizer that asks for a Hessian is given one, as Sophia's authors do."""


class Landscape(Protocol):
    """What a descent needs of a `Problem`."""

    @property
    def limits(self) -> Any:
        """Between which two numbers each coordinate stays."""

    @property
    def delay(self) -> Any:
        """How many steps old gradients are."""

    @property
    def loss(self) -> Any:
        """The loss that counts."""

    def gradient(self, x: Params, t: Array, seed: Any) -> Params:
        """What a step sees."""

    def curvature(self, x: Params, t: Array, seed: Any) -> Params:
        """The diagonal of the Hessian of what a step sees."""


class Descent(NamedTuple):
    """Where a run was, at the start and after each step.

    Attributes:
      losses: the problem's loss at each point, shape (steps + 1,).
      path: the points that count: those to evaluate, for an optimizer that trains others.
    """

    losses: Array
    path: Params


def descend(
    tx: optax.GradientTransformation,
    problem: Landscape,
    start: Params,
    steps: int,
    *,
    seed: Array | int = 0,
    most_delay: int | None = None,
) -> Descent:
    """Runs an optimizer on a problem, traced by `jax.jit` or `jax.vmap` or not.

    An optimizer that takes `hessian=`, such as Sophia, is given the exact diagonal of the Hessian
    of the loss that the step sees, at every tenth step from the first on.

    Args:
      tx: the optimizer.
      problem: what to minimise.
      start: where to start, float32 arrays.
      steps: how many.
      seed: of the problem's noise.
      most_delay: the greatest that `problem.delay` can be, if it is traced.

    >>> from adamjax.problems import get_problem, parameters
    >>> problem = get_problem("noisy")
    >>> run = descend(optax.sgd(0.05), problem, parameters(problem.start), 5)
    >>> run.losses.shape, run.path.shape
    ((6,), (6, 2))
    """
    tx = optax.with_extra_args_support(tx)
    with_hessian = takes_hessian(tx, start)
    kept = 1 + (problem.delay if most_delay is None else most_delay)

    def update(x: Params, state: Any, seen: Params, t: Array) -> Any:
        gradient = problem.gradient(seen, t, seed)
        if not with_hessian:
            return tx.update(gradient, state, x)

        def refreshed() -> Any:
            return tx.update(gradient, state, x, hessian=problem.curvature(seen, t, seed))

        due = (t - 1) % HESSIAN_EVERY == 0
        return jax.lax.cond(due, refreshed, lambda: tx.update(gradient, state, x))

    def step(carry: Any, t: Array) -> Any:
        x, state, past = carry
        past = jax.tree.map(lambda before, now: before.at[t % kept].set(now), past, x)
        seen = jax.tree.map(lambda before: before[(t - problem.delay) % kept], past)
        updates, state = update(x, state, seen, t)
        x = jax.tree.map(lambda p, u: jnp.clip(p + u, *problem.limits), x, updates)
        point = evaluated(state, x)
        return (x, state, past), (problem.loss(point), point)

    past = jax.tree.map(lambda x: jnp.broadcast_to(x, (kept, *x.shape)), start)
    carry = start, tx.init(start), past
    _, (losses, path) = jax.lax.scan(step, carry, jnp.arange(1, steps + 1))
    losses = jnp.concatenate([problem.loss(start)[None], losses])
    return Descent(losses, jax.tree.map(lambda x, p: jnp.concatenate([x[None], p]), start, path))


def asked_of(make: Callable[..., Any], problem: Problem) -> dict[str, Any]:
    """The hyperparameters of a problem that an optimizer has; none if it refuses their values.

    >>> from adamjax import adam, ano, sgd
    >>> from adamjax.problems import get_problem
    >>> [len(asked_of(make, get_problem("reddi"))) for make in (adam, sgd, ano)]
    [2, 0, 0]
    """
    known = inspect.signature(make).parameters
    asked = {name: value for name, value in problem.arguments.items() if name in known}
    try:
        make(learning_rate=0.1, **asked)
    except ValueError:
        return {}  # Ano's v, say, is not positive at each b₂
    return asked


def evaluated(state: Any, x: Params) -> Params:
    """The parameters that count: x, unless the optimizer trains others than those to keep.

    >>> float(evaluated((), jnp.float32(2.0)))
    2.0
    """
    has = lambda node: hasattr(node, "eval_params")  # noqa: E731
    return eval_params(state, x) if any(map(has, jax.tree.leaves(state, is_leaf=has))) else x


def takes_hessian(tx: optax.GradientTransformationExtraArgs, params: Params) -> bool:
    """Whether an update depends on an argument `hessian`.

    >>> from adamjax import adam, sophia
    >>> [takes_hessian(make(0.1), jnp.zeros(2)) for make in (adam, sophia)]
    [False, True]
    """

    def update(hessian: Params) -> Any:
        return tx.update(params, tx.init(params), params, hessian=hessian)

    program = jax.make_jaxpr(update)(params).jaxpr
    given = {id(variable) for variable in program.invars}
    return any(id(variable) in given for eqn in program.eqns for variable in eqn.invars)
