"""What the commands of `python -m adamjax` answer, as text."""

import inspect
import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from adamjax.cli.choices import Choice
from adamjax.cli.compare import Run, learning_rates_for, plot_runs, run
from adamjax.cli.memory import leaves_of, parts_by_storage, state_parts
from adamjax.cli.report import size, table, to_json
from adamjax.problems import Problem
from adamjax.registry import Reduction, Variant
from adamjax.storage.formats import FORMATS

MATRIX = (4096, 4096)
"""For which `show` tells sizes."""


def describe(variant: Variant) -> dict[str, Any]:
    """All that the record of a variant says, ready for JSON.

    >>> from adamjax import get_variant
    >>> describe(get_variant("adam"))["year"]
    2014
    """
    paper, parameters = variant.paper, inspect.signature(variant.optimizer).parameters
    return {
        "name": variant.name,
        "changes": variant.summary,
        "title": paper.title,
        "authors": paper.authors.split(" and "),
        "year": paper.year,
        "venue": paper.venue,
        "link": paper.link(),
        "formula": [part.strip() for part in variant.formula.splitlines()],
        "arguments": {name: parameter.default for name, parameter in parameters.items()},
        "slots": variant.slots,
        "roles": variant.roles,
        "styles": variant.styles,
        "reduces_to": [reduction._asdict() for reduction in variant.reduces_to],
        "static": variant.static,
    }


def list_all(variants: Sequence[Variant], *, as_json: bool = False) -> str:
    """A line for each variant.

    >>> from adamjax import get_variant
    >>> "Optax" in list_all([get_variant("adam")])
    False
    """
    if as_json:
        return to_json([describe(variant) for variant in variants])
    rows = [[v.name, v.paper.year, v.slots, list(v.styles), v.summary] for v in variants]
    return table(["variant", "year", "slots", "styles", "changes"], rows)


def show(variant: Variant, *, as_json: bool = False) -> str:
    """All about one variant.

    >>> from adamjax import get_variant
    >>> print(show(get_variant("adam")).splitlines()[0])
    adam
    """
    told, sizes = describe(variant), slot_sizes(variant)
    if as_json:
        return to_json(told | {"bytes_per_parameter": sizes})
    signature = inspect.signature(variant.optimizer)
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    signature = signature.replace(parameters=bare, return_annotation=signature.empty)
    styles = [
        f"{style}{' (default)' if i == 0 else ''}: {meaning}"
        for i, (style, meaning) in enumerate(variant.styles.items())
    ]
    parts = {
        "paper": [told["title"], "; ".join(told["authors"]), f"{told['year']} {told['venue']}"],
        "link": [told["link"]],
        "changes": [told["changes"]],
        "formula": told["formula"],
        "call": [f"adamjax.{variant.name}{signature}"],
        "slots": [] if variant.slots else ["none"],
        "styles": styles,
        "equal": [equation(variant.name, reduction) for reduction in variant.reduces_to],
        "static": [
            f"{', '.join(variant.static)} (`optax.inject_hyperparams` needs them as static_args)"
        ]
        if variant.static
        else [],
    }
    rows = [
        [label if i == 0 else "", line]
        for label, lines in parts.items()
        for i, line in enumerate(lines)
    ]
    text = table([], rows, title=variant.name)
    slots = [
        [slot, told["roles"].get(slot), *(_rounded(taken.get(storage)) for storage in FORMATS)]
        for slot, taken in sizes.items()
    ]
    title = f"bytes per parameter of a {'x'.join(map(str, MATRIX))} array, by storage"
    if any(0 in row for row in slots):  # Muon's nu, say
        title += " (0: a slot of leaves of other shapes)"
    return f"{text}\n\n{table(['slot', 'role', *FORMATS], slots, title=title)}" if slots else text


def slot_sizes(variant: Variant) -> dict[str, dict[str, float]]:
    """By slot and storage format, the bytes that a matrix's slot takes for each parameter.

    Formats are left out if none of the slots is a moment that they are for.

    >>> from adamjax import get_variant
    >>> slot_sizes(get_variant("adam"))["mu"]["8bit"]
    1.0
    """
    make = partial(variant.optimizer, learning_rate=0.1)
    parts = parts_by_storage(make, {MATRIX: 1})
    sizes = {storage: {part.name: part.size for part in found} for storage, found in parts.items()}
    return {
        # Some slots are there for vectors alone.
        slot: {storage: each.get(slot, 0) / math.prod(MATRIX) for storage, each in sizes.items()}
        for slot in variant.slots
    }


