"""Installs libtpu, the compiler for TPUs, beside this environment's packages, and prints its path.

Not among them: wherever jax finds libtpu installed, it looks for a TPU at each start.
"""

import platform
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from importlib.metadata import distributions, requires
from pathlib import Path

FOLDER = Path(sys.prefix) / "libtpu"
LIBRARY = FOLDER / "libtpu" / "libtpu.so"


def has_wheels() -> bool:
    """Whether libtpu is published for this machine."""
    return (sys.platform, platform.machine()) == ("linux", "x86_64")


def wanted() -> str:
    """The version that the installed jax asks for, such as "0.0.42.*"."""
    for requirement in requires("jax") or []:
        if requirement.startswith("libtpu=="):
            return requirement.removeprefix("libtpu==").partition(";")[0].strip()
    raise SystemExit("libtpu: this jax does not say which version it works with")


def installed() -> str | None:
    """The version that is there."""
    found = [d.version for d in distributions(name="libtpu", path=[str(FOLDER)])]
    return found[0] if found and LIBRARY.exists() else None


def main() -> None:
    if not has_wheels():
        print("libtpu: no wheel for this machine, so tests that compile for TPU are skipped")
        return
    version = wanted()
    if not fnmatch(installed() or "", version):
        shutil.rmtree(FOLDER, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        quietly = ["--quiet", "--no-deps", f"--target={FOLDER}", f"libtpu=={version}"]
        print(f"Installing libtpu {version} into {FOLDER} (130 MB to download) ...", flush=True)
        if subprocess.run([*pip, *quietly], check=False).returncode:
            raise SystemExit("libtpu: pip could not install it, see above")
    print(LIBRARY)


if __name__ == "__main__":
    main()
