"""Memory over time of a training step, ordinary and with `adamjax.release`, compiled for a TPU.

    python -m benchmarks.timeline --backend tpu

The model is that of `benchmarks.release` with a larger batch, so that the inputs of the layers do
not fit into on-chip memory. The compiler writes its schedule and the buffers of each instruction.
The timeline is the memory of the buffers that are in use, with the loops over layers unrolled.
"""

import argparse
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

import adamjax
from benchmarks import compiled, memory, record, release, targets
from examples import pictures

BATCH = 16
_SEQUENCE = re.compile(r"^ +(\d+):(\S+)$", re.M)
_RANGE = re.compile(r"^ +(\S+)\{([\d,]*)\}:(\d+)-(\d+)$", re.M)
_ALLOCATION = re.compile(r"^allocation \d+: size (\d+), (.*)\n((?: value: .*\n)*)", re.M)
_VALUE = re.compile(
    r"<\d+ ([^ {]+)(?:\{([\d,]*)\})?(?: \(phi\))? @\d+> \(size=(\d+),offset=(\d+)\)"
)
_LOOP = re.compile(r"^ +%(\S+) = .* while\(.*condition=%([\w.\-]+), body=%([\w.\-]+)", re.M)
_COMPUTATION = r"^%{} \(.*\n((?:  .*\n)*)"


def timeline(dump: Path, depth: int) -> dict[str, Any]:
    """Return bytes by instruction, and the spans of the loops, from the dump of a compilation."""
    schedule, buffers, program = (
        next(dump.glob(f"*.jit_*after_optimizations{part}.txt")).read_text(encoding="utf-8")
        for part in ("-live-range", "-buffer-assignment", "_after_buffer_assignment")
    )
    sizes = in_use(schedule, buffers)
    place = {name: int(index) for index, name in _SEQUENCE.findall(schedule)}
    steps, spans, end = [], [], 0
    for loop, *parts in sorted(_LOOP.findall(program), key=lambda found: place[found[0]]):
        inside = [
            place[name]
            for part in parts
            for name in re.findall(r"^  (?:ROOT )?%(\S+) =", body(program, part), re.M)
            if name in place
        ]
        if not inside:
            continue
        first, last = min(inside), place[loop]
        steps += sizes[end:first]
        spans.append([len(steps), len(steps) + depth * (last - first)])
        steps += sizes[first:last] * depth
        end = last
    return {"bytes": steps + sizes[end:], "loops": spans}


def body(program: str, computation: str) -> str:
    """Return the instructions of a computation."""
    found = re.search(_COMPUTATION.format(re.escape(computation)), program, re.M)
    return found[1] if found else ""


def in_use(schedule: str, buffers: str) -> list[int]:
    """Return the bytes of main memory in use at each instruction of a schedule."""
    lives = {(name, index): (int(a), int(b)) for name, index, a, b in _RANGE.findall(schedule)}
    length = 1 + max(int(index) for index, _ in _SEQUENCE.findall(schedule))
    arguments, temporary = 0, [set[tuple[int, int]]() for _ in range(length)]
    for size, kind, values in _ALLOCATION.findall(buffers):
        if "parameter" in kind:
            arguments += int(size)
        if "preallocated-temp" not in kind or "color" in kind:  # a color is another memory
            continue
        for name, index, bytes_, offset in _VALUE.findall(values):
            first, last = lives[name, index]
            for step in range(first, last + 1):
                temporary[step].add((int(offset), int(offset) + int(bytes_)))
    return [arguments + covered(pieces) for pieces in temporary]


def covered(pieces: set[tuple[int, int]]) -> int:
    """Return the length of a union of intervals.

    >>> covered({(0, 4), (2, 6), (8, 9)})
    7
    """
    total = reached = 0
    for start, end in sorted(pieces):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def measure(backend: str, released: bool, depth: int) -> dict[str, Any]:
    """Return the timeline of one compiled step, in bytes per parameter where it changes."""
    tx = adamjax.adamw(1e-3, weight_decay=0.1)
    params = release.parameters(jnp.float32, depth)
    step = adamjax.release(release.STAGES, tx).step if released else release.ordinary(tx)
    state = jax.eval_shape(tx.init, params)
    text = jax.ShapeDtypeStruct((BATCH, release.LENGTH + 1), jnp.int32)
    with tempfile.TemporaryDirectory() as dump:
        device = memory.DEVICES[backend]
        options = {"xla_dump_to": dump, "xla_dump_hlo_as_text": True}
        program = targets.compile_for(
            backend, device, step, params, state, text, donate=(0, 1), options=options
        )
        found = timeline(Path(dump), depth)
    peak = memory.peak(program, params, state)
    size = peak["parameters"]
    values = [round(count / size, 3) for count in found["bytes"]]
    changes = [0, *(i for i in range(1, len(values)) if values[i] != values[i - 1])]
    return {
        "device": device,
        "step": "released" if released else "ordinary",
        "instructions": len(values),
        "loops": found["loops"],
        "kept": (peak["parameter_bytes"] + peak["state_bytes"]) / size,
        "changes": [[i, values[i]] for i in changes],
    }


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Bytes per parameter over both steps."""
    rows = report["rows"]
    figure, panels = pictures.axes([[row["step"] for row in rows]], (9, 3.6), sharey=True)
    for color, row in zip(pictures.COLORS, rows, strict=False):
        axes, (at, sizes) = panels[row["step"]], zip(*row["changes"], strict=True)
        at, sizes = [*at, row["instructions"]], [*sizes, sizes[-1]]
        axes.fill_between(at, sizes, step="post", color=color, alpha=0.3, linewidth=0)
        axes.step(at, sizes, where="post", color=color)
        axes.axhline(row["kept"], color="#7F7F7F", linestyle="--", linewidth=1)
        for name, (start, end) in zip(("forward", "backward"), row["loops"], strict=True):
            axes.axvspan(start, end, color="#000000", alpha=0.05, linewidth=0)
            axes.annotate(name, ((start + end) / 2, 0.4), ha="center", fontsize=9)
        axes.annotate(f"{max(sizes):.1f}", (at[sizes.index(max(sizes))], max(sizes)), (0, 4),
                      textcoords="offset points", fontsize=9)  # fmt: skip
        axes.set_title(f"{row['step']} step", loc="left", fontweight="bold")
        axes.set_xlabel("instructions of the program")
        axes.set(xlim=(0, row["instructions"]), ylim=0)
    first = panels[rows[0]["step"]]
    first.set_ylabel("bytes per parameter")
    first.annotate("weights and state", (0, rows[0]["kept"]), (6, -12), fontsize=9,
                   textcoords="offset points", color="#555555")  # fmt: skip
    first.margins(y=0.1)
    pictures.save(figure, file)


def main(argv: Sequence[str] | None = None) -> None:
    given: argparse.Namespace = record.parse(compiled.options("timeline", __doc__), argv)
    targets.restart_for(given.backend)
    depth = 2 if given.quick else release.DEPTH
    rows = [measure(given.backend, released, depth) for released in (False, True)]
    for row in rows:
        print(f"{row['step']:9} {max(v for _, v in row['changes']):6.2f} bytes at the peak")
    about = {"layers": depth, "batch": BATCH, "length": release.LENGTH}
    compiled.write("timeline", given, rows=rows, settings=about)


if __name__ == "__main__":
    main()
