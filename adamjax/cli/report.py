"""Tables and JSON. Rich draws the tables if it is installed."""

import io
import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str = "") -> str:
    """Format a table as text. On a terminal with rich, long cells are wrapped."""
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
    grid = Table(box=SIMPLE_HEAD, show_header=bool(columns), show_edge=False, collapse_padding=True)
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
        width=shutil.get_terminal_size().columns if on_terminal else 10_000,
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
    sides = zip(numeric, widths, strict=True)
    form = " " + "  ".join(f"{{:{'>' if right else '<'}{width}}}" for right, width in sides)
    lines = [*([title] if title else []), *(form.format(*row).rstrip() for row in rows)]
    if columns:
        lines.insert(1 + bool(title), "─" * (sum(widths) + 2 * len(widths)))
    return "\n".join(lines)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(_cell, value)) if isinstance(value, list | tuple) else str(value)


def size(count: float) -> str:
    """Format a number of bytes in decimal units."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        # 999.7 would be written as 1000.
        if count < 999.5 or unit == "TB":
            break
        count /= 1000
    return f"{count:.3g} {unit}"


def to_json(value: Any) -> str:
    """Format indented JSON, with null for NaN and infinity and strings for unknown types."""
    finite = json.loads(json.dumps(value, default=str), parse_constant=lambda _: None)
    return json.dumps(finite, indent=2, ensure_ascii=False)
