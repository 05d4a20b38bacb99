"""Docstrings as Markdown: the examples in them are blocks of code."""

import re
from typing import Any

import griffe

# From a prompt to the next empty line.
_EXAMPLE = re.compile(r"^>>> .*(?:\n.+)*", re.M)


def fenced(text: str) -> str:
    """A docstring with its doctests in fences, but for those in a section, which Griffe knows."""
    text = re.sub(r"^Example:$", "Examples:", text, flags=re.M)
    return _EXAMPLE.sub(lambda found: f"```pycon\n{found[0]}\n```", text)


class Docstrings(griffe.Extension):
    """Rewrite docstrings before mkdocstrings reads them."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
