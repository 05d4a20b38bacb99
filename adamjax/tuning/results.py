"""Result of a sweep: table, best settings, basin and plot."""

import math
import os
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
      losses: the loss before each step, [members, steps]. NaN after a member diverged.
      stopped: the step at which a member diverged, counted from 1, or 0, [members].
      params: the final parameters, a tree of arrays [members, ...]. They are those of `eval_params`
        if the optimizer has any.
      scores: the number by which members are compared, [members]. It is the mean loss over the last
        tenth of the steps, or infinity if a member diverged. Replace it with
        `result._replace(scores=...)`, for example by the loss of `params` on held-out data.
      starts: names in the settings that determine the initial parameters. The best settings are
        those with the lowest mean score over them.
    """

    members: tuple[Member, ...]
    losses: np.ndarray
    stopped: np.ndarray
    params: PyTree
    scores: np.ndarray
    starts: tuple[str, ...] = ()

    def table(self) -> Any:
        """Return a row for each member: its settings, "loss" (the score) and "diverged" (the step).

        It is a `pandas.DataFrame` if pandas is installed, or else a list of dicts.
        """
        columns = self.members, self.scores.tolist(), self.stopped.tolist()
        rows = [{**m, "loss": x, "diverged": t} for m, x, t in zip(*columns, strict=True)]
        try:
            from pandas import DataFrame
        except ImportError:
            return rows
        return DataFrame(rows)

    def settings(self) -> list[tuple[Member, float]]:
        """Return the settings of the optimizer, each with its mean score over the starts."""
        scores: dict[tuple[Any, ...], list[float]] = {}
        for member, score in zip(self.members, self.scores, strict=True):
            key = tuple(item for item in member.items() if item[0] not in self.starts)
            scores.setdefault(key, []).append(float(score))
        means = {key: float(np.mean(each)) for key, each in scores.items()}
        return [(dict(key), math.inf if math.isnan(x) else x) for key, x in means.items()]

    @property
    def best(self) -> Member | None:
        """The settings with the lowest mean score, or None if all diverged."""
        best, score = min(self.settings(), key=lambda row: row[1])
        return best if score < math.inf else None

    def basin(self, tolerance: float = 0.1) -> dict[str, tuple[float, float]]:
        """Return the range of values around the best of each name that are nearly as good.

        The other settings stay at the best. A range that ends at an end of the grid may be wider.

        Args:
          tolerance: the largest rise of the score, as a share of the lowest one.
        """
        if (best := self.best) is None:
            return {}
        rows = self.settings()
        lowest = min(score for _, score in rows)
        ranges = {}
        for name, center in best.items():
            line = [(m[name], score) for m, score in rows if {**m, name: center} == best]
            worse = [x for x, score in line if score > lowest + tolerance * abs(lowest)]
            low = max((x for x in worse if x < center), default=-math.inf)
            high = min((x for x in worse if x > center), default=math.inf)
            inside = [x for x, _ in line if low < x < high]
            ranges[name] = min(inside), max(inside)
        return ranges

    def __str__(self) -> str:
        lines = [(*self.members[0], "loss", "")]
        best = self.best or {"": None}
        for member, score, step in zip(self.members, self.scores, self.stopped, strict=True):
            note = (
                f"diverged at step {step}"
                if step
                else "best"
                if {**member, **best} == member
                else ""
            )
            lines.append((*(f"{x:.4g}" for x in member.values()), f"{score:.4g}", note))
        return align_columns(lines)

    def plot(self, file: str | os.PathLike[str] | None = None) -> "Figure":
        """Plot the scores against the values of the first name, and the losses by step.

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
        names = set(self.members[0]) - set(self.starts)
        rows = (self if names else self._replace(starts=())).settings()
        name = next(iter(rows[0][0]))
        lines: dict[str, list[tuple[float, float]]] = {}
        for member, score in rows:
            rest = ", ".join(f"{k} {x:g}" for k, x in member.items() if k != name)
            lines.setdefault(rest, []).append((member[name], score))
        style(axes, "Final loss")
        for i, (label, points) in enumerate(lines.items()):
            values, scores = np.array(sorted(points)).T
            good = np.isfinite(scores)
            color = _shade(i, len(lines)) if label else BLUE
            axes.plot(values[good], scores[good], "o-", color=color, markersize=4, label=label)
            if not good.all():
                top = {"transform": axes.get_xaxis_transform(), "clip_on": False}
                axes.plot(values[~good], np.ones(sum(~good)), "x", color=VERMILION, **top)
        if self.best:
            axes.axvspan(*self.basin()[name], color=GREY, alpha=0.2, linewidth=0)
            note = "gray: within 10% of the best; ×: diverged"
            axes.set_title(note, loc="right", fontsize="small", color=GREY)
        axes.set_xlabel(name)
        if _is_wide([member[name] for member in self.members]):
            axes.set_xscale("log")
        if _is_wide(self.scores):
            axes.set_yscale("log")
        if len(lines) > 1:
            axes.legend(frameon=False, fontsize="small")

    def _plot_losses(self, axes: "Axes") -> None:
        style(axes, "Loss by step")
        window, best = max(1, self.losses.shape[1] // 50), self.best or {"": None}
        for i, (member, losses) in enumerate(zip(self.members, self.losses, strict=True)):
            look: dict[str, Any] = {"color": _shade(i, len(self.members)), "linewidth": 0.8}
            if {**member, **best} == member:
                look = {"color": VERMILION, "linewidth": 2, "zorder": 3, "label": "best"}
            means = np.convolve(losses, np.full(window, 1 / window), mode="valid")
            axes.plot(np.arange(len(means)) + window, means, **look)
        axes.set_title("light: late in the grid", loc="right", fontsize="small", color=GREY)
        axes.set_xlabel("step")
        if _is_wide(self.losses):
            axes.set_yscale("log")
        # Members that grow would squeeze the others into a line.
        first = np.max(self.losses[:, 0], initial=0, where=np.isfinite(self.losses[:, 0]))
        axes.set_ylim(top=min(axes.get_ylim()[1], 3 * first) if first > 0 else None)
        if self.best is not None:
            axes.legend(*(each[:1] for each in axes.get_legend_handles_labels()), frameon=False)


def _shade(index: int, count: int) -> Any:
    """Return the color of one of several ordered lines, from dark to light."""
    from matplotlib import colormaps

    return colormaps["viridis"](0.9 * index / max(1, count - 1))


def _is_wide(values: Any) -> bool:
    """Return whether values need a logarithmic axis."""
    finite = np.asarray(values, float)[np.isfinite(values)]
    return finite.size > 0 and finite.min() > 0 and bool(finite.max() > 10 * finite.min())
