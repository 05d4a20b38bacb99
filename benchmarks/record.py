"""What the benchmarks share: their options, and results as JSON that says where they come from.

A result is `<benchmark>.<machine>.json`, with a picture of the same name beside it that is drawn
from nothing else.
"""

import argparse
import json
import platform
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


def parser(name: str, purpose: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    options = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}" if name else "python -m benchmarks",
        description=purpose,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    quick = "everything once and tiny, to see that it runs; its figures mean nothing"
    options.add_argument("--quick", action="store_true", help=quick)
    where = f"folder for JSON and picture (benchmarks/results; with --quick {QUICK_RESULTS})"
    options.add_argument("--results", type=Path, metavar="FOLDER", help=where)
    return options


def parse(
    options: argparse.ArgumentParser, argv: Sequence[str] | None = None
) -> argparse.Namespace:
    """The options as given, with the folder that a quick run must not share with a real one."""
    given = options.parse_args(argv)
    if given.results is None:
        given.results = QUICK_RESULTS if given.quick else RESULTS
    return given


def write(
    name: str,
    given: argparse.Namespace,
    settings: Mapping[str, Any],
    measured: Mapping[str, Any],
    *,
    on: str | None = None,
    command: str | None = None,
) -> Path:
    """Writes what was run, where and with what, and what was measured, and draws it.

    Args:
      name: of the module in this folder; its function `draw(report, file)` makes the picture, if
        it has one and matplotlib is there.
      given: the options.
      command: that does the same again, without `--quick`; None is the module's own.
      on: what stands for the machine in the file's name; None is the machine that runs this.
    """
    hardware = machine.hardware()
    command = command or f"python -m benchmarks.{name.replace('.', ' ')}"
    report = {
        "benchmark": name,
        "command": command + " --quick" * given.quick,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "hardware": hardware,
        "clocks": machine.clocks(),
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
    file.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"results: {file}")
    draw(file)


def versions() -> dict[str, str]:
    """What was run."""
    # An environment that compiles for graphics cards needs no Flax.
    packages = [name for name in ("jax", "jaxlib", "optax", "flax") if find_spec(name)]
    return {
        "python": platform.python_version(),
        "adamjax": adamjax.__version__,
        **{package: version(package) for package in packages},
    }


def read(file: Path) -> dict[str, Any]:
    """What `write` wrote."""
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
