"""The notebooks run as the scripts that they are written from, and are what these say."""

import ast
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


def test_there_are_some():
    assert len(SCRIPTS) >= 4


def test_notebooks_are_those_of_the_scripts():
    command = [sys.executable, "scripts/notebooks.py", "--check"]
    done = subprocess.run(command, cwd=notebooks.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_script_runs_and_what_it_claims_holds(script, tmp_path):
    assert "assert " in script.read_text("utf-8").rpartition("# %%")[2]
    kept = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    environment = {**kept, "PYTHONPATH": str(notebooks.ROOT), "MPLBACKEND": "Agg"}
    environment["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # most of the time goes into compiling
    command = [sys.executable, str(script)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_each_cell_is_there_without_outputs(script):
    text = script.read_text(encoding="utf-8")
    made = json.loads(script.with_suffix(".ipynb").read_text(encoding="utf-8"))
    cells = notebooks.cells_of(text)
    assert len(cells) == text.count("# %%")
    assert cells[0][0] == "markdown"
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in made["cells"])
    code = [part for kind, part in cells if kind == "code"]
    assert ast.dump(ast.parse("\n".join(code))) == ast.dump(ast.parse(text))
    for kind, part in cells:
        assert {"cell_type": kind, "source": part.splitlines(keepends=True)}.items() <= {
            key: value
            for cell in made["cells"]
            if "".join(cell["source"]) == part
            for key, value in cell.items()
            if key in ("cell_type", "source")
        }.items()


def test_without_an_address_it_says_what_to_do():
    cells = notebooks.notebook("digits", "# %% [markdown]\n# # Title\n", None)["cells"]
    assert "put it into {here}" in "".join(cells[1]["source"])
    assert "github" not in json.dumps(cells)


def test_with_an_address_it_clones_and_opens_in_colab():
    cells = notebooks.notebook("digits", "# %% [markdown]\n# # Title\n", ADDRESS)["cells"]
    badge, _, set_up = ("".join(cell["source"]) for cell in cells)
    assert "/github/someone/something/blob/main/examples/notebooks/digits.ipynb)" in badge
    assert f"git clone --quiet --depth 1 {ADDRESS} adamjax" in set_up
    assert notebooks.badge("digits", "https://example.org/adamjax") == []


def test_a_cell_of_another_kind_is_refused():
    with pytest.raises(SystemExit, match=r"\[raw\]"):
        notebooks.cells_of("# %% [raw]\n# text\n")


def set_up_in_plain_python():
    """The cell without its commands to Jupyter, and then where the checkout is."""
    lines = notebooks.set_up(None).splitlines()
    plain = [line for line in lines if not line.lstrip().startswith(("%", "if not all"))]
    return "\n".join([*plain, "print(root)"])


def test_set_up_finds_the_checkout_from_inside_and_beside_it(tmp_path):
    code = set_up_in_plain_python()
    (tmp_path / "adamjax" / "examples" / "notebooks").mkdir(parents=True)
    for place in (notebooks.FOLDER, tmp_path):
        found = run_in(place, code)
        assert Path(found.stdout.strip()) in (notebooks.ROOT, tmp_path / "adamjax"), found.stderr
    (tmp_path / "empty").mkdir()
    (tmp_path / "adamjax").rename(tmp_path / "elsewhere")
    assert "put it into" in run_in(tmp_path / "empty", code).stderr


def test_set_up_unpacks_a_zip_beside_it(tmp_path):
    with ZipFile(tmp_path / "adamjax.zip", "w") as archive:
        archive.writestr("adamjax/examples/notebooks/README.md", "")
    for _ in range(2):  # run again, it finds what it has unpacked
        found = run_in(tmp_path, set_up_in_plain_python())
        assert found.stdout.strip() == str(tmp_path / "adamjax"), found.stderr


def test_set_up_refuses_a_zip_of_something_else(tmp_path):
    with ZipFile(tmp_path / "adamjax.zip", "w") as archive:
        archive.writestr("something/README.md", "")
    done = run_in(tmp_path, set_up_in_plain_python())
    assert done.returncode != 0 and "--prefix=adamjax/" in done.stderr


def run_in(folder, code):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60
    )
