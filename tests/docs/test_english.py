"""Limits on the English of the documentation, see scripts/english.py."""

import pytest

from scripts import english


@pytest.mark.parametrize("part", ["all Markdown", "all modules"])
def test_english(part):
    counts = english.report()[part]
    rates = counts.rates()
    assert counts.headings == 0
    assert rates["what"] < 2 and rates["semicolons"] < 3, rates
    if part == "all Markdown":  # modules have many Args entries, which are fragments
        assert 12 <= rates["sentence"] <= 20, rates
