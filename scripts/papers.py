"""The tables of docs/papers.md: what papers claim, and what came out here."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import adamjax
from adamjax.registry import Paper
from benchmarks import record
from benchmarks.papers.__main__ import experiments


def results() -> dict[str, Path]:
    """The last result of each experiment that has one, by name, the oldest papers first."""
    found = {
        name: next(iter(record.find(f"papers.{name}").values()), None) for name in experiments()
    }
    there = {name: file for name, file in found.items() if file}
    return dict(
        sorted(there.items(), key=lambda item: (paper_of(record.read(item[1])).year, item[0]))
    )


def paper_of(report: Mapping[str, Any]) -> Paper:
    """Where the claim stands."""
    return adamjax.get_variant(report["experiment"]["variant"]).paper


def verdict(report: Mapping[str, Any]) -> str:
    """How many findings agree with the paper."""
    agreeing = sum(finding["agrees"] for finding in report["findings"])
    total = len(report["findings"])
    if agreeing == total:
        return "yes"
    return "no" if agreeing == 0 else f"in {agreeing} of {total} points"


def overview() -> str:
    """A line for each experiment."""
    lines = ["| experiment | paper | agrees |", "|---|---|---|"]
    for file in results().values():
        report = record.read(file)
        experiment, paper = report["experiment"], paper_of(report)
        link = f"[{paper.short()}]({paper.link()}), {experiment['where']}"
        title = f"[{experiment['title']}](#{anchor(experiment['title'])})"
        lines.append(f"| {title} | {link} | {verdict(report)} |")
    return "\n".join(lines)


def sections() -> str:
    """A section for each experiment: claim, run, findings, picture."""
    return "\n\n".join(section(name, file) for name, file in results().items())


def section(name: str, file: Path) -> str:
    """One experiment."""
    report = record.read(file)
    experiment = report["experiment"]
    picture = f"../benchmarks/results/{file.with_suffix('.png').name}"
    rows = [
        f"| {cell(f['statement'])} | {cell(f['came_out'])} | {'yes' if f['agrees'] else '**no**'} |"
        for f in report["findings"]
    ]
    return "\n".join(
        [
            f"### {experiment['title']}",
            "",
            f"**The paper** ({experiment['where']}). {experiment['claim']}",
            "",
            f"**Run here.** {experiment['run']} `python -m benchmarks.papers {name}`",
            "",
            "| what it says, and how it was judged | came out | agrees |",
            "|---|---|---|",
            *rows,
            "",
            f"[![{experiment['title']}]({picture})]({picture})",
        ]
    )


def anchor(heading: str) -> str:
    """What a heading is called in links, by GitHub and by MkDocs.

    >>> anchor("ADOPT: convergence with any b2")
    'adopt-convergence-with-any-b2'
    """
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())


def cell(text: str) -> str:
    """As it can stand in a table."""
    return text.replace("|", "\\|").replace("\n", " ")
