"""The pages are true: their Python and their commands run, and their links lead somewhere.

`make test-frameworks` runs the blocks of frameworks, such as ```` ```python brax ````.
"""

import os
import re
import shlex
import subprocess
import sys

import jax
import pytest

from tests import documents
from tests.docs import loggers

PARTS = ("adamjax", "benchmarks", "examples", "scripts", "tests")
# Run by tests/test_readme.py and tests/interop.
ELSEWHERE = ("README.md", "docs/interop.md")
# Pages whose blocks need more than the oldest JAX.
NEEDS = {"docs/sharding.md": (0, 7)}
# Beginnings of commands that are not run, and why.
SKIPPED = {
    "pip install": "changes the environment",
    "make ": "makes an environment",
    "export XLA_FLAGS": "changes the flags of the process",
    "jupyter lab": "waits for a reader",
    "git archive": "needs a repository",
    "python scripts/notebooks.py": "writes into the checkout",
    "python -m examples.demo": "tests/examples runs it, shorter",
    "python -m benchmarks": "minutes; tests/benchmarks runs its parts",
}
FILES = {str(file.relative_to(documents.ROOT)): file for file in documents.files()}
TEXTS = {name: file.read_text(encoding="utf-8") for name, file in FILES.items()}
PAGES = [name for name, file in FILES.items() if documents.blocks(file) and name not in ELSEWHERE]
COMMANDS = [
    (name, command)
    for name, file in FILES.items()
    for command in documents.commands(file)
    if not any(command.startswith(start) for start in SKIPPED)
]


def test_each_block_is_recognized():
    """Blocks with other languages, or with other fences, would not be run."""
    assert {"docs/quickstart.md", "docs/storage.md", *NEEDS} <= set(PAGES)
    assert {"docs/command-line.md", "docs/scaling.md"} <= {name for name, _ in COMMANDS}
    for name, text in TEXTS.items():
        fences = re.findall(r"^ *(?:```|~~~)(.*)$", text, re.M)
        languages = [fence.split(" ")[0] for fence in fences[::2]]
        assert set(languages) <= {"sh", "python", "text"} and set(fences[1::2]) <= {""}, name
        assert languages.count("python") == len(documents.blocks(FILES[name])), name
    for block in documents.blocks(FILES["docs/frameworks.md"]):
        test = f"tests/frameworks/test_with_{block.kind}.py"
        assert not block.kind or (documents.ROOT / test).exists(), test


@pytest.mark.wide
@pytest.mark.parametrize("name", PAGES)
def test_page_runs_and_prints_its_comments(name, capsys, tmp_path, monkeypatch):
    """A page is one program, from top to bottom."""
    if jax.__version_info__[:2] < NEEDS.get(name, (0, 0)):
        pytest.skip(f"needs JAX {'.'.join(map(str, NEEDS[name]))}")
    monkeypatch.chdir(tmp_path)
    for module in ("tensorboardX", "wandb"):
        monkeypatch.setitem(sys.modules, module, loggers)
    names = {"__name__": "page"}
    for block in documents.blocks(FILES[name]):
        if block.kind:
            continue
        documents.run(block, FILES[name], names)
        printed, expected = capsys.readouterr().out.splitlines(), documents.expected(block.code)
        agree = len(printed) == len(expected) and all(map(documents.same, printed, expected))
        assert agree, f"{name}, line {block.line}: printed {printed}, not {expected}"


@pytest.mark.wide
@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_command_works(name, command, tmp_path):
    """In a folder like the root, so that nothing is written into the checkout."""
    for part in PARTS:
        (tmp_path / part).symlink_to(documents.ROOT / part)
    python, *words = shlex.split(command)
    assert python == "python"
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    for picture in (word for word in words if word.endswith(".png")):
        assert (tmp_path / picture).stat().st_size > 1000


def test_links_to_files_and_to_sections_exist():
    for name, text in TEXTS.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            path, _, section = target.partition("#")
            if "://" in target or target.startswith("mailto:"):
                continue
            file = (FILES[name].parent / path).resolve() if path else FILES[name]
            assert file.exists(), f"{name}: {target}"
            assert not section or section in anchors(file), f"{name}: {target}"


def anchors(file):
    """The anchors of a file's headings on which GitHub and MkDocs agree."""
    text = re.sub(r"^```.*?^```$", "", file.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.M)
    plain = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    return {
        heading.replace(" ", "-")
        for heading in plain
        if re.sub(r"[-\s]+", " ", heading) == heading.replace("-", " ")
    }


def test_figures_may_differ_in_their_last_digit():
    for printed, expected in (("0.98", "0.99"), ("adam True", "adam True")):
        assert documents.same(printed, expected)
    different = [("0.98", "0.93"), ("3 of 4", "3 of 5"), ("0.98", "accuracy"), ("1.5 2.5", "1.5")]
    assert not any(documents.same(*pair) for pair in different)
