"""The sections of `python -m benchmarks`: each measures one thing on the machine that runs it.

A section is a short form of a benchmark. It measures quartiles by group and subject. One subject is
Optax.
"""

import argparse
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

import adamjax
from adamjax.problems import PROBLEMS
from adamjax.storage.store import MIN_SIZE
from benchmarks import compiled, many_leaves, memory, pathologies, quality, tasks, timing, workers

Quartiles = list[float]
Rows = dict[str, dict[str, Quartiles]]
Measured = dict[str, Any]  # "rows", and other entries of the result file
Advance = Callable[[str], None]  # reports the end of a part, with this text

SIZES = {"cpu": (10**6, 10**7), "gpu": (10**6, 10**8, 10**9), "tpu": (10**6, 10**8, 10**9)}
PAIRS = ("sgd", "rmsprop", "adamw", "amsgrad", "adabelief", "lion")
"""Variants that Optax has under the same name, not always with the same defaults."""


class Plan(NamedTuple):
    """How much of everything.

    Attributes:
      sizes: parameters of a timed step. None is a size for the platform.
      layouts: the numbers of leaves into which they are cut.
      seconds: for each size and layout.
      trees, rounds: for `many_leaves`.
      transformers: rows of `memory`. An empty list is all of them.
      matrix: whose bytes are counted.
      tasks, seeds, steps: of `tasks`. None is the number of steps of the task.
      tuning, problems: for `pathologies`.
    """

    sizes: tuple[int, ...] | None = None
    layouts: tuple[int, ...] = (1, 300)
    seconds: float = 60
    trees: tuple[tuple[int, int], ...] = ((1000, 64), (100, 256))
    rounds: int = 5
    transformers: tuple[str, ...] = ()
    matrix: tuple[int, int] = (4096, 4096)
    tasks: tuple[str, ...] = ("transformer", "MNIST MLP", "digits CNN")
    seeds: int = 5
    steps: int | None = None
    tuning: pathologies.Settings = pathologies.Settings()
    problems: tuple[str, ...] = (
        *("rosenbrock", "quadratic", "plateau", "cliff", "noisy", "in_turn"),
        *("ill_conditioned", "sparse", "heavy_tailed"),
    )


QUICK = Plan(
    sizes=(1_000_000,),
    seconds=8,
    trees=((300, 64),),
    rounds=3,
    transformers=("optax.adamw", "adamw 8bit", "optax.adamw, bf16", "adamw 8bit, bf16 stochastic"),
    matrix=(1024, 1024),
    tasks=("MNIST MLP",),
    seeds=3,
    steps=100,
    tuning=pathologies.Settings(steps=200, per_decade=1, tuning_seeds=1),
    problems=("rosenbrock", "noisy", "saddle", "cliff"),
)


class Section(NamedTuple):
    """A measurement.

    Attributes:
      title: of the section.
      unit: of its figures.
      parts: how many steps of progress there will be.
      measure: from the plan, the options and a function to tell progress, to `Measured`.
    """

    title: str
    unit: str
    parts: Callable[[Plan], int]
    measure: Callable[[Plan, argparse.Namespace, Advance], Measured]


@functools.cache
def here() -> dict[str, Any]:
    """The platform and its memory, asked by another process: see `report.run`."""
    return workers.device()


def sizes(plan: Plan) -> tuple[int, ...]:
    """Parameters of a timed step."""
    return plan.sizes or SIZES[here()["platform"]]


def step_time(plan: Plan, given: argparse.Namespace, advance: Advance) -> Measured:
    """One step of AdamW, in units of Optax's in the same round."""
    settings = timing.Settings(seconds=plan.seconds)
    pythons, left_out = workers.other_pythons(given, here()["platform"])
    every = timing.subjects(here()["platform"], **pythons)
    rows: Rows = {}
    milliseconds: Rows = {}
    versions = {}
    for leaves in plan.layouts:
        compared = every
        for size in sizes(plan):
            label = cut_into(size, leaves)
            found, failed = timing.measure(timing.cut(size, leaves), compared, settings, here())
            compared, missing = timing.remaining(compared, found, failed)
            left_out |= failed | {f"{name}, {label}": why for name, why in missing.items()}
            rows[label] = {name: row["ratio"] for name, row in found.items()}
            milliseconds[label] = {name: row["milliseconds"] for name, row in found.items()}
            versions |= {n: row["version"] for n, row in found.items() if "version" in row}
            advance(label)
    for name, reason in left_out.items():
        print(f"left out: {name}: {reason}")
    return {"rows": rows, "milliseconds": milliseconds, "versions": versions, "left_out": left_out}


def cut_into(size: int, leaves: int) -> str:
    """Description of the timed steps.

    >>> cut_into(10_000_000, 1)
    '10,000,000 parameters in 1 leaf'
    >>> cut_into(1_000_000, 300)
    '1,000,000 parameters in 300 leaves, all too small to be stored'
    """
    words = f"{size:,} parameters in {leaves} {'leaves' if leaves > 1 else 'leaf'}"
    return words if size >= MIN_SIZE * leaves else f"{words}, all too small to be stored"


