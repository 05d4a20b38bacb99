"""The command line: `python -m adamjax list | show | cite | memory | compare`."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import adamjax
from adamjax.checks import lookup_or_suggest
from adamjax.cli import commands, on_mesh
from adamjax.cli.choices import parse_optimizer
from adamjax.cli.compare import check_picture
from adamjax.cli.machines import MACHINES, get_machine
from adamjax.cli.memory import parse_count, parse_shape
from adamjax.cli.scaling import TENSOR, Plan, make_plan, parse_mesh
from adamjax.problems import PROBLEMS, get_problem
from adamjax.registry import Variant, get_variant, list_variants
from adamjax.storage.formats import FORMATS
from adamjax.storage.store import MIN_SIZE

CHOICE = """\
A variant may be followed by arguments: adam:b2=0.99,style=keras,mu_dtype=bfloat16
"""
STORAGE = f"""\
{CHOICE}
A second table has the state in each storage format ({", ".join(FORMATS)}) for every
variant that names none (all about one: adamw:storage=8bit). In each of them arrays of fewer than
{MIN_SIZE:,} elements stay float32.

With --mesh it says instead what each device keeps, moves and sends, on paper; docs/scaling.md has
the formulas. Neighbours on the last axis are neighbours in the machine.
"""
COMMANDS = {
    "list": "list the variants: year, slots of state, styles, what each changes",
    "show": "show all about one variant: paper, formula, arguments, styles, bytes of its slots",
    "cite": "print BibTeX for the papers of variants",
    "memory": "compute the bytes that an optimizer keeps, allocating none",
    "compare": "run variants on a small problem and say where they end",
}
PROBLEM_LIST = "\n".join(
    ["problems:", *(f"  {name:16} {problem.shows}" for name, problem in PROBLEMS.items())]
)


class Parser(argparse.ArgumentParser):
    """A parser of which complaints are one line."""

    def error(self, message: str) -> NoReturn:
        """Says what is wrong and ends with code 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def checked(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """A reader of one argument of which argparse shows the errors as they are.

    >>> checked(int)("x")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: invalid literal for int() with base 10: 'x'
    """

    def convert(text: str) -> Any:
        try:
            return read(text)
        except (ImportError, TypeError, ValueError) as error:
            raise argparse.ArgumentTypeError(" ".join(str(error).split())) from error

    return convert


def read_variants(pattern: str) -> list[Variant]:
    """The variants that match a glob.

    Raises:
      ValueError: if there is none, with the nearest names.

    >>> [variant.name for variant in read_variants("adam*w")]
    ['adamaxw', 'adamw']
    """
    return [get_variant(name) for name in list_variants(pattern) or [pattern]]


def read_rate(text: str) -> float:
    """A learning rate.

    Raises:
      ValueError: unless it is a number above 0.

    >>> read_rate("3e-4")
    0.0003
    """
    if not 0 < float(text) < float("inf"):
        raise ValueError(f"must be a number above 0, got {text}")
    return float(text)


def make_parser() -> Parser:
    """The parser of all commands.

    >>> make_parser().parse_args(["cite", "adam"]).command
    'cite'
    """
    parser = Parser(prog="adamjax", description=adamjax.__doc__)
    parser.add_argument("--version", action="version", version=adamjax.__version__)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    made = {
        name: subparsers.add_parser(
            name,
            help=does,
            description=f"{does[0].upper()}{does[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for name, does in COMMANDS.items()
    }
    made["list"].add_argument(
        "variants",
        nargs="?",
        default="*",
        type=checked(read_variants),
        metavar="PATTERN",
        help='a glob such as "adam*" (default: all)',
    )
    for name, nargs in {"show": None, "cite": "+"}.items():
        made[name].add_argument(
            "variants", nargs=nargs, type=checked(get_variant), metavar="NAME", help="a variant"
        )
    _add_memory(made["memory"])
    _add_compare(made["compare"])
    for name in ("list", "show", "memory", "compare"):
        made[name].add_argument("--json", action="store_true", help="JSON instead of a table")
    return parser


def _add_choices(command: Parser) -> None:
    command.add_argument(
        "choices",
        nargs="+",
        type=checked(parse_optimizer),
        metavar="NAME",
        help="a variant, with arguments or without",
    )


def _add_memory(command: Parser) -> None:
    command.epilog = STORAGE
    _add_choices(command)
    command.add_argument(
        "--params",
        required=True,
        type=checked(parse_count),
        metavar="N",
        help="how many parameters: 123456, 124M, 1.5B, 7e9",
    )
    command.add_argument(
        "--shape",
        type=checked(parse_shape),
        metavar="RxC",
        help="of one array, repeated until there are N elements; it matters to factored states "
        "(default: squares of side 4096 at most)",
    )
    command.add_argument(
        "--dtype",
        choices=("float32", "bfloat16", "float16"),
        default="float32",
        help="of parameters and gradients (default: float32)",
    )
    mesh = command.add_argument_group("on many devices")
    mesh.add_argument(
        "--mesh", type=checked(parse_mesh), metavar="AXIS=N,...", help="such as data=8,model=4"
    )
    mesh.add_argument("--zero", metavar="AXIS", help="divides the state, and reduced gradients")
    mesh.add_argument("--fsdp", metavar="AXIS", help="divides the parameters as well")
    mesh.add_argument(
        "--tensor", metavar="AXIS", help=f"divides columns (default: {TENSOR}, if there is one)"
    )
    mesh.add_argument(
        "--machine",
        type=checked(get_machine),
        metavar="NAME",
        help=f"of which the devices are: {', '.join(MACHINES)} (default: H100)",
    )


def _add_compare(command: Parser) -> None:
    command.epilog = f"{CHOICE}\n{PROBLEM_LIST}"
    _add_choices(command)
    command.add_argument(
        "--problem",
        default="rosenbrock",
        type=checked(get_problem),
        metavar="NAME",
        help="one of those below (default: rosenbrock)",
    )
    command.add_argument(
        "--steps", default=500, type=checked(parse_count), metavar="N", help="default: 500"
    )
    command.add_argument(
        "--learning-rate",
        type=checked(read_rate),
        metavar="LR",
        help="for all (default: each one's best of a grid, or what the problem asks for)",
    )
    command.add_argument(
        "--plot",
        type=checked(check_picture),
        metavar="FILE",
        help="save loss curves and paths: .png, .svg, .pdf",
    )


def run_command(options: argparse.Namespace) -> str:
    """The text that a command prints.

    >>> "@misc{adam" in run_command(make_parser().parse_args(["cite", "adam"]))
    True
    """
    match options.command:
        case "list":
            return commands.list_all(options.variants, as_json=options.json)
        case "show":
            return commands.show(options.variants, as_json=options.json)
        case "cite":
            return commands.cite(options.variants)
        case "memory":
            asked = {"shape": options.shape, "dtype": options.dtype, "as_json": options.json}
            if options.mesh is None:
                return commands.memory(options.choices, options.params, **asked)
            return on_mesh.report(options.choices, options.params, options.plan, **asked)
    return commands.compare(
        options.choices,
        options.problem,
        steps=options.steps,
        learning_rate=options.learning_rate,
        plot=options.plot,
        as_json=options.json,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code: 2 for what the user must change."""
    argv = sys.argv[1:] if argv is None else argv
    # Terminals of few characters get "?" for the others in a formula, instead of an error.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    try:
        code = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _read(argv: Sequence[str]) -> argparse.Namespace:
    parser = make_parser()
    if argv and not argv[0].startswith("-"):
        try:
            lookup_or_suggest("command", argv[0], COMMANDS)
        except ValueError as error:
            parser.error(str(error))
    options = parser.parse_args(argv or ["--help"])
    if options.command == "memory":
        try:
            options.plan = _read_plan(options)
        except ValueError as error:
            parser.exit(2, f"{parser.prog} memory: {error}\n")
    return options


def _read_plan(options: argparse.Namespace) -> Plan | None:
    axes = {name: getattr(options, name) for name in ("zero", "fsdp", "tensor")}
    if options.mesh is not None:
        return make_plan(options.mesh, options.machine, **axes)
    for name, value in {**axes, "machine": options.machine}.items():
        if value is not None:
            raise ValueError(f"--{name} needs a --mesh")
    return None


def _run(argv: Sequence[str]) -> int:
    try:
        print(run_command(_read(argv)))
    except SystemExit as stop:
        return int(stop.code or 0)
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"adamjax: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
