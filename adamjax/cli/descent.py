"""One run of an optimizer on a problem, for `compare` and the benchmarks."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.problems.problem import Array, Params, Problem
from adamjax.wrappers.evaluation import evaluated

HESSIAN_EVERY = 10
"""The period, in steps, at which an optimizer receives a Hessian, as in Sophia's paper."""


class Descent(NamedTuple):
    """A run, at the start and after each step."""

    losses: Array  # (steps + 1,)
    path: Params  # at the `eval_params`, if the optimizer has any


def descend(
    tx: optax.GradientTransformation,
    problem: Any,
    start: Params,
    steps: int,
    *,
    seed: Array | int = 0,
    most_delay: int | None = None,
) -> Descent:
    """Run an optimizer on a problem. Works under `jax.jit` and `jax.vmap`.

    If `problem.delay` is traced, `most_delay` is its largest value.
    """
    tx = optax.with_extra_args_support(tx)
    with_hessian = takes_hessian(tx, start)
    length = 1 + (problem.delay if most_delay is None else most_delay)

    def update(x: Params, state: Any, seen: Params, t: Array) -> Any:
        plain = functools.partial(tx.update, problem.gradient(seen, t, seed), state, x)
        if not with_hessian:
            return plain()
        due = (t - 1) % HESSIAN_EVERY == 0
        return jax.lax.cond(due, lambda: plain(hessian=problem.curvature(seen, t, seed)), plain)

    def step(carry: Any, t: Array) -> Any:
        x, state, past = carry
        past = jax.tree.map(lambda before, now: before.at[t % length].set(now), past, x)
        seen = jax.tree.map(lambda before: before[(t - problem.delay) % length], past)
        updates, state = update(x, state, seen, t)
        x = jax.tree.map(lambda p, u: jnp.clip(p + u, *problem.limits), x, updates)
        point = evaluated(state, x)
        return (x, state, past), (problem.loss(point), point)

    past = jax.tree.map(lambda x: jnp.broadcast_to(x, (length, *x.shape)), start)
    carry = start, tx.init(start), past
    _, (losses, path) = jax.lax.scan(step, carry, jnp.arange(1, steps + 1))
    losses = jnp.concatenate([problem.loss(start)[None], losses])
    return Descent(losses, jax.tree.map(lambda x, p: jnp.concatenate([x[None], p]), start, path))


def asked_of(make: Callable[..., Any], problem: Problem) -> dict[str, Any]:
    """Return the arguments of a problem that an optimizer has, or none if it rejects the values."""
    known = inspect.signature(make).parameters
    arguments = {name: value for name, value in problem.arguments.items() if name in known}
    try:
        make(learning_rate=0.1, **arguments)
    except ValueError:
        return {}  # Ano's v, say, is not positive at each b₂
    return arguments


def takes_hessian(tx: optax.GradientTransformationExtraArgs, params: Params) -> bool:
    """Return whether an update depends on an argument `hessian`."""

    def update(hessian: Params) -> Any:
        return tx.update(params, tx.init(params), params, hessian=hessian)

    program = jax.make_jaxpr(update)(params).jaxpr
    inputs = {id(variable) for variable in program.invars}
    return any(id(variable) in inputs for eqn in program.eqns for variable in eqn.invars)
