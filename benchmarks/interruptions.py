"""A training of several processes, killed again and again, against one that nobody disturbs.

    python -m benchmarks.interruptions --rounds 30

In each round the processes of `examples.distributed` go on from the last checkpoint, with another
number of processes than before. At a random moment one of them gets SIGKILL, and all of them end.
A training that comes to its end is compared with the undisturbed one, bit for bit, and the next one
begins. At last one that was killed half-way goes on on a mesh of another shape.
"""

import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import record
from examples.distributed import launch

DEVICES = 4
COUNTS = (2, 4, 1)  # processes that share them
OTHER_MESH = "data=2,model=2"
SIZES = (
    "--storage",
    "8bit",
    "--width",
    "160",
    "--depth",
    "1",
    "--batch-size",
    "4",
    "--length",
    "32",
)


def same(result: dict[str, Any], undisturbed: dict[str, Any]) -> bool:
    return all(result[part] == undisturbed[part] for part in ("losses", "weights"))


def steps_on(folder: Path) -> tuple[int, int]:
    """The last whole checkpoint (0: none), and how many half-written ones lie beside it."""
    names = [entry.name for entry in folder.iterdir()] if folder.exists() else []
    whole = [int(name) for name in names if name.isdigit()]
    return max(whole, default=0), sum("tmp" in name for name in names)


def killed(arguments: Sequence[str], processes: int, seconds: float) -> bool:
    """Whether a round was ended by the kill, and not by the end of the training."""
    with tempfile.TemporaryDirectory() as folder:
        group = launch.Processes(arguments, processes, DEVICES, Path(folder))
        try:
            ended = group.wait(seconds)
            if ended is False:
                raise SystemExit(f"a process ended by itself:\n{group.said()}")
            if ended is None:
                random.choice(group.running).kill()
                if group.wait(60) is not False:
                    raise SystemExit("a killed process was not noticed")
            return ended is None
        finally:
            group.kill()


def run(rounds: int, training: Sequence[str], scratch: Path) -> dict[str, Any]:
    """Outcome of the rounds."""
    start = time.monotonic()
    undisturbed = launch.train(training, 1, DEVICES)
    whole_run = time.monotonic() - start
    table: list[dict[str, Any]] = []
    folder = scratch / "0"
    for number in range(rounds):
        arguments = [*training, "--checkpoints", str(folder)]
        processes = COUNTS[number % len(COUNTS)]
        begun, _ = steps_on(folder)
        moment = random.uniform(0, 2 * whole_run)  # several processes take longer to start
        was_killed = killed(arguments, processes, moment)
        reached, half_written = steps_on(folder)
        if reached < begun:
            raise SystemExit(f"a checkpoint was lost: {begun}, then {reached}")
        row = {"processes": processes, "begun_at": begun, "reached": reached}
        row |= {"killed_after": round(moment, 2) if was_killed else None}
        table.append(row | {"half_written": half_written})
        if number == rounds - 1 or not was_killed:
            table[-1]["equal"] = same(launch.train(arguments, processes, DEVICES), undisturbed)
            folder = scratch / str(number + 1)
        print(f"round {number + 1}: {table[-1]}", flush=True)
    return {
        "seconds_undisturbed": round(whole_run, 1),
        "rounds": table,
        "other_mesh": moved(training, scratch / "moved", undisturbed),
    }


def moved(training: Sequence[str], folder: Path, undisturbed: dict[str, Any]) -> dict[str, Any]:
    """A training that is killed, and goes on with its weights divided as well."""
    arguments = [*training, "--checkpoints", str(folder)]
    with tempfile.TemporaryDirectory() as logs:
        group = launch.Processes(arguments, 2, DEVICES, Path(logs))
        while not steps_on(folder)[0] and group.wait(0.1) is None:
            pass
        group.kill()
    result = launch.train([*arguments, "--mesh", OTHER_MESH], 4, DEVICES)
    pairs = zip(result["losses"], undisturbed["losses"], strict=True)
    gap = max(abs(a - b) for a, b in pairs)
    return {"mesh": OTHER_MESH, "begun_at": result["begun_at"], "largest_gap_of_losses": gap}


def main(argv: Sequence[str] | None = None) -> None:
    parser = record.parser("interruptions", __doc__)
    parser.add_argument("--rounds", type=int, default=30, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (%(default)s)")
    given = record.parse(parser, argv)
    rounds, steps = (2, 40) if given.quick else (given.rounds, 400)
    random.seed(given.seed)
    training = ["--steps", str(steps), "--every", "5", "--devices", str(DEVICES), *SIZES]
    with tempfile.TemporaryDirectory() as scratch:
        found = run(rounds, training, Path(scratch))
    equal = [row["equal"] for row in found["rounds"] if "equal" in row]
    kills = sum(row["killed_after"] is not None for row in found["rounds"])
    found |= {"kills": kills, "compared": len(equal), "equal": sum(equal)}
    print(f"{kills} kills; {len(equal)} trainings compared, equal bit for bit: {sum(equal)}")
    record.write("interruptions", given, {"training": " ".join(training)}, found)


if __name__ == "__main__":
    main()
