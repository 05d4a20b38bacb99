"""Write the page of a variant from its record."""

import functools
import inspect
import json
import math
import re
import sys

import adamjax
from adamjax.cli.commands import MATRIX, equation, slot_sizes
from adamjax.cli.compare import LEARNING_RATES
from adamjax.derive import section
from adamjax.problems import get_problem, parameters
from adamjax.registry import Variant
from adamjax.storage.formats import FORMATS
from scripts import papers
from scripts.comparison import markdown, size
from scripts.readme import result
from scripts.site.pictures import (
    ROOT,
    STEPS,
    UPDATES,
    of_matrices,
    picture,
    problems_of,
    rival,
)
from scripts.stubs import argument_lines
from tests.reference import resolve

SURFACES_TEXT = (
    "On two loss surfaces",
    "Paths of {name} and {other} over the contour lines of {problems}",
    "□ start, ☆ optimum, dot: final iterate. `{other}` is the thicker line. Where it is hidden, "
    "both paths agree.",
)
MATRICES_TEXT = (
    "On two matrix problems",
    "Losses of {name} and {other} on {problems}, and singular values of their updates",
    "`{other}` is the thicker line. The right panel shows how evenly an update uses the directions "
    "of a matrix: its singular values, relative to the largest, "
    f"as means of the first {UPDATES} updates.",
)
"""Heading, description of the picture, and legend."""

# A value of an argument and its description in the docstrings of derived optimizers.
CHOICE, CHOICE_ITEM = re.compile(r"\n {2,}('\w+'): "), r"\n    - `\1`: "

NO_BREAK = "\N{NON-BREAKING HYPHEN}"


