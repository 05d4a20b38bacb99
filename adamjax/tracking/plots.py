"""Plots of tracked metrics, on separate figures: no global state, no display."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from adamjax.tracking.layers import layer_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The palette of Okabe and Ito, which is safe for color-blind readers.
BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#7F7F7F"
Columns = Mapping[str, np.ndarray]
MOST_POINTS = 400
"""A norm with more points is drawn pale, with a line of medians over it."""
PARTS = 100
"""The number of medians in that line."""


def plot_metrics(
    history: Mapping[str, Any],
    file: str | os.PathLike[str] | None = None,
    *,
    name: str = "",
    title: str = "",
) -> "Figure":
    """Plot the effective learning rate, the gradient norm and the size of the updates.

    The first panel has the quantiles of lr / √v̂, with a line for the one nearest the median and a
    band between the outermost, and the learning rate. The second has the gradient norm, and marks
    steps with non-finite gradients. The third has the norm of the update and its ratio to the
    parameters' norm. Axes are logarithmic and skip values that are not positive and finite. Norms
    of long runs are drawn pale, with medians of many steps over them.

    Args:
      history: the metrics of `track` by name, and "step", as in `Recorder.history`. If a step
        occurs twice (a run resumed from a checkpoint), the last values are drawn.
      file: the file to save to, .png, .svg or .pdf. None saves nothing.
      name: the prefix of the tracker, if `history` has several (see `metrics`).
      title: the title of the figure.

    Returns:
      The figure, a `matplotlib.figure.Figure`.

    Raises:
      ImportError: matplotlib is not installed.
      ValueError: `history` has no "step" or no metrics of a tracker of that `name`.

    Example:
      >>> history = {"step": [1, 2], "gradient_norm": [3.0, 0.3], "update_norm": [0.1, 0.2]}
      >>> figure = plot_metrics(history)
      >>> [axes.get_title(loc="left") for axes in figure.axes]
      ['Effective learning rate', 'Gradient norm', 'Update magnitude']
    """
    steps, columns = _select(history, name)
    figure = new_figure(figsize=(7.2, 7.8), layout="constrained", dpi=130)
    top, middle, bottom = figure.subplots(3, 1, sharex=True)
    _effective_learning_rate(top, steps, columns)
    _gradient_norm(middle, steps, columns)
    _update_magnitude(bottom, steps, columns)
    bottom.set_xlabel("step")
    if title:
        figure.suptitle(title)
    save(figure, file)
    return figure


def plot_layers(
    history: Mapping[str, Any],
    metric: str = "update_ratio",
    file: str | os.PathLike[str] | None = None,
    *,
    name: str = "",
) -> "Figure":
    """Draw a heat map of a metric of the layers by step, on a logarithmic scale.

    Layers that were measured at no step of a cell, or have no value above 0 there, are white.

    Args:
      history: the metrics of `track(per_layer=True)` by name, and "step", as in `Recorder.history`.
      metric: the metric, such as "update_ratio", "gradient_norm" or "gradient_spike".
      file: the file to save to, .png, .svg or .pdf. None saves nothing.
      name: the prefix of the tracker, if `history` has several (see `metrics`).

    Returns:
      The figure, a `matplotlib.figure.Figure`.

    Raises:
      ImportError: matplotlib is not installed.
      ValueError: `history` has no such metric of layers.

    Example:
      >>> history = {"step": [1, 2], "update_norm/h/0": [1.0, 0.3], "update_norm/h/1": [0.1, 9.0]}
      >>> figure = plot_layers(history, "update_norm")
      >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
      ['h/0', 'h/1']
    """
    rows = layer_rows(history, metric, name=name)
    names = sorted(rows, key=lambda layer: [(len(n), n) for n in layer.split("/")])
    steps, last = _distinct(history["step"], rows.values())
    table = np.array([np.asarray(rows[layer], float)[last] for layer in names])
    figure = new_figure(
        figsize=(7.2, min(1.4 + 0.16 * len(names), 12)), layout="constrained", dpi=130
    )
    axes = figure.subplots()
    style(axes, f"{metric} by layer")
    axes.grid(visible=False)
    shown = np.where(_drawable(table), table, np.nan)
    norm = "log" if np.isfinite(shown).any() else None
    edges = np.append(steps, steps[-1:] + 1) - 0.5
    image = axes.pcolormesh(
        edges, np.arange(len(names) + 1) - 0.5, shown, norm=norm, cmap="viridis", rasterized=True
    )
    figure.colorbar(image, ax=axes)
    every = -(-len(names) // 60)
    axes.set_yticks(range(0, len(names), every), names[::every], fontsize="x-small")
    axes.invert_yaxis()
    axes.set_xlabel("step")
    save(figure, file)
    return figure


def plot_schedules(
    schedules: Mapping[str, Callable[[Any], Any]],
    steps: int,
    file: str | os.PathLike[str] | None = None,
) -> "Figure":
    """Plot schedules of a learning rate, a momentum or another scalar against the step.

    Args:
      schedules: schedules by name.
      steps: number of steps.
      file: the file to save to, .png, .svg or .pdf. None saves nothing.

    Returns:
      The figure, a `matplotlib.figure.Figure`.

    Raises:
      ImportError: matplotlib is not installed.

    Example:
      >>> from adamjax import wsd
      >>> figure = plot_schedules({"wsd": wsd(3e-4, 100, 800, 100)}, steps=1000)
      >>> [line.get_label() for line in figure.axes[0].lines]
      ['wsd']
    """
    figure = new_figure(figsize=(7.2, 3.2), layout="constrained", dpi=130)
    axes = figure.subplots()
    style(axes, "Schedules")
    counts = np.unique(np.linspace(0, steps - 1, 1000, dtype=np.int32))
    for name, schedule in schedules.items():
        axes.plot(counts, jax.vmap(schedule)(counts), label=name)
    axes.set_xlabel("step")
    axes.legend(frameon=False, fontsize="small")
    save(figure, file)
    return figure


def new_figure(**settings: Any) -> "Figure":
    """Make a figure outside of pyplot, or raise ImportError if matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install matplotlib") from error
    return Figure(**settings)


