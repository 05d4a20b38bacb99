"""How tests run a benchmark's command, and read what it left."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks import record

ROOT = Path(__file__).resolve().parents[2]


def run(module, *arguments):
    """`python -m MODULE ARGUMENTS` on the CPU; returns the process."""
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def only_result(name, folder):
    """The one result of a benchmark in a folder, once its picture is there too."""
    (file,) = record.find(name, folder).values()
    assert file.with_suffix(".png").stat().st_size > 10_000
    return record.read(file)
