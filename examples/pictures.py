"""The style of the pictures, and the picture of most examples."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

# Told apart also by readers who do not see red and green (Okabe and Ito's colours).
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#000000")


def axes(mosaic: Any, size: tuple[float, float], **options: Any) -> tuple[Any, dict[str, Any]]:
    """Return a figure in the common style, and its axes by name.

    The arguments are those of `matplotlib.figure.Figure.subplot_mosaic`. `size` is in inches.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained", dpi=130)
    panels = figure.subplot_mosaic(mosaic, **options)
    for panel in panels.values():
        panel.grid(color="#DDDDDD", linewidth=0.6)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    return figure, panels


def logarithmic(axis: Any) -> None:
    """Make an axis logarithmic, with plain numbers as labels."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def whole_numbers(axis: Any) -> None:
    """Put the ticks of an axis at integers."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True))


def save(figure: Any, file: Path) -> None:
    """Save the picture and print its path."""
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file)
    print(f"picture: {file}")


def smooth(values: ArrayLike, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the last step of each sliding window, and its mean."""
    values = np.asarray(values)
    window = max(1, min(window, len(values)))
    means = np.convolve(values, np.ones(window) / window, mode="valid")
    return np.arange(window, len(values) + 1), means


def learning(
    file: Path, title: str, losses: ArrayLike, scores: ArrayLike, target: float | None
) -> None:
    """Training loss by step, and accuracy on held-out data by epoch."""
    losses, scores = np.asarray(losses), np.asarray(scores)
    figure, panels = axes([["loss", "score"]], (11, 3.6))
    left, right = panels.values()
    figure.suptitle(title)
    left.plot(np.arange(1, len(losses) + 1), losses, color=COLORS[0], alpha=0.25, linewidth=0.6)
    left.plot(*smooth(losses, len(losses) // 50), color=COLORS[0])
    left.set(xlabel="step", ylabel="training loss [nats]", yscale="log")
    epochs = np.arange(1, len(scores) + 1)
    right.plot(epochs, scores, color=COLORS[1], marker="o", markersize=3)
    if target is not None:
        right.axhline(target, color="#7F7F7F", linestyle="--", label=f"target {target:g}")
        right.legend(frameon=False, loc="lower right")
    right.set(xlabel="epoch", ylabel="accuracy on held-out data")
    whole_numbers(right.xaxis)
    save(figure, file)
