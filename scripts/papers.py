"""Write the tables of docs/papers.md: claims of the papers and their reproduction."""

import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import adamjax
from adamjax.registry import Paper
from benchmarks import record
from benchmarks.papers.__main__ import experiments
from scripts.comparison import markdown


@functools.cache
def results() -> dict[Path, dict[str, Any]]:
    """Return the last result of each experiment, oldest paper first."""
    found = [next(iter(record.find(f"papers.{name}").values()), None) for name in experiments()]
    reports = {file: record.read(file) for file in found if file}
    age = lambda item: (paper_of(item[1]).year, item[0])  # noqa: E731
    return dict(sorted(reports.items(), key=age))


def paper_of(report: Mapping[str, Any]) -> Paper:
    """Return the paper of the claim."""
    return adamjax.get_variant(report["experiment"]["variant"]).paper


def verdict(report: Mapping[str, Any]) -> str:
    """Return how many claims of the paper were reproduced."""
    of_paper = [finding["agrees"] for finding in report["findings"] if finding["of_paper"]]
    agreeing, total = sum(of_paper), len(of_paper)
    if agreeing == total:
        return "yes"
    return "no" if agreeing == 0 else f"{agreeing} of {total} claims"


def overview() -> str:
    """Return a table with one row per experiment."""
    rows = []
    for report in results().values():
        experiment, paper = report["experiment"], paper_of(report)
        link = f"[{paper.short()}]({paper.link()}), {experiment['where']}"
        title = f"[{experiment['title']}](#{anchor(experiment['title'])})"
        rows.append([title, link, verdict(report), f"{report['seconds'] / 60:.0f}"])
    return markdown(["experiment", "paper", "reproduced", "minutes"], rows)


def sections() -> str:
    """Return a section per experiment: claim, run, findings, picture."""
    return "\n\n".join(section(file, report) for file, report in results().items())


def section(file: Path, report: Mapping[str, Any]) -> str:
    """Return the section of one experiment."""
    experiment = report["experiment"]
    picture = f"../benchmarks/results/{file.with_suffix('.png').name}"
    says = ["claim and criterion", "measured", "reproduced"]
    ours = ["additional question", "measured", "holds"]
    by_us = table(ours, report["findings"], of_paper=False)
    return "\n\n".join(
        [
            f"### {experiment['title']}",
            f"**The paper** ({experiment['where']}). {experiment['claim']}",
            f"**Experiment.** {experiment['run']} `{report['command']}`",
            table(says, report["findings"], of_paper=True),
            *([by_us] if by_us else []),
            f"[![{experiment['title']}]({picture})]({picture})",
        ]
    )


def table(heads: list[str], findings: Sequence[Mapping[str, Any]], of_paper: bool) -> str:
    """Return the table of findings on claims of the paper, or of additional ones, if any."""
    rows = [
        [cell(f["statement"]), cell(f["came_out"]), "yes" if f["agrees"] else "**no**"]
        for f in findings
        if f["of_paper"] == of_paper
    ]
    return markdown(heads, rows) if rows else ""


def anchor(heading: str) -> str:
    """Return the anchor of a heading on GitHub and MkDocs.

    >>> anchor("ADOPT: convergence with any b2")
    'adopt-convergence-with-any-b2'
    """
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())


def cell(text: str) -> str:
    """Escape a text for a table cell."""
    return text.replace("|", "\\|").replace("\n", " ")
