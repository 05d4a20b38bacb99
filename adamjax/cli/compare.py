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

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEARNING_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Tried on a problem that does not ask for one."""

# Okabe and Ito's: told apart also by readers who do not see red and green. After the last of them
# the dashes change.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GREY = "#7F7F7F"
DASHES = ("-", "--", ":", "-.")
SMALLEST_LOSS = 1e-10
"""The foot of the loss axis; what is below counts as reached."""


class Run(NamedTuple):
    """What an optimizer did on a problem.

    Attributes:
      label: what to call it.
      learning_rate: the one it ran with.
      losses: the problem's loss at the start and after each step, shape (steps + 1,).
      path: the points themselves, shape (steps + 1, dimension); matrices lie flat.
      distances: their distances to the nearest optimum, shape (steps + 1,).
    """

    label: str
    learning_rate: float
    losses: np.ndarray
    path: np.ndarray
    distances: np.ndarray


def learning_rates_for(problem: Problem) -> Sequence[float]:
    """The learning rate that a problem asks for, or all of `LEARNING_RATES`.

    >>> from adamjax.problems import get_problem
    >>> learning_rates_for(get_problem("reddi"))
    (0.03,)
    """
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
    """Runs an optimizer on a problem with each learning rate at once, and keeps the best run.

    The best has the lowest mean loss over the last tenth of the steps. Losses below 1e-10 count
    alike: of the runs that get there the fastest is the best, by the mean loss over all steps.

    Args:
      make: a function of `learning_rate` and keyword arguments, such as `adamjax.adam`.
      problem: what to minimise. The hyperparameters that it asks for (`problem.arguments`) are
        passed if `make` has them and takes them.
      learning_rates: those to try; None is `learning_rates_for(problem)`.
      steps: how many.
      label: what to call the run; "" is the name of `make`.
      arguments: further arguments of `make`; they win over those of the problem.

    >>> from adamjax import adam
    >>> from adamjax.problems import get_problem
    >>> best = run(adam, get_problem("noisy"), steps=200)
    >>> best.path.shape, bool(best.losses[-1] < 0.01 * best.losses[0])
    ((201, 2), True)
    """
    asked = asked_of(make, problem) | dict(arguments or {})

    start = parameters(problem.start)

    def descent(learning_rate: jax.Array) -> Any:
        losses, path = descend(make(learning_rate=learning_rate, **asked), problem, start, steps)
        flat = jax.vmap(lambda x: ravel_pytree(x)[0])(path)
        return losses, flat, jax.vmap(problem.distance)(path)

    rates = learning_rates_for(problem) if learning_rates is None else learning_rates
    results = jax.jit(jax.vmap(descent))(np.array(rates, np.float32))
    losses, paths, distances = map(np.asarray, results)
    best = _best(losses)
    return Run(
        label or getattr(make, "__name__", str(make)),
        rates[best],
        losses[best],
        paths[best],
        distances[best],
    )


def _best(losses: np.ndarray) -> int:
    """Which row to keep, as `run` says; losses that are not finite count as the largest."""
    finite = np.where(
        np.isfinite(losses), losses.astype(np.float64), np.finfo(np.float64).max / 1e9
    )
    ends = finite[:, -max(1, losses.shape[1] // 10) :].mean(axis=1)
    return int(np.lexsort([finite.mean(axis=1), np.maximum(ends, SMALLEST_LOSS)])[0])


def plot_runs(
    problem: Problem, runs: Sequence[Run], file: str | os.PathLike[str] | None = None
) -> "Figure":
    """Two panels: the loss over the steps, and the way there.

    The second has the paths over the contour lines of a problem in the plane, the coordinate over
    the steps for one on the line, and else the distance to the optimum over the steps.

    Args:
      problem: the one that all the runs are of.
      runs: what to draw.
      file: where to save; the ending says the format (.png, .svg, .pdf).

    Returns:
      The figure, a `matplotlib.figure.Figure`.

    Raises:
      ImportError: matplotlib is not installed.

    >>> from adamjax import adam
    >>> from adamjax.problems import get_problem
    >>> problem = get_problem("saddle")
    >>> figure = plot_runs(problem, [run(adam, problem, steps=50)])
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['Loss', 'Path']
    """
    figure = _figure(figsize=(11.5, 5.2), layout="constrained", dpi=130)
    left, right = figure.subplots(1, 2)
    _losses(left, problem, runs)
    if problem.window is not None:
        draw_paths(right, problem, problem.window, runs)
    elif runs[0].path.shape[1] == 1:
        _coordinate(right, problem, runs)
    else:
        _distances(right, runs)
    figure.suptitle(f"{problem.name}: {problem.shows}", fontsize="medium", wrap=True)
    lines, labels = left.get_legend_handles_labels()
    columns = math.ceil(len(labels) / math.ceil(len(labels) / 5))
    figure.legend(lines, labels, loc="outside lower center", ncols=columns, frameon=False)
    if file is not None:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file)
    return figure


def check_picture(file: str) -> str:
    """The name of a file that `plot_runs` can save to, as it is.

    Raises:
      ImportError: matplotlib is not installed.
      ValueError: for an ending that it does not know.

    >>> check_picture("curves.doc")
    Traceback (most recent call last):
    ValueError: 'curves.doc' must end in .png, .svg, .pdf or another format of matplotlib
    """
    formats = _figure().canvas.get_supported_filetypes()
    if Path(file).suffix.lower().removeprefix(".") not in formats:
        raise ValueError(f"{file!r} must end in .png, .svg, .pdf or another format of matplotlib")
    return file


def _figure(**settings: Any) -> "Figure":
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install matplotlib") from error
    return Figure(**settings)


def _look(index: int) -> dict[str, Any]:
    """Colour, dashes and width of one run, the same in both panels.

    The first are the widest, so that runs which coincide can be told from one.
    """
    dashes = DASHES[index // len(COLORS) % len(DASHES)]
    width = max(1.3, 3.4 - 0.8 * index)
    return {"color": COLORS[index % len(COLORS)], "linestyle": dashes, "linewidth": width}


def _label(one: Run) -> str:
    return f"{one.label}, lr {one.learning_rate:g}"


def _style(axes: "Axes", title: str) -> None:
    axes.set_title(title, loc="left", fontsize="medium", fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("step")


def _losses(axes: "Axes", problem: Problem, runs: Sequence[Run]) -> None:
    _style(axes, "Loss")
    steps = len(runs[0].losses) - 1
    # Where each step sees another loss, the mean says more than the zigzag.
    window = 1 if problem.sample is None else max(1, steps // 25)
    for index, one in enumerate(runs):
        means = np.convolve(one.losses, np.full(window, 1 / window), mode="valid")
        axes.plot(np.arange(len(means)) + window // 2, np.maximum(means, SMALLEST_LOSS),
                  label=_label(one), **_look(index))  # fmt: skip
    axes.set_yscale("log")
    if window > 1:
        axes.set_title(f"mean over {window} steps", loc="right", fontsize="small", color=GREY)
    # A run that diverged would squeeze the others into a line.
    axes.set_ylim(top=min(axes.get_ylim()[1], 30 * runs[0].losses[0]))


def draw_paths(
    axes: "Axes",
    problem: Problem,
    window: tuple[float, float, float, float],
    runs: Sequence[Run],
) -> None:
    """The paths of runs over the contour lines of a problem in the plane, in this part of it."""
    _style(axes, "Path")
    axes.set_title("from □ to ☆; a dot ends a run", loc="right", fontsize="small", color=GREY)
    axes.set_xlabel("x₀")
    axes.set_ylabel("x₁")
    axes.grid(False)
    left, right, bottom, top = window
    x, y = np.meshgrid(np.linspace(left, right, 200), np.linspace(bottom, top, 200))
    points = jnp.array(np.stack([x, y], axis=-1), jnp.float32)
    # Levels in equal proportions show a narrow valley's floor as well as its walls.
    height = np.log10(np.asarray(jax.vmap(jax.vmap(problem.loss))(points)) + 1e-3)
    span = float(np.ptp(height))
    axes.contourf(x, y, height, levels=24, cmap="bone", vmin=height.min() - 1.6 * span)
    axes.contour(x, y, height, levels=12, colors="white", linewidths=0.6, linestyles="solid")
    for index, one in enumerate(runs):
        seen = one.path[np.isfinite(one.path).all(axis=1)]
        look = _look(index)
        # All halos lie below all lines, so that a line under another still has a rim to show.
        axes.plot(*seen.T, color="white", linewidth=look["linewidth"] + 1.2, alpha=0.7, zorder=2)
        axes.plot(*seen.T, **look, label=_label(one), solid_joinstyle="round", zorder=3)
        axes.plot(
            *seen[-1], "o", color=look["color"], markersize=7, markeredgecolor="white", zorder=4
        )
    axes.plot(*problem.start, "s", color="white", markeredgecolor="black", markersize=7, zorder=5)
    for optimum in problem.optima:
        axes.plot(*optimum, "*", color="#F0E442", markeredgecolor="black", markersize=15, zorder=5)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)


def _coordinate(axes: "Axes", problem: Problem, runs: Sequence[Run]) -> None:
    _style(axes, "Coordinate")
    axes.set_title("☆ optimum", loc="right", fontsize="small", color=GREY)
    axes.set_ylabel("x₀")
    for index, one in enumerate(runs):
        axes.plot(one.path[:, 0], **_look(index))
    for point in problem.optima:
        optimum = float(parameters(point)[0])
        axes.axhline(optimum, color=GREY, linewidth=0.8, zorder=1)
        axes.plot(len(runs[0].path), optimum, "*", color="#F0E442", markeredgecolor="black",
                  markersize=15, clip_on=False, zorder=5)  # fmt: skip


def _distances(axes: "Axes", runs: Sequence[Run]) -> None:
    _style(axes, "Distance to the optimum")
    for index, one in enumerate(runs):
        axes.plot(one.distances, **_look(index))
    axes.set_yscale("log")
    axes.set_ylim(top=min(axes.get_ylim()[1], 5 * runs[0].distances[0]))
