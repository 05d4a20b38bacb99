"""Tables, sizes and JSON."""

import json
import math
import sys

import jax.numpy as jnp
import pytest

from adamjax.cli.report import size, table, to_json

PHRASE = "a sentence of many words that no narrow terminal can show on one line of its own"


def test_tables_fit_the_terminal(monkeypatch):
    rows = [["a-long-name", PHRASE, PHRASE], ["b", "c", "d"]]
    assert f"{PHRASE}  {PHRASE}" in table(["name", "says", "again"], rows)  # in a pipe
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for columns in (60, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        text = table(["name", "says", "again"], rows)
        for code in ("\x1b[0m", "\x1b[1m"):
            assert code in text
            text = text.replace(code, "")
        assert max(map(len, text.splitlines())) <= columns
        # Nothing is cut off.
        words = ["name", "says", "again", "a-long-name", "b", "c", "d", *2 * PHRASE.split()]
        assert sorted(text.replace("─", "").split()) == sorted(words)


@pytest.mark.parametrize("rich", [True, False])
def test_cells(rich, monkeypatch):
    if not rich:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    text = table(["a", "b"], [["x", None], [["y", "z"], 2.0], ["[bold]", math.nan]], title="T")
    assert text.splitlines() == [
        "T",
        " a         b",
        "─────────────",
        " x",
        " y, z      2",
        " [bold]  nan",
    ]
    assert table([], [["a", "b"], ["", "c"]]).splitlines() == [" a  b", "    c"]
    assert table(["a", "b"], []).splitlines()[0] == " a  b"


def test_sizes_and_json():
    sizes = [0, 999, 1000, 999_700, 1_490_000_000, 30e12, 5e15]
    expected = ["0 B", "999 B", "1 kB", "1 MB", "1.49 GB", "30 TB", "5e+03 TB"]
    assert [size(count) for count in sizes] == expected
    # JSON has no NaN, and unknown objects become their names.
    values = {"a": [math.inf, math.nan, 1.5, True], "b": (None, jnp.dtype("float32"))}
    assert json.loads(to_json(values)) == {"a": [None, None, 1.5, True], "b": [None, "float32"]}
