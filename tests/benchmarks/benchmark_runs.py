"""Run the command of a benchmark, and read its result file."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks import record

ROOT = Path(__file__).resolve().parents[2]


def run(module, *arguments):
    """Run `python -m MODULE ARGUMENTS` on the CPU, and return the process."""
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
