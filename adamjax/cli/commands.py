"""The commands of `python -m adamjax`: each returns the text to print."""

import inspect
import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax

from adamjax.cli.choices import Choice
from adamjax.cli.compare import learning_rates_for, plot_runs, run
from adamjax.cli.memory import leaves_of, parts_by_storage, state_parts
from adamjax.cli.report import size, table, to_json
from adamjax.matrices.resolve import LayoutTable
from adamjax.problems import Problem
from adamjax.registry import Reduction, Variant
from adamjax.storage.formats import FORMATS
from adamjax.tracking.plots import plot_schedules
from adamjax.tuning.mup import MupTable
from adamjax.wrappers.groups import GroupTable

MATRIX = (4096, 4096)
"""The shape for which `show` prints sizes."""


def describe(variant: Variant) -> dict[str, Any]:
    """Convert the record of a variant to JSON types."""
    paper = variant.paper
    return {
        "name": variant.name,
        "changes": variant.summary,
        "title": paper.title,
        "authors": paper.authors.split(" and "),
        "year": paper.year,
        "venue": paper.venue,
        "link": paper.link(),
        "formula": [part.strip() for part in variant.formula.splitlines()],
        "arguments": variant.defaults,
        "slots": variant.slots,
        "roles": variant.roles,
        "styles": variant.styles,
        "reduces_to": [reduction._asdict() for reduction in variant.reduces_to],
        "static": variant.static,
    }


def list_all(variants: Sequence[Variant], *, as_json: bool = False) -> str:
    """Print one line for each variant."""
    if as_json:
        return to_json([describe(variant) for variant in variants])
    rows = [[v.name, v.paper.year, v.slots, list(v.styles), v.summary] for v in variants]
    return table(["variant", "year", "slots", "styles", "changes"], rows)


def show(variant: Variant, *, as_json: bool = False) -> str:
    """Print the record of one variant, and the sizes of its slots."""
    record, sizes, paper = describe(variant), slot_sizes(variant), variant.paper
    if as_json:
        return to_json(record | {"bytes_per_parameter": sizes})
    signature = inspect.signature(variant.optimizer)
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    signature = signature.replace(parameters=bare, return_annotation=signature.empty)
    styles = [f"{style}: {meaning}" for style, meaning in variant.styles.items()]
    static = ", ".join(variant.static)
    if styles:
        styles[0] = styles[0].replace(":", " (default):", 1)
    parts = {
        "paper": [record["title"], "; ".join(record["authors"]), f"{paper.year} {paper.venue}"],
        "link": [record["link"]],
        "changes": [record["changes"]],
        "formula": record["formula"],
        "call": [f"adamjax.{variant.name}{signature}"],
        "slots": [] if variant.slots else ["none"],
        "styles": styles,
        "equal": [equation(variant.name, reduction) for reduction in variant.reduces_to],
        "static": static and [f"{static} (static_args of `optax.inject_hyperparams`, if given)"],
    }
    rows = [
        [label if i == 0 else "", line]
        for label, lines in parts.items()
        for i, line in enumerate(lines)
    ]
    text = table([], rows, title=variant.name)
    slots = [
        [slot, record["roles"].get(slot), *(_rounded(taken.get(storage)) for storage in FORMATS)]
        for slot, taken in sizes.items()
    ]
    title = f"bytes per parameter of a {'x'.join(map(str, MATRIX))} array, by storage"
    if any(0 in row for row in slots):  # such as Muon's nu
        title += " (0: a slot of leaves of other shapes)"
    return f"{text}\n\n{table(['slot', 'role', *FORMATS], slots, title=title)}" if slots else text


def slot_sizes(variant: Variant) -> dict[str, dict[str, float]]:
    """Return the bytes per parameter of a matrix's slots, by slot and applicable storage format."""
    parts = parts_by_storage(partial(variant.optimizer, learning_rate=0.1), {MATRIX: 1})
    sizes = {storage: {part.name: part.size for part in each} for storage, each in parts.items()}
    return {
        # Some slots exist only for vectors.
        slot: {storage: each.get(slot, 0) / math.prod(MATRIX) for storage, each in sizes.items()}
        for slot in variant.slots
    }


def equation(name: str, reduction: Reduction) -> str:
    """Write a reduction as an equation."""
    at, gives = (
        ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        for arguments in (reduction.at, reduction.arguments)
    )
    return f"{name}({at}) = {reduction.other}({gives})"


def cite(variants: Sequence[Variant]) -> str:
    """Print BibTeX, with the paper of several variants once, under the first one's name."""
    first: dict[str, Variant] = {}
    for variant in variants:
        first.setdefault(variant.paper.link(), variant)
    return "\n\n".join(variant.paper.bibtex(variant.name) for variant in first.values())


