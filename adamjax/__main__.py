"""The command line: `python -m adamjax list | show | cite | memory | layouts | groups ...`."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import adamjax
from adamjax.checks import lookup_or_suggest
from adamjax.cli import commands, on_mesh
from adamjax.cli.choices import (
    parse_optimizer,
    parse_schedule,
    read_groups,
    read_layouts,
    read_params,
)
from adamjax.cli.compare import check_picture
from adamjax.cli.machines import MACHINES, get_machine
from adamjax.cli.memory import parse_count, parse_shape
from adamjax.cli.scaling import TENSOR, Plan, make_plan, parse_mesh
from adamjax.matrices.resolve import matrix_layouts
from adamjax.problems import PROBLEMS, get_problem
from adamjax.registry import Variant, get_variant, list_variants
from adamjax.storage.formats import FORMATS
from adamjax.storage.store import MIN_SIZE

COMMANDS = {
    "list": "list variants with year, state slots, styles and summary",
    "show": "show the paper, update, arguments, styles and state size of a variant",
    "cite": "print BibTeX for the papers of variants",
    "memory": "compute the state size of optimizers without allocating it",
    "layouts": "print the matrices that muon trains among the parameters of a model",
    "groups": "print the group and settings of each parameter",
    "schedules": "print or plot the values of schedules",
    "compare": "run variants on a small problem and print the results",
}
CHOICE = """\
A variant may be followed by arguments: adam:b2=0.99,style=keras,mu_dtype=bfloat16
"""
EPILOGS = {
    "memory": f"""\
{CHOICE}
A second table has the state in each storage format ({", ".join(FORMATS)}). It leaves
out variants with a storage argument, such as adamw:storage=8bit. Arrays of fewer than {MIN_SIZE:,}
elements stay float32.

With --mesh, the tables estimate the bytes that each device stores, moves and sends. docs/scaling.md
has the formulas. Neighbors on the last axis are neighbors in the machine.
""",
    "schedules": """\
NAME is a function of adamjax.schedules or optax.schedules with arguments, such as
wsd:peak_value=3e-4,warmup_steps=100,stable_steps=800,decay_steps=100
""",
    "layouts": """\
PARAMS names a tree of arrays in a Python module, or a function without arguments that returns one.
The function is traced and allocates nothing. For example, model:init is init in model.py:

    def init():
        return model.init(jax.random.key(0), batch)              # Flax Linen
        return nnx.state(Model(rngs=nnx.Rngs(0)), nnx.Param)     # Flax NNX
""",
    "compare": "\n".join(
        [CHOICE, "problems:", *(f"  {name:16} {each.shows}" for name, each in PROBLEMS.items())]
    ),
}


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit with code 2."""
        self.exit(2, f"{self.prog}: {message}\n")

    def add(
        self, name: str, read: Callable[[str], Any], metavar: str, text: str, **settings: Any
    ) -> None:
        """Add an argument, and show the errors of its reader as they are."""

        def convert(value: str) -> Any:
            try:
                return read(value)
            except (ImportError, TypeError, ValueError) as error:
                raise argparse.ArgumentTypeError(" ".join(str(error).split())) from error

        self.add_argument(name, type=convert, metavar=metavar, help=text, **settings)


def read_variants(pattern: str) -> list[Variant]:
    """Return the variants that match a glob, or raise ValueError with the nearest names."""
    return [get_variant(name) for name in list_variants(pattern) or [pattern]]


def read_rate(text: str) -> float:
    """Parse a learning rate, or raise ValueError unless it is a number above 0."""
    if not 0 < float(text) < float("inf"):
        raise ValueError(f"must be a number above 0, got {text}")
    return float(text)


