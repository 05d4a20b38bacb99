"""The files that records go to: what a line looks like, and how a file is read back."""

import csv
import io
import json
import math
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

Record = dict[str, int | float]

# How a file begins whose very first line was torn; a table's header is written whole.
_FIRST_BYTES = b'{"step": '


class Format(NamedTuple):
    """How records look in a file.

    Attributes:
      header: the columns -> what the file begins with.
      line: a record and the columns -> its line, newline included.
      parse: a file's text -> its records and columns; ValueError names the line it fails at.
    """

    header: Callable[[Sequence[str]], str]
    line: Callable[[Record, Sequence[str]], str]
    parse: Callable[[str], tuple[list[Record], list[str]]]


def format_of(path: Path) -> Format:
    """The format that a file's ending asks for.

    >>> format_of(Path("run.txt"))
    Traceback (most recent call last):
    ValueError: path must end in .csv or .jsonl, not 'run.txt'
    """
    if path.suffix not in FORMATS:
        raise ValueError(f"path must end in {' or '.join(sorted(FORMATS))}, not {str(path)!r}")
    return FORMATS[path.suffix]


def read(path: Path) -> tuple[list[Record], list[str], bool]:
    """The records and columns of a file, and whether its last line is unfinished.

    A torn last line is left out with a warning that quotes it. What does not look like a
    recorder's file raises ValueError, so that nothing of somebody else's is ever cut.
    """
    parse = format_of(path).parse
    lines, newline, rest = path.read_bytes().rpartition(b"\n")
    lines, finished = lines + newline, not rest
    if path.suffix == ".jsonl" and _is_json(rest):  # Only the newline is missing.
        lines, rest = lines + rest, b""
    try:
        if not lines and not _FIRST_BYTES.startswith(rest[: len(_FIRST_BYTES)]):
            raise ValueError(f"line 1 is {rest!r}")
        records, columns = parse(lines.decode())
    except (ValueError, csv.Error) as error:
        raise ValueError(f"path: {path} was not written by a Recorder: {error}") from error
    if rest:
        warnings.warn(f"{path}: a torn last line, {rest!r}, is left out", stacklevel=3)
    return records, columns, not finished


def write(path: Path, text: str) -> None:
    """Put `text` in the file's place in one move: after a crash it is the old file or the new."""
    path = path.resolve()  # The file that a link points to is replaced, not the link.
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def _json_line(record: Record, columns: Sequence[str]) -> str:
    del columns
    return json.dumps({k: v if math.isfinite(v) else str(v) for k, v in record.items()}) + "\n"


def _parse_json(text: str) -> tuple[list[Record], list[str]]:
    records = []
    for number, line in enumerate(io.StringIO(text), start=1):
        try:
            record = {key: _number(value) for key, value in json.loads(line).items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"line {number} is {line!r}") from error
        if not isinstance(record.get("step"), int):
            raise ValueError(f"line {number} has no whole number called step: {line!r}")
        records.append(record)
    return records, list(dict.fromkeys(["step", *(key for r in records for key in r)]))


def _csv_line(cells: Sequence[object]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _parse_csv(text: str) -> tuple[list[Record], list[str]]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns = next(rows, ["step"])
    records = []
    if columns[:1] != ["step"] or len(set(columns)) < len(columns):
        raise ValueError(f"its columns are not step and others, each once: {columns}")
    for row in rows:
        try:
            pairs = zip(columns, row, strict=True)
            record = {key: _number(cell) for key, cell in pairs if cell}
        except ValueError as error:
            raise ValueError(f"line {rows.line_num} is {row}") from error
        if not isinstance(record.get("step"), int):
            raise ValueError(f"line {rows.line_num} has no whole number in column step: {row}")
        records.append(record)
    return records, columns


def _number(value: object) -> int | float:
    """A number as a file has it: itself, or its digits, or "nan", "inf" or "-inf"."""
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a number")
    try:
        return int(value)
    except ValueError:
        return float(value)


FORMATS = {
    ".jsonl": Format(lambda columns: "", _json_line, _parse_json),
    ".csv": Format(
        _csv_line,
        lambda record, columns: _csv_line([record.get(key, "") for key in columns]),
        _parse_csv,
    ),
}
