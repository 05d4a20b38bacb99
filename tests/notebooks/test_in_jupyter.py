"""The notebooks in Jupyter: read as Jupytext reads their scripts, valid, and showing pictures."""

import base64
import shutil
import subprocess
from zipfile import ZipFile

import jupytext
import nbclient
import nbformat
import pytest

from scripts import notebooks

SCRIPTS = sorted(notebooks.FOLDER.glob("*.py"))
# The others run as scripts; what Jupyter adds to them is the same.
EXECUTED = [notebooks.FOLDER / f"{name}.py" for name in ("what_adam_does", "words_and_seasons")]
PNG = b"\x89PNG"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_notebook_is_valid_and_has_the_cells_that_jupytext_sees(script):
    made = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(made)
    seen = [(cell.cell_type, cell.source) for cell in jupytext.read(script).cells]
    ours = [(cell.cell_type, cell.source) for cell in made.cells]
    set_up = ("code", notebooks.set_up(notebooks.repository()))
    badge = notebooks.badge(script.stem, notebooks.repository())
    assert [cell for cell in ours if cell != set_up and cell not in badge] == seen


def pictures_of(cell):
    return [
        base64.b64decode(output.data["image/png"])
        for output in cell.get("outputs", [])
        if output.output_type in ("display_data", "execute_result") and "image/png" in output.data
    ]


# A kernel closes its sockets late, and sets a policy that newer Python deprecates.
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("script", EXECUTED, ids=lambda script: script.stem)
def test_notebook_runs_and_shows_its_pictures(script, tmp_path, monkeypatch):
    """Beside a zip of the repository, as in Colab."""
    monkeypatch.delenv("MPLBACKEND", raising=False)
    with ZipFile(tmp_path / "adamjax.zip", "w") as archive:
        for part in ("adamjax", "examples"):
            for source in (notebooks.ROOT / part).rglob("*.py"):
                archive.write(source, "adamjax" / source.relative_to(notebooks.ROOT))
    file = shutil.copy(script.with_suffix(".ipynb"), tmp_path)
    notebook = nbformat.read(file, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    drawn = [pictures_of(cell) for cell in notebook.cells if cell.cell_type == "code"]
    ends = [c.source.splitlines()[-1] for c in notebook.cells if c.cell_type == "code"]
    for last, shown in zip(ends, drawn, strict=True):
        assert bool(shown) == (last == "figure"), last
        assert all(picture.startswith(PNG) and len(picture) > 5_000 for picture in shown)
    assert sum(map(len, drawn)) >= 1
    nbformat.write(notebook, tmp_path / f"{script.stem}.executed.ipynb")


def set_up_in(folder, address):
    """Executes the set-up cell, and one that says where it found the checkout."""
    cells = [notebooks.set_up(address), "import adamjax, examples\nprint(adamjax.__file__)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    resources = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(notebook, timeout=300, resources=resources).execute()
    return notebook.cells[-1].outputs[0].text.strip()


@pytest.mark.filterwarnings("default")
def test_set_up_clones_where_there_is_an_address(tmp_path):
    origin, here = tmp_path / "origin", tmp_path / "here"
    here.mkdir()
    for part in ("adamjax", "examples"):
        ignored = shutil.ignore_patterns("__pycache__", "results")
        shutil.copytree(notebooks.ROOT / part, origin / part, ignore=ignored)
    someone = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    for words in (["init", "--quiet"], ["add", "."], [*someone, "commit", "--quiet", "-m", "all"]):
        subprocess.run(["git", *words], cwd=origin, check=True)
    found = set_up_in(here, origin.as_uri())
    assert found == str(here / "adamjax" / "adamjax" / "__init__.py")


@pytest.mark.filterwarnings("default")
def test_a_clone_that_fails_stops_the_notebook_and_says_what_else_to_do(tmp_path):
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="There is no adamjax here"):
        set_up_in(tmp_path, (tmp_path / "nowhere").as_uri())
