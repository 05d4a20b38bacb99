"""Time the step of optimizers at 10^4 to 10^9 parameters, beside Optax in the same run.

A step is `update` and `apply_updates` of float32 parameters in one jit with donated arrays. The
parameters are one large leaf or many small ones. Each optimizer runs in its own process. In each
round, all of them take a turn of 20 ms in random order. The result is the ratio to `optax.adamw` in
the same round.

"x + 1" measures the speed of a memory copy. The share of that speed follows from the minimum bytes
of a step. It means little if the array of the copy fits into a cache and the step does not. Leaves
below the library's `min_size` stay float32, as they do at 10^4 parameters.
"""

import argparse
import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks import record, workers
from benchmarks.timing_picture import BASELINE, COPY, draw as draw
from benchmarks.workers import Round, Subject
from examples import console

SHARE = 0.92  # of the free memory
LEAST_CUT = 1000  # elements per leaf in trees of several leaves
MULTIPLE = 128  # of elements in a leaf
# At the largest size: the largest ratio to Optax's time, the lowest share of the copy's speed.
TARGETS = {
    "cpu": {
        "adamw float32": {"ratio": 1.0},
        "adamw 8bit": {"ratio": 1.5},
    },
    "gpu": {"adamw 8bit": {"ratio": 0.62, "share_of_copy": 0.85}},
}


class Settings(NamedTuple):
    """Settings of a run.

    Each size takes at least `seconds`, with the start of its processes, and at least `rounds`.
    `layouts` has the numbers of leaves into which the parameters are divided.
    """

    sizes: tuple[int, ...] = tuple(10**n for n in range(4, 10))
    layouts: tuple[int, ...] = (1, 300)
    seconds: float = 60
    rounds: int = 7
    seed: int = 0


QUICK = Settings(sizes=(20_000,), layouts=(1, 3), seconds=0, rounds=2)


def subjects(platform: str, torch: str | None, flashoptim: str | None) -> list[Subject]:
    """Return Optax, the copy, and the optimizers to compare with them."""
    stored = {"bfloat16": 12, "8bit_v16": 11, "8bit": 10}
    found = [
        Subject(BASELINE, "optax", 16),
        Subject(COPY, "copy", 4),
        Subject("adamw float32", "adamjax", 16),
    ]
    found += [
        Subject(f"adamw {storage}", "adamjax", resident, {"storage": storage})
        for storage, resident in stored.items()
    ]
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


