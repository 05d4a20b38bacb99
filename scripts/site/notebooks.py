"""The pages of the notebooks: their scripts with the output and pictures of each cell.

The results of a script are cached in `.cache/site`, like pictures.
"""

import ast
import contextlib
import functools
import io
import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from scripts.notebooks import FOLDER, cells_of
from scripts.site.pictures import ROOT, folder

NAMES = sorted(script.stem for script in FOLDER.glob("*.py"))


@functools.cache
def ran() -> Path:
    """Where the pages and their pictures are."""
    parts = [file for part in ("adamjax", "examples") for file in (ROOT / part).rglob("*.py")]
    return folder("notebooks", (p.read_text("utf-8") for p in [Path(__file__), *sorted(parts)]))


def page(name: str) -> tuple[str, list[Path]]:
    """The text of a notebook's page and its pictures. The notebook runs if they are not cached."""
    told = ran() / f"{name}.json"
    if not told.exists():
        # Written last, so that a page with its pictures is whole.
        told.write_text(json.dumps(written(name)), encoding="utf-8")
    text = json.loads(told.read_text(encoding="utf-8"))
    return text, sorted(ran().glob(f"{name}-*.png"))


def written(name: str) -> str:
    """Runs a script cell by cell, saves its pictures, and returns the text."""
    parts: list[str] = []
    names: dict[str, Any] = {"__name__": name}
    script = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    for place, (kind, text) in enumerate(cells_of(script)):
        if kind == "markdown":
            parts.append(text)
            continue
        printed, last = run(text, names)
        parts.append(f"```python\n{text}\n```")
        if printed:
            parts.append(f"```text\n{printed}\n```")
        if isinstance(last, Figure):
            last.savefig(ran() / f"{name}-{place}.png", dpi=100)
            parts.append(f"![Plot of the cell]({name}-{place}.png)")
    source = f"*Also a [notebook](../notebooks.md) to play with: `{name}.ipynb`.*"
    return "\n\n".join([parts[0], source, *parts[1:]]) + "\n"


def run(cell: str, names: dict[str, Any]) -> tuple[str, Any]:
    """The output of a cell and the value of its last line, as a notebook shows them."""
    tree, last = ast.parse(cell), None
    shown = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, "cell", "exec"), names)
        if isinstance(shown, ast.Expr):
            last = eval(compile(ast.Expression(shown.value), "cell", "eval"), names)
    return printed.getvalue().rstrip(), last
