"""docs/capabilities.md tells what the tests show of each variant, and has no silent holes."""

import json
import pathlib

import adamjax
from tests.capabilities import COLUMNS, HOLES

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "docs"
COUNTS = json.loads((FOLDER / "capabilities.json").read_text(encoding="utf-8"))


def test_every_variant_has_every_capability_or_a_reason():
    cells = {(name, column) for name in adamjax.list_variants() for column in COLUMNS}
    told = {(name, column) for name, counts in COUNTS.items() for column in counts}
    assert cells - told == set(HOLES)


def test_the_counts_are_those_of_these_tests(collected):
    """All of them in a whole run; no part of it has more."""
    counts, whole = collected
    for name, columns in counts.items():
        assert all(tests <= COUNTS[name][column] for column, tests in columns.items()), name
    if whole:
        assert counts == COUNTS, "run: make capabilities"
