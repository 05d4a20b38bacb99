"""What the commands of `python -m adamjax` answer, as text."""

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax.checks import pick
from adamjax.cli.compare import Run, learning_rates_for, plot_runs, run
from adamjax.cli.memory import leaves_of, state_parts
from adamjax.cli.report import size, table, to_json
from adamjax.problems import Problem
from adamjax.registry import Reduction, Variant, get_variant

CONSTANTS = {"true": True, "false": False, "none": None}


class Choice(NamedTuple):
    """A variant with some of its arguments.

    Attributes:
      label: how it was asked for, such as "adam:b2=0.99,style=keras".
      variant: its record.
      arguments: those that were given.
    """

    label: str
    variant: Variant
    arguments: dict[str, Any]

    def make(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer, at a learning rate of 0.1 unless there is one: some styles need one."""
        return self.variant.make(**{"learning_rate": 0.1} | self.arguments)


def read_choice(text: str) -> Choice:
    """A variant and arguments from NAME[:ARGUMENT=VALUE,...].

    Raises:
      ValueError: if it is malformed, or the variant or an argument is unknown or wrong.
      TypeError: for a value of the wrong kind.

    >>> read_choice("adam:b2=0.99,style=keras").arguments
    {'b2': 0.99, 'style': 'keras'}
    """
    name, _, settings = text.partition(":")
    variant = get_variant(name)
    known = inspect.signature(variant.make).parameters
    arguments = {}
    for setting in filter(None, settings.split(",")):
        key, equals, value = setting.partition("=")
        if not equals:
            raise ValueError(f"{text!r} must look like adam:b2=0.99,style=keras")
        arguments[key] = read_value(key, value, pick(f"argument of {name}", key, known).default)
    # One step on shapes alone finds a wrong value before anything is computed.
    choice = Choice(text, variant, arguments)
    tx, params = choice.make(), jax.ShapeDtypeStruct((2, 2), jnp.float32)
    jax.eval_shape(lambda p: tx.update(p, tx.init(p), p), params)
    return choice


def read_value(name: str, text: str, default: Any) -> Any:
    """The value of an argument that has this default.

    Raises:
      ValueError: if the default is a number and the text is none.

    >>> read_value("b2", "0.99", 0.999), read_value("mu_dtype", "bfloat16", None)
    (0.99, 'bfloat16')
    """
    if isinstance(default, str):
        return text
    if text.lower() in CONSTANTS:
        return CONSTANTS[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    if isinstance(default, int | float):
        raise ValueError(f"{name} must be a number, got {text!r}")
    return text


def describe(variant: Variant) -> dict[str, Any]:
    """All that the record of a variant says, ready for JSON.

    >>> describe(get_variant("adam"))["year"]
    2014
    """
    paper, parameters = variant.paper, inspect.signature(variant.make).parameters
    return {
        "name": variant.name,
        "changes": variant.changes,
        "title": paper.title,
        "authors": paper.authors.split(" and "),
        "year": paper.year,
        "venue": paper.venue,
        "link": paper.link(),
        "formula": [part.strip() for part in variant.formula.split(";")],
        "arguments": {name: parameter.default for name, parameter in parameters.items()},
        "slots": variant.slots,
        "styles": variant.styles,
        "reduces_to": [reduction._asdict() for reduction in variant.reduces_to],
        "static": variant.static,
    }


def list_all(variants: Sequence[Variant], *, as_json: bool = False) -> str:
    """A line for each variant.

    >>> "Optax" in list_all([get_variant("adam")])
    False
    """
    if as_json:
        return to_json([describe(variant) for variant in variants])
    rows = [[v.name, v.paper.year, v.slots, list(v.styles), v.changes] for v in variants]
    return table(["variant", "year", "slots", "styles", "changes"], rows)


def show(variant: Variant, *, as_json: bool = False) -> str:
    """All about one variant.

    >>> print(show(get_variant("adam")).splitlines()[0])
    adam
    """
    told = describe(variant)
    if as_json:
        return to_json(told)
    signature = inspect.signature(variant.make)
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
        "slots": [", ".join(variant.slots) or "none"],
        "styles": styles,
        "equal": [equation(variant.name, reduction) for reduction in variant.reduces_to],
        "static": [", ".join(variant.static)] if variant.static else [],
    }
    rows = [
        [label if i == 0 else "", line]
        for label, lines in parts.items()
        for i, line in enumerate(lines)
    ]
    return table([], rows, title=variant.name)


def equation(name: str, reduction: Reduction) -> str:
    """A reduction as people write it.

    >>> equation("adamw", Reduction({"weight_decay": 0.0}, "adam", {}))
    'adamw(weight_decay=0.0) = adam()'
    """
    at, gives = (
        ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        for arguments in (reduction.at, reduction.gives)
    )
    return f"{name}({at}) = {reduction.other}({gives})"


def cite(variants: Sequence[Variant]) -> str:
    """BibTeX; a paper of several variants is there once, under the first one's name.

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

    >>> "8 MB" in memory([read_choice("adam")], 1_000_000)
    True
    """
    leaves, itemsize = leaves_of(count, shape), jnp.dtype(dtype).itemsize
    records: list[dict[str, Any]] = []
    for choice in choices:
        parts = state_parts(choice.make(), leaves, dtype)
        state = sum(part.size for part in parts)
        records.append(
            {
                "variant": choice.label,
                "parameters": count,
                "dtype": dtype,
                "state": [part._asdict() for part in parts],
                "state_bytes": state,
                "state_bytes_per_parameter": state / count,
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
    return table(columns, rows, title=f"{count:,} parameters: {', '.join(shapes)}")


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
    >>> text = compare([read_choice("adam")], get_problem("saddle"), steps=20, learning_rate=0.1)
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
                variant.make,
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
        lines.append(f"{asked} where a variant has them: the problem is about these")
    if problem.source:
        lines.append(f"source: {problem.source}")
    return [*lines, f"picture: {plot}"] if plot else lines
