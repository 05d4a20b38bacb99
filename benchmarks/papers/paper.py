"""What every experiment of this folder is made of.

An experiment is a module with an `EXPERIMENT`, `Settings`, `QUICK` and `measure(settings)`, and two
functions that only read what was measured: `findings(report)`, each a claim beside what came out,
and `draw(report, file)`.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import record
from examples import console

Report = Mapping[str, Any]


class Experiment(NamedTuple):
    """Which part of a paper it is about.

    Attributes:
      variant: whose paper (`adamjax.get_variant`).
      title: what is looked at, in a few words.
      where: the section, figure or table of the paper.
      claim: what the paper says there, in our words.
      run: what is run here, and how it differs from the paper.
    """

    variant: str
    title: str
    where: str
    claim: str
    run: str


class Finding(NamedTuple):
    """One statement that can be held against a measurement.

    Attributes:
      statement: with its criterion, chosen before the run.
      came_out: the figures that it is judged by.
      agrees: whether they meet the criterion.
    """

    statement: str
    came_out: str
    agrees: bool


def spread(values: Sequence[float], digits: int = 3) -> str:
    """The mean of several seeds, between the least and the largest of them.

    >>> spread([0.5, 0.25, 0.75])
    '0.5 (0.25 to 0.75)'
    """
    mean = sum(values) / len(values)
    low, high = min(values), max(values)
    return f"{mean:.{digits}g} ({low:.{digits}g} to {high:.{digits}g})"


def run(
    name: str,
    experiment: Experiment,
    given: argparse.Namespace,
    settings: Any,
    measure: Callable[[Any], Mapping[str, Any]],
    findings: Callable[[Report], Sequence[Finding]],
) -> None:
    """Measures, judges, writes and tells; `settings` is a NamedTuple."""
    print(f"{experiment.title} ({experiment.where})")
    start = time.perf_counter()
    measured = measure(settings)
    seconds = time.perf_counter() - start
    judged = findings({"settings": settings._asdict(), **measured})
    about = {"experiment": experiment._asdict(), "seconds": round(seconds)}
    told = [finding._asdict() for finding in judged]
    record.write(
        f"papers.{name}", given, settings._asdict(), {**about, "findings": told, **measured}
    )
    tell(judged)
    print(f"{seconds:.0f} s")


def judge(
    file: Path, experiment: Experiment, findings: Callable[[Report], Sequence[Finding]]
) -> None:
    """Words and judges anew what a result has measured, and draws it."""
    report = record.read(file)
    judged = findings(report)
    report |= {"experiment": experiment._asdict(), "findings": [f._asdict() for f in judged]}
    record.save(report, file)
    tell(judged)


def tell(judged: Sequence[Finding]) -> None:
    """The findings as a table."""
    rows = [(f.statement, f.came_out, "yes" if f.agrees else "NO") for f in judged]
    console.table(("claim", "came out", "agrees"), rows)
