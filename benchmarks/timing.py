"""The time of an optimizer's step at 10^4 to 10^9 parameters, beside Optax in the same run.

A step is update and apply_updates of one float32 leaf, in one jit, with donated arrays. Each
subject has a process of its own. They take turns, in each round in another order, and what counts
is the ratio to optax.adamw in the same round. A turn takes as many steps as fill 20 ms. "x + 1"
shows how fast the device copies memory: a subject's share of that speed is reckoned from the least
bytes that its step must move; where a cache holds the copy's array and not the subject's, that says
little. Leaves below the library's `min_size` stay float32, as at 10^4.

On CPU, "one loop" is XLA_FLAGS=--xla_backend_extra_options=xla_cpu_use_multi_output_fusion=true,
and "512 bits" is --xla_cpu_prefer_vector_width=512.
"""

import argparse
import contextlib
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import record, workers
from benchmarks.workers import Round, Subject
from examples import console, pictures

BASELINE, COPY = "optax.adamw", "x + 1"
ONE_LOOP = "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion=true"
WIDE = "--xla_cpu_prefer_vector_width=512"
SHARE = 0.92  # of the memory that is free
# At the largest size: the most of Optax's time, the least of the speed of a copy.
TARGETS = {
    "cpu": {
        "adamw float32": {"ratio": 1.0},
        "adamw float32, one loop": {"ratio": 0.65},
        "adamw 8bit": {"ratio": 1.5},
    },
    "gpu": {"adamw 8bit": {"ratio": 0.62, "share_of_copy": 0.85}},
}


class Settings(NamedTuple):
    """Each size has so many seconds, the start of its processes included, and the least rounds."""

    sizes: tuple[int, ...] = tuple(10**n for n in range(4, 10))
    seconds: float = 100
    rounds: int = 7
    seed: int = 0


QUICK = Settings(sizes=(20_000,), seconds=0, rounds=2)


def subjects(platform: str, torch: str | None, flashoptim: str | None) -> list[Subject]:
    """Optax and the copy, and all that is compared with them."""
    stored = {"bfloat16": 12, "8bit_v16": 11, "8bit": 10}
    found = [
        Subject(BASELINE, "optax", 16),
        Subject(COPY, "copy", 4),
        Subject("adamw float32", "adamjax", 16),
    ]
    if platform == "cpu":
        found.append(Subject("adamw float32, one loop", "adamjax", 16, flags=(ONE_LOOP,)))
    found += [
        Subject(f"adamw {storage}", "adamjax", resident, {"storage": storage})
        for storage, resident in stored.items()
    ]
    if platform == "cpu":
        name, flags = "adamw 8bit, one loop, 512 bits", (ONE_LOOP, WIDE)
        found.append(Subject(name, "adamjax", 10, {"storage": "8bit"}, flags))
    if torch:
        on = {"device": "cuda" if platform == "gpu" else "cpu"}
        name = "torch AdamW(fused=True)"
        found.append(Subject(name, "torch", 16, on, python=torch, package="torch"))
    if flashoptim:
        theirs: Any = {"python": flashoptim, "package": "flashoptim-jax"}
        name = "flashoptim-jax"
        found += [
            Subject(name, "flashoptim", 13, **theirs),
            Subject(f"{name}, fused=False", "flashoptim", 23, {"fused": False}, **theirs),
        ]
    return found


def measure(
    size: int, compared: Sequence[Subject], settings: Settings, machine: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """What is known of each subject at a size, and which failed and why."""
    groups = workers.pack(size, compared, SHARE * machine["memory"])
    rounds: list[Round] = []
    about: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for group in groups:
        until = time.monotonic() + settings.seconds / len(groups)
        with contextlib.ExitStack() as stack:
            turns, told, wrong = workers.start(stack, group, size, machine)
            rounds += workers.take_turns(turns, until, settings.rounds, settings.seed)
            about, failed = about | told, failed | wrong
    return summary(size, rounds, about), failed


def quartiles(values: Sequence[float]) -> list[float]:
    """The median between its quartiles."""
    return [float(f"{value:.4g}") for value in np.quantile(values, (0.25, 0.5, 0.75))]


def summary(size: int, rounds: Sequence[Round], about: Mapping[str, Any]) -> dict[str, Any]:
    """Quartiles of each subject's times, and of its ratios to others in the same round."""
    rows = {}
    for name, facts in about.items():
        mine = [each for each in rounds if name in each]
        least = facts["least_bytes"]
        copied = least / about[COPY]["least_bytes"]
        rows[name] = {
            "rounds": len(mine),
            "milliseconds": quartiles([1e3 * each[name] for each in mine]),
            "ratio": quartiles([each[name] / each[BASELINE] for each in mine]),
            "gigabytes_per_second": quartiles([1e-9 * least * size / each[name] for each in mine]),
            "share_of_copy": quartiles([copied * each[COPY] / each[name] for each in mine]),
            **facts,
        }
    return rows


def reached(platform: str, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, bool]:
    """Which targets the medians meet."""
    found = {}
    for name, wanted in TARGETS.get(platform, {}).items():
        if name not in rows:
            continue
        _, ratio, _ = rows[name]["ratio"]
        _, share, _ = rows[name]["share_of_copy"]
        found[f"{name}: ratio <= {wanted['ratio']}"] = ratio <= wanted["ratio"]
        if "share_of_copy" in wanted:
            at_least = wanted["share_of_copy"]
            found[f"{name}: share of copy >= {at_least}"] = share >= at_least
    return found


def tell(size: int, rows: Mapping[str, Mapping[str, Any]]) -> None:
    table = []
    for name, row in rows.items():
        low, ratio, high = row["ratio"]
        speed, share = row["gigabytes_per_second"][1], row["share_of_copy"][1]
        spread = f"{low:.3f} to {high:.3f}"
        time_taken = f"{row['milliseconds'][1]:.4g}"
        table.append((name, time_taken, f"{ratio:.3f}", spread, f"{speed:.1f}", f"{share:.0%}"))
    console.table((f"{size:,}", "ms", "ratio", "quartiles", "GB/s", "of copy"), table)


def draw(file: Path, title: str, sizes: Mapping[str, Mapping[str, Any]]) -> None:
    """A line for each subject against size: the ratio to Optax, and the share of a copy's speed."""
    figure, panels = pictures.axes([["ratio", "share_of_copy"]], (14, 5.2), sharex=True)
    figure.suptitle(title)
    names = dict.fromkeys(name for rows in sizes.values() for name in rows)
    others = [name for name in names if name not in (BASELINE, COPY)]
    *colors, gray, black = pictures.COLORS
    for name in names:
        measured = {int(size): rows[name] for size, rows in sizes.items() if name in rows}
        style: dict[str, Any] = {"color": black if name == BASELINE else gray, "linestyle": ":"}
        if name in others:
            turn, place = divmod(others.index(name), len(colors))
            style = {"color": colors[place], "linestyle": ("-", "--")[turn]}
        for panel, axis in panels.items():
            if name == COPY and panel == "ratio":
                continue
            low, middle, high = np.transpose([row[panel] for row in measured.values()])
            axis.plot(list(measured), middle, marker="o", markersize=3, label=name, **style)
            axis.fill_between(list(measured), low, high, color=style["color"], alpha=0.15)
    panels["ratio"].set(ylabel=f"time / time of {BASELINE} in the same round", xscale="log")
    pictures.logarithmic(panels["ratio"].yaxis)
    panels["share_of_copy"].set(ylabel="speed on the least bytes / speed of a copy", ylim=(0, None))
    for panel in panels.values():
        panel.set(xlabel="parameters")
    panels["share_of_copy"].legend(
        frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5)
    )
    pictures.save(figure, file)


