"""Write the stubs of adamjax and adamjax.optax: the text of `help()`, for editors and checkers.

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

import optax  # noqa: E402

import adamjax.optax  # noqa: E402
from adamjax.arguments import plain_default  # noqa: E402
from adamjax.names import FILE_OF  # noqa: E402
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
    if "dtype" in parameter.name:
        return "DTypeLike | None"
    if hint == Mask:
        return "Mask"
    if hint in (optax.ScalarOrSchedule, optax.ScalarOrSchedule | None):
        return "optax.ScalarOrSchedule" + (" | None" if hint != optax.ScalarOrSchedule else "")
    if any(word in str(hint) for word in ("Array", "Optional", "Union")):
        return "Any"  # of Optax
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
        typed = f"{parameter.name}: {annotation(parameter)}"
        default = plain_default(parameter)
        if default is parameter.empty:
            return typed
        is_object = callable(default) or isinstance(default, optax.GradientTransformation)
        return f"{typed} = {'...' if is_object else repr(default)}"

    lines = [f"def {function.__name__}(", *argument_lines(function, write)]
    doc = function.__doc__.replace("\n", "\n    ").replace("\n    \n", "\n\n")
    lines += [") -> optax.GradientTransformationExtraArgs:", f'    """{doc}\n    """\n    ...\n']
    return "\n".join(lines)


def stub() -> str:
    """Return the text of the stub: imports as they are, derived functions as definitions."""
    tree = ast.parse((FOLDER / "__init__.py").read_text(encoding="utf-8"))
    froms = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    sources = {x.name: node.module for node in froms for x in node.names if x.asname == x.name}
    sources |= {name: f"adamjax.variants.{file}" for name, file in FILE_OF.items()}
    derived = adamjax.list_variants()
    imports = [f"from {sources[k]} import {k} as {k}\n" for k in sources if k not in derived]
    definitions = [definition(getattr(adamjax, k)) for k in sources if k in derived]
    version = "__version__: str\n\n"
    return (
        HEAD.format(doc=adamjax.__doc__)
        + "".join(imports)
        + "\n"
        + version
        + "\n".join(definitions)
    )


def drop_in_stub(module: types.ModuleType, theirs: types.ModuleType) -> str:
    """Return the text of the stub of `adamjax.optax`: Optax's names, and our definitions."""
    own = {k: x for k, x in vars(module).items() if getattr(x, "__module__", 0) == module.__name__}
    own = {k: x for k, x in own.items() if not k.startswith("_")}
    names = [name for name in dir(theirs) if name not in own and not name.startswith("_")]
    sources = [module if name in vars(module) else theirs for name in names]
    imports = [
        f"from {source.__name__} import {name} as {name}\n"
        for source, name in zip(sources, names, strict=True)
    ]
    head = HEAD.format(doc=module.__doc__).partition("ScalarOrSchedule =")[0]
    return head + "".join(imports) + "\n" + "\n".join(map(definition, own.values()))


STUBS: dict[str, Callable[[], str]] = {
    "__init__.pyi": stub,
    "optax/__init__.pyi": lambda: drop_in_stub(adamjax.optax, optax),
    "optax/contrib.pyi": lambda: drop_in_stub(adamjax.optax.contrib, optax.contrib),
}


def main() -> None:
    """Write the stubs, or check that they are in sync."""
    for name, text in STUBS.items():
        path = FOLDER / name
        if "--check" not in sys.argv:
            path.write_text(text(), encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text():
            sys.exit(f"{name} is out of date: run python scripts/stubs.py")


if __name__ == "__main__":
    main()