def save(figure: "Figure", file: str | os.PathLike[str] | None) -> None:
    """Save a figure, and make missing folders."""
    if file is not None:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file)


def style(axes: "Axes", title: str) -> None:
    """Set the title, a light grid and no frame on the top and right."""
    axes.set_title(title, loc="left", fontsize="medium", fontweight="bold")
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _select(history: Mapping[str, Any], name: str) -> tuple[np.ndarray, Columns]:
    """Return one tracker's metrics at the distinct steps in ascending order."""
    if "step" not in history:
        raise ValueError('history must have the steps under "step", as Recorder.history has')
    prefix, suffix = f"{name}/" if name else "", "/gradient_norm"
    if f"{prefix}gradient_norm" not in history:
        names = [key.removesuffix(suffix) for key in history if key.endswith(suffix)]
        raise ValueError(
            f"history has no metrics of a tracker with name={name!r}"
            + (f"; there are {names}" if names else "; record adamjax.metrics(opt_state)")
        )
    always = [f"{prefix}gradient_norm", f"{prefix}nonfinite"]
    steps, last = _distinct(history["step"], [history[k] for k in always if k in history])
    columns = {
        key.removeprefix(prefix): np.asarray(values, float)[last]
        for key, values in history.items()
        if key.startswith(prefix) and key != "step"
    }
    return steps, columns


