"""Write adamjax/__init__.pyi, which shows editors and type checkers what `help()` shows.

python scripts/stubs.py [--check]
"""

import ast
import inspect
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import adamjax  # noqa: E402
from adamjax.arguments import plain_default  # noqa: E402
from adamjax.rule import ScalarOrSchedule  # noqa: E402
from adamjax.trees import Mask  # noqa: E402

FOLDER = Path(adamjax.__file__).parent
HEAD = '''"""{doc}"""

# Written by scripts/stubs.py.

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import optax
from jax.typing import ArrayLike, DTypeLike

from adamjax.trees import Mask

ScalarOrSchedule = ArrayLike | Callable[[Any], Any]

'''


def annotation(parameter: inspect.Parameter) -> str:
    """Return the annotation of an argument as text."""
    hint = parameter.annotation
    if parameter.name.endswith("dtype"):
        return "DTypeLike | None"
    if hint == Mask:
        return "Mask"
    if get_origin(hint) is Literal:
        return f"Literal[{', '.join(map(repr, get_args(hint)))}]"
    if hint in (ScalarOrSchedule, ScalarOrSchedule | None):
        return "ScalarOrSchedule" + (" | None" if hint != ScalarOrSchedule else "")
    return inspect.formatannotation(hint).replace("collections.abc.", "").replace("typing.", "")


def argument_lines(function: Any, write: Callable[[inspect.Parameter], str]) -> list[str]:
    """Return one line for each argument, and one for the star before those by keyword only."""
    lines = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "    *," not in lines:
            lines.append("    *,")
        lines.append(f"    {write(parameter)},")
    return lines


def definition(function: Any) -> str:
    """Return a function's signature and docstring."""

    def write(parameter: inspect.Parameter) -> str:
        default = plain_default(parameter)
        value = "..." if callable(default) else repr(default)
        return f"{parameter.name}: {annotation(parameter)} = {value}"

    lines = [f"def {function.__name__}(", *argument_lines(function, write)]
    doc = function.__doc__.replace("\n", "\n    ").replace("\n    \n", "\n\n")
    lines += [") -> optax.GradientTransformationExtraArgs:", f'    """{doc}\n    """\n    ...\n']
    return "\n".join(lines)


def stub() -> str:
    """Return the text of the stub: imports as they are, derived functions as definitions."""
    tree = ast.parse((FOLDER / "__init__.py").read_text(encoding="utf-8"))
    derived = {adamjax.get_variant(name).optimizer for name in adamjax.list_variants()}
    imports, definitions = [], []
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            value = getattr(adamjax, alias.name)
            if isinstance(value, types.FunctionType) and value in derived:
                definitions.append(definition(value))
            else:
                imports.append(f"from {node.module} import {alias.name} as {alias.name}\n")
    version = "__version__: str\n\n"
    return (
        HEAD.format(doc=adamjax.__doc__)
        + "".join(imports)
        + "\n"
        + version
        + "\n".join(definitions)
    )


def main() -> None:
    """Write the stub, or check that it is in sync."""
    path = FOLDER / "__init__.pyi"
    if "--check" not in sys.argv:
        path.write_text(stub(), encoding="utf-8")
    elif path.read_text(encoding="utf-8") != stub():
        sys.exit(f"{path.name} is out of date: run python scripts/stubs.py")


if __name__ == "__main__":
    main()
