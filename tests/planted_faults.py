"""Faults planted in the library one at a time: which tier of the suite notices each?

    python -m tests.planted_faults [AREA ...] [--tier quick|wide|exhaustive]

Each fault first meets the tests that are most likely to notice it, and then the whole tier. The
exit status is 1 if one survives. `exhaustive` includes the mutants' oracles.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = (
    *("--ignore-glob=tests/interop/test_with_*.py", "--ignore=tests/site"),
    "--ignore=tests/notebooks/test_in_jupyter.py",
)


class Fault(NamedTuple):
    """One change to a file of the library, and the tests that meet it first."""

    area: str
    file: str
    old: str
    new: str
    first: str


def _variant(name: str, old: str, new: str) -> Fault:
    first = f"tests/test_trajectories.py tests/test_oracles.py -k {name}"
    return Fault("rules", f"variants/{name}.py", old, new, first)


ORACLES = "tests/test_trajectories.py tests/test_oracles.py"
FAULTS = (
    _variant(
        "adam", "nu = ema(g * g, moments.nu, step.b2)", "nu = ema(g * g, moments.nu, step.b1)"
    ),
)


def plant(fault: Fault, root: Path) -> str:
    """Change the file under a root and return its original text."""
    path = root / "adamjax" / fault.file
    text = path.read_text(encoding="utf-8")
    if text.count(fault.old) != 1:
        raise ValueError(f"{fault.file}: {text.count(fault.old)} places have {fault.old!r}")
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    return text


def fails(root: Path, tier: str, arguments: list[str]) -> bool:
    """Whether a test of this tier fails in a copy of the project."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", f"--tier={tier}", *arguments]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    if done.returncode not in (0, 1, 2, 5):  # failures, broken imports, nothing collected
        raise RuntimeError(done.stdout + done.stderr)
    return done.returncode in (1, 2)


def survivors(areas: list[str], tier: str) -> list[Fault]:
    """Plant the faults of some areas, print each verdict, and return those that go unnoticed."""
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        ignored = shutil.ignore_patterns(".git", ".venv*", "__pycache__", ".cache", "site", "runs")
        shutil.copytree(ROOT, root, ignore=ignored)
        for fault in FAULTS:
            if areas and fault.area not in areas:
                continue
            original = plant(fault, root)
            noticed = fails(root, tier, fault.first.split()) or fails(root, tier, [*ELSEWHERE])
            (root / "adamjax" / fault.file).write_text(original, encoding="utf-8")
            missed += [] if noticed else [fault]
            print(
                "noticed" if noticed else "MISSED ", fault.area, fault.file, fault.new, flush=True
            )
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("areas", nargs="*", metavar="AREA")
    parser.add_argument("--tier", default="quick", choices=("quick", "wide", "exhaustive"))
    arguments = parser.parse_args()
    missed = survivors(arguments.areas, arguments.tier)
    print(f"{len(missed)} missed by the {arguments.tier} tier")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
