"""The tables of docs/comparison.md, from the benchmark's results and the variants' records."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

import adamjax
from adamjax.cli.commands import MATRIX
from adamjax.cli.memory import parts_by_storage
from adamjax.problems import get_problem, parameters
from benchmarks import pathologies, pathologies_picture

Results = Mapping[str, Mapping[str, Mapping[str, Any]]]

CLOSE = 0.1
"""Decades within which of the best a score counts as the best: a quarter more loss."""
NAMED = 5
"""How many variants a table names."""
SPREAD = (
    *("lion", "soap", "adagrad", "adamw", "schedule_free_adamw", "dadapt_adam", "muon", "prodigy"),
    "sgd",
)
"""Optimizers of the table of learning rates."""
ON_VECTORS = {
    "muon": "uses Adam",
    "soap": "uses Adam from the second step on",
    "came": "keeps the full v",
    "adafactor": "keeps the full v",
}
"""Behavior of matrix methods for vectors."""


def markdown(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table, its first column aligned to the left."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def names(variants: Sequence[str], limit: int = NAMED) -> str:
    """Names in a row, and how many more."""
    told = ", ".join(f"`{name}`" for name in variants[:limit])
    rest = len(variants) - limit
    return f"{told} and {rest} more" if rest > 0 else told


def problems_table(report: Mapping[str, Any]) -> str:
    """Return a table per kind of problem: the best variants, AdamW, and variants that fail."""
    parts = []
    for kind, members in pathologies_picture.columns(list(report["results"])).items():
        rows = [problem_row(report, name) for name in members]
        headings = ["problem", "decades", "the best", "AdamW", "failed"]
        parts.append(f"**{kind[0].upper()}{kind[1:]}**\n\n{markdown(headings, rows)}")
    return "\n\n".join(parts)


def problem_row(report: Mapping[str, Any], problem: str) -> list[str]:
    """Return the row of a problem."""
    found, overall = report["results"][problem], list(report["summary"])
    order = sorted(overall, key=lambda variant: found[variant]["score"])
    least, adamw = found[order[0]]["score"], found["adamw"]
    best = [variant for variant in order if found[variant]["score"] <= least + CLOSE]
    lost = [variant for variant in overall if found[variant]["failed"] > 0.5]
    better = sum(row["score"] < adamw["score"] - CLOSE for row in found.values())
    return [
        f"`{problem}`: {get_problem(problem).shows}",
        f"{-least:.1f}",
        names(best),
        "fails" if adamw["failed"] > 0.5 else f"{-adamw['score']:.1f}, place {1 + better}",
        names(lost) or "none",
    ]


def ranking_table(report: Mapping[str, Any]) -> str:
    """The ten variants with the highest mean share: of all problems, and of each kind."""
    results = report["results"]
    kinds: dict[str, Results] = {"all": results}
    for kind, members in pathologies_picture.columns(list(results)).items():
        kinds[kind] = {name: results[name] for name in members}
    told = {kind: pathologies.summary(part) for kind, part in kinds.items()}
    ranked = {kind: list(each.items())[:10] for kind, each in told.items()}
    rows = [
        [place, *(f"`{name}` {row['mean_share']:.2f}" for name, row in line)]
        for place, line in enumerate(zip(*ranked.values(), strict=True), 1)
    ]
    adamw = [
        f"place {1 + list(each).index('adamw')}: {each['adamw']['mean_share']:.2f}"
        for each in told.values()
    ]
    headings = ["", *(f"{kind} ({len(kinds[kind])})" for kind in kinds)]
    table = markdown(headings, [*rows, ["AdamW", *adamw]])
    return f"{table}\n\n{adamw_text(report)}\n\n{vectors_text(report)}"


def adamw_text(report: Mapping[str, Any]) -> str:
    """How often AdamW is far from the best."""
    results = report["results"]
    places = list(pathologies.summary(results))
    far = sum(
        found["adamw"]["score"] > 1 + min(row["score"] for row in found.values())
        for found in results.values()
    )
    settings = report["settings"]
    return (
        f"Each is judged on {settings['judging_seeds']} seeds, which are not the "
        f"{settings['tuning_seeds']} that its learning rate was chosen on. "
        f"AdamW is in place {1 + places.index('adamw')} of {len(places)}. On {far} of the "
        f"{len(results)} problems it is more than a decade behind the best variant."
    )


def vectors_text(report: Mapping[str, Any]) -> str:
    """Return the behavior of matrix methods on the problems without matrices."""
    count = len(report["results"]) - len(on_matrices(report))
    told = ", ".join(f"`{name}` {behavior}" for name, behavior in ON_VECTORS.items())
    return f"{count} of the problems have no matrices. There {told}."


def on_matrices(report: Mapping[str, Any]) -> list[str]:
    """The problems whose parameters are matrices."""
    return [
        name
        for name in report["results"]
        if any(leaf.ndim == 2 for leaf in jax.tree.leaves(parameters(get_problem(name).start)))
    ]


def rates_table(report: Mapping[str, Any]) -> str:
    """How far apart a variant's best learning rates are, over the problems on which it gets on."""
    rows = []
    for name in SPREAD:
        rates = [
            math.log10(found[name]["learning_rate"])
            for problem, found in report["results"].items()
            if report["settings"]["problems"][problem]["learning_rate"] is None
            if found[name]["score"] < -CLOSE / 2
        ]
        low, middle, high = np.percentile(rates, [10, 50, 90])
        rows.append([f"`{name}`", f"{10**middle:.2g}", f"{10**low:.2g} to {10**high:.2g}",
                     f"{high - low:.1f}"])  # fmt: skip
    table = markdown(["variant", "median", "four of five lie in", "decades"], rows)
    matrix_methods = " and ".join(f"`{name}`" for name in SPREAD if name in ON_VECTORS)
    return f"{table}\n\nMost of it is on vectors, where {matrix_methods} are Adam, as said above."


