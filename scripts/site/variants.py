"""The page of a variant, from its record."""

import functools
import inspect
import json
import re
import sys

import adamjax
from adamjax.cli.commands import MATRIX, equation, slot_sizes
from adamjax.cli.compare import LEARNING_RATES
from adamjax.derive import section
from adamjax.problems import get_problem
from adamjax.registry import Variant
from adamjax.storage.formats import FORMATS
from scripts import papers
from scripts.comparison import ON_VECTORS, markdown, size
from scripts.site.pictures import PROBLEMS, ROOT, STEPS, picture, rival
from scripts.stubs import argument_lines
from tests.reference import resolve

# A value of an argument and its meaning, in the docstrings of derived optimizers.
CHOICE, CHOICE_ITEM = re.compile(r"\n {2,}('\w+'): "), r"\n    - `\1`: "


def page(name: str) -> str:
    """The whole page."""
    record = adamjax.get_variant(name)
    parts = [
        # A search for a variant finds its title; for all else there are pages that say more.
        f"---\ntitle: {name}\nsearch:\n  boost: 0.5\n---\n\n# {name}",
        f"{sentence(record.summary)}\n\n{paper(record)}",
        held_against(name),
        f"## Update\n\n{update(record)}",
        f"## On two loss surfaces\n\n{on_surfaces(name)}",
        f"## State\n\n{state(record)}",
        styles(record),
        equal(record),
        f"## Reference\n\n{reference(record)}",
        f"## Citation\n\n```bibtex\n{record.paper.bibtex(name)}\n```",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def sentence(text: str) -> str:
    """With a capital and a full stop; a formula keeps its small letters."""
    first = text if re.match(r"\w\b", text) else text[0].upper() + text[1:]
    return f"**{first}.**"


def paper(record: Variant) -> str:
    """Title, authors, year and where it was published."""
    where = f" {record.paper.venue}." if record.paper.venue else ""
    return f"[{record.paper.title}]({record.paper.link()}). {record.paper.short()}.{where}"


def held_against(name: str) -> str:
    """Whose recorded steps it repeats, and where its paper's claims are run again."""
    if name not in recorded():
        said = "an independent NumPy implementation in float64"
    else:
        said = f"[recorded steps](../trajectories.md) of {'; '.join(recorded()[name])}"
    again = [
        f"[{title}](../papers.md#{papers.anchor(title)})"
        for report in papers.results().values()
        if report["experiment"]["variant"] == name
        for title in [report["experiment"]["title"]]
    ]
    claims = f"\n\nIts paper, run again: {', '.join(again)}." if again else ""
    return f"Held against {said}.{claims}"


@functools.cache
def recorded() -> dict[str, list[str]]:
    """{variant: names and versions of the implementations that it is held against}"""
    found: dict[str, dict[str, None]] = {}
    index = json.loads((ROOT / "tests/trajectories/index.json").read_text(encoding="utf-8"))
    for entry in index.values():
        name, version = entry["oracle"], entry["oracle_version"]
        # The arguments that it was recorded with are in the table that the page links.
        told = re.sub(r"\((?![^()]*\.py).*\)$", "", name).strip()
        told = f"{told} {version.partition(' (')[0]}" if version != "-" else f"a {told}"
        found.setdefault(resolve(entry)[0], {})[told] = None
    return {name: list(told) for name, told in found.items()}


def update(record: Variant) -> str:
    """The formula of the record, and what the module that holds the rule says of it."""
    parts = [part.strip() for part in record.formula.splitlines()]
    said = (sys.modules[record.optimizer.__module__].__doc__ or "").partition("\n\n")[2].strip()
    rule = re.sub(r"\A(arXiv:[\d.]+\d|https?://\S+?)\.\s+", "", said)
    if all(condensed(part) in condensed(rule) for part in parts):
        return rule
    formula = "\n".join(parts)
    return f"```text\n{formula}\n```\n\n### The whole rule\n\n{rule}"


def condensed(formula: str) -> str:
    """Without spaces, which are a matter of taste."""
    return "".join(formula.split())


def on_surfaces(name: str) -> str:
    """The picture, and how the runs in it ended."""
    other, ends = rival(name), picture(name).ends
    alt = f"Paths of {name} and {other} over the contour lines of {' and '.join(PROBLEMS)}"
    rows = [
        [f"`{problem}`: {get_problem(problem).shows}"]
        + [f"{ends[problem][one]:.1e}" for one in (other, name)]
        for problem in PROBLEMS
    ]
    command = f"python -m adamjax compare {other} {name} --problem {PROBLEMS[0]} --plot paths.png"
    return f"""![{alt}]({name}.png)

{markdown(["problem", f"last loss of `{other}`", f"of `{name}`"], rows)}

From □ to ☆ in {STEPS} steps, a dot at the end, each at the best of {len(LEARNING_RATES)} learning
rates and else at its own defaults; `{other}` is the thicker line, below, and where it
is not to be seen both go one way. {on_vectors(name)}Two problems in the plane show
how a rule moves, not how it trains a network. To draw one, with the loss over the steps:

```sh
{command}
```"""


def on_vectors(name: str) -> str:
    """What a method for matrices is in the plane, with a space behind it."""
    return f"Here are no matrices: `{name}` {ON_VECTORS[name]}. " if name in ON_VECTORS else ""


def state(record: Variant) -> str:
    """What each slot is, and its bytes by storage format."""
    if not record.slots:
        return "None: it keeps nothing for a parameter."
    taken, roles = slot_sizes(record), record.roles
    formats = [f for f in FORMATS if any(f in sizes for sizes in taken.values())]
    rows = [
        [f"`{slot}`", roles.get(slot, "–"), *(size(sizes[f]) for f in formats)]
        for slot, sizes in taken.items()
    ]
    if len(rows) > 1:
        totals = [size(sum(sizes[f] for sizes in taken.values())) for f in formats]
        rows.append(["all", "", *totals])
    headings = ["slot", "role", *(f'`"{f}"`' for f in formats)]
    shape = " × ".join(f"{side:,}" for side in MATRIX)
    return (
        f"Bytes for each parameter of a matrix of {shape}, by [`storage=`](../storage.md):\n\n"
        + markdown(headings, rows)
    )


def styles(record: Variant) -> str:
    """Who computes it how."""
    if not record.styles:
        return ""
    rows = [
        [f'`"{style}"`' + (" (default)" if i == 0 else ""), meaning.replace("|", "\\|")]
        for i, (style, meaning) in enumerate(record.styles.items())
    ]
    return f"## Styles\n\n{markdown(['`style=`', 'who computes it so, and what'], rows)}"


def equal(record: Variant) -> str:
    """Settings at which it is another variant."""
    if not record.reduces_to:
        return ""
    lines = [
        f"- `{equation(record.name, reduction)}` ([{reduction.other}]({reduction.other}.md))"
        for reduction in record.reduces_to
    ]
    return "## Equal to\n\nTested, step by step:\n\n" + "\n".join(lines)


def reference(record: Variant) -> str:
    """The documentation of its functions."""
    blocks = [ready_made(record)]
    rule = record.scale_by
    if rule is not None and rule.__module__ == record.optimizer.__module__:
        blocks.append(block(rule.__module__, rule.__name__, f"adamjax.{rule.__name__}"))
    elif rule is not None:
        path = f"{rule.__module__}.{rule.__name__}"
        blocks.append(f"Its update rule is [`adamjax.{rule.__name__}`][{path}].")
    if record.static:
        names = ", ".join(f"`{name}`" for name in record.static)
        blocks.append(f"`static_args` of `optax.inject_hyperparams`, if given: {names}.")
    return "\n\n".join(blocks)


def ready_made(record: Variant) -> str:
    """Signature and arguments of the ready-made optimizer, which is derived and has no source."""
    doc = record.optimizer.__doc__ or ""
    entries = re.findall(r"^(\w+): (.*(?:\n +.*)*)", section(doc, "Args"), re.MULTILINE)

    def write(parameter: inspect.Parameter) -> str:
        return f"{parameter.name}={parameter.default!r}"

    lines = argument_lines(record.optimizer, write)
    call = "\n".join([f"adamjax.{record.name}(", *lines, ")"])
    arguments = [f"- `{name}`: {re.sub(CHOICE, CHOICE_ITEM, text)}" for name, text in entries]
    paragraphs = doc.partition("Args:")[0].split("\n\n")
    notes = [part for part in paragraphs[1:] if part and not part.startswith("    ")]
    heading = f"### adamjax.{record.name} {{ #{record.optimizer.__module__}.{record.name} }}"
    raises = section(doc, "Raises")
    parts = [heading, f"```python\n{call}\n```", *notes, "Arguments:", "\n".join(arguments)]
    return "\n\n".join([*parts, f"Raises {raises}"] if raises else parts)


def block(module: str, name: str, heading: str, level: int = 3) -> str:
    """What makes mkdocstrings document an object here."""
    options = {"heading": heading, "toc_label": heading, "heading_level": level}
    lines = [f"      {option}: {value}" for option, value in options.items()]
    return "\n".join([f"::: {module}.{name}", "    options:", *lines])
