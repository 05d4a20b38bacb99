"""README.md is true: its code runs, its commands work, its generated parts are up to date."""

import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import optax
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


def test_same_as_optax_is_the_same():
    (block,) = (block for block in BLOCKS if "same = [" in block.code)
    names = {}
    documents.run(block, README, names)
    start = jnp.linspace(-1.0, 1.0, 12).reshape(3, 4)
    for ours, theirs in names["same"]:
        reached = [(start, tx.init(start)) for tx in (ours, theirs)]
        for step in range(20):
            for i, tx in enumerate((ours, theirs)):
                params, state = reached[i]
                updates, state = tx.update(jnp.sin(9 * start + step), state, params)
                reached[i] = (optax.apply_updates(params, updates), state)
        np.testing.assert_allclose(reached[0][0], reached[1][0], rtol=0, atol=3e-6)
        assert np.abs(reached[0][0] - start).max() > 1e-3


def test_generated_parts_are_up_to_date():
    done = subprocess.run(
        [sys.executable, "scripts/readme.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