def _distinct(values: Any, columns: Iterable[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct steps in ascending order, and the place of the last record of each.

    Records with one of the columns go before those that have only other metrics.
    """
    missing = np.all([np.isnan(np.asarray(column, float)) for column in columns], axis=0)
    order = np.argsort(~missing, kind="stable")[::-1]
    unique, first = np.unique(np.asarray(values)[order], return_index=True)
    return unique, order[first]


def _effective_learning_rate(axes: "Axes", steps: np.ndarray, columns: Columns) -> None:
    style(axes, "Effective learning rate")
    prefix = "effective_lr_p"
    by_percent = {
        float(key.removeprefix(prefix)): values
        for key, values in columns.items()
        if key.startswith(prefix) and _drawable(values).any()
    }
    if by_percent:
        low, high = min(by_percent), max(by_percent)
        shown = _drawable(by_percent[low]) & _drawable(by_percent[high])
        band = (by_percent[low][shown], by_percent[high][shown])
        if low < high and shown.any():
            label = f"{low:g}% to {high:g}% of the elements"
            axes.fill_between(steps[shown], *band, color=BLUE, alpha=0.2, linewidth=0, label=label)
        middle = min(by_percent, key=lambda percent: abs(percent - 50))
        label = "lr / √v, " + ("median" if middle == 50 else f"{middle:g}% quantile")
        _line(axes, steps, by_percent[middle], BLUE, label)
    if "learning_rate" in columns:
        _line(axes, steps, columns["learning_rate"], GREY, "learning rate lr", linestyle="--")
    _finish(axes)


def _gradient_norm(axes: "Axes", steps: np.ndarray, columns: Columns) -> None:
    style(axes, "Gradient norm")
    _line(axes, steps, columns["gradient_norm"], GREEN, "‖g‖", noisy=True)
    bad = columns.get("nonfinite", np.zeros(len(steps))) > 0
    _finish(axes)
    if bad.any():
        count = int(bad.sum())
        foot = {"transform": axes.get_xaxis_transform(), "clip_on": False, "zorder": 3}
        label = f"{count} step{'s' if count > 1 else ''} with non-finite gradients"
        axes.plot(steps[bad], np.zeros(count), "^", color=VERMILION, label=label, **foot)
        axes.legend(frameon=False, fontsize="small")


def _update_magnitude(axes: "Axes", steps: np.ndarray, columns: Columns) -> None:
    style(axes, "Update magnitude")
    lines = (("update_norm", BLUE, "‖Δθ‖"), ("update_ratio", VERMILION, "‖Δθ‖ / ‖θ‖"))
    for key, color, label in lines:
        if key in columns:
            _line(axes, steps, columns[key], color, label, noisy=True)
    _finish(axes)


def _drawable(values: np.ndarray) -> np.ndarray:
    return np.isfinite(values) & (values > 0)


def _line(
    axes: "Axes", steps: np.ndarray, values: np.ndarray, color: str, label: str, **look: Any
) -> None:
    """Draw the positive finite values, with medians over them in long runs if they are noisy."""
    shown = _drawable(values)
    steps, values = steps[shown], values[shown]
    if look.pop("noisy", False) and len(steps) > MOST_POINTS:
        axes.plot(steps, values, color=color, alpha=0.25, linewidth=0.6)
        label += f", median of {round(len(steps) / PARTS)} steps"
        steps = np.array([part.mean() for part in np.array_split(steps, PARTS)])
        values = np.array([np.median(part) for part in np.array_split(values, PARTS)])
    if len(steps):
        marker = "o" if len(steps) == 1 else None  # One point makes no line.
        axes.plot(steps, values, color=color, label=label, linewidth=1.5, marker=marker, **look)


def _finish(axes: "Axes") -> None:
    """Add a logarithmic scale and a legend, or a note if nothing was drawn."""
    if axes.lines:
        axes.set_yscale("log")
        axes.legend(frameon=False, fontsize="small")
    else:
        axes.set_yticks([])
        center = {"transform": axes.transAxes, "ha": "center", "va": "center"}
        axes.text(0.5, 0.5, "nothing above 0 was measured", color=GREY, **center)
