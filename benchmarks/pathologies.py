"""Every variant on every problem of `adamjax.problems`, each at its own best learning rate.

A learning rate is chosen from a grid on some seeds, and judged on others: a seed draws the noise
and moves each coordinate of the start by a few percent. The learning rate stays constant and weight
decay is off, since only the loss counts. All other arguments are the variant's defaults, except
those that a problem is about and `ARGUMENTS`. A score is the logarithm of the loss, the mean over
the last tenth of the steps, relative to the start.
"""

import argparse
import functools
import inspect
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree

import adamjax
from adamjax.cli.descent import HESSIAN_EVERY, asked_of, descend
from adamjax.problems import PROBLEMS, Problem, parameters
from benchmarks import record
from benchmarks.pathologies_picture import draw as draw
from examples import console

LOWEST, HIGHEST = -8.0, 4.0
"""Scores are held between the two: below is single precision, above is lost."""

ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "adabound": {"base_lr": 1e-3},
    "amsbound": {"base_lr": 1e-3},
    "apollo": {"warmup_steps": 20},
}
"""Arguments other than the defaults. AdaBound's final learning rate is 100 times the learning rate,
and Apollo's default warm-up of 500 steps would be longer than the run."""


class Settings(NamedTuple):
    """`per_decade` learning rates from 10 to the `lowest` to the `highest` are tried at first.

    `tuning_seeds` runs choose one of them. The same total number of runs then judges it.
    """

    steps: int = 400
    lowest: int = -5
    highest: int = 1
    per_decade: int = 2
    tuning_seeds: int = 3
    start_noise: float = 0.05
    variants: tuple[str, ...] = ()

    @property
    def names(self) -> Sequence[str]:
        return self.variants or adamjax.list_variants()

    @property
    def rates(self) -> np.ndarray:
        """The learning rates of the grid."""
        span = self.highest - self.lowest
        return np.logspace(self.lowest, self.highest, span * self.per_decade + 1)

    @property
    def judging_seeds(self) -> np.ndarray:
        """Other seeds than those that chose."""
        return self.tuning_seeds + np.arange(len(self.rates) * self.tuning_seeds)


QUICK = Settings(
    steps=60,
    lowest=-2,
    highest=0,
    per_decade=1,
    tuning_seeds=1,
    variants=("adam", "adamw", "amsgrad", "muon", "schedule_free_sgd", "sgd", "sophia"),
)


class Group(NamedTuple):
    """Problems of the same shapes as one, so that one program runs them all: which, it is told."""

    problems: Sequence[Problem]
    index: jax.Array

    def _switch(self, parts: Sequence[Callable[..., Any]], *args: Any) -> Any:
        return jax.lax.switch(self.index, parts, *args)

    @property
    def delay(self) -> jax.Array:
        return jnp.array([p.delay for p in self.problems])[self.index]

    @property
    def limits(self) -> tuple[jax.Array, jax.Array]:
        low, high = jnp.array([p.limits for p in self.problems]).T
        return low[self.index], high[self.index]

    @property
    def start(self) -> Any:
        starts = [parameters(p.start) for p in self.problems]
        return jax.tree.map(lambda *each: jnp.stack(each)[self.index], *starts)

    def loss(self, x: Any) -> jax.Array:
        return self._switch([p.loss for p in self.problems], x)

    def gradient(self, x: Any, t: jax.Array, seed: Any) -> Any:
        return self._switch([p.gradient for p in self.problems], x, t, seed)

    def curvature(self, x: Any, t: jax.Array, seed: Any) -> Any:
        return self._switch([p.curvature for p in self.problems], x, t, seed)


def groups(problems: Mapping[str, Problem]) -> list[list[Problem]]:
    """Problems that one program can run: of the same shapes and hyperparameters."""
    found: dict[str, list[Problem]] = {}
    for problem in problems.values():
        shapes = jax.tree.map(np.shape, parameters(problem.start))
        found.setdefault(repr((shapes, problem.arguments)), []).append(problem)
    return list(found.values())


def maker(name: str) -> Callable[..., optax.GradientTransformation]:
    """A variant, or with "optax." before its name that of Optax.

    >>> maker("optax.lion") is optax.lion
    True
    """
    if name.startswith("optax."):
        return getattr(optax, name.removeprefix("optax."))
    return adamjax.get_variant(name).optimizer


def arguments_of(name: str, problem: Problem) -> dict[str, Any]:
    """Arguments of a variant besides the learning rate."""
    make = maker(name)
    without = {"weight_decay": 0.0} if "weight_decay" in inspect.signature(make).parameters else {}
    return {**without, **ARGUMENTS.get(name, {}), **asked_of(make, problem)}


