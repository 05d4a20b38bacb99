"""The blocks of docs/interop.md."""

import pathlib
import re

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "interop.md"


def blocks(*kinds):
    """The Python of the blocks that need no more than these frameworks, as one program."""
    found = re.findall(r"```python ?(\w*)\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert {kind for kind, _ in found} == {"", "torch", "keras"}
    return "\n".join(text for kind, text in found if kind in kinds)
