"""Options and result files of the benchmarks. A result is JSON with its origin.

A result is `<benchmark>.<machine>.json`, with a picture of the same name beside it that is drawn
from nothing else.
"""

import argparse
import json
import math
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import adamjax
from benchmarks import machine

RESULTS = Path(__file__).parent / "results"
QUICK_RESULTS = Path("runs/benchmarks")


TINY = "run a tiny version once to check the code (the figures are meaningless)"


def parser(name: str, purpose: str | None, quick: str = TINY) -> argparse.ArgumentParser:
    """Options of every benchmark. `quick` is the help text of `--quick`."""
    options = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}" if name else "python -m benchmarks",
        description=purpose,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--quick", action="store_true", help=quick)
    where = f"folder for JSON and picture (benchmarks/results; with --quick {QUICK_RESULTS})"
    options.add_argument("--results", type=Path, metavar="FOLDER", help=where)
    return options


def parse(
    options: argparse.ArgumentParser, argv: Sequence[str] | None = None
) -> argparse.Namespace:
    """The parsed options, and the facts known at the start only.

    That is the command, the clocks before there is any load, and the folder, which a quick run must
    not share with a real one.
    """
    given = options.parse_args(argv)
    given.command_line = f"{options.prog} {said(sys.argv[1:] if argv is None else argv)}".strip()
    given.clocks = machine.clocks()
    if given.results is None:
        given.results = QUICK_RESULTS if given.quick else RESULTS
    return given


def said(words: Sequence[str]) -> str:
    """The options of a command line, without paths of this machine.

    >>> said(["--quick", "--torch", "/home/me/bin/python"])
    '--quick --torch PATH'
    """
    return shlex.join("PATH" if Path(word).is_absolute() else word for word in words)


def write(
    name: str,
    given: argparse.Namespace,
    settings: Mapping[str, Any],
    measured: Mapping[str, Any],
    *,
    on: str | None = None,
) -> Path:
    """Writes settings, machine, versions and measurements, and draws the picture.

    Args:
      name: of the module in this folder. Its function `draw(report, file)`, if any, makes the
        picture where matplotlib is installed.
      given: the result of `parse`.
      on: name of the machine in the file name. None is the present machine.
    """
    hardware = machine.hardware()
    report = {
        "benchmark": name,
        "command": given.command_line,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "hardware": hardware,
        "clocks": given.clocks,
        "versions": versions(),
        "settings": dict(settings),
        **measured,
    }
    given.results.mkdir(parents=True, exist_ok=True)
    file = given.results / f"{name}.{on or machine.name(hardware)}.json"
    save(report, file)
    return file


def save(report: Mapping[str, Any], file: Path) -> None:
    """Writes a report as JSON, tells where, and draws it."""
    text = json.dumps(finite(report), indent=1, ensure_ascii=False, allow_nan=False)
    file.write_text(text + "\n", encoding="utf-8")
    print(f"results: {file}")
    draw(file)


def finite(tree: Any) -> Any:
    """Nested dicts and lists with None for each number that JSON does not have.

    >>> finite({"losses": [0.5, float("nan"), float("inf")]})
    {'losses': [0.5, None, None]}
    """
    if isinstance(tree, Mapping):
        return {key: finite(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [finite(value) for value in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree


def versions() -> dict[str, str]:
    """Versions of Python and of the packages."""
    # An environment that compiles for graphics cards needs no Flax.
    packages = [name for name in ("jax", "jaxlib", "optax", "flax") if find_spec(name)]
    return {
        "python": platform.python_version(),
        "adamjax": adamjax.__version__,
        **{package: version(package) for package in packages},
    }


def read(file: Path) -> dict[str, Any]:
    """The report in a file of `write`."""
    return json.loads(file.read_text(encoding="utf-8"))


def draw(file: Path) -> None:
    """Makes the picture of a result anew, beside it, where matplotlib is installed."""
    report = read(file)
    if find_spec("matplotlib") is None:
        print("no picture: matplotlib is not installed")
        return
    module = import_module(f"benchmarks.{report['benchmark']}")
    if hasattr(module, "draw"):
        module.draw(report, file.with_suffix(".png"))


def find(name: str, folder: Path = RESULTS) -> dict[str, Path]:
    """The results of a benchmark by machine, the newest first."""
    files = {
        file.name[len(name) + 1 : -len(".json")]: file for file in folder.glob(f"{name}.*.json")
    }
    of_machine = {on: file for on, file in files.items() if "." not in on}
    return dict(sorted(of_machine.items(), key=lambda item: read(item[1])["date"], reverse=True))


def newest(name: str) -> dict[str, Any]:
    """The last result of a benchmark among those that are kept, whatever the machine.

    Raises:
      FileNotFoundError: if there is none yet.
    """
    for file in find(name).values():
        return read(file)
    raise FileNotFoundError(f"no result of {name}; run: python -m benchmarks.{name}")
