"""Measure the performance claims of adamjax on this machine, with Optax beside it.

python -m benchmarks                     the full report
python -m benchmarks --quick             a small report, in less than three minutes
python -m benchmarks compare OLD NEW     compare two reports of one machine with the same settings
python -m benchmarks pictures            draw all committed results again
"""

import argparse
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import comparison, record, report, workers
from benchmarks.sections import SECTIONS


def main(argv: Sequence[str] | None = None) -> None:
    options = record.parser("", __doc__, quick="a small report, in less than three minutes")
    options.add_argument(
        "--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS), metavar="NAME",
        help=f"only these of {', '.join(SECTIONS)}",
    )  # fmt: skip
    to_stdout = "print the report as JSON and all else to the standard error stream"
    options.add_argument("--json", action="store_true", help=to_stdout)
    workers.add_pythons(options)
    commands = options.add_subparsers(dest="command", metavar="COMMAND")
    compared = commands.add_parser("compare", help="compare two reports")
    compared.add_argument("old", type=Path)
    compared.add_argument("new", type=Path)
    commands.add_parser("pictures", help="draw the results of all benchmarks again")
    given: argparse.Namespace = record.parse(options, argv)
    try:
        if given.command == "compare":
            comparison.compare(record.read(given.old), record.read(given.new))
        elif given.command == "pictures":
            draw_all(given.results)
        else:
            write_report(given)
    except (comparison.UnlikeError, OSError, ValueError) as error:
        options.error(str(error))


def write_report(given: argparse.Namespace) -> None:
    """Runs it. With `--json`, prints the report alone. Exits with 1 if a section failed."""
    with contextlib.redirect_stdout(sys.stderr if given.json else sys.stdout):
        file = report.run(given, given.sections)
    if given.json:
        print(file.read_text(encoding="utf-8"), end="")
    if any("error" in section for section in record.read(file)["sections"].values()):
        raise SystemExit(1)


def draw_all(folder: Path) -> None:
    """Makes the picture of each result in a folder."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise FileNotFoundError(f"there are no results in {folder}")
    for file in files:
        record.draw(file)


if __name__ == "__main__":
    main()