def page(name: str) -> str:
    """Return the page of a variant."""
    record = adamjax.get_variant(name)
    parts = [
        f"---\ntitle: {name}\n---\n\n# {name}",
        f"{sentence(record.summary)}\n\n{paper(record)}",
        usage(record),
        relative_to_adamw(record),
        f"## Arguments\n\n{arguments(record)}",
        f"## Update\n\n{update(record)}",
        on_problems(name),
        f"## State\n\n{state(record)}",
        styles(record),
        equal(record),
        f"## Tests\n\n{tests_of(name)}",
        update_rule(record),
        f"## Citation\n\n```bibtex\n{record.paper.bibtex(name)}\n```",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def sentence(text: str) -> str:
    """Return a phrase as a bold sentence. A formula keeps its lower case."""
    first = text if re.match(r"\w\b", text) else text[0].upper() + text[1:]
    return f"**{first}.**"


def paper(record: Variant) -> str:
    """Return title, authors, year and venue."""
    where = f" {record.paper.venue}." if record.paper.venue else ""
    return f"[{record.paper.title}]({record.paper.link()}). {record.paper.short()}.{where}"


def usage(record: Variant) -> str:
    """Return the line that creates the optimizer at its defaults, and the advice of the record."""
    rate = record.defaults["learning_rate"]
    argument = "" if rate is None else f"learning_rate={rate!r}"
    lines = ["import adamjax", "", f"tx = adamjax.{record.name}({argument})"]
    return "\n\n".join(["\n".join(["```python", *lines, "```"]), *notes(record)])


def notes(record: Variant) -> list[str]:
    """Return the paragraphs of advice in the docstring of the optimizer."""
    paragraphs = (record.optimizer.__doc__ or "").partition("Args:")[0].split("\n\n")
    return [part for part in paragraphs[1:] if part and not part.startswith("    ")]


def relative_to_adamw(record: Variant) -> str:
    """Return the section with starting values and state sizes beside those of AdamW."""
    adamw = adamjax.get_variant("adamw")
    heading = "## Defaults" if record is adamw else "## Relative to AdamW"
    columns = [adamw] if record is adamw else [record, adamw]
    rows = [
        ["start at learning rate", *(number(one.defaults["learning_rate"]) for one in columns)],
        *tuned(columns),
        ["default weight decay", *(number(one.defaults["weight_decay"] or 0) for one in columns)],
        *(
            [f'bytes of state, `storage="{form}"`', *(size(total(one, form)) for one in columns)]
            for form in ("float32", "8bit")
        ),
    ]
    table = markdown(["", *(f"`{one.name}`" for one in columns)], rows)
    return (
        f"{heading}\n\n{table}\n\nThe state is that of a parameter of a large matrix. "
        "[Settings by task](../choose.md#settings-by-task) has published configurations."
    )


def tuned(columns: list[Variant]) -> list[list[str]]:
    """Return the row of learning rates that a benchmark chose, if it has both optimizers."""
    runs = result("matrix_optimizers")["results"]
    if len(columns) < 2 or any(one.name not in runs for one in columns):
        return []
    title = "best on [a small transformer](../matrices.md#choosing)"
    return [[title, *(number(runs[one.name]["best"]) for one in columns)]]


def number(value: object) -> str:
    """Return a default for a table."""
    return f"{value:g}" if isinstance(value, int | float) else f"`{value}`"


def total(record: Variant, form: str) -> float:
    """Return bytes of state per parameter. A slot without the format stays in float32."""
    return sum(sizes.get(form, sizes["float32"]) for sizes in slot_sizes(record).values())


def tests_of(name: str) -> str:
    """Return the reference implementations of the tests, and the reproduced claims of the paper."""
    if name not in recorded():
        reference = "an independent NumPy implementation in float64"
    else:
        reference = f"[recorded steps](../trajectories.md) of {', '.join(recorded()[name])}"
    claims = [
        f"[{title}](../papers.md#{papers.anchor(title)})"
        for report in papers.results().values()
        if report["experiment"]["variant"] == name
        for title in [report["experiment"]["title"]]
    ]
    reproduced = f"\n\nExperiments on claims of the paper: {', '.join(claims)}." if claims else ""
    return f"Tested against {reference}.{reproduced}"


@functools.cache
def recorded() -> dict[str, list[str]]:
    """Return the names and versions of the reference implementations of each variant."""
    oracles: dict[str, dict[str, None]] = {}
    index = json.loads((ROOT / "tests/trajectories/index.json").read_text(encoding="utf-8"))
    for entry in index.values():
        name, version = entry["oracle"], entry["oracle_version"]
        # The linked table has the arguments of the recording.
        label = re.sub(r"\((?![^()]*\.py).*\)$", "", name).strip()
        label = f"{label} {version.partition(' (')[0]}" if version != "-" else f"a {label}"
        oracles.setdefault(resolve(entry)[0], {})[label] = None
    return {name: list(labels) for name, labels in oracles.items()}


def update(record: Variant) -> str:
    """Return the formula of the record and the docstring of its module."""
    parts = [part.strip() for part in record.formula.splitlines()]
    text = (sys.modules[record.optimizer.__module__].__doc__ or "").partition("\n\n")[2].strip()
    rule = re.sub(r"\A(arXiv:[\d.]+\d|https?://\S+?)\.\s+", "", text)
    if all(condensed(part) in condensed(rule) for part in parts):
        return rule
    formula = "\n".join(parts)
    return f"```text\n{formula}\n```\n\n### Details\n\n{rule}"


def condensed(formula: str) -> str:
    """Return a formula without spaces."""
    return "".join(formula.split())


def on_problems(name: str) -> str:
    """Return the picture and the final losses of its runs."""
    other, ends, problems = rival(name), picture(name).ends, problems_of(name)
    heading, alt, legend = SURFACES_TEXT
    if of_matrices(name):
        heading, alt, legend = MATRICES_TEXT
    alt = alt.format(name=name, other=other, problems=" and ".join(problems))
    rows = [
        [f"`{problem}`: {get_problem(problem).shows}"]
        + [f"{ends[problem][one]:.1e}".replace("-", NO_BREAK) for one in (other, name)]
        for problem in problems
    ]
    command = f"python -m adamjax compare {other} {name} --problem {problems[0]} --plot paths.png"
    return f"""## {heading}

![{alt}]({name}.png)

{markdown(["problem", f"final loss of `{other}`", f"final loss of `{name}`"], rows)}

{legend.format(other=other)} {unmoved(name)}Each optimizer takes {STEPS} steps at the best of
{len(LEARNING_RATES)} constant learning rates and otherwise has its defaults. Small problems show
how a rule moves, not how it trains a network. This command repeats the runs on `{problems[0]}`:

```sh
{command}
```"""


def unmoved(name: str) -> str:
    """Return a sentence on the problems whose start a variant does not leave."""
    names = []
    for problem in map(get_problem, problems_of(name)):
        first, last = (
            problem.loss(parameters(problem.start)),
            picture(name).ends[problem.name][name],
        )
        if math.isclose(first, last, rel_tol=1e-4):
            names.append(f"`{problem.name}`")
    return f"`{name}` does not leave the start of {' and '.join(names)}. " if names else ""


def state(record: Variant) -> str:
    """Return the role of each slot and its bytes by storage format."""
    if not record.slots:
        return "None."
    taken, roles = slot_sizes(record), record.roles
    formats = [f for f in FORMATS if any(f in sizes for sizes in taken.values())]
    rows = [
        [f"`{slot}`", roles.get(slot, "–"), *(size(sizes[f]) for f in formats)]
        for slot, sizes in taken.items()
    ]
    if len(rows) > 1:
        totals = [size(sum(sizes[f] for sizes in taken.values())) for f in formats]
        rows.append(["total", "", *totals])
    headings = ["slot", "role", *(f'`"{f}"`' for f in formats)]
    shape = " × ".join(f"{side:,}" for side in MATRIX)
    return (
        f"Bytes per parameter of a {shape} matrix, by [`storage=`](../storage.md):\n\n"
        + markdown(headings, rows)
    )


def styles(record: Variant) -> str:
    """Return the table of styles."""
    if not record.styles:
        return ""
    rows = [
        [f'`"{style}"`' + (" (default)" if i == 0 else ""), meaning.replace("|", "\\|")]
        for i, (style, meaning) in enumerate(record.styles.items())
    ]
    return f"## Styles\n\n{markdown(['`style=`', 'implementation'], rows)}"


def equal(record: Variant) -> str:
    """Return the settings at which it equals another variant."""
    if not record.reduces_to:
        return ""
    lines = [
        f"- `{equation(record.name, reduction)}` ([{reduction.other}]({reduction.other}.md))"
        for reduction in record.reduces_to
    ]
    return "## Equivalent settings\n\nEach is tested step by step.\n\n" + "\n".join(lines)


def update_rule(record: Variant) -> str:
    """Return the documentation of `scale_by_*`, and of static arguments."""
    blocks, rule = [], record.scale_by
    if rule is not None and rule.__module__ == record.optimizer.__module__:
        blocks.append(block(rule.__module__, rule.__name__, f"adamjax.{rule.__name__}"))
    elif rule is not None:
        path = f"{rule.__module__}.{rule.__name__}"
        blocks.append(f"The update rule is [`adamjax.{rule.__name__}`][{path}].")
    if record.static:
        names = ", ".join(f"`{name}`" for name in record.static)
        blocks.append(f"`optax.inject_hyperparams` needs {names} in `static_args`, if given.")
    return "\n\n".join(["## Update rule", *blocks]) if blocks else ""


def arguments(record: Variant) -> str:
    """Return signature and arguments of the optimizer, which is derived and has no source."""
    doc = record.optimizer.__doc__ or ""
    entries = re.findall(r"^(\w+): (.*(?:\n +.*)*)", section(doc, "Args"), re.MULTILINE)

    def write(parameter: inspect.Parameter) -> str:
        return f"{parameter.name}={parameter.default!r}"

    lines = argument_lines(record.optimizer, write)
    call = "\n".join([f"adamjax.{record.name}(", *lines, ")"])
    items = [f"- `{name}`: {re.sub(CHOICE, CHOICE_ITEM, text)}" for name, text in entries]
    heading = f"### adamjax.{record.name} {{ #{record.optimizer.__module__}.{record.name} }}"
    parts = [heading, f"```python\n{call}\n```", "\n".join(items)]
    raises = re.sub(r"^(\w+): ", r"Raises `\1` ", section(doc, "Raises"), flags=re.M)
    return "\n\n".join(filter(None, [*parts, raises]))


def block(module: str, name: str, heading: str, level: int = 3) -> str:
    """Return the directive with which mkdocstrings documents an object."""
    options = {"heading": heading, "toc_label": heading, "heading_level": level}
    lines = [f"      {option}: {value}" for option, value in options.items()]
    return "\n".join([f"::: {module}.{name}", "    options:", *lines])