def sensitivity_table(report: Mapping[str, Any]) -> str:
    """The best loss of each variant and task, and how many decades of learning rates come near."""
    by_task = {
        task: {row["variant"]: row for row in rows} for task, rows in report["results"].items()
    }
    headings = ["variant"]
    for task, steps in report["settings"]["steps"]:
        headings += [f"{task}, {steps} steps: best loss", "at", "decades"]
    widths = {
        name: sum(rows[name]["decades"] for rows in by_task.values())
        for name in report["settings"]["variants"]
    }
    rows = []
    for name in sorted(widths, key=lambda name: -widths[name]):
        cells = [f"`{name}`"]
        for task in by_task.values():
            row = task[name]
            width = f"{'≥ ' * row['at_least']}{row['decades']:.1f}"
            cells += [f"{row['best_loss']:.3f}", f"{row['best_rate']:.2g}", width]
        rows.append(cells)
    return markdown(headings, rows)


def memory_table() -> str:
    """Return a row per variant: bytes of state per parameter, slots, difference from Adam."""
    rows = []
    for name in adamjax.list_variants():
        record = adamjax.get_variant(name)
        by_storage = parts_by_storage(partial(record.optimizer, learning_rate=0.1), {MATRIX: 1})
        sizes = {
            storage: sum(part.size for part in parts) / math.prod(MATRIX)
            for storage, parts in by_storage.items()
        }
        rows.append([sizes["float32"], sizes.get("8bit"), name, record])
    return markdown(
        ["variant", "bytes", '`storage="8bit"`', "slots", "difference from Adam"],
        [
            [
                f"`{name}`",
                size(plain),
                "as it is" if small is None or size(small) == size(plain) else size(small),
                ", ".join(record.slots) or "none",
                record.summary.replace("|", "\\|"),
            ]
            for plain, small, name, record in sorted(
                rows, key=lambda row: (round(row[0], 3), row[2])
            )
        ],
    )


def size(count: float) -> str:
    """Bytes for a parameter, to three digits after the point."""
    return f"{round(count, 3):g}"
