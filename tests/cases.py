"""Settings and gradients under which a wrong rule shows, and the comparison with an oracle."""

import functools
import inspect
import itertools
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from adamjax.rule import ScalarOrSchedule
from tests.hostile import HOSTILE
from tests.oracles import ORACLES

STEPS = 12
SHAPES = {"scalar": (), "vector": (5,), "matrix": (6, 4), "tensor": (2, 3, 4)}
SCALES = (0.1, 1e-6, 1e6, 1e3)

# Not numbers of the rule: `style` has cases of its own; dtypes, masks and storage have their own
# tests.
OTHER = {"style", "mask", "mu_dtype", "nu_dtype", "storage", "param_rounding"}

VARIANTS = [
    (name, style)
    for name in adamjax.list_variants()
    for style in adamjax.get_variant(name).styles or [None]
]


class Trial(NamedTuple):
    """One setting: what the library and what the oracle is given, and on which problem."""

    label: str
    arguments: dict
    oracle_arguments: dict
    problem: Callable
    ready_made: bool = True

    def optimizer(self, variant):
        """The library's optimizer, from a record of its registry."""
        if self.ready_made:
            return variant.make(**self.arguments)
        lr = self.oracle_arguments["learning_rate"]
        direction = variant.direction(**self.arguments)
        return optax.chain(direction, optax.scale(-1.0 if lr is None else -lr))


@functools.cache
def trials(name, style):
    """Each hostile setting, then all numbers on schedules, then the defaults of both functions."""
    base = {} if style is None else {"style": style}
    lr = parameters(name)["learning_rate"].default
    settings = [
        *((f"hostile_{i}", hostile(name, i), partial(problem, i)) for i in range(5)),
        ("scheduled", scheduled(name), partial(problem, 1)),
        ("default", {"learning_rate": 1e-2} if style == "bigvision" else {}, partial(problem, 3)),
    ]
    alone = [("direction", {}, {"learning_rate": 1e-2 if lr is None else lr, "weight_decay": 0.0})]
    exact = {}
    if name == "adafactor":
        # The momentum that Big Vision rounds to bfloat16 is compared in full.
        exact["mu_dtype"] = float
        settings.append(("large", {"learning_rate": 1e-2, "decay_rate": 4.0}, large_problem))
        relative = {"learning_rate": None}
        alone.append(("relative", relative, relative))
    return [
        Trial(label, base | given | exact, base | given, data) for label, given, data in settings
    ] + [
        Trial(label, base | given | exact, base | same, partial(problem, 3), ready_made=False)
        for label, given, same in alone
    ]


def parameters(name):
    """The arguments of a variant that have hostile settings, or should have."""
    signature = inspect.signature(adamjax.get_variant(name).make).parameters
    return {key: p for key, p in signature.items() if key not in OTHER}


def hostile(name, column):
    chosen = {key: HOSTILE[key][column] for key in parameters(name)}
    if name == "adafactor" and column == 4:
        chosen["decay"] = "scaled"
    return {key: value for key, value in chosen.items() if value is not None}


def scheduled(name):
    """Every number that may follow a schedule does, each its own."""
    may = [
        key
        for key, parameter in parameters(name).items()
        if parameter.annotation in (ScalarOrSchedule, ScalarOrSchedule | None)
    ]
    starts = [HOSTILE[key][0] or HOSTILE[key][3] for key in may]
    rates = 0.02 + 0.005 * np.arange(len(may))
    moving = dict(zip(may, map(falling, starts, rates), strict=True))
    return hostile(name, 0) | moving | ({"base_lr": 2e-2} if "base_lr" in parameters(name) else {})


def falling(value, rate):
    return lambda count: value * (1 - rate * count)


@functools.cache
def problem(turn):
    """Parameters, one nearly 0, and gradients over twelve powers of ten, some of which are 0."""
    random = np.random.default_rng(turn)
    params = {leaf: 0.5 * random.normal(size=shape) for leaf, shape in SHAPES.items()}
    params["scalar"] *= 1e-4
    spread = {
        leaf: SCALES[(turn + i) % len(SCALES)] * np.exp(random.normal(size=shape))
        for i, (leaf, shape) in enumerate(SHAPES.items())
    }
    grads = [
        {leaf: spread[leaf] * random.normal(size=shape) for leaf, shape in SHAPES.items()}
        for _ in range(STEPS)
    ]
    for t, gradient in enumerate(grads):
        gradient["vector"][-1] = 0.0
        gradient["matrix"][:, 1] *= t >= STEPS // 2
        gradient["tensor"][0] *= t % 3 == 0
    return params, grads


@functools.cache
def large_problem():
    """Leaves around the sizes from which Adafactor factors them."""
    random = np.random.default_rng(0)
    shapes = {"t5": (128, 2, 129), "below": (127, 128), "big": (32, 2, 33), "small": (31, 40)}
    trees = [{leaf: random.normal(size=s) for leaf, s in shapes.items()} for _ in range(8)]
    return trees[0], trees[1:]


def expected(name, params, grads, **arguments):
    """The oracle's steps; for each leaf its longest step, and what the rounding of p may hide."""
    path = [params, *ORACLES[name](params, grads, **arguments)]
    steps = [
        {leaf: after[leaf] - before[leaf] for leaf in params}
        for before, after in itertools.pairwise(path)
    ]
    longest = {leaf: max(abs(step[leaf]).max() for step in steps) for leaf in params}
    hidden = {leaf: 1e-15 * max(abs(p[leaf]).max() for p in path) for leaf in params}
    return steps, longest, hidden


def taken(tx, params, grads, dtype):
    """The steps that the library takes, one at a time; TypeError if its state changes its form."""
    params = {leaf: jnp.asarray(p, dtype) for leaf, p in params.items()}
    state = tx.init(params)
    form = jax.tree.map(lambda x: (x.shape, x.dtype), state)
    for gradient in grads:
        gradient = {leaf: jnp.asarray(g, dtype) for leaf, g in gradient.items()}
        updates, state = tx.update(gradient, state, params)
        if jax.tree.map(lambda x: (x.shape, x.dtype), state) != form:
            raise TypeError("the state has another form after a step than before")
        params = optax.apply_updates(params, updates)
        yield updates


def error(updates, step, longest, hidden):
    """The largest error of a step, in units of the longest step of the leaf; NaN counts as inf."""
    worst = 0.0
    for leaf, true in step.items():
        apart = abs(np.asarray(updates[leaf], np.float64) - true).max()
        if not apart <= hidden[leaf]:
            worst = max(worst, np.nan_to_num(apart / longest[leaf], nan=np.inf))
    return worst


def largest_error(name, trial, dtype):
    """The largest error of the library's steps against the oracle's, see `error`."""
    params, grads = trial.problem()
    params = {leaf: np.asarray(p, dtype) for leaf, p in params.items()}
    grads = [{leaf: np.asarray(g, dtype) for leaf, g in gradient.items()} for gradient in grads]
    steps, longest, hidden = expected(name, params, grads, **trial.oracle_arguments)
    updates = taken(trial.optimizer(adamjax.get_variant(name)), params, grads, dtype)
    return max(error(u, step, longest, hidden) for u, step in zip(updates, steps, strict=True))
