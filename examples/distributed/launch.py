"""Start and monitor the processes, and print their results."""

import argparse
import json
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adamjax.cli.scaling import parse_mesh
from examples import console


class Processes:
    """Processes that train together: they end together.

    Args:
      arguments: of `python -m examples.distributed`, but for the number of processes.
      count: how many.
      devices: of all together.
      folder: for their output.
    """

    def __init__(self, arguments: Sequence[str], count: int, devices: int, folder: Path):
        self.logs = [folder / f"process{i}.log" for i in range(count)]
        command = [sys.executable, "-m", "examples.distributed", *arguments]
        # After the others: of an option that is given twice, the last counts.
        command += ["--processes", str(count), "--port", str(free_port())]
        # Each process has as many threads as one alone, so that all split products of matrices
        # alike. Each waiting device holds a thread, so there are more threads than devices.
        environment = {**os.environ, "JAX_PLATFORMS": "cpu", "NPROC": str(2 * devices)}
        self.running = []
        for i, log in enumerate(self.logs):
            with log.open("w") as output:
                self.running.append(
                    subprocess.Popen(
                        [*command, "--process", str(i)],
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        env=environment,
                    )
                )

    def wait(self, seconds: float = math.inf) -> bool | None:
        """Return whether all succeeded, or None while they run. End all after a failure."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            codes = [process.poll() for process in self.running]
            if any(codes):
                self.kill()
                return False
            if all(code == 0 for code in codes):
                return True
            time.sleep(0.05)
        return None

    def kill(self) -> None:
        """Ends all that run, at once."""
        for process in self.running:
            process.kill()
        for process in self.running:
            process.wait()

    def said(self) -> str:
        """The last words of a process that failed, or all that the first one said."""
        texts = [log.read_text(errors="replace").strip() for log in self.logs]
        failed = [t for t, p in zip(texts, self.running, strict=True) if (p.returncode or 0) > 0]
        lines = (failed or texts)[0].splitlines()
        return "\n".join(x for x in lines[-20 if failed else 0 :] if not x.startswith("[Gloo]"))


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as connection:
        connection.bind(("127.0.0.1", 0))
        return connection.getsockname()[1]


def train(arguments: Sequence[str], processes: int, devices: int) -> dict[str, Any]:
    """Return the result of a training with these arguments, and print its table if requested."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        group = Processes([*arguments, "--result", str(result)], processes, devices, Path(folder))
        try:
            if not group.wait():
                raise console.OptionError(f"a process ended with an error:\n{group.said()}")
        finally:
            group.kill()
        return json.loads(result.read_text()) | {"said": group.said()}


def parse(argv: Sequence[str] | None, purpose: str | None) -> argparse.Namespace:
    """The options, those of the workers included."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.distributed",
        description=purpose,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--processes", type=int, default=2, help="how many (%(default)s)")
    add("--devices", type=int, default=4, help="of all processes together (%(default)s)")
    add("--mesh", default="", help="such as data=2,model=2 (all devices as data)")
    add("--no-zero", dest="zero", action="store_false", help="leave the state whole")
    fast = "let the network add gradients in any order: faster, and the last bits vary"
    add("--any-order", action="store_true", help=fast)
    add("--optimizer", default="adamw", help="a name in `python -m adamjax list` (%(default)s)")
    add("--storage", default="float32", help="of the optimizer's moments (%(default)s)")
    sizes = {"steps": 30, "width": 64, "depth": 2, "heads": 4, "length": 64, "batch-size": 16}
    for name, default in sizes.items():
        add(f"--{name}", type=int, default=default, help="(%(default)s)")
    add("--learning-rate", type=float, default=3e-3, help="(%(default)s)")
    add("--seed", type=int, default=0, help="of weights and batches (%(default)s)")
    add("--checkpoints", type=Path, help="folder: save there, and go on from the last one")
    add("--every", type=int, default=10, help="steps between two checkpoints (%(default)s)")
    add("--no-comparison", dest="compare", action="store_false", help="do not train a second time")
    for hidden in ("--process", "--port"):
        add(hidden, type=int, help=argparse.SUPPRESS)
    add("--result", type=Path, help=argparse.SUPPRESS)
    add("--table", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    for name in (*sizes, "processes", "devices", "every"):
        if vars(options)[name.replace("-", "_")] < 1:
            parser.error(f"--{name}: must be at least 1")
    if options.devices % options.processes:
        parser.error(f"--devices: {options.devices} cannot be shared by {options.processes}")
    options.mesh = read_mesh(options.mesh, options.devices, parser)
    if options.batch_size % options.mesh.get("data", 1):
        parser.error(f"--batch-size: {options.batch_size} is not divided by {options.mesh}")
    if options.checkpoints and options.checkpoints.exists() and not options.checkpoints.is_dir():
        parser.error(f"--checkpoints: {options.checkpoints} is not a folder")
    if options.seed < 0 or not 0 < options.learning_rate < math.inf:
        parser.error("--seed must be at least 0, and --learning-rate above 0")
    if options.width % options.heads:
        parser.error(f"--width: {options.width} is not a multiple of {options.heads} heads")
    return options


def read_mesh(text: str, devices: int, parser: argparse.ArgumentParser) -> dict[str, int]:
    """The axes of a mesh and their sizes."""
    try:
        mesh = parse_mesh(text or f"data={devices}")
    except ValueError:
        parser.error(f"--mesh: {text!r} is not of the form data=2,model=2")
    if math.prod(mesh.values()) != devices or "data" not in mesh or {*mesh} - {"data", "model"}:
        parser.error(f"--mesh: {text!r} must divide {devices} devices by data, and model if any")
    return mesh


def tell(several: dict[str, Any], one: dict[str, Any] | None, options: argparse.Namespace) -> None:
    """Losses side by side, and whether they are the same."""
    steps = sorted({*range(0, options.steps, max(1, options.steps // 6)), options.steps - 1})
    headings = ["step", f"{options.processes} processes"] + (["1 process"] if one else [])
    columns = [several["losses"]] + ([one["losses"]] if one else [])
    console.table(headings, [[f"{s + 1}", *(f"{c[s]:.6f}" for c in columns)] for s in steps])
    if one:
        same = several["losses"] == one["losses"], several["weights"] == one["weights"]
        gap = max(abs(a - b) for a, b in zip(*columns, strict=True))
        words = ["losses", "weights"]
        equal = [
            f"{word} {'the same, bit for bit' if equal else 'NOT the same bits'}"
            for word, equal in zip(words, same, strict=True)
        ]
        print(f"{several['parameters']:,} parameters: {', '.join(equal)}; largest gap {gap:.2g}")


def end_at_once(*error: Any) -> None:
    """Exit on an error, without waiting for the other processes."""
    traceback.print_exception(*error)
    sys.stderr.flush()
    os._exit(1)


def main(argv: Sequence[str] | None = None, purpose: str | None = None) -> int:
    """One process of many if it is told so, else the one that starts them."""
    argv = sys.argv[1:] if argv is None else argv
    options = parse(argv, purpose)
    if options.process is not None:
        from examples.distributed import worker

        sys.excepthook = end_at_once
        worker.work(options)
        return 0
    try:
        several = train([*argv, "--table"], options.processes, options.devices)
        print(several["said"])
        one = (
            train(argv, 1, options.devices) if options.compare and not options.checkpoints else None
        )
    except console.OptionError as error:
        print(f"examples.distributed: {error}", file=sys.stderr)
        return 1
    tell(several, one, options)
    return 0
