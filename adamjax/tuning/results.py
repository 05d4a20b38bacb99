"""Results of a sweep: table, best settings, basin and plot."""

import math
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from adamjax.tracking.plots import BLUE, GREY, VERMILION, new_figure, save, style
from adamjax.trees import PyTree, align_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Member = dict[str, Any]
"""Settings of one training run, by name."""


class Sweep(NamedTuple):
    """Result of `sweep`, as NumPy arrays.

    Attributes:
      members: the settings of each member.
      losses: the loss of each member before each step, [members, steps]. NaN after it diverged.
      stopped: the step at which a member diverged, counted from 1, or 0, [members].
      params: the final parameters, a tree of arrays [members, ...]. They are those to evaluate, see
        `eval_params`.
      scores: the number by which members are compared, [members]. It is the mean loss over the last
        tenth of the steps, or infinity if a member diverged. Replace it by another with
        `result._replace(scores=...)`, such as the loss of `params` on held-out data.
      starts: names in the settings that determine the initial parameters. `best`, `basin` and
        `plot` average over them.
    """

    members: tuple[Member, ...]
    losses: np.ndarray
    stopped: np.ndarray
    params: PyTree
    scores: np.ndarray
    starts: tuple[str, ...] = ()

    def table(self) -> Any:
        """Return one row for each member: its settings, "loss" and "diverged".

        It is a `pandas.DataFrame` if pandas is installed, or else a list of dicts. "diverged" is
        the step, or 0.
        """
        rows = [
            {**member, "loss": float(score), "diverged": int(step)}
            for member, score, step in zip(self.members, self.scores, self.stopped, strict=True)
        ]
        try:
            from pandas import DataFrame
        except ImportError:
            return rows
        return DataFrame(rows)

    def settings(self) -> list[tuple[Member, float]]:
        """Return the settings of the optimizer, each with its mean score over the starts."""
        scores: dict[tuple[tuple[str, Any], ...], list[float]] = {}
        for member, score in zip(self.members, self.scores, strict=True):
            key = tuple((name, x) for name, x in member.items() if name not in self.starts)
            scores.setdefault(key, []).append(float(score))
        return [(dict(key), float(np.mean(each))) for key, each in scores.items()]

    @property
    def best(self) -> Member | None:
        """The settings with the lowest mean score, or None if all diverged."""
        best, score = min(self.settings(), key=_score)
        return best if math.isfinite(score) else None

    def basin(self, tolerance: float = 0.1) -> dict[str, tuple[float, float]]:
        """Return the range of values around the best of each name that are nearly as good.

        All other settings stay at the best. A range that ends at an end of the grid may be wider.

        Args:
          tolerance: a score is nearly as good if it is above the best by at most this share of it.
        """
        best, lowest = min(self.settings(), key=_score)
        bound = lowest + tolerance * abs(lowest)
        ranges = {}
        for name in best if math.isfinite(lowest) else ():
            line = sorted(
                (member[name], score)
                for member, score in self.settings()
                if {**member, name: best[name]} == best
            )
            center = next(i for i, (x, _) in enumerate(line) if x == best[name])
            low = high = center
            while low > 0 and line[low - 1][1] <= bound:
                low -= 1
            while high < len(line) - 1 and line[high + 1][1] <= bound:
                high += 1
            ranges[name] = (line[low][0], line[high][0])
        return ranges

    def __str__(self) -> str:
        lines: list[Sequence[str]] = [(*self.members[0], "loss", "")]
        best = min(range(len(self.members)), key=lambda i: _score((None, self.scores[i])))
        for i, member in enumerate(self.members):
            note = "best" if i == best and math.isfinite(self.scores[i]) else ""
            note = f"diverged at step {self.stopped[i]}" if self.stopped[i] else note
            lines.append((*(f"{x:g}" for x in member.values()), f"{self.scores[i]:.4g}", note))
        return align_columns(lines)

    def plot(self, file: str | os.PathLike[str] | None = None) -> "Figure":
        """Plot the score against the values of the first name, and the loss curves.

        Each combination of the other names is a line. Settings that diverged are marked at the top.

        Args:
          file: the file to save to, .png, .svg or .pdf. None saves nothing.

        Returns:
          The figure, a `matplotlib.figure.Figure`.

        Raises:
          ImportError: matplotlib is not installed.
        """
        figure = new_figure(figsize=(11.5, 4.4), layout="constrained", dpi=130)
        left, right = figure.subplots(1, 2)
        self._plot_scores(left)
        self._plot_losses(right)
        save(figure, file)
        return figure

    def _plot_scores(self, axes: "Axes") -> None:
        name = next(iter(self.settings()[0][0]))
        lines: dict[str, list[tuple[float, float]]] = {}
        for member, score in self.settings():
            rest = ", ".join(f"{k} {x:g}" for k, x in member.items() if k != name)
            lines.setdefault(rest, []).append((member[name], score))
        for i, (label, points) in enumerate(lines.items()):
            color = BLUE if len(lines) == 1 else _shade(i, len(lines))
            values, scores = np.array(sorted(points)).T
            good = np.isfinite(scores)
            axes.plot(values[good], scores[good], "o-", color=color, markersize=4, label=label)
            top = {"transform": axes.get_xaxis_transform(), "clip_on": False}
            axes.plot(values[~good], np.ones(np.sum(~good)), "x", color=VERMILION, **top)
        if self.best is not None:
            axes.axvspan(*self.basin()[name], color=GREY, alpha=0.2, linewidth=0)
        style(axes, "Loss at the end by setting")
        axes.set_title("gray: within 10% of the best", loc="right", fontsize="small", color=GREY)
        axes.set_xlabel(name)
        _scale(axes.set_xscale, [member[name] for member in self.members])
        _scale(axes.set_yscale, self.scores)
        if len(lines) > 1:
            axes.legend(frameon=False, fontsize="small")

    def _plot_losses(self, axes: "Axes") -> None:
        style(axes, "Loss by step")
        window = max(1, self.losses.shape[1] // 50)
        for i, losses in enumerate(self.losses):
            means = np.convolve(losses, np.full(window, 1 / window), mode="valid")
            steps = np.arange(len(means)) + window
            best = all(self.members[i][name] == x for name, x in (self.best or {"": 0}).items())
            look = {"color": VERMILION, "linewidth": 2, "zorder": 3, "label": "best"}
            look = look if best else {"color": _shade(i, len(self.members)), "linewidth": 0.8}
            axes.plot(steps, means, **look)
        axes.set_xlabel("step")
        _scale(axes.set_yscale, self.losses)
        # Members that diverged would squeeze the others into a line.
        first = np.abs(self.losses[:, 0]).max()
        axes.set_ylim(top=min(axes.get_ylim()[1], 3 * first) if first > 0 else None)


def _score(row: tuple[Any, float]) -> float:
    """Return a score for `min`, in which NaN is the largest."""
    return math.inf if math.isnan(row[1]) else row[1]


def _shade(index: int, count: int) -> Any:
    """Return the color of one of several ordered lines, from dark to light."""
    from matplotlib import colormaps

    return colormaps["viridis"](0.9 * index / max(1, count - 1))


def _scale(set_scale: Callable[[str], None], values: Any) -> None:
    """Make an axis logarithmic if its values are positive and differ much."""
    finite = np.asarray(values, float)[np.isfinite(values)]
    if finite.size and finite.min() > 0 and finite.max() > 10 * finite.min():
        set_scale("log")