def interpreter(options: argparse.ArgumentParser, given: str | None, package: str) -> str | None:
    """The python that was given, or this one if it has the package."""
    if given is None:
        return sys.executable if find_spec(package) else None
    found = shutil.which(given)
    if found is None:
        options.error(f"{given} is no program")
    return str(Path(found).absolute())


def report(
    given: argparse.Namespace,
    settings: Settings,
    machine: Mapping[str, Any],
    sizes: Mapping[str, Mapping[str, Any]],
    left_out: Mapping[str, str],
) -> None:
    """Writes, draws and tells what was measured and what was not."""
    for name, reason in left_out.items():
        print(f"left out: {name}: {reason}")
    if not sizes:
        return
    largest = max(sizes, key=int)
    targets = reached(machine["platform"], sizes[largest])
    for target, met in targets.items():
        print(f"{target} at {int(largest):,}: {'reached' if met else 'NOT reached'}")
    described = {**settings._asdict(), "turn_seconds": workers.TURN, **machine}
    about = {"sizes": sizes, "targets_at_largest": targets, "left_out": left_out}
    record.write("timing", given, described, about)
    title = "One step of AdamW, float32 parameters; medians and quartiles of rounds"
    draw(given.results / "timing.png", title, sizes)


def chosen(options: argparse.ArgumentParser, given: argparse.Namespace) -> Settings:
    """The settings of a real or a quick run, with what the command line changes."""
    settings = QUICK if given.quick else Settings()
    if given.sizes:
        settings = settings._replace(sizes=tuple(int(size) for size in given.sizes))
    return settings._replace(**({} if given.seconds is None else {"seconds": given.seconds}))


def main(argv: Sequence[str] | None = None) -> None:
    options = record.parser("timing", __doc__)
    add = options.add_argument
    add("--torch", metavar="PYTHON", help="a python with PyTorch (this one, if it has it)")
    add("--flashoptim", metavar="PYTHON", help="a python with flashoptim-jax (likewise)")
    add("--sizes", nargs="+", type=float, metavar="N", help="parameters (1e4 to 1e9)")
    add("--seconds", type=float, help=f"for each size ({Settings().seconds:g})")
    given = record.parse(options, argv)
    settings = chosen(options, given)
    # Who else computes here slows long turns more than short ones.
    busy = os.getloadavg()[0]
    print(f"load before the run: {busy:.1f} of {os.cpu_count()} processors")
    machine: dict[str, Any] = {**workers.device(), "load_before": busy}
    left_out: dict[str, str] = {}
    pythons: dict[str, str | None] = {}
    for package, python in {"torch": given.torch, "flashoptim_jax": given.flashoptim}.items():
        pythons[package] = interpreter(options, python, package)
        if pythons[package] is None:
            left_out[package] = "no python with it was given"
        elif machine["platform"] == "tpu":
            pythons[package] = None
            left_out[package] = "a TPU serves one process alone"
    compared = subjects(machine["platform"], pythons["torch"], pythons["flashoptim_jax"])
    sizes: dict[str, Any] = {}
    try:
        for size in settings.sizes:
            rows, failed = measure(size, compared, settings, machine)
            # What cannot run at one size is not tried at the next.
            compared = [subject for subject in compared if subject.name not in failed]
            missing = [subject.name for subject in compared if subject.name not in rows]
            absent = missing if rows else ["all"]
            left_out |= failed | {f"{name} at {size:,}": "too little memory" for name in absent}
            if rows:
                sizes[str(size)] = rows
                tell(size, rows)
    finally:
        report(given, settings, machine, sizes, left_out)


if __name__ == "__main__":
    main()
