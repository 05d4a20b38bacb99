"""README.md: its code runs, it is short, and the generated parts of all pages are up to date."""

import subprocess
import sys

import pytest

from tests import ROOT, documents

README = ROOT / "README.md"
BLOCKS = documents.blocks(README)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"line-{block.line}")
def test_python_block_runs_and_prints_its_comments(block, capsys):
    documents.run(block, README, {"__name__": "readme"})
    printed, expected = capsys.readouterr().out.splitlines(), documents.expected(block.code)
    assert len(printed) == len(expected) and all(map(documents.same, printed, expected))


def test_readme_is_one_screen_and_its_quickstart_prints_losses():
    assert README.stat().st_size <= 7_000
    assert len(documents.expected(BLOCKS[0].code)) == 3


def test_generated_parts_are_up_to_date():
    done = subprocess.run(
        [sys.executable, "scripts/readme.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
