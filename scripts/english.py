"""Measure the English of the documentation: a smoke detector, not an aim.

Prose is the text of Markdown files, docstrings and comments without code, tables and links. A file
with many hits probably has sentences that must be read twice.
"""

import argparse
import ast
import functools
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
_NOT_PROSE = (
    r"^```.*?^```$",  # fenced blocks
    r"<!--.*?-->",
    r"^(?: {4}|\||#|>>>|\.\.\. ).*$",  # indented code, tables, headings, examples
    r"^\w[\w, ]*: *\n",  # "Args:" and the like
    r"\]\([^)]*\)",
    r"https?://\S+",
)


class Measures(NamedTuple):
    """Counts of one text.

    Attributes:
      words, sentences: their numbers.
      what, semicolons: numbers of the word and of the sign.
      headings: Markdown headings that begin with "What".
    """

    words: int
    sentences: int
    what: int
    semicolons: int
    headings: int

    def rates(self) -> dict[str, float]:
        """Return hits per 1,000 words, and words per sentence."""
        thousand = max(self.words, 1) / 1000
        return {
            "what": self.what / thousand,
            "semicolons": self.semicolons / thousand,
            "sentence": self.words / max(self.sentences, 1),
        }


def measure(text: str) -> Measures:
    """Count words, sentences and hits of the prose of a Markdown text or docstring.

    >>> measure("# What is it\\n\\nOne sentence; with `a; b` in it. Another one follows.")
    Measures(words=9, sentences=2, what=0, semicolons=1, headings=1)
    """
    headings = len(re.findall(r"^#+ What\b", text, re.M))
    for pattern in _NOT_PROSE:
        text = re.sub(pattern, " ", text, flags=re.M | re.S if "```" in pattern else re.M)
    text = re.sub(r"`[^`]*`", "code", text)
    words = re.findall(r"[A-Za-z][A-Za-z'’-]*", text)
    blocks = re.split(r"\n\s*\n|^\s*[-*] |^\s*\d+\. |^\s*\w+: ", text, flags=re.M)
    ends = [re.split(r"(?<=[.!?])\s+", block.strip()) for block in blocks]
    sentences = [s for parts in ends for s in parts if len(re.findall(r"[A-Za-z]+", s)) > 2]
    what = len(re.findall(r"\bwhat\b", text, re.I))
    return Measures(len(words), len(sentences), what, text.count(";"), headings)


def prose(source: str) -> str:
    r"""Return the docstrings and comments of a module as paragraphs.

    >>> prose('"Add."\n# One.\n# Two.\nx = 1  # Three.')
    'Add.\n\nOne.\nTwo.\n\nThree.'
    """
    kinds = (ast.Module, ast.FunctionDef, ast.ClassDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    comments = re.findall(r"^(?: *# .*\n)+|(?<=  )# .*$", source, re.MULTILINE)
    paragraphs = [re.sub(r"^ *# ", "", text, flags=re.MULTILINE).strip() for text in comments]
    return "\n\n".join(filter(None, [*(ast.get_docstring(n) for n in nodes), *paragraphs]))


def texts() -> Iterator[tuple[str, str]]:
    """Yield the name and text of each Markdown file, and the name and prose of each module."""
    for file in sorted([*ROOT.glob("*.md"), *(f for d in FOLDERS for f in ROOT.glob(f"{d}/**/*"))]):
        name = str(file.relative_to(ROOT))
        if file.suffix == ".md":
            yield name, file.read_text(encoding="utf-8")
        elif file.suffix == ".py":
            yield name, prose(file.read_text(encoding="utf-8"))


FOLDERS = ("adamjax", "benchmarks", "docs", "examples", "scripts", "tests")


def total(parts: list[Measures]) -> Measures:
    """Add up the counts of many texts."""
    return Measures(*(sum(column) for column in zip(*parts, strict=True)))


@functools.cache
def report() -> dict[str, Measures]:
    """Return the measures of each text, and of all Markdown and all modules together."""
    rows = {name: measure(text) for name, text in texts()}
    markdown = [m for name, m in rows.items() if name.endswith(".md")]
    code = [m for name, m in rows.items() if name.endswith(".py")]
    return rows | {"all Markdown": total(markdown), "all modules": total(code)}


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(f"{'words':>7} {'what':>6} {'semi':>6} {'length':>7}  text")
    for name, counts in report().items():
        rates = counts.rates()
        figures = (rates["what"], rates["semicolons"], rates["sentence"])
        print(f"{counts.words:7} {figures[0]:6.1f} {figures[1]:6.1f} {figures[2]:7.1f}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
