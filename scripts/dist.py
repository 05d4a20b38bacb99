"""Build the wheel and the sdist, and run the wheel in an empty environment: `make dist`.

The wheel is installed with jax, numpy and optax alone. The quickstart of the README and a command
run from it, and the import time is printed.
"""

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
MAX_SIZE = 460_000
"""Largest size of the wheel [bytes]."""

TIME = """\
import time, jax, optax
start = time.process_time()
import adamjax
print(time.process_time() - start)
"""


def make_environment(folder: Path, *packages: str | Path) -> Path:
    """Create a virtual environment with these packages, and return its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    return python


def build(folder: Path) -> Path:
    """Build the archives of the last commit, check them, and return the wheel."""
    shutil.rmtree(DIST, ignore_errors=True)
    source = folder / "source"
    subprocess.run(["git", "clone", "-q", ROOT, source], check=True)
    python = make_environment(folder / "build", "build", "twine", "check-wheel-contents")
    subprocess.run([python, "-m", "build", "--outdir", DIST, source], check=True)
    wheel = next(DIST.glob("*.whl"))
    subprocess.run([python, "-m", "twine", "check", "--strict", *DIST.iterdir()], check=True)
    subprocess.run([python.with_name("check-wheel-contents"), wheel], check=True)
    return wheel


def check(wheel: Path) -> None:
    """Check that the wheel contains the files of `adamjax` and nothing else."""
    listed = subprocess.check_output(["git", "ls-files", "adamjax"], cwd=ROOT, text=True)
    names = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    if names != set(listed.split()):
        sys.exit(f"{wheel.name}: unexpected or missing files {names ^ set(listed.split())}")
    size = wheel.stat().st_size
    print(f"{wheel.name}: {size:,} bytes, {len(names)} files")
    if size > MAX_SIZE:
        sys.exit(f"{wheel.name} has more than {MAX_SIZE:,} bytes")


def run(wheel: Path, folder: Path) -> None:
    """Install the wheel alone, run the quickstart and a command, and time the import."""
    python = make_environment(folder / "alone", wheel)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    for command in (["-c", blocks[0]], ["-m", "adamjax", "show", "adamw"]):
        subprocess.run([python, *command], cwd=folder, check=True)
    command = [python, "-c", TIME]
    times = [float(subprocess.check_output(command, cwd=folder)) for _ in range(9)]
    version = subprocess.check_output([python, "--version"], text=True).strip()
    print(f"{version}: import adamjax after jax and optax takes {statistics.median(times):.3f} s")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        wheel = build(Path(name))
        check(wheel)
        run(wheel, Path(name))


if __name__ == "__main__":
    main()
