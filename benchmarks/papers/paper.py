"""Parts of every experiment of this folder.

An experiment is a module with an `EXPERIMENT`, `Settings`, `QUICK` and `measure(settings)`, and two
functions that only read the report: `findings(report)`, each a claim beside its measurement, and
`draw(report, file)`.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import record
from examples import console

Report = Mapping[str, Any]


class Experiment(NamedTuple):
    """Which part of a paper it is about.

    Attributes:
      variant: whose paper (`adamjax.get_variant`).
      title: the subject, in a few words.
      where: the section, figure or table of the paper.
      claim: the claim of the paper, in our words.
      run: the experiment here, and how it differs from the paper.
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
      of_paper: whether the paper makes the claim. Ours are no verdict on the paper.
    """

    statement: str
    came_out: str
    agrees: bool
    of_paper: bool = True


def spread(values: Sequence[float], digits: int = 3) -> str:
    """The mean of several seeds, between the least and the largest of them.

    >>> spread([0.5, 0.25, 0.75])
    '0.5 (0.25 to 0.75)'
    """
    mean = sum(values) / len(values)
    low, high = min(values), max(values)
    return f"{mean:.{digits}g} ({low:.{digits}g} to {high:.{digits}g})"


def difference(ours: Any, others: Any) -> tuple[float, float]:
    """The mean and its standard error, over seeds that both have in common.

    >>> difference([3.0, 5.0], [1.0, 1.0])
    (3.0, 1.0)
    """
    each = np.asarray(ours, float) - np.asarray(others, float)
    return float(each.mean()), float(each.std(ddof=1) / np.sqrt(len(each)))


NO_WORSE = "no worse, but for a standard error of the difference"


def no_worse(ours: Any, others: Any) -> bool:
    """Whether noise alone may explain the missing accuracy, by seed."""
    mean, error = difference(ours, others)
    return mean >= -error


def run(
    name: str,
    experiment: Experiment,
    given: argparse.Namespace,
    settings: Any,
    measure: Callable[[Any], Mapping[str, Any]],
    findings: Callable[[Report], Sequence[Finding]],
) -> None:
    """Measures, judges, writes and prints. `settings` is a NamedTuple."""
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
    """Evaluates a result file again, and draws it."""
    report = record.read(file)
    judged = findings(report)
    report |= {"experiment": experiment._asdict(), "findings": [f._asdict() for f in judged]}
    record.save(report, file)
    tell(judged)


def tell(judged: Sequence[Finding]) -> None:
    """The findings as a table."""
    rows = [
        (f.statement, f.came_out, "yes" if f.agrees else "NO", "paper" if f.of_paper else "us")
        for f in judged
    ]
    console.table(("claim", "came out", "agrees", "by"), rows)