def equation(name: str, reduction: Reduction) -> str:
    """A reduction as people write it.

    >>> equation("adamw", Reduction({"weight_decay": 0.0}, "adam", {}))
    'adamw(weight_decay=0.0) = adam()'
    """
    at, gives = (
        ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        for arguments in (reduction.at, reduction.arguments)
    )
    return f"{name}({at}) = {reduction.other}({gives})"


def cite(variants: Sequence[Variant]) -> str:
    """BibTeX; a paper of several variants is there once, under the first one's name.

    >>> from adamjax import get_variant
    >>> print(cite([get_variant("adam")]).splitlines()[0])
    @misc{adam,
    """
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
    as_json: bool = False,
) -> str:
    """Bytes of state, parameters and gradients, for `count` parameters in leaves of this shape.

    >>> from adamjax.cli.choices import parse_optimizer
    >>> "8 MB" in memory([parse_optimizer("adam")], 1_000_000)
    True
    """
    leaves, itemsize = leaves_of(count, shape), jnp.dtype(dtype).itemsize
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
                    storage: sum(part.size for part in found)
                    for storage, found in by_storage.items()
                },
                "parameter_bytes": count * itemsize,
                "gradient_bytes": count * itemsize,
                "total_bytes": state + 2 * count * itemsize,
            }
        )
    if as_json:
        return to_json(records)
    rows = []
    for record in records:
        lines = [(part["name"], part["dtype"], part["size"]) for part in record["state"]]
        lines.append(("all state", None, record["state_bytes"]))
        lines += [
            (f"{kind}s", dtype, record[f"{kind}_bytes"]) for kind in ("parameter", "gradient")
        ]
        lines.append(("total", None, record["total_bytes"]))
        for index, (what, stored, taken) in enumerate(lines):
            label = record["variant"] if index == 0 else ""
            rows.append([label, what, stored, round(taken / count, 3), size(taken)])
    shapes = [f"{times} of {'x'.join(map(str, leaf))}" for leaf, times in leaves.items()]
    columns = ["variant", "what", "dtype", "bytes / parameter", "bytes"]
    text = table(columns, rows, title=f"{count:,} parameters: {', '.join(shapes)}")
    rows = [
        [record["variant"], *(_rounded(taken.get(storage), count) for storage in FORMATS)]
        for choice, record in zip(choices, records, strict=True)
        for taken in [record["state_bytes_by_storage"]]
        if "storage" not in choice.arguments
    ]
    title = "bytes of state per parameter, by storage"
    return f"{text}\n\n{table(['variant', *FORMATS], rows, title=title)}" if rows else text


def _rounded(size: float | None, count: int = 1) -> float | None:
    """Bytes for each of some parameters; None stays."""
    return None if size is None else round(size / count, 3)


def compare(
    choices: Sequence[Choice],
    problem: Problem,
    *,
    steps: int = 500,
    learning_rate: float | None = None,
    plot: str | None = None,
    as_json: bool = False,
) -> str:
    """Optimizers side by side on a problem.

    >>> from adamjax.problems import get_problem
    >>> from adamjax.cli.choices import parse_optimizer
    >>> text = compare([parse_optimizer("adam")], get_problem("saddle"), steps=20, learning_rate=0.1)
    >>> "20 steps" in text
    True
    """
    tried = learning_rates_for(problem) if learning_rate is None else (learning_rate,)
    runs: list[Run] = []
    for label, variant, arguments in choices:
        rest = dict(arguments)
        own = rest.pop("learning_rate", None)
        runs.append(
            run(
                variant.optimizer,
                problem,
                learning_rates=tried if own is None else [own],
                steps=steps,
                label=label,
                arguments=rest,
            )
        )
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
        runs_of = [{k.replace(" ", "_"): v for k, v in record.items()} for record in records]
        told = {"problem": problem.name, "steps": steps, "learning_rates": tried, "runs": runs_of}
        return to_json(told)
    title = f"{problem.name}: {problem.shows}"
    text = table(list(records[0]), [list(record.values()) for record in records], title=title)
    return "\n".join([text, "", *_notes(problem, steps, tried, plot)])


def _notes(problem: Problem, steps: int, tried: Sequence[float], plot: str | None) -> list[str]:
    """What must be said below a comparison."""
    lines = [f"{steps} steps; the distance is that to the nearest optimum"]
    if len(tried) > 1:
        lines.append(
            f"learning rate: the best of {len(tried)} from {min(tried):g} to {max(tried):g} for "
            "each, by the mean loss over the last tenth of the steps"
        )
    if problem.arguments:
        asked = ", ".join(f"{name} = {value:.3g}" for name, value in problem.arguments.items())
        lines.append(f"{asked} where a variant takes them: the problem is about these")
    if problem.source:
        lines.append(f"source: {problem.source}")
    return [*lines, f"picture: {plot}"] if plot else lines
