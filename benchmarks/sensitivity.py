"""How much the learning rate matters: held-out loss over three decades of it, for each variant.

Each first-class variant learns two tasks of `benchmarks.tasks` at seven learning rates, half a
decade apart, around one that suits it. All other arguments are defaults. The learning rate rises
over a tenth of the steps and falls to 0 along a cosine. For schedule-free variants it stays up.

A run has diverged if its final loss is worse than that of untrained models, or not a number.

The basin of a variant is how many decades of learning rates, around the best, end within 10% of the
best loss: between two rates of the grid, the loss is taken to be straight in their logarithm. A
basin that reaches an end of the grid is at least so wide.
"""

import argparse
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import adamjax
from benchmarks import quality, record, streams, tasks, training
from examples import console, pictures

# One of each idea that people choose between: descent without a second moment (sgd, lion), the
# ancestors (adagrad, rmsprop), Adam (adamw: with so few steps its decay changes nothing), changes
# of its m or v, other compositions of steps (lamb, ademamix, adan, c_adamw), less memory
# (adafactor), matrices (soap, muon), and no schedule or no learning rate to choose.
FIRST_CLASS = (
    "sgd",
    "adagrad",
    "rmsprop",
    "adamw",
    "amsgrad",
    "nadam",
    "radam",
    "adabelief",
    "yogi",
    "adopt",
    "laprop",
    "lion",
    "lamb",
    "ademamix",
    "adan",
    "c_adamw",
    "adafactor",
    "soap",
    "muon",
    "schedule_free_adamw",
    "prodigy",
)

MIDDLE = 1e-2
# Exceptions. Defaults are for long trainings, and too low for some hundred steps. These come from a
# trial with one seed, so that the best rate lies inside the grid.
MIDDLES: Mapping[str, float] = {
    "sgd": 0.1,
    "adagrad": 0.1,
    "radam": 0.1,
    "adabelief": 0.1,
    "lion": 3e-3,
    "yogi": 3e-2,
    "adafactor": 0.1,
    "muon": 3e-2,
    "prodigy": 1.0,
}
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "sgd": {"momentum": 0.9},
    # To rotate 784 pixels or 256 bytes would take more time than all else together.
    "soap": {"max_size": 128},
}
WITHIN = 0.1
REFERENCE = "adamw"


class Settings(NamedTuple):
    seeds: int = 3
    decades: int = 3
    per_decade: int = 2
    steps: tuple[tuple[str, int], ...] = (("transformer", 100), ("MNIST MLP", 200))
    variants: tuple[str, ...] = FIRST_CLASS

    def rates(self, name: str) -> np.ndarray:
        """The learning rates of a variant, around its middle one."""
        half = self.decades / 2
        exponents = np.linspace(-half, half, self.decades * self.per_decade + 1)
        return MIDDLES.get(name, MIDDLE) * 10**exponents


QUICK = Settings(1, per_decade=1, steps=(("MNIST MLP", 20),), variants=(REFERENCE, "lion"))


