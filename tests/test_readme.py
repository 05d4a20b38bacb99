"""README.md is true: its code runs, its commands work, its generated parts are up to date."""

import subprocess
import sys

import pytest

from tests import ROOT, documents

README = ROOT / "README.md"
BLOCKS = documents.blocks(README)
# What these print is left to them: a table of devices, a list of names.
NOT_TOLD = ("table(placements(state))", "list_variants(")


def test_readme_has_what_is_tested():
    assert len(BLOCKS) >= 8
    assert sum(bool(documents.expected(block.code)) for block in BLOCKS) >= 2


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"line-{block.line}")
def test_python_block_runs_and_prints_what_it_says(block, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    documents.run(block, README, {"__name__": "readme"})
    printed, wanted = capsys.readouterr().out.splitlines(), documents.expected(block.code)
    if any(told in block.code for told in NOT_TOLD):
        assert printed and not wanted
    else:
        assert len(printed) == len(wanted) and all(map(documents.same, printed, wanted))


def test_quickstart_learns(tmp_path):
    names = {}
    documents.run(BLOCKS[0], README, names)
    assert abs(float(names["params"]["kernel"][1, 0]) + 2.0) < 0.05


def test_generated_parts_are_up_to_date():
    done = subprocess.run(
        [sys.executable, "scripts/readme.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