def cut(size: int, leaves: int) -> list[int]:
    """Return the sizes of a number of leaves, as equal as possible in multiples of 128.

    The leaves of models have such sizes. XLA's CPU backend does not vectorize loops over odd ones.

    >>> cut(1000, 3), cut(10, 3)
    ([384, 384, 232], [4, 3, 3])
    """
    unit = MULTIPLE if size >= MULTIPLE * leaves else 1
    each, rest = divmod(-(-size // unit), leaves)
    sizes = [unit * (each + (i < rest)) for i in range(leaves)]
    return [*sizes[:-1], size - sum(sizes[:-1])]


def measure(
    sizes: Sequence[int],
    compared: Sequence[Subject],
    settings: Settings,
    machine: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the results of each subject for leaves of these sizes, and the errors by name."""
    size = sum(sizes)
    groups = workers.pack(size, compared, SHARE * machine["memory"])
    rounds: list[Round] = []
    about: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for group in groups:
        until = time.monotonic() + settings.seconds / len(groups)
        with contextlib.ExitStack() as stack:
            turns, told, wrong = workers.start(stack, group, sizes, machine)
            rounds += workers.take_turns(turns, until, settings.rounds, settings.seed)
            about, failed = about | told, failed | wrong
    return summary(size, rounds, about), failed


def quartiles(values: Sequence[float]) -> list[float]:
    """Return the quartiles, with the median in the middle."""
    return [float(f"{value:.4g}") for value in np.quantile(values, (0.25, 0.5, 0.75))]


def summary(size: int, rounds: Sequence[Round], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return quartiles of each subject's times, and of its ratios in the same round."""
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
    """Return whether the medians meet each target."""
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


def tell(label: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
    table = []
    for name, row in rows.items():
        low, ratio, high = row["ratio"]
        speed, share = row["gigabytes_per_second"][1], row["share_of_copy"][1]
        spread = f"{low:.3f} to {high:.3f}"
        time_taken = f"{row['milliseconds'][1]:.4g}"
        table.append((name, time_taken, f"{ratio:.3f}", spread, f"{speed:.1f}", f"{share:.0%}"))
    console.table((label, "ms", "ratio", "quartiles", "GB/s", "of copy"), table)


def report(
    given: argparse.Namespace,
    settings: Settings,
    machine: Mapping[str, Any],
    layouts: Mapping[str, Mapping[str, Mapping[str, Any]]],
    left_out: Mapping[str, str],
) -> None:
    """Write, draw and print the results, and print the subjects that were left out."""
    for name, reason in left_out.items():
        print(f"left out: {name}: {reason}")
    sizes = layouts.get("1")
    if not sizes:
        return
    largest = max(sizes, key=int)
    targets = reached(machine["platform"], sizes[largest])
    for target, met in targets.items():
        print(f"{target} at {int(largest):,}: {'reached' if met else 'NOT reached'}")
    described = {**settings._asdict(), "turn_seconds": workers.TURN, **machine}
    about = {"layouts": layouts, "targets_at_largest": targets, "left_out": left_out}
    record.write("timing", given, described, about)


def remaining(
    compared: Sequence[Subject], rows: Mapping[str, Any], failed: Mapping[str, str]
) -> tuple[list[Subject], dict[str, str]]:
    """Return the subjects to try at the next size, and those without memory at this one."""
    rest = [subject for subject in compared if subject.name not in failed]
    missing = [subject.name for subject in rest if subject.name not in rows]
    return rest, dict.fromkeys(missing if rows else ["all"], "too little memory")


def of_layout(
    leaves: int,
    sizes: Sequence[int],
    compared: Sequence[Subject],
    settings: Settings,
    machine: Mapping[str, Any],
    left_out: dict[str, str],
) -> dict[str, Any]:
    """Return the results of `measure` by size, and add failures with reasons to `left_out`."""
    found = {}
    for size in sizes:
        rows, failed = measure(cut(size, leaves), compared, settings, machine)
        compared, missing = remaining(compared, rows, failed)
        left_out |= failed | {f"{name} at {size:,}": why for name, why in missing.items()}
        if rows:
            found[str(size)] = rows
            tell(f"{size:,} in {leaves}" if leaves > 1 else f"{size:,}", rows)
    return found


def chosen(options: argparse.ArgumentParser, given: argparse.Namespace) -> Settings:
    """Return the settings of a full or a quick run, with the changes of the command line."""
    settings = QUICK if given.quick else Settings()
    if given.sizes:
        settings = settings._replace(sizes=tuple(int(size) for size in given.sizes))
    if given.leaves:
        settings = settings._replace(layouts=tuple(given.leaves))
    return settings._replace(**({} if given.seconds is None else {"seconds": given.seconds}))


def main(argv: Sequence[str] | None = None) -> None:
    options = record.parser("timing", __doc__)
    workers.add_pythons(options)
    add = options.add_argument
    add("--sizes", nargs="+", type=float, metavar="N", help="parameters (1e4 to 1e9)")
    add("--leaves", nargs="+", type=int, metavar="N", help="into which they are cut (1 300)")
    add("--seconds", type=float, help=f"for each size ({Settings().seconds:g})")
    given = record.parse(options, argv)
    settings = chosen(options, given)
    # Other programs on this machine slow long turns more than short ones.
    print(f"load before the run: {given.clocks['load_1_minute']} of {os.cpu_count()} processors")
    machine: dict[str, Any] = workers.device()
    try:
        pythons, left_out = workers.other_pythons(given, machine["platform"])
    except ValueError as error:
        options.error(str(error))
    compared = subjects(machine["platform"], **pythons)
    layouts: dict[str, Any] = {}
    try:
        for leaves in settings.layouts:
            sizes = [size for size in settings.sizes if leaves == 1 or size >= LEAST_CUT * leaves]
            layouts[str(leaves)] = of_layout(leaves, sizes, compared, settings, machine, left_out)
    finally:
        report(given, settings, machine, layouts, left_out)


if __name__ == "__main__":
    main()
