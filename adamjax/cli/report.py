"""Tables and JSON: with rich where it is installed, in plain text where it is not."""

import io
import itertools
import json
import math
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str = "") -> str:
    """A table as text.

    Floats get four digits, numbers stand on the right, None is empty. On a terminal long
    cells are broken to fit; elsewhere every row is one line, whatever its length. Colours need
    rich and a terminal.

    Args:
      columns: their headings; empty for a table without any.
      rows: the cells. A list in a cell is joined by commas.
      title: above the table.

    >>> print(table(["variant", "loss"], [["adam", 0.123456], ["sgd", 12]]).replace("─", "-"))
     variant    loss
    -----------------
     adam     0.1235
     sgd          12
    """
    numeric = [all(map(_is_number, column)) for column in zip(*rows, strict=True)]
    numeric = numeric or [False] * len(columns)
    cells = [[_cell(value) for value in row] for row in rows]
    try:
        from rich.console import Console
    except ImportError:
        return _plain(columns, cells, numeric, title)
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    on_terminal = sys.stdout.isatty()
    grid = Table(
        box=SIMPLE_HEAD,
        show_header=bool(columns),
        show_edge=False,
        collapse_padding=True,
    )
    for index, right in enumerate(numeric):
        grid.add_column(
            columns[index] if columns else "",
            justify="right" if right else "left",
            style="bold" if index == 0 else None,
            no_wrap=right or index == 0,
        )
    for row in cells:
        grid.add_row(*map(Text, row))
    console = Console(
        file=io.StringIO(),
        force_terminal=on_terminal,
        force_jupyter=False,
        width=_width(),
        highlight=False,
    )
    with console.capture() as capture:
        if title:
            console.print(Text(title, style="bold"))
        console.print(grid)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def _plain(
    columns: Sequence[str], cells: Sequence[Sequence[str]], numeric: Sequence[bool], title: str
) -> str:
    rows = [columns, *cells] if columns else cells
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    gaps = 2 * len(widths)
    while sum(widths) + gaps > _width() and max(widths) > 12:
        widths[widths.index(max(widths))] -= 1
    lines = [title] if title else []
    for index, row in enumerate(rows):
        broken = [textwrap.wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
        for parts in itertools.zip_longest(*broken, fillvalue=""):
            shown = [
                part.rjust(width) if right else part.ljust(width)
                for part, width, right in zip(parts, widths, numeric, strict=True)
            ]
            lines.append(" " + "  ".join(shown))
        if columns and index == 0:
            lines.append("─" * (sum(widths) + gaps))
    return "\n".join(line.rstrip() for line in lines)


def _width() -> int:
    """The columns to fill: those of the terminal, without bound where nobody looks."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(_cell, value)) if isinstance(value, list | tuple) else str(value)


def size(count: float) -> str:
    """A number of bytes for people, in decimal units.

    >>> size(992_000_000), size(17)
    ('992 MB', '17 B')
    """
    for unit in ("B", "kB", "MB", "GB", "TB"):
        # 999.7 would be written as 1000.
        if count < 999.5 or unit == "TB":
            break
        count /= 1000
    return f"{count:.3g} {unit}"


def to_json(value: Any) -> str:
    """JSON, indented; NaN and infinity, which it does not have, are null, and the unknown is named.

    >>> print(to_json({"loss": float("nan"), "steps": (1, 2)}))
    {
      "loss": null,
      "steps": [
        1,
        2
      ]
    }
    """
    return json.dumps(_jsonable(value), indent=2, ensure_ascii=False, allow_nan=False)


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _jsonable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)
