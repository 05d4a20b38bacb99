"""The picture of `benchmarks.timing`: lines against the number of parameters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from examples import pictures

BASELINE, COPY = "optax.adamw", "x + 1"


def draw(report: Mapping[str, Any], file: Path) -> None:
    """The ratio to Optax and the share of a copy's speed, a row for each number of leaves."""
    kinds = ("ratio", "share_of_copy")
    layouts = report["layouts"]
    mosaic = [[f"{leaves} {kind}" for kind in kinds] for leaves in layouts]
    figure, panels = pictures.axes(mosaic, (14, 0.4 + 4.8 * len(layouts)), sharex=True)
    figure.suptitle("One step of AdamW, float32 parameters (medians and quartiles of rounds)")
    for leaves, sizes in layouts.items():
        draw_layout(leaves, sizes, {kind: panels[f"{leaves} {kind}"] for kind in kinds})
    last = panels[mosaic[0][-1]]
    last.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    pictures.save(figure, file)


def draw_layout(
    leaves: str, sizes: Mapping[str, Mapping[str, Any]], panels: Mapping[str, Any]
) -> None:
    """A line for each subject against the number of parameters."""
    names = dict.fromkeys(name for rows in sizes.values() for name in rows)
    others = [name for name in names if name not in (BASELINE, COPY)]
    *colors, gray, black = pictures.COLORS
    for name in names:
        measured = {int(size): rows[name] for size, rows in sizes.items() if name in rows}
        style: dict[str, Any] = {"color": black if name == BASELINE else gray, "linestyle": ":"}
        if name in others:
            turn, place = divmod(others.index(name), len(colors))
            style = {"color": colors[place], "linestyle": ("-", "--")[turn]}
        for panel, axis in panels.items():
            if name == COPY and panel == "ratio":
                continue
            low, middle, high = np.transpose([row[panel] for row in measured.values()])
            axis.plot(list(measured), middle, marker="o", markersize=3, label=name, **style)
            axis.fill_between(list(measured), low, high, color=style["color"], alpha=0.15)
    panels["ratio"].set(ylabel=f"time / time of {BASELINE} in the same round", xscale="log")
    pictures.logarithmic(panels["ratio"].yaxis)
    panels["share_of_copy"].set(ylabel="speed on the least bytes / speed of a copy", ylim=(0, None))
    for panel in panels.values():
        panel.set(xlabel=f"parameters, in {leaves} leaves" if leaves != "1" else "parameters")
