"""Optimizers side by side on a small problem: runs and their picture."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree

from adamjax.cli.descent import asked_of, descend
from adamjax.problems import Problem, parameters
from adamjax.tracking.plots import BLUE, GREEN, GREY, VERMILION, new_figure, save, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEARNING_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
"""The learning rates to try on a problem that does not ask for one."""

COLORS = (BLUE, VERMILION, GREEN, "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# The dashes change after the last color.
DASHES = ("-", "--", ":", "-.")
STAR = {"marker": "*", "color": "#F0E442", "markeredgecolor": "black", "markersize": 15}
SMALLEST_LOSS = 1e-10
"""The lower end of the loss axis. A loss below it counts as 0."""


class Run(NamedTuple):
    """A run of an optimizer on a problem, from the start to the last step."""

    label: str
    learning_rate: float
    losses: np.ndarray  # (steps + 1,)
    path: np.ndarray  # (steps + 1, dimension)
    distances: np.ndarray  # to the nearest optimum, (steps + 1,)


def learning_rates_for(problem: Problem) -> Sequence[float]:
    """Return the learning rate that a problem asks for, or all of `LEARNING_RATES`."""
    return LEARNING_RATES if problem.learning_rate is None else (problem.learning_rate,)


def run(
    make: Callable[..., optax.GradientTransformation],
    problem: Problem,
    *,
    learning_rates: Sequence[float] | None = None,
    steps: int = 500,
    label: str = "",
    arguments: Mapping[str, Any] | None = None,
) -> Run:
    """Run an optimizer on a problem with several learning rates, and return the best run.

    `arguments` override those of the problem.
    """
    arguments = asked_of(make, problem) | dict(arguments or {})
    start = parameters(problem.start)

    def descent(learning_rate: jax.Array) -> Any:
        tx = make(learning_rate=learning_rate, **arguments)
        losses, path = descend(tx, problem, start, steps)
        flat = jax.vmap(lambda x: ravel_pytree(x)[0])(path)
        return losses, flat, jax.vmap(problem.distance)(path)

    rates = learning_rates_for(problem) if learning_rates is None else learning_rates
    results = jax.jit(jax.vmap(descent))(np.array(rates, np.float32))
    losses, paths, distances = map(np.asarray, results)
    best = _best(losses)
    name = label or getattr(make, "__name__", str(make))
    return Run(name, rates[best], losses[best], paths[best], distances[best])


def _best(losses: np.ndarray) -> int:
    """Return the row with the lowest mean loss over the last tenth of the steps."""
    # Losses that are not finite count as the largest. Between ends of 0, all steps decide.
    largest = np.finfo(np.float64).max / 1e9
    finite = np.where(np.isfinite(losses), losses.astype(np.float64), largest)
    ends = finite[:, -max(1, losses.shape[1] // 10) :].mean(axis=1)
    return int(np.lexsort([finite.mean(axis=1), np.maximum(ends, SMALLEST_LOSS)])[0])


def plot_runs(
    problem: Problem, runs: Sequence[Run], file: str | os.PathLike[str] | None = None
) -> "Figure":
    """Plot the losses of runs, and their paths or distances to the optimum."""
    figure = new_figure(figsize=(11.5, 5.2), layout="constrained", dpi=130)
    left, right = figure.subplots(1, 2)
    _losses(left, problem, runs)
    if problem.window is not None:
        draw_paths(right, problem, problem.window, runs)
    else:
        _curves(right, problem, runs)
    figure.suptitle(f"{problem.name}: {problem.shows}", fontsize="medium", wrap=True)
    lines, labels = left.get_legend_handles_labels()
    columns = math.ceil(len(labels) / math.ceil(len(labels) / 5))
    figure.legend(lines, labels, loc="outside lower center", ncols=columns, frameon=False)
    save(figure, file)
    return figure


def check_picture(file: str) -> str:
    """Return the name of a file that `plot_runs` can save to, or raise ValueError."""
    formats = new_figure().canvas.get_supported_filetypes()
    if Path(file).suffix.lower().removeprefix(".") not in formats:
        raise ValueError(f"{file!r} must end in .png, .svg, .pdf or another format of matplotlib")
    return file


def _look(index: int, one: Run) -> dict[str, Any]:
    """Return the label and look of a run. The first lines are the widest, so that overlaps show."""
    return {
        "label": f"{one.label}, lr {one.learning_rate:g}",
        "color": COLORS[index % len(COLORS)],
        "linestyle": DASHES[index // len(COLORS) % len(DASHES)],
        "linewidth": max(1.3, 3.4 - 0.8 * index),
    }


def _title(axes: "Axes", title: str, note: str = "") -> None:
    style(axes, title)
    axes.set_title(note, loc="right", fontsize="small", color=GREY)
    axes.set_xlabel("step")


def _losses(axes: "Axes", problem: Problem, runs: Sequence[Run]) -> None:
    # If each step samples another loss, the mean of several is clearer.
    window = 1 if problem.sample is None else max(1, (len(runs[0].losses) - 1) // 25)
    _title(axes, "Loss", f"mean over {window} steps" if window > 1 else "")
    for index, one in enumerate(runs):
        means = np.convolve(one.losses, np.full(window, 1 / window), mode="valid")
        steps = np.arange(len(means)) + window // 2
        axes.plot(steps, np.maximum(means, SMALLEST_LOSS), **_look(index, one))
    axes.set_yscale("log")
    # A run that diverged would squeeze the others into a line.
    axes.set_ylim(top=min(axes.get_ylim()[1], 30 * runs[0].losses[0]))


def draw_paths(
    axes: "Axes", problem: Problem, window: tuple[float, float, float, float], runs: Sequence[Run]
) -> None:
    """Draw the paths of runs over the contour lines of a problem, in this part of the plane."""
    _title(axes, "Path", "□ start, ☆ optimum, ● final iterate")
    axes.set_xlabel("x₀")
    axes.set_ylabel("x₁")
    axes.grid(False)
    left, right, bottom, top = window
    x, y = np.meshgrid(np.linspace(left, right, 200), np.linspace(bottom, top, 200))
    points = jnp.array(np.stack([x, y], axis=-1), jnp.float32)
    # Logarithmic levels show the floor of a narrow valley as well as its walls.
    height = np.log10(np.asarray(jax.vmap(jax.vmap(problem.loss))(points)) + 1e-3)
    span = float(np.ptp(height))
    axes.contourf(x, y, height, levels=24, cmap="bone", vmin=height.min() - 1.6 * span)
    axes.contour(x, y, height, levels=12, colors="white", linewidths=0.6, linestyles="solid")
    white = {"color": "white", "markersize": 7}
    for index, one in enumerate(runs):
        path, look = one.path[np.isfinite(one.path).all(axis=1)], _look(index, one)
        # All halos lie below all lines, so that a covered line still has a rim.
        axes.plot(*path.T, color="white", linewidth=look["linewidth"] + 1.2, alpha=0.7, zorder=2)
        axes.plot(*path.T, **look, solid_joinstyle="round", zorder=3)
        end = {**white, "color": look["color"], "markeredgecolor": "white"}
        axes.plot(*path[-1], "o", **end, zorder=4)
    axes.plot(*problem.start, "s", **white, markeredgecolor="black", zorder=5)
    for optimum in problem.optima:
        axes.plot(*optimum, **STAR, zorder=5)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)


def _curves(axes: "Axes", problem: Problem, runs: Sequence[Run]) -> None:
    on_a_line = runs[0].path.shape[1] == 1
    for index, one in enumerate(runs):
        axes.plot(one.path[:, 0] if on_a_line else one.distances, **_look(index, one))
    if not on_a_line:
        _title(axes, "Distance to the optimum")
        axes.set_yscale("log")
        axes.set_ylim(top=min(axes.get_ylim()[1], 5 * runs[0].distances[0]))
        return
    _title(axes, "Coordinate", "☆ optimum")
    axes.set_ylabel("x₀")
    for point in problem.optima:
        optimum = float(parameters(point)[0])
        axes.axhline(optimum, color=GREY, linewidth=0.8, zorder=1)
        axes.plot(len(runs[0].path), optimum, **STAR, clip_on=False, zorder=5)
