"""The pages of the API: every public name, by the part of the library that it comes from."""

import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from adamjax.problems import PROBLEMS
from adamjax.testing import CHECKS
from scripts.comparison import markdown
from scripts.site.variants import block

MODULES = (
    "adamjax",
    "adamjax.interop.files",
    "adamjax.interop.keras",
    "adamjax.interop.optax",
    "adamjax.interop.torch",
    "adamjax.moments",
    "adamjax.problems",
    "adamjax.registry",
    "adamjax.sharding",
    "adamjax.testing",
    "adamjax.tracking",
)
"""Packages (their exports) and modules (their definitions) whose public names are documented."""

TITLES = {
    "optimizer": "Optimizers of your own",
    "rule": "Rules of your own",
    "moments": "Arithmetic for rules",
    "registry": "Variants by name",
    "matrices": "Matrices",
    "modifiers": "Modifiers",
    "wrappers": "Wrappers",
    "schedules": "Schedules",
    "storage": "Storage and rounding",
    "sharding": "Sharding",
    "stages": "The whole step",
    "tracking": "Tracking",
    "tuning": "Tuning",
    "interop": "Interop",
    "testing": "Testing",
    "problems": "Problems",
}
"""Titles of the pages by part of the library. Variants have their own pages."""


class Name(NamedTuple):
    """A public name: its import path, its definition and its value."""

    public: str
    defined: str
    value: Any

    @property
    def part(self) -> str:
        """The part of the library that it is defined in."""
        return self.defined.split(".")[1]


def names() -> list[Name]:
    """All of them, each once, under the shortest name that there is for it."""
    found: dict[str, Name] = {}
    for module in MODULES:
        for name, value in exported(module):
            defined = f"{value.__module__}.{value.__qualname__}"
            found.setdefault(defined, Name(f"{module}.{name}", defined, value))
    return list(found.values())


def exported(name: str) -> Iterator[tuple[str, Any]]:
    """Return the public functions and classes of a module, or the exports of a package."""
    module = importlib.import_module(name)
    # `dir` has the variants, which `vars` lacks until they are imported.
    for key in dict.fromkeys([*vars(module), *dir(module)]):
        value = getattr(module, key)
        if key.startswith("_") or not (inspect.isfunction(value) or inspect.isclass(value)):
            continue
        inside = f"{value.__module__}.".startswith(f"{name}.")
        if value.__module__ == name or (inside and hasattr(module, "__path__")):
            yield key, value


def pages() -> dict[str, str]:
    """All pages, by address."""
    by_part: dict[str, list[Name]] = {part: [] for part in TITLES}
    for name in names():
        if name.part != "variants":
            by_part[name.part].append(name)
    made = {f"api/{part}.md": page(part, members) for part, members in by_part.items()}
    return {"api/index.md": index(by_part), **made}


def page(part: str, members: list[Name]) -> str:
    """Return the page of one part: the docstring of its module, then its names."""
    blocks = [
        block(*member.defined.rsplit(".", 1), member.public, level=2)
        for member in sorted(members, key=lambda member: member.public)
    ]
    said = inspect.cleandoc(importlib.import_module(f"adamjax.{part}").__doc__ or "")
    said = said.partition("\n\n>>>")[0]
    more = ADDED[part]() if part in ADDED else ""
    return "\n\n".join(filter(None, [f"# {TITLES[part]}", said, more, *blocks])) + "\n"


def index(by_part: dict[str, list[Name]]) -> str:
    """Return the index, one line per name."""
    text = [
        "# API",
        "Each variant's functions are described on [its page](../variants.md). "
        "This page lists all other public names.",
    ]
    for part, members in by_part.items():
        rows = [
            [f"[`{m.public}`][{m.defined}]", summary(m.value)]
            for m in sorted(members, key=lambda m: m.public)
        ]
        text.append(f"## {TITLES[part]}\n\n{markdown(['name', 'summary'], rows)}")
    return "\n\n".join(text) + "\n"


def summary(value: Any) -> str:
    """Return the first sentence of a docstring for a table cell."""
    first = inspect.cleandoc(value.__doc__ or "").partition("\n\n")[0]
    return " ".join(first.split()).replace("|", "\\|")


def problems_table() -> str:
    """Return the table of problems and their difficulties."""
    rows = [[f"`{p.name}`", p.shows, p.source.replace("|", "\\|")] for p in PROBLEMS.values()]
    return markdown(["name", "difficulty", "source"], rows)


def checks_table() -> str:
    """Return the table of promises that `check` tests."""
    return markdown(
        ["check", "promise"], [[f"`{name}`", summary(each)] for name, each in CHECKS.items()]
    )


ADDED: dict[str, Callable[[], str]] = {"problems": problems_table, "testing": checks_table}
"""Additional tables of pages."""
