"""The pages of the site that come from outside docs/, and the targets of links.

Texts are written for readers of the repository: a link names a file of it, relative to the file it
stands in. On the site it leads to the page that the file became, or to a copy of the file.
"""

import functools
import logging
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import adamjax
from scripts.site import api, notebooks

LOG = logging.getLogger("mkdocs.site")

PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "benchmarks/README.md": "benchmarks.md",
    "examples/README.md": "examples.md",
    "examples/notebooks/README.md": "notebooks.md",
    "tests/trajectories/README.md": "trajectories.md",
}
"""Files of the repository that are a page each."""

NOTEBOOKS = {f"examples/notebooks/{name}.ipynb": f"notebooks/{name}.md" for name in notebooks.NAMES}
"""Notebooks, whose pages show them as they are when they have run."""

_FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
_LINK = re.compile(r"(?<=\]\()[^)\s]+(?=\))")
_NAME = re.compile(r"(?<![\[`\w])`(\w+)`(?![\]`])")


def source_of(page: str) -> str:
    """The file of the repository that a page's text stands in."""
    return next((file for file, at in PAGES.items() if at == page), f"docs/{page}")


def page_of(file: str, anchor: str) -> tuple[str, str] | None:
    """The page of a file or of a heading in it, and the anchor. None if it has no page."""
    if page := PAGES.get(file) or NOTEBOOKS.get(file):
        return page, anchor
    return (file.removeprefix("docs/"), anchor) if file.startswith("docs/") else None


class Links:
    """Rewrites the links of pages, and brings along the files that they lead to."""

    def __init__(self, config: MkDocsConfig, files: Files) -> None:
        self.root = Path(config.config_file_path).parent
        self.config, self.files = config, files

    def rewritten(self, text: str, page: str) -> str:
        """The text of a page with links that hold on the site. Code stays unchanged."""
        parts, end = [], 0
        for fence in _FENCE.finditer(text):
            # The words after the language are for the tests.
            block = re.sub(r"\A(```\w+) .*", r"\1", fence[0])
            parts += [self._prose(text[end : fence.start()], page), block]
            end = fence.end()
        return "".join([*parts, self._prose(text[end:], page)])

    def _prose(self, text: str, page: str) -> str:
        # In Python-Markdown alone, and not where the texts are read, "[a] [b]" is one link.
        text = re.sub(r"\[([^\[\]]+)\](?= \[)", r"\[\1\]", text)
        text = _LINK.sub(lambda found: self._target(found[0], page), text)
        return re.sub(r"^\|.*$", lambda row: names_linked(row[0], page), text, flags=re.M)

    def _target(self, target: str, page: str) -> str:
        if re.match(r"[a-z]+:", target):
            return target
        path, _, anchor = target.partition("#")
        source = source_of(page)
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        place = page_of(file if path else source, anchor)
        if place is None:
            place = self._copied(file, page), ""
        return relative(place[0], page) + (f"#{place[1]}" if place[1] else "")

    def _copied(self, file: str, page: str) -> str:
        """The address on the site of a file that has no page."""
        where = f"files/{file}"
        if not (self.root / file).is_file() or file.endswith(".md"):
            LOG.warning("%s: links to %s, which is no page and no file to copy", page, file)
        elif self.files.get_file_from_path(where) is None:
            source = str(self.root / file)
            self.files.append(File.generated(self.config, where, abs_src_path=source))
        return where


def relative(target: str, page: str) -> str:
    """The way from one page to another."""
    return posixpath.relpath(target, posixpath.dirname(page) or ".")


def names_linked(row: str, page: str) -> str:
    """A row of a table in which variants lead to their pages, and functions to the API."""
    return _NAME.sub(lambda found: _linked(found[1], page), row)


@functools.cache
def _functions() -> dict[str, str]:
    """Where those that `adamjax` exports are defined, which is how the API's anchors are called."""
    names = {name.public.removeprefix("adamjax."): name.defined for name in api.names()}
    return {public: defined for public, defined in names.items() if "." not in public}


def _linked(name: str, page: str) -> str:
    if name in adamjax.list_variants():
        return f"[`{name}`]({relative(f'variants/{name}.md', page)})"
    return f"[`{name}`][{_functions()[name]}]" if name in _functions() else f"`{name}`"