def make_parser() -> Parser:
    """Make the parser of all commands."""
    parser = Parser(prog="adamjax", description=adamjax.__doc__)
    parser.add_argument("--version", action="version", version=adamjax.__version__)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    added = {
        name: subparsers.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=EPILOGS.get(name),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for name, text in COMMANDS.items()
    }
    listing = 'a glob such as "adam*" (default: all)'
    added["list"].add("variants", read_variants, "PATTERN", listing, nargs="?", default="*")
    added["show"].add("variants", get_variant, "NAME", "name of a variant")
    added["cite"].add("variants", get_variant, "NAME", "name of a variant", nargs="+")
    for name in ("memory", "compare"):
        text = "name of a variant, with or without arguments"
        added[name].add("choices", parse_optimizer, "NAME", text, nargs="+")
    _add_memory(added["memory"])
    text = "module:name of the parameters, such as model:init"
    for name in ("layouts", "groups"):
        added[name].add("params", read_params, "PARAMS", text)
    text = "flax, maxtext, equinox, torch, a layout, or module:name of layouts"
    added["layouts"].add("--layouts", read_layouts, "LAYOUTS", text)
    text = "module:name of an optimizer of adamjax.groups or adamjax.mup, such as model:tx"
    added["groups"].add("optimizer", read_groups, "OPTIMIZER", text)
    text = "a schedule of adamjax or Optax with arguments, or module:name of another schedule"
    added["schedules"].add("chosen", parse_schedule, "NAME", text, nargs="+")
    compare = added["compare"]
    text = "name of a problem in the list below (default: rosenbrock)"
    compare.add("--problem", get_problem, "NAME", text, default="rosenbrock")
    for name, steps in (("compare", 500), ("schedules", 1000)):
        added[name].add(
            "--steps", parse_count, "N", f"number of steps (default: {steps})", default=steps
        )
    text = "learning rate of all variants (default: the best of a grid, or that of the problem)"
    compare.add("--learning-rate", read_rate, "LR", text)
    compare.add("--plot", check_picture, "FILE", "file for losses and paths (.png, .svg or .pdf)")
    added["schedules"].add(
        "--plot", check_picture, "FILE", "file for the curves (.png, .svg or .pdf)"
    )
    for name in COMMANDS.keys() - {"cite"}:
        added[name].add_argument(
            "--json", action="store_true", help="print JSON instead of a table"
        )
    return parser


def _add_memory(memory: Parser) -> None:
    text = "number of parameters: 123456, 124M, 1.5B, 7e9"
    memory.add("--params", parse_count, "N", text, required=True)
    text = (
        "shape of each parameter, on which factored states depend "
        "(default: squares of side 4096 at most)"
    )
    memory.add("--shape", parse_shape, "RxC", text)
    memory.add_argument(
        "--dtype",
        choices=("float32", "bfloat16", "float16"),
        default="float32",
        help="dtype of parameters and gradients (default: float32)",
    )
    text = "number of equal layers, which adamjax.release updates one by one"
    memory.add("--layers", parse_count, "N", text)
    memory.add("--mesh", parse_mesh, "AXIS=N,...", "axes of a device mesh, such as data=8,model=4")
    memory.add("--zero", str, "AXIS", "axis that divides state and reduced gradients")
    memory.add("--fsdp", str, "AXIS", "axis that divides the parameters as well")
    text = f"axis that divides columns (default: {TENSOR}, if the mesh has it)"
    memory.add("--tensor", str, "AXIS", text)
    text = f"device type: {', '.join(MACHINES)} (default: H100)"
    memory.add("--machine", get_machine, "NAME", text)


def run_command(options: argparse.Namespace) -> str:
    """Return the text that a command prints."""
    match options.command:
        case "list":
            return commands.list_all(options.variants, as_json=options.json)
        case "show":
            return commands.show(options.variants, as_json=options.json)
        case "cite":
            return commands.cite(options.variants)
        case "memory":
            settings = {"shape": options.shape, "dtype": options.dtype, "as_json": options.json}
            if options.mesh is None:
                return commands.memory(
                    options.choices, options.params, layers=options.layers, **settings
                )
            return on_mesh.report(options.choices, options.params, options.plan, **settings)
        case "layouts":
            return commands.layouts(options.table, as_json=options.json)
        case "groups":
            return commands.groups(options.table, as_json=options.json)
        case "schedules":
            settings = {"steps": options.steps, "plot": options.plot, "as_json": options.json}
            return commands.schedules(options.chosen, **settings)
    return commands.compare(
        options.choices,
        options.problem,
        steps=options.steps,
        learning_rate=options.learning_rate,
        plot=options.plot,
        as_json=options.json,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit code: 2 for an error of the user."""
    # A terminal with a limited character set shows "?" for the others instead of an error.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    code = 0
    try:
        try:
            print(run_command(_read(sys.argv[1:] if argv is None else argv)))
        except SystemExit as stop:
            code = int(stop.code or 0)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"adamjax: {error}", file=sys.stderr)
        return 2
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
    if options.command in ("layouts", "groups"):
        try:
            options.table = (
                matrix_layouts(options.params, options.layouts)
                if options.command == "layouts"
                else options.optimizer.table(options.params)
            )
        except ValueError as error:
            parser.exit(2, f"{parser.prog} {options.command}: {error}\n")
    return options


def _read_plan(options: argparse.Namespace) -> Plan | None:
    axes = {name: getattr(options, name) for name in ("zero", "fsdp", "tensor")}
    if options.mesh is not None:
        if options.layers is not None:
            raise ValueError("--layers: the estimate on a --mesh has no released step. Omit one")
        return make_plan(options.mesh, options.machine, **axes)
    for name, value in {**axes, "machine": options.machine}.items():
        if value is not None:
            raise ValueError(f"--{name} needs a --mesh")
    return None


if __name__ == "__main__":
    sys.exit(main())
