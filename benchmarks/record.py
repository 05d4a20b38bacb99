"""What the benchmarks share: their options, and results as JSON that says where they come from."""

import argparse
import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

import adamjax

RESULTS = Path(__file__).parent / "results"
QUICK_RESULTS = Path("runs/benchmarks")


def parser(name: str, purpose: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    options = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
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


def hardware() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "devices": [device.device_kind for device in jax.devices()],
    }


def _processor() -> str:
    # Python leaves the name out on most Linux systems.
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def write(
    name: str, given: argparse.Namespace, settings: Mapping[str, Any], measured: Mapping[str, Any]
) -> None:
    """Writes `<name>.json`: what was run, where and with what, and what was measured."""
    report = {
        "command": f"python -m benchmarks.{name}{' --quick' if given.quick else ''}",
        "hardware": hardware(),
        "versions": {
            "python": platform.python_version(),
            "adamjax": adamjax.__version__,
            **{package: version(package) for package in ("jax", "jaxlib", "optax", "flax")},
        },
        "settings": dict(settings),
        **measured,
    }
    given.results.mkdir(parents=True, exist_ok=True)
    file = given.results / f"{name}.json"
    file.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"results: {file}")
