"""The commands in the pages' `sh` blocks work from the root; those not run here are listed."""

import os
import re
import shlex
import subprocess
import sys

import pytest

from tests import documents

PARTS = ("adamjax", "benchmarks", "examples", "scripts", "tests")
# How commands begin that are not run, and why.
SKIPPED = {
    "pip install": "changes the environment",
    "make ": "makes an environment",
    "export XLA_FLAGS": "tests/test_one_pass.py runs with this flag",
    "jupyter lab": "waits for a reader",
    "git archive": "there may be no repository",
    "python scripts/notebooks.py": "writes into the checkout",
    "python -m examples.demo": "tests/examples runs it, shorter",
    "python -m benchmarks --quick": "minutes; tests/benchmarks runs its parts",
    "python -m benchmarks pictures": "writes into the checkout",
    "python -m benchmarks compare runs/": "reads reports of the reader's own",
    "python -m benchmarks": "an hour",
}
FILES = {str(file.relative_to(documents.ROOT)): file for file in documents.files()}
COMMANDS = [(name, command) for name, file in FILES.items() for command in documents.commands(file)]


def is_skipped(command):
    """A benchmark with arguments is another command than all of them."""
    return any(
        command == start if start == "python -m benchmarks" else command.startswith(start)
        for start in SKIPPED
    )


RUN = [(name, command) for name, command in COMMANDS if not is_skipped(command)]


def test_commands_are_found_and_none_is_skipped_in_vain():
    assert {"README.md", "docs/scaling.md", "docs/storage.md"} <= {name for name, _ in RUN}
    for start in SKIPPED:
        assert any(command.startswith(start) for _, command in COMMANDS), start


@pytest.mark.parametrize("name", FILES)
def test_each_command_stands_in_a_block_that_is_seen(name):
    """Fences without a language, or with another, would be passed over."""
    fences = re.findall(r"^ *```(.*)$", FILES[name].read_text(encoding="utf-8"), re.M)
    assert {opening.partition(" ")[0] for opening in fences[::2]} <= {"sh", "python", "text"}
    assert set(fences[1::2]) <= {""}


@pytest.mark.parametrize(("name", "command"), RUN)
def test_command_works(name, command, tmp_path):
    """In a folder like the root, so that what it writes is not in the checkout."""
    for part in PARTS:
        (tmp_path / part).symlink_to(documents.ROOT / part)
    words = shlex.split(command)
    assert words[0] == "python"
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, *words[1:]], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    for picture in (word for word in words if word.endswith(".png")):
        assert (tmp_path / picture).stat().st_size > 1000
