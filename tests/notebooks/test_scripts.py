"""The notebooks are written from their scripts, and the scripts run."""

import json
import os
import subprocess
import sys

import pytest

from scripts import notebooks

SCRIPTS = sorted(notebooks.FOLDER.glob("*.py"))


@pytest.mark.wide
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_script_runs_and_its_claims_hold(script, tmp_path):
    assert "assert " in script.read_text("utf-8").rpartition("# %%")[2]
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    environment |= {"PYTHONPATH": str(notebooks.ROOT), "MPLBACKEND": "Agg"}
    environment["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # most of the time is compilation
    command = [sys.executable, str(script)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr


def test_notebooks_are_those_of_the_scripts():
    assert len(SCRIPTS) >= 4
    command = [sys.executable, "scripts/notebooks.py", "--check"]
    done = subprocess.run(command, cwd=notebooks.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        cells = notebooks.cells_of(text)
        assert len(cells) == text.count("# %%") and cells[0][0] == "markdown"
        code = [line for kind, part in cells if kind == "code" for line in part.splitlines()]
        plain = [line for line in text.splitlines() if not line.startswith("#")]
        assert [line for line in code if line and line[0] != "#"] == list(filter(None, plain))
        written = json.loads(script.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in written)
        sources = [(cell["cell_type"], "".join(cell["source"])) for cell in written]
        assert [cell for cell in sources if cell in cells] == cells
    with pytest.raises(SystemExit, match=r"\[raw\]"):
        notebooks.cells_of("# %% [raw]\n# text\n")
