"""The notebooks in Jupyter: valid, equal to their scripts, and with their pictures."""

import base64
from zipfile import ZipFile

import jupytext
import nbclient
import nbformat
import pytest

from scripts import notebooks

SCRIPTS = sorted(notebooks.FOLDER.glob("*.py"))
# The others run as scripts alone.
EXECUTED = [notebooks.FOLDER / f"{name}.py" for name in ("what_adam_does", "words_and_seasons")]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_notebook_is_valid_and_has_the_cells_of_jupytext(script):
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(notebook)
    expected = [(cell.cell_type, cell.source) for cell in jupytext.read(script).cells]
    set_up = ("code", notebooks.set_up(notebooks.repository()))
    added = [set_up, *notebooks.badge(script.stem, notebooks.repository())]
    cells = [(cell.cell_type, cell.source) for cell in notebook.cells]
    assert [cell for cell in cells if cell not in added] == expected


def pictures_of(cell):
    outputs = [output.get("data", {}) for output in cell.outputs]
    return [base64.b64decode(data["image/png"]) for data in outputs if "image/png" in data]


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
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=600, resources=resources).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in cells:
        last, pictures = cell.source.splitlines()[-1], pictures_of(cell)
        assert bool(pictures) == (last == "figure"), last
        assert all(p.startswith(b"\x89PNG") and len(p) > 5_000 for p in pictures)
    assert any(map(pictures_of, cells))
