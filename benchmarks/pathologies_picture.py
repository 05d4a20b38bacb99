"""The picture of `benchmarks.pathologies`: variants by problems, in the order of their success."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adamjax.problems import PROBLEMS
from examples import pictures

# Dark blue to yellow, evenly in lightness, for readers of all kinds of sight.
COLORMAP, FAILURE = "viridis", "#D55E00"
TITLE = """\
Reduction of the loss by each variant at its best constant learning rate
number: decades below the initial loss, median of {runs} runs.  color: share of the best in the \
column.  ✕: more than half of the runs end above the initial loss.  small ×: some runs do.
rows are sorted by the mean share, the last column"""


def kind_of(name: str) -> str:
    """Under which heading a problem stands."""
    problem = PROBLEMS[name]
    if isinstance(problem.start, tuple):
        return "exact gradients" if problem.sample is None else "random or changing gradients"
    return "matrices"


def columns(names: Sequence[str]) -> dict[str, list[str]]:
    """The problems by their kind, in the order of `PROBLEMS`."""
    kinds = ("exact gradients", "random or changing gradients", "matrices")
    return {kind: [name for name in names if kind_of(name) == kind] for kind in kinds}


def draw(report: Mapping[str, Any], file: Path) -> None:
    """A heat map: a row for each variant, a column for each problem."""
    found, told, runs = report["results"], report["summary"], report["settings"]["judging_seeds"]
    kinds, variants = columns(list(found)), list(told)
    names = [name for each in kinds.values() for name in each]
    scores = np.array([[found[name][variant]["score"] for name in names] for variant in variants])
    failed = np.array([[found[name][variant]["failed"] for name in names] for variant in variants])
    shares = np.clip(scores / scores.min(axis=0), 0, 1)
    height = 3.8 + 0.235 * len(variants)
    figure, panels = pictures.axes([["all"]], (3.4 + 0.5 * len(names), height))
    axes = panels["all"]
    image = axes.imshow(shares, cmap=COLORMAP, vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(scores.shape):
        _cell(axes, row, column, scores[row, column], shares[row, column], failed[row, column])
    for row, variant in enumerate(variants):
        text = f"{told[variant]['mean_share']:.2f}"
        axes.text(len(names) - 0.3, row, text, va="center", fontsize=8)
    _frame(axes, kinds, variants)
    axes.set_title(TITLE.format(runs=runs), loc="left", fontsize=9.5, pad=80)
    bar = figure.colorbar(image, ax=axes, location="bottom", fraction=0.012, aspect=60, pad=0.01)
    bar.set_label("decades of loss as a share of the best variant's", fontsize=8)
    bar.outline.set_visible(False)
    pictures.save(figure, file)


def _cell(axes: Any, row: int, column: int, score: float, share: float, failed: float) -> None:
    """The number of a cell, or the mark of a failure."""
    if failed > 0.5:
        axes.fill_between([column - 0.5, column + 0.5], row - 0.5, row + 0.5, color="white", lw=0)
        axes.text(column, row, "✕", color=FAILURE, ha="center", va="center", fontsize=9)
        return
    ink = "black" if share > 0.6 else "white"
    # Some losses end a little above the start, in runs that hardly move.
    text = f"{-score:.1f}" if abs(score) >= 0.05 else "0"
    axes.text(column, row, text, color=ink, ha="center", va="center", fontsize=6.5)
    if failed > 0.02:
        axes.text(column + 0.36, row, "×", color=ink, ha="center", va="center", fontsize=6.5)


def _frame(axes: Any, kinds: Mapping[str, Sequence[str]], variants: Sequence[str]) -> None:
    """Names of rows and columns, and headings of the kinds with a gap between them."""
    names = [name for each in kinds.values() for name in each]
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_yticks(range(len(variants)), variants, fontsize=8)
    axes.set_xticks(range(len(names)), names, fontsize=8, rotation=35, ha="right")
    top = axes.secondary_xaxis("top")
    top.set_xticks(range(len(names)), names, fontsize=8, rotation=35, ha="left")
    top.tick_params(length=0)
    top.spines[:].set_visible(False)
    edge = -0.5
    for kind, members in kinds.items():
        style = {"fontsize": 9, "fontweight": "bold", "va": "bottom"}
        axes.annotate(kind, (edge, -0.5), (0, 58), textcoords="offset points", **style)
        edge += len(members)
        axes.axvline(edge, color="white", linewidth=5)
    axes.set_xlim(-0.5, len(names) + 0.6)