def make_runner(name: str, problems: Sequence[Problem], settings: Settings) -> Any:
    """A compiled function (problem's number, learning rates, seeds) -> (scores, areas).

    The score of a run is the logarithm of its last losses, and its area the mean over all steps,
    by which runs are told apart that end alike.
    """
    make = functools.partial(maker(name), **arguments_of(name, problems[0]))
    most_delay = max(problem.delay for problem in problems)

    def one(index: jax.Array, rate: jax.Array, seed: jax.Array) -> Any:
        group = Group(problems, index)
        flat, unravel = ravel_pytree(group.start)
        # Of another stream than the noise of the steps, which are counted from 1.
        key = jax.random.fold_in(jax.random.key(seed), 0)
        flat *= 1 + settings.start_noise * jax.random.normal(key, flat.shape)
        losses, _ = descend(
            make(learning_rate=rate),
            group,
            unravel(flat),
            settings.steps,
            seed=seed,
            most_delay=most_delay,
        )
        last = jnp.mean(losses[-max(1, settings.steps // 10) :])
        return score(last / losses[0]), jnp.mean(score(losses / losses[0]))

    return jax.jit(jax.vmap(one, (None, 0, 0)))


def score(ratio: jax.Array) -> jax.Array:
    """The logarithm of a loss relative to the start, or `HIGHEST` if it is not finite."""
    ratio = jnp.where(jnp.isfinite(ratio), ratio, jnp.inf)
    return jnp.clip(jnp.log10(jnp.maximum(ratio, 1e-30)), LOWEST, HIGHEST)


def tune(run: Callable[[Any, Any], Any], settings: Settings) -> float:
    """The learning rate with the best mean score. At an edge it extends the grid once.

    `run` is a function (learning rates, seeds) -> (scores, areas).
    """
    factor = 10 ** (1 / settings.per_decade)
    reach = factor ** len(settings.rates)
    tried: dict[float, tuple[float, float]] = {}

    def extend(rates: np.ndarray) -> float:
        lanes = np.repeat(rates, settings.tuning_seeds)
        results = run(lanes, np.tile(np.arange(settings.tuning_seeds), len(rates)))
        means = (np.reshape(each, (len(rates), -1)).mean(axis=1) for each in results)
        tried.update(zip(rates.tolist(), zip(*means, strict=True), strict=True))
        return min(tried, key=lambda rate: tried[rate])

    best = extend(settings.rates)
    if best == settings.rates[-1]:
        return extend(settings.rates * reach)
    return extend(settings.rates / reach) if best == settings.rates[0] else best


def judge(runner: Any, number: int, problem: Problem, settings: Settings) -> dict[str, Any]:
    """The learning rate of a variant for a problem, and the scores that it reaches."""

    def run(rates: np.ndarray, seeds: np.ndarray) -> list[np.ndarray]:
        given = np.int32(number), rates.astype(np.float32), seeds.astype(np.int32)
        return [np.asarray(each, np.float64) for each in runner(*given)]

    rate = problem.learning_rate or tune(run, settings)
    seeds = settings.judging_seeds
    scores, _ = run(np.full(len(seeds), rate), seeds)
    if problem.learning_rate is not None:
        # Who ends within a step of the optimum has found it: a limit may be hit exactly.
        scores = np.maximum(scores, math.log10(rate))
    # A run without any step is no failure. The margin is that of float32.
    failed = np.mean((scores > 1e-4) | ~np.isfinite(scores))
    lower, middle, upper = np.percentile(scores, [25, 50, 75]).round(3).tolist()
    return {
        "learning_rate": float(f"{rate:.3g}"),
        "score": middle,
        "quartiles": [lower, upper],
        "failed": round(float(failed), 3),
    }


def measure(
    settings: Settings, problems: Mapping[str, Problem], advance: Callable[[str], None]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Results of `judge` by problem and variant. Prints each variant that is done."""
    found: dict[str, dict[str, Any]] = {name: {} for name in problems}
    begin = time.perf_counter()
    for name in settings.names:
        for group in groups(problems):
            runner = make_runner(name, group, settings)
            for index, problem in enumerate(group):
                found[problem.name][name] = judge(runner, index, problem, settings)
        seconds = time.perf_counter() - begin
        advance(f"{name}, {seconds:.0f} s")
    return found


def summary(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, float]]:
    """By variant, how far it gets as a share of the best on each problem, and how often it fails.

    A share is that of the decades by which the best variant lowers the loss, and not below 0.
    """
    best = {name: min(row["score"] for row in rows.values()) for name, rows in found.items()}
    told = {}
    for variant in next(iter(found.values())):
        rows = {name: rows[variant] for name, rows in found.items()}
        shares = [share(row["score"], best[name]) for name, row in rows.items()]
        told[variant] = {
            "mean_share": round(float(np.mean(shares)), 3),
            "least_share": round(min(shares), 3),
            "problems_failed": sum(row["failed"] > 0.5 for row in rows.values()),
        }
    return dict(sorted(told.items(), key=lambda item: -item[1]["mean_share"]))


def share(reached: float, best: float) -> float:
    """How far a score is of the way from the start to the best one, 0 to 1."""
    return max(0.0, reached / best) if best < 0 else math.nan


def main(argv: Sequence[str] | None = None) -> None:
    options = record.parser("pathologies", __doc__)
    options.add_argument("--variants", nargs="+", default=(), metavar="NAME", help="only these")
    given: argparse.Namespace = record.parse(options, argv)
    settings = QUICK if given.quick else Settings()
    if given.variants:
        settings = settings._replace(variants=tuple(given.variants))
    begin = time.perf_counter()
    with console.progress({"variants": len(settings.names)}) as advance:
        found = measure(settings, PROBLEMS, functools.partial(advance, "variants"))
    told = summary(found)
    described = {
        **settings._asdict(),
        "variants": list(settings.names),
        "judging_seeds": len(settings.judging_seeds),
        "weight_decay": 0.0,
        "arguments": {name: dict(each) for name, each in ARGUMENTS.items()},
        "hessian_every": HESSIAN_EVERY,
        "scores": [LOWEST, HIGHEST],
        "problems": {
            name: {
                "shows": problem.shows,
                "random": problem.sample is not None,
                "arguments": dict(problem.arguments),
                "learning_rate": problem.learning_rate,
            }
            for name, problem in PROBLEMS.items()
        },
        "seconds": round(time.perf_counter() - begin),
    }
    record.write("pathologies", given, described, {"summary": told, "results": found})


if __name__ == "__main__":
    main()
