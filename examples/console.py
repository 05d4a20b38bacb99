"""Options, progress bars and results of the examples."""

import argparse
import json
import platform
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import optax

import adamjax
from examples.data import UnavailableError

Advance = Callable[[str, str], None]


class OptionError(Exception):
    """An option has an invalid value."""


class Outcome(NamedTuple):
    """The result of a run. Higher is better.

    Attributes:
      measure: name of the measure.
      value: the result.
      target: minimum of the value, or None.
      data: the name of the data set.
      details: other numbers.
    """

    measure: str
    value: float
    target: float | None
    data: str
    details: Mapping[str, Any] = {}

    def __str__(self) -> str:
        line = f"{self.measure} {self.value:.4f}"
        if self.target is None:
            return line
        reached = "reached" if self.value >= self.target else "NOT reached"
        return f"{line}; target {self.target:.4g} {reached}"


def parser(
    name: str,
    purpose: str | None,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float | None = None,
    full: str = "",
) -> argparse.ArgumentParser:
    """Return the options of an example.

    Args:
      name: name of the module in this folder.
      purpose: its docstring.
      epochs: default number of epochs.
      batch_size: default batch size.
      learning_rate: default. None for an example that compares optimizers.
      full: name of the data set of `--data full`. None for no such option.
    """
    options = argparse.ArgumentParser(
        prog=f"python -m examples.{name}",
        description=purpose,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = options.add_argument
    if learning_rate is not None:
        add("--optimizer", default="adam", help="a name in `python -m adamjax list` (%(default)s)")
        add("--learning-rate", type=float, default=learning_rate, help="(%(default)s)")
    add("--epochs", type=_positive, default=epochs, help="(%(default)s)")
    add("--batch-size", type=_positive, default=batch_size, help="(%(default)s)")
    add("--seed", type=int, default=0, help="of weights and order of the examples (%(default)s)")
    if full:
        choice = f"bundled: offline; full: {full}, downloaded (%(default)s)"
        add("--data", choices=("bundled", "full"), default="bundled", help=choice)
    add("--runs", type=Path, default=Path("runs"), help="folder for pictures (%(default)s)")
    return options


def main(
    run: Callable[[argparse.Namespace], Outcome],
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None = None,
) -> None:
    """Run an example for one or several seeds and print the result."""
    add = parser.add_argument
    add("--seeds", type=_positive, default=1, help="how many runs, from --seed on (%(default)s)")
    add("--json", type=Path, metavar="FILE", help="write the results to this file")
    options = parser.parse_args(argv)
    with one_line_errors(parser):
        make_folders(options.runs, *([options.json.parent] if options.json else []))
    outcomes, seconds = [], []
    for seed in range(options.seed, options.seed + options.seeds):
        start = time.perf_counter()
        with one_line_errors(parser):
            outcomes.append(run(argparse.Namespace(**{**vars(options), "seed": seed})))
        seconds.append(time.perf_counter() - start)
        print(f"seed {seed}: {outcomes[-1]}; {seconds[-1]:.1f} s")
    values = [outcome.value for outcome in outcomes]
    if len(values) > 1:
        summary = f"mean {statistics.mean(values):.4f}, {min(values):.4f} to {max(values):.4f}"
        print(f"{len(values)} seeds: {outcomes[0].measure} {summary}")
    if options.json:
        arguments = sys.argv[1:] if argv is None else argv
        command = f"{parser.prog} {shlex.join(arguments)}"
        _write(options.json, command, outcomes, seconds)


def optimizer(options: argparse.Namespace, falling: int = 0) -> optax.GradientTransformation:
    """Return the optimizer of `--optimizer` and `--learning-rate`.

    The learning rate decays to 0 along a cosine over `falling` steps. By default it is constant.
    """
    try:
        constant = adamjax.create(options.optimizer, learning_rate=options.learning_rate)
        if not falling:
            return constant
        schedule = optax.cosine_decay_schedule(options.learning_rate, falling)
        return adamjax.create(options.optimizer, learning_rate=schedule)
    except ValueError as error:
        raise OptionError(str(error)) from error


@contextmanager
def one_line_errors(parser: argparse.ArgumentParser) -> Iterator[None]:
    """Ends the program with one line where an option does not fit or data is missing."""
    try:
        yield
    except (OptionError, UnavailableError, ImportError, OSError) as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        parser.exit(130, "interrupted\n")


def make_folders(*folders: Path) -> None:
    """Makes the folders of the results, before anything is trained for them."""
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def progress(totals: Mapping[str, int]) -> Iterator[Advance]:
    """Show a progress bar for each name, or lines of text without rich or a terminal.

    Yields `advance(name, text)`, which completes one step of `totals[name]`.
    """
    rich = _rich()
    if rich is None:
        yield _plain_progress(totals)
        return
    with rich.progress.Progress(
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(bar_width=24),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TextColumn("[dim]{task.fields[text]}"),
        rich.progress.TimeElapsedColumn(),
    ) as display:
        tasks = {
            name: display.add_task(name, total=total, text="") for name, total in totals.items()
        }
        yield lambda name, text: display.update(tasks[name], advance=1, text=text)


def _rich() -> ModuleType | None:
    """The package rich, if it is installed and there is a terminal to draw on."""
    if not sys.stdout.isatty():
        return None
    try:
        import rich.progress
        import rich.table
    except ImportError:
        return None
    return rich


def _plain_progress(totals: Mapping[str, int]) -> Advance:
    done = dict.fromkeys(totals, 0)
    lines = 5

    def advance(name: str, text: str) -> None:
        done[name] += 1
        total = totals[name]
        if done[name] * lines // total > (done[name] - 1) * lines // total:
            print(f"{name} {done[name]}/{total}: {text}", flush=True)

    return advance


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table, the first column to the left and the numbers to the right."""
    if rich := _rich():
        display = rich.table.Table()
        for column, heading in enumerate(headings):
            display.add_column(heading, justify="right" if column else "left")
        for row in rows:
            display.add_row(*row)
        rich.print(display)
        return
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        name, *numbers = (text.rjust(width) for text, width in zip(row, widths, strict=True))
        print("  ".join([name.strip().ljust(widths[0]), *numbers]))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; is {number}")
    return number


def _write(file: Path, command: str, outcomes: list[Outcome], seconds: list[float]) -> None:
    values = [outcome.value for outcome in outcomes]
    first = outcomes[0]
    report = {
        "command": command,
        "data": first.data,
        "measure": first.measure,
        "target": first.target,
        "mean": statistics.mean(values),
        "lowest": min(values),
        "highest": max(values),
        "values": values,
        **({"details": [dict(outcome.details) for outcome in outcomes]} if first.details else {}),
        "seconds": [round(each, 1) for each in seconds],
        "versions": {
            "python": platform.python_version(),
            "adamjax": adamjax.__version__,
            **{name: version(name) for name in ("jax", "flax", "optax")},
        },
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
