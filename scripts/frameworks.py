"""Train with the frameworks themselves, each in its own environment: `make test-frameworks`.

python scripts/frameworks.py [NAME ...] [--folder FOLDER]
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "tests" / "frameworks" / "environments.toml"
UV = "uv==0.13.9"


def variables() -> dict[str, str]:
    """Return the environment variables for uv and pytest."""
    result = {**os.environ, "JAX_PLATFORMS": "cpu"}
    # uv does not read the settings of pip.
    for name, of_pip in (("SSL_CERT_FILE", "PIP_CERT"), ("UV_FIND_LINKS", "PIP_FIND_LINKS")):
        if of_pip in os.environ:
            result.setdefault(name, os.environ[of_pip])
    # The stand-ins of pyenv refuse every version but the chosen one.
    if pyenv := shutil.which("pyenv"):
        versions = subprocess.check_output([pyenv, "versions", "--bare"], text=True)
        result["PYENV_VERSION"] = ":".join(versions.split())
    return result


def install_uv(folder: Path) -> Path:
    """Return uv, which makes an environment in seconds."""
    program = folder / "uv" / "bin" / "uv"
    if not program.exists():
        venv.create(folder / "uv", with_pip=True)
        pip = [program.with_name("python"), "-m", "pip", "install", "-q", UV]
        subprocess.run(pip, check=True)
    return program


def set_up(pins: dict, name: str, folder: Path) -> Path:
    """Make the environment of a framework unless it is up to date, and return its Python."""
    python, stamp = folder / name / "bin" / "python", folder / name / "stamp"
    version, packages = pins["python"].get(name, "3.12"), pins["packages"][name]
    made_from = repr((packages, pins["day"], version, (ROOT / "pyproject.toml").read_text()))
    if not stamp.exists() or stamp.read_text() != made_from:
        uv, options = install_uv(folder), {"env": variables(), "check": True}
        subprocess.run([uv, "venv", "-q", "--clear", "-p", version, folder / name], **options)
        install = [uv, "pip", "install", "-q", "-p", python, "--exclude-newer", pins["day"]]
        subprocess.run([*install, *packages, "pytest", "--editable", ROOT], **options)
        stamp.write_text(made_from)
    return python


def main() -> None:
    pins = tomllib.loads(PINS.read_text())
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="frameworks, all by default")
    parser.add_argument("--folder", type=Path, default=ROOT / ".cache" / "frameworks")
    arguments = parser.parse_args()
    failed = False
    for name in arguments.names or pins["packages"]:
        start = time.monotonic()
        python = set_up(pins, name, arguments.folder.resolve())
        test = f"tests/frameworks/test_with_{name}.py"
        # The frameworks raise warnings of their own.
        command = [python, "-m", "pytest", "-q", "-W", "default", "--durations=0", test]
        done = subprocess.run(command, cwd=ROOT, env=variables(), capture_output=True, text=True)
        if done.returncode:
            failed = True
            print(done.stdout[-6000:], done.stderr[-2000:], sep="\n")
        summary = done.stdout.strip().splitlines()[-1]
        print(f"{name:12}{time.monotonic() - start:6.0f} s  {summary}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
