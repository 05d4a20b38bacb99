"""One report of everything on one machine, Optax beside it: `python -m benchmarks`."""

import argparse
import math
import subprocess
import textwrap
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import machine, record
from benchmarks.sections import QUICK, SECTIONS, Measured, Plan, Section
from benchmarks.workers import WorkerError
from examples import console, pictures

FAILURES = (MemoryError, OSError, RuntimeError, ValueError, WorkerError, subprocess.SubprocessError)


def run(given: argparse.Namespace, names: Sequence[str]) -> Path:
    """Measures the sections, prints and writes them, and returns the file.

    A section that fails leaves its error, and the others go on.
    """
    plan = QUICK if given.quick else Plan()
    # Times come first: until they are taken, this process must leave the device to others.
    chosen = {name: section for name, section in SECTIONS.items() if name in names}
    begin = time.perf_counter()
    measured = {}
    with console.progress({each.title: each.parts(plan) for each in chosen.values()}) as advance:
        for name, section in chosen.items():
            start = time.perf_counter()
            try:
                found: Measured = section.measure(plan, given, partial(advance, section.title))
            except FAILURES as error:
                found = {"rows": {}, "error": f"{type(error).__name__}: {error}"}
            seconds = round(time.perf_counter() - start, 1)
            about = {"unit": section.unit, "seconds": seconds, "clocks_after": machine.clocks()}
            measured[name] = about | found
    print(on(machine.hardware(), record.versions()))
    for name, section in chosen.items():
        tell(section, measured[name])
    print(f"{time.perf_counter() - begin:.0f} s in all")
    settings = plan._asdict() | {"tuning": plan.tuning._asdict()}
    return record.write("report", given, settings, {"sections": measured})


def on(hardware: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """Machine and versions in one line.

    >>> on({"processor": "AMD EPYC", "cores": 2, "devices": ["cpu"]}, {"jax": "0.10.2"})
    'AMD EPYC, 2 cores, cpu; jax 0.10.2'
    """
    where = f"{hardware['processor']}, {hardware['cores']} cores, {', '.join(hardware['devices'])}"
    return f"{where}; {', '.join(' '.join(pair) for pair in versions.items())}"


def tell(section: Section, measured: Mapping[str, Any]) -> None:
    """A table for each group: the median and its quartiles."""
    print(f"\n{section.title} ({section.unit}; {measured['seconds']:.0f} s)")
    if "error" in measured:
        print(f"FAILED: {measured['error']}")
    for group, rows in measured["rows"].items():
        table = [(name, *in_words(quartiles)) for name, quartiles in rows.items()]
        console.table((group, "median", "quartiles"), table)


def in_words(quartiles: Sequence[float | None]) -> tuple[str, str]:
    """A median, and the spread around it where there is one.

    >>> in_words([1.0, 1.1, 1.25]), in_words([2.0, 2.0, 2.0]), in_words([0.5, math.nan, math.nan])
    (('1.1', '1 to 1.25'), ('2', ''), ('diverged', ''))
    """
    low, middle, high = quartiles
    if middle is None or not math.isfinite(middle):
        return "diverged", ""
    return f"{middle:.4g}", "" if low == high else f"{low:.4g} to {high:.4g}"


def draw(report: Mapping[str, Any], file: Path) -> None:
    """A panel for each group of each section: medians as dots, quartiles as bars."""
    groups = [
        (SECTIONS[name].title, each["unit"], group, rows)
        for name, each in report["sections"].items()
        for group, rows in each["rows"].items()
    ]
    columns = 3
    lines = math.ceil(len(groups) / columns)
    names = [str(i) for i in range(len(groups))] + ["."] * (columns * lines - len(groups))
    mosaic = [names[columns * i : columns * (i + 1)] for i in range(lines)]
    tallest = [max(len(groups[int(n)][3]) for n in row if n != ".") for row in mosaic]
    height = sum(1.2 + 0.24 * rows for rows in tallest)
    figure, panels = pictures.axes(mosaic, (19, height), height_ratios=[4 + t for t in tallest])
    for axes, group in zip(panels.values(), groups, strict=True):
        draw_group(axes, *group)
    figure.suptitle(on(report["hardware"], report["versions"]))
    pictures.save(figure, file)


def draw_group(
    axes: Any, title: str, unit: str, group: str, rows: Mapping[str, Sequence[float]]
) -> None:
    """Optax in orange, others in blue."""
    for place, quartiles in enumerate(rows.values()):
        if None in quartiles:
            axes.annotate("diverged", (0.5, place), xycoords=("axes fraction", "data"))
            continue
        low, middle, high = quartiles
        color = pictures.COLORS[1 if list(rows)[place].startswith("optax") else 0]
        error = [[middle - low], [high - middle]]
        axes.errorbar(middle, place, xerr=error, fmt="o", color=color, markersize=5)
        axes.annotate(f"  {middle:.3g}", (high, place), va="center", fontsize=8)
    axes.set_yticks(range(len(rows)), list(rows), fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_title(textwrap.fill(f"{title}: {group}", 60), fontsize=9, loc="left")
    axes.set_xlabel(unit, fontsize=8)