def optimizer(name: str, steps: int) -> Any:
    """A function from a peak learning rate to the optimizer with its schedule."""
    make, more = adamjax.get_variant(name).optimizer, ARGUMENTS.get(name, {})
    shape = quality.rising_and_falling(1.0, steps)
    risen = max(1, steps // 10)
    last = risen if name.startswith("schedule_free") else steps
    return lambda rate: make(lambda count: rate * shape(jnp.minimum(count, last)), **more)


class Course(NamedTuple):
    """The task of all variants, in `epochs` stretches of steps, and its final evaluation.

    `worst` is the highest held-out loss of models that have learnt nothing.
    """

    problem: training.Problem
    judge: training.Watch
    epochs: int
    worst: float


def course(name: str, steps: int) -> Course:
    task = tasks.TASKS[name]()
    # As few as the examples are enough for.
    epochs = math.ceil(steps * task.batch_size / len(task.train[1]))
    problem, judge = streams.of_task(task, steps // epochs)
    start = jax.jit(lambda key: judge(problem.init(key), ())["held_out"])
    worst = max(float(start(key)) for key in jax.random.split(jax.random.key(0), 20))
    return Course(problem, judge, epochs, worst)


def basin(rates: Sequence[float], losses: Sequence[float]) -> dict[str, Any]:
    """The best learning rate, its loss, and the decades around it that are nearly as good.

    >>> basin([0.01, 0.1, 1.0], [1.2, 1.0, math.inf])
    {'best_rate': 0.1, 'best_loss': 1.0, 'decades': 0.5, 'at_least': False}
    """
    if not math.isfinite(min(losses)):
        return {"best_rate": None, "best_loss": None, "decades": 0.0, "at_least": False}
    best = int(np.argmin(losses))
    bound = (1 + WITHIN) * losses[best]

    def reach(direction: int) -> tuple[float, bool]:
        """How far the basin goes, and whether the grid ends before it does."""
        i, far = best, 0.0
        while 0 <= i + direction < len(rates):
            here, there = losses[i], losses[i + direction]
            gap = abs(math.log10(rates[i + direction] / rates[i]))
            if there > bound:
                # Beyond a finite loss next to one that is none lies nothing to interpolate.
                share = (bound - here) / (there - here) if math.isfinite(there) else 0.0
                return far + share * gap, False
            far, i = far + gap, i + direction
        return far, True

    (low, low_end), (high, high_end) = reach(-1), reach(1)
    return {
        "best_rate": rates[best],
        "best_loss": losses[best],
        "decades": round(low + high, 2),
        "at_least": low_end or high_end,
    }


def rounded(loss: float) -> float | None:
    """For JSON, which knows no infinite numbers."""
    return round(loss, 4) if math.isfinite(loss) else None


def run(name: str, course: Course, settings: Settings) -> dict[str, Any]:
    """The losses of a variant by rate and seed, None for a run that diverged."""
    rates = settings.rates(name)
    found = training.train(
        course.problem,
        optimizer(name, course.epochs * course.problem.steps),
        np.array(rates),
        seeds=settings.seeds,
        epochs=course.epochs,
        watch=course.judge,
    )
    ended = found["held_out"][..., -1].T.astype(float)
    losses = np.where(ended < course.worst, ended, np.inf)  # also where it is no number
    means = losses.mean(axis=1)
    told = {
        "variant": name,
        "rates": [float(f"{rate:.4g}") for rate in rates],
        "held_out": [list(map(rounded, row)) for row in losses],
        "diverged": int(np.isinf(losses).sum()),
    }
    return told | basin(told["rates"], means.round(4).tolist())


def tell(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """A table for each task, the widest basin first."""
    for task, rows in results.items():
        cells = []
        for row in sorted(rows, key=lambda row: -row["decades"]):
            width = f"{'≥ ' * row['at_least']}{row['decades']:.2f}"
            best = [f"{row[key]:.3g}" if row[key] else "-" for key in ("best_loss", "best_rate")]
            cells.append((row["variant"], *best, width))
        basin_heading = f"decades within {WITHIN:.0%} of it"
        console.table((task, "best held-out loss", "at learning rate", basin_heading), cells)


COLUMNS = 7
HIGHEST = 2.6
"""The top of the picture, in best losses of AdamW."""


def curve(axis: Any, row: Mapping[str, Any], unit: float, move: float = 1.0, **look: Any) -> Any:
    """The mean losses of a variant in units of `unit`, its learning rates multiplied by `move`.

    Returns the rates and the losses [rate, seed].
    """
    rates = np.array(row["rates"]) * move
    losses = np.array(row["held_out"], float) / unit
    axis.plot(rates, losses.mean(axis=1), **look)
    return rates, losses


def draw(report: Mapping[str, Any], file: Path) -> None:
    """A panel for each variant, with AdamW's curve behind it, moved to the same middle."""
    by_task = {
        task: {row["variant"]: row for row in rows} for task, rows in report["results"].items()
    }
    names = list(report["settings"]["variants"])
    columns = min(COLUMNS, len(names))
    cells = [*names, *["."] * (-len(names) % columns)]
    mosaic = [cells[i : i + columns] for i in range(0, len(cells), columns)]
    figure, panels = pictures.axes(
        mosaic, (2.2 * columns + 1, 2.3 * len(mosaic) + 1.2), sharey=True
    )
    for name, panel in panels.items():
        for i, (task, rows) in enumerate(by_task.items()):
            row, reference = rows[name], rows[REFERENCE]
            unit, dash, color = reference["best_loss"], ("-", "--")[i], pictures.COLORS[i]
            grey = {"color": "#AAAAAA", "linestyle": dash, "label": f"{REFERENCE}, {task}"}
            curve(panel, reference, unit, row["rates"][0] / reference["rates"][0], **grey)
            look = {"color": color, "linestyle": dash, "marker": "o", "markersize": 3.5}
            rates, losses = curve(panel, row, unit, **look, label=task)
            panel.fill_between(rates, losses.min(1), losses.max(1), color=color, alpha=0.25, lw=0)
            diverged = rates[np.isnan(losses).any(axis=1)]
            height = np.full(len(diverged), HIGHEST - 0.12 * (i + 1))
            panel.plot(diverged, height, "x", color=color)
        panel.set(title=name, xscale="log", ylim=(0.85, HIGHEST))
    for first, *_ in mosaic:
        panels[first].set_ylabel(f"loss / best of {REFERENCE}")
    for name in names[-columns:]:
        panels[name].set_xlabel("learning rate")
    handles, labels = panels[names[0]].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, loc="outside lower center", ncols=4)
    title = "Held-out loss after training by learning rate (band: seeds, ×: a seed diverged)"
    figure.suptitle(title)
    pictures.save(figure, file)


def main(argv: Sequence[str] | None = None) -> None:
    given: argparse.Namespace = record.parse(record.parser("sensitivity", __doc__), argv)
    settings = QUICK if given.quick else Settings()
    results: dict[str, list[dict[str, Any]]] = {}
    start = time.perf_counter()
    with console.progress({name: len(settings.variants) for name, _ in settings.steps}) as advance:
        for task, steps in settings.steps:
            learnt = course(task, steps)
            results[task] = []
            for name in settings.variants:
                results[task].append(run(name, learnt, settings))
                advance(task, name)
    tell(results)
    measured = {"seconds": round(time.perf_counter() - start), "results": results}
    record.write("sensitivity", given, {**settings._asdict(), "within": WITHIN}, measured)


if __name__ == "__main__":
    main()
