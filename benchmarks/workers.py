"""Optimizer steps in processes of their own, which are timed in turn.

Other packages live in environments of their own. The processes run `benchmarks.steps`.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
TURN = 0.02  # seconds

Turn = Callable[[int], float]  # from a number of steps to the mean seconds of one
Round = Mapping[str, float]  # seconds of a step, by subject


class WorkerError(Exception):
    """A process ended early. The message is its last output."""


class Subject(NamedTuple):
    """A timed step.

    Attributes:
      name: in results and pictures.
      kind: of `benchmarks.steps.KINDS`.
      resident: bytes for each parameter that it needs, temporaries included, rounded up.
      settings: arguments of its kind.
      python: that runs it.
      package: that it comes from, if it is not part of this environment.
    """

    name: str
    kind: str
    resident: float
    settings: Mapping[str, Any] = {}
    python: str = sys.executable
    package: str = ""

    def needs(self, size: int) -> float:
        """Bytes of memory, with those of the process itself and a reserve."""
        return 1.15 * self.resident * size + 2**28


class Worker:
    """A process that holds subjects, all of one python."""

    def __init__(
        self,
        stack: contextlib.ExitStack,
        subjects: Sequence[Subject],
        sizes: Sequence[int],
        **variables: str,
    ) -> None:
        """Starts it. The end of the stack ends it. `variables` are of its environment."""
        asked = [(subject.kind, dict(subject.settings), subject.package) for subject in subjects]
        first = subjects[0]
        # The stack closes it.
        errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._errors = stack.enter_context(errors)
        self._process = subprocess.Popen(
            [first.python, "-m", "benchmarks.steps", json.dumps([list(sizes), asked])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=ROOT,
            env=_environment(**variables),
            text=True,
        )
        stack.callback(self._end)

    def ready(self) -> list[dict[str, Any]]:
        """Waits for it, and returns the traffic and the version of each subject."""
        return self._answer()

    def seconds(self, index: int, steps: int) -> float:
        """The mean time of a step of one subject, over so many steps."""
        assert self._process.stdin
        print(json.dumps([index, steps]), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().strip().splitlines() or ["nothing said"]
        raise WorkerError(f"{said[-1]} (exit status {self._process.returncode})")

    def _end(self) -> None:
        # Its memory is to be free before others start.
        with self._process:
            assert self._process.stdin
            self._process.stdin.close()


def device() -> dict[str, Any]:
    """The platform that JAX chooses here, and the memory [bytes] that a process may take there."""
    # In a process of its own, since one that has seen a TPU keeps it.
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.steps"],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=_environment(XLA_PYTHON_CLIENT_PREALLOCATE="false", XLA_PYTHON_CLIENT_MEM_FRACTION="1"),
        text=True,
        check=True,
    )
    return json.loads(process.stdout)


def _environment(**variables: str) -> dict[str, str]:
    # Without the filter, the last line of an error is the error.
    return {**os.environ, "JAX_TRACEBACK_FILTERING": "off", **variables}


def pack(size: int, compared: Sequence[Subject], memory: float) -> list[list[Subject]]:
    """Groups of subjects that fit into memory together, each with Optax and the copy."""
    always, others = list(compared[:2]), compared[2:]
    room = memory - sum(subject.needs(size) for subject in always)
    groups: list[list[Subject]] = []
    free: list[float] = []
    for subject in others:
        needed = subject.needs(size)
        if needed > room:
            continue
        place = next((i for i, rest in enumerate(free) if needed <= rest), len(free))
        if place == len(free):
            groups.append([])
            free.append(room)
        groups[place].append(subject)
        free[place] -= needed
    return [always + group for group in groups]


def start(
    stack: contextlib.ExitStack,
    group: Sequence[Subject],
    sizes: Sequence[int],
    machine: Mapping[str, Any],
) -> tuple[dict[str, Turn], dict[str, Any], dict[str, str]]:
    """Starts the processes: their turns by name, their versions, and failures with reasons.

    `sizes` are the elements of each leaf.
    """

    def worker(held: Sequence[Subject]) -> Worker:
        # On GPU each process takes its memory at once: so much, and nothing on the way.
        share = {
            "XLA_PYTHON_CLIENT_MEM_FRACTION": f"{held[0].needs(sum(sizes)) / machine['memory']:.4f}"
        }
        return Worker(stack, held, sizes, **(share if machine["platform"] == "gpu" else {}))

    # A TPU serves one process alone.
    parts = [group] if machine["platform"] == "tpu" else [[subject] for subject in group]
    turns: dict[str, Turn] = {}
    about: dict[str, Any] = {}
    failed = {}
    for process, part in [(worker(part), part) for part in parts]:
        try:
            told = process.ready()
        except WorkerError as error:
            if not all(subject.package for subject in part):
                raise
            failed |= {subject.name: str(error) for subject in part}
            continue
        for index, (subject, facts) in enumerate(zip(part, told, strict=True)):
            about[subject.name] = facts
            turns[subject.name] = partial(process.seconds, index)
    return turns, about, failed


def enough(turn: Turn) -> int:
    """The steps that fill a turn."""
    steps = 1
    while steps * turn(steps) < TURN:
        steps *= 2
    return steps


def take_turns(turns: Mapping[str, Turn], until: float, least: int, seed: int) -> list[Round]:
    """Rounds in which each subject has one turn, in an order that changes: seconds of a step."""
    steps = {name: enough(turn) for name, turn in turns.items()}
    shuffle = random.Random(seed)
    rounds: list[Round] = []
    while len(rounds) < least or time.monotonic() < until:
        order = shuffle.sample(list(turns), len(turns))
        rounds.append({name: turns[name](steps[name]) for name in order})
    return rounds


PACKAGES = {"torch": "torch", "flashoptim": "flashoptim_jax"}
"""Packages that may have an environment of their own, by the option for its Python."""


def other_pythons(
    given: argparse.Namespace, platform: str
) -> tuple[dict[str, str | None], dict[str, str]]:
    """The pythons that have other packages, by option, and which packages are left out and why.

    Raises:
      ValueError: for an option that names no program.
    """
    pythons: dict[str, str | None] = {}
    left_out = {}
    for option, package in PACKAGES.items():
        wanted = getattr(given, option)
        if wanted is None and find_spec(package):
            wanted = sys.executable
        pythons[option] = None
        if wanted is None:
            left_out[package] = "no python with it was given"
        elif platform == "tpu":
            left_out[package] = "a TPU serves one process alone"
        elif found := shutil.which(wanted):
            pythons[option] = str(Path(found).absolute())
        else:
            raise ValueError(f"--{option}: {wanted} is no program")
    return pythons, left_out


def add_pythons(options: argparse.ArgumentParser) -> None:
    """The options that `other_pythons` reads."""
    for option, package in PACKAGES.items():
        name = package.replace("_", "-")
        options.add_argument(
            f"--{option}", metavar="PYTHON", help=f"a python with {name} (this one, if it has it)"
        )