def memory(
    choices: Sequence[Choice],
    count: int,
    *,
    shape: Sequence[int] | None = None,
    dtype: str = "float32",
    layers: int | None = None,
    as_json: bool = False,
) -> str:
    """Print the bytes of state, parameters and gradients for `count` parameters.

    With `layers`, the gradients are those of one layer, as `adamjax.release` needs.
    """
    leaves, weights = leaves_of(count, shape), count * jnp.dtype(dtype).itemsize
    gradients = -(-weights // (layers or 1))
    records: list[dict[str, Any]] = []
    for choice in choices:
        parts = state_parts(choice.make(), leaves, dtype)
        state = sum(part.size for part in parts)
        by_storage = parts_by_storage(choice.make, leaves, dtype)
        records.append(
            {
                "variant": choice.label,
                "parameters": count,
                "dtype": dtype,
                "state": [part._asdict() for part in parts],
                "state_bytes": state,
                "state_bytes_per_parameter": state / count,
                "state_bytes_by_storage": {
                    storage: sum(part.size for part in each) for storage, each in by_storage.items()
                },
                "parameter_bytes": weights,
                "gradient_bytes": gradients,
                "total_bytes": state + weights + gradients,
            }
        )
    if as_json:
        return to_json(records)
    rows = []
    for record in records:
        lines = [tuple(part.values()) for part in record["state"]]
        lines.append(("all state", None, record["state_bytes"]))
        lines += [("parameters", dtype, weights), ("gradients", dtype, gradients)]
        lines.append(("total", None, record["total_bytes"]))
        for index, (label, stored, taken) in enumerate(lines):
            variant = record["variant"] if index == 0 else ""
            rows.append([variant, label, stored, _rounded(taken, count), size(taken)])
    shapes = [f"{times} of {'x'.join(map(str, leaf))}" for leaf, times in leaves.items()]
    columns = ["variant", "part", "dtype", "bytes / parameter", "bytes"]
    text = table(columns, rows, title=f"{count:,} parameters: {', '.join(shapes)}")
    rows = []
    for choice, record in zip(choices, records, strict=True):
        if "storage" not in choice.arguments:
            taken = record["state_bytes_by_storage"]
            rows.append([choice.label, *(_rounded(taken.get(name), count) for name in FORMATS)])
    title = "bytes of state per parameter, by storage"
    return f"{text}\n\n{table(['variant', *FORMATS], rows, title=title)}" if rows else text


def _rounded(size: float | None, count: int = 1) -> float | None:
    return None if size is None else round(size / count, 3)


def layouts(rows: LayoutTable, *, as_json: bool = False) -> str:
    """Print the layout and the matrices of each parameter."""
    if not as_json:
        return str(rows)
    return to_json([{**row._asdict(), "layout": str(row.layout or "other")} for row in rows])


def groups(rows: GroupTable | MupTable, *, as_json: bool = False) -> str:
    """Print the group, the settings and the factors of each parameter."""
    if not as_json:
        return str(rows)
    records = [row._asdict() for row in rows]
    for record in records:
        if "growth" in record:
            record["growth"] = record["growth"]._asdict()
    return to_json(records)


def schedules(
    chosen: Sequence[tuple[str, optax.Schedule]],
    *,
    steps: int = 1000,
    plot: str | None = None,
    as_json: bool = False,
) -> str:
    """Print the values of schedules at eleven steps, and plot all of them."""
    if plot:
        plot_schedules(dict(chosen), steps, plot)
    counts = np.unique(np.linspace(0, steps - 1, 11, dtype=np.int32)).tolist()
    rows = [
        [count, *(float(np.asarray(schedule(count))) for _, schedule in chosen)] for count in counts
    ]
    names = ["step", *(label for label, _ in chosen)]
    if as_json:
        return to_json([dict(zip(names, row, strict=True)) for row in rows])
    cells = [[row[0], *(float(f"{x:.4g}") for x in row[1:])] for row in rows]
    return table(names, cells) + (f"\n\npicture: {plot}" if plot else "")


def compare(
    choices: Sequence[Choice],
    problem: Problem,
    *,
    steps: int = 500,
    learning_rate: float | None = None,
    plot: str | None = None,
    as_json: bool = False,
) -> str:
    """Print the results of optimizers on a problem."""
    grid = learning_rates_for(problem) if learning_rate is None else (learning_rate,)
    runs = []
    for label, variant, arguments in choices:
        rest = dict(arguments)
        own = rest.pop("learning_rate", None)
        rates = grid if own is None else [own]
        settings = {"learning_rates": rates, "steps": steps, "label": label, "arguments": rest}
        runs.append(run(variant.optimizer, problem, **settings))
    if plot:
        plot_runs(problem, runs, plot)
    records = [
        {
            "variant": one.label,
            "learning rate": one.learning_rate,
            "final loss": float(one.losses[-1]),
            "best loss": float(np.nanmin(one.losses)),
            "distance": float(one.distances[-1]),
        }
        for one in runs
    ]
    if as_json:
        fields = [{k.replace(" ", "_"): v for k, v in record.items()} for record in records]
        settings = {"problem": problem.name, "steps": steps, "learning_rates": grid}
        return to_json({**settings, "runs": fields})
    title = f"{problem.name}: {problem.shows}"
    text = table(list(records[0]), [list(record.values()) for record in records], title=title)
    notes = [f"{steps} steps, distance to the nearest optimum"]
    if len(grid) > 1:
        notes.append(
            f"learning rate: the best of {len(grid)} from {min(grid):g} to {max(grid):g} for "
            "each, by the mean loss over the last tenth of the steps"
        )
    if problem.arguments:
        values = ", ".join(f"{name} = {value:.3g}" for name, value in problem.arguments.items())
        notes.append(f"{values} in variants that take them, as the problem requires")
    if problem.source:
        notes.append(f"source: {problem.source}")
    if plot:
        notes.append(f"picture: {plot}")
    return "\n".join([text, "", *notes])