def preparation(plan: Plan, given: argparse.Namespace, advance: Advance) -> Measured:
    """Tracing, lowering and compiling a step, in units of Optax's in the same round."""
    rows: Rows = {}
    settings = many_leaves.Settings(rounds=plan.rounds)
    # The cache has programs of earlier runs, which would not be compiled again.
    jax.config.update("jax_enable_compilation_cache", False)
    for number, side in plan.trees:
        found = many_leaves.measure(number, side, settings, advance)
        ratios = {name: row["all"]["ratio"] for name, row in found.items()}
        rows[many_leaves.label(number, side)] = ratios
    return {"rows": rows}


def peak_memory(plan: Plan, given: argparse.Namespace, advance: Advance) -> Measured:
    """A training step of a transformer, as it is compiled for this machine."""
    rows: Rows = {}
    for row in transformers(plan):
        measured = memory.measure(None, row)
        group = f"transformer of {measured['parameters'] / 1e6:.0f} million parameters"
        peak = exactly(measured["peak_bytes_per_parameter"])
        rows.setdefault(group, {})[row.name] = peak
        advance(row.name)
    return {"rows": rows}


def transformers(plan: Plan) -> list[compiled.Row]:
    """Whose peaks are looked at."""
    wanted = plan.transformers
    return [row for row in memory.rows() if not wanted or row.name in wanted]


def exactly(figure: float) -> Quartiles:
    """Quartiles of a number without spread."""
    return [float(f"{figure:.5g}")] * 3


def matrix_rows(plan: Plan) -> list[compiled.Row]:
    """Whose bytes are counted."""
    return [r for r in compiled.rows(plan.matrix) if r.shape == plan.matrix and r.leaves == 1]


def moved(plan: Plan, given: argparse.Namespace, advance: Advance) -> Measured:
    """Bytes that a step reads and writes, as the compiler for this machine reckons."""
    rows = {}
    for row in matrix_rows(plan):
        rows[row.name] = exactly(compiled.accessed(row))
        advance(row.name)
    return {"rows": {f"one leaf of {'x'.join(map(str, plan.matrix))}": rows}}


# Leaves of tasks so small would stay float32 by default.
stored = functools.partial(adamjax.store, min_size=0)


def contestants(rate: optax.Schedule) -> dict[str, optax.GradientTransformation]:
    """The optimizers that `losses` compares."""
    slower = lambda count: rate(count) / 5  # noqa: E731
    return {
        "optax.adamw": optax.adamw(rate, weight_decay=1e-2),
        **{
            f"adamw {s}": stored(adamjax.adamw(rate, weight_decay=1e-2), s)
            for s in quality.STORAGES
        },
        "optax.lion": optax.lion(slower, weight_decay=1e-2),
        **{
            f"lion {s}": stored(adamjax.lion(slower, weight_decay=1e-2), s)
            for s in ("float32", "8bit")
        },
    }


def losses(plan: Plan, given: argparse.Namespace, advance: Advance) -> Measured:
    """Held-out losses of small trainings, all from the same weights and batches."""
    rows: Rows = {}
    for name in plan.tasks:
        task = tasks.TASKS[name]()
        steps = plan.steps or task.steps
        rate = quality.rising_and_falling(task.learning_rate, steps)
        held_out = rows.setdefault(f"{name}, {plan.seeds} seeds of {steps} steps", {})
        for label, tx in contestants(rate).items():
            seeds = np.arange(plan.seeds), np.zeros(plan.seeds, np.float32)
            reached = quality.make_train(task, tx, steps)(*seeds)
            held_out[label] = timing.quartiles(np.asarray(reached["held_out"], float).tolist())
            advance(f"{name}: {label}")
    return {"rows": rows}


def decades(plan: Plan, given: argparse.Namespace, advance: Advance) -> Measured:
    """By how many decades small losses fall, each optimizer at its best learning rate."""
    problems = {name: PROBLEMS[name] for name in plan.problems}
    rows: Rows = {name: {} for name in problems}
    for variant in PAIRS:
        for name in (f"optax.{variant}", variant):
            settings = plan.tuning._replace(variants=(name,))
            found = pathologies.measure(settings, problems, advance)
            for problem, each in found.items():
                score, (low, high) = each[name]["score"], each[name]["quartiles"]
                rows[problem][name] = [0.0 - high, 0.0 - score, 0.0 - low]  # not -0
    return {"rows": rows}


SECTIONS = {
    "time": Section(
        "Time of a step",
        "time / optax.adamw's in the same round",
        lambda plan: len(plan.layouts) * len(sizes(plan)),
        step_time,
    ),
    "compile": Section(
        "Tracing, lowering and compiling",
        "time / optax.adamw's in the same round",
        lambda plan: len(plan.trees) * plan.rounds,
        preparation,
    ),
    "memory": Section(
        "Memory of a training step",
        "bytes per parameter at the peak",
        lambda plan: len(transformers(plan)),
        peak_memory,
    ),
    "bytes": Section(
        "Memory traffic of a step",
        "bytes read and written per parameter",
        lambda plan: len(matrix_rows(plan)),
        moved,
    ),
    "quality": Section(
        "Quality",
        "held-out loss [nats]",
        lambda plan: len(plan.tasks) * len(contestants(optax.constant_schedule(0.1))),
        losses,
    ),
    "pathologies": Section(
        "Pathologies, each with its own defaults",
        "decades by which the loss falls",
        lambda plan: 2 * len(PAIRS),
        decades,
    ),
}
