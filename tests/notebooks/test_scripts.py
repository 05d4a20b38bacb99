"""The notebooks are written from their scripts, and the scripts run."""

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from scripts import notebooks

SCRIPTS = sorted(notebooks.FOLDER.glob("*.py"))
ADDRESS = "https://github.com/someone/something"


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


def test_set_up_depends_on_the_address_of_the_project():
    cells = notebooks.notebook("digits", "# %% [markdown]\n# # Title\n", None)["cells"]
    assert "put it into {here}" in "".join(cells[1]["source"])
    assert "github" not in json.dumps(cells)
    cells = notebooks.notebook("digits", "# %% [markdown]\n# # Title\n", ADDRESS)["cells"]
    badge, _, set_up = ("".join(cell["source"]) for cell in cells)
    assert "/github/someone/something/blob/main/examples/notebooks/digits.ipynb)" in badge
    assert f"git clone --quiet --depth 1 {ADDRESS} adamjax" in set_up
    assert notebooks.badge("digits", "https://example.org/adamjax") == []


def set_up_in(folder):
    """Run the set-up cell without its commands to Jupyter, and print the root it finds."""
    lines = notebooks.set_up(None).splitlines()
    plain = [line for line in lines if not line.lstrip().startswith(("%", "if not all"))]
    command = [sys.executable, "-c", "\n".join([*plain, "print(root)"])]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def test_set_up_finds_a_checkout_or_unpacks_a_zip(tmp_path):
    beside, empty, zipped, wrong = (tmp_path / name for name in ("beside", "empty", "zip", "wrong"))
    (beside / "adamjax" / "examples" / "notebooks").mkdir(parents=True)
    for folder in (empty, zipped, wrong):
        folder.mkdir()
    for folder, prefix in ((zipped, "adamjax/examples/notebooks"), (wrong, "something")):
        with ZipFile(folder / "adamjax.zip", "w") as archive:
            archive.writestr(f"{prefix}/README.md", "")
    # A second time, the set-up finds the unpacked folder.
    for folder in (beside, zipped, zipped):
        done = set_up_in(folder)
        assert done.stdout.strip() == str(folder / "adamjax"), done.stderr
    assert Path(set_up_in(notebooks.FOLDER).stdout.strip()) == notebooks.ROOT
    assert "put it into" in set_up_in(empty).stderr
    done = set_up_in(wrong)
    assert done.returncode != 0 and "--prefix=adamjax/" in done.stderr
