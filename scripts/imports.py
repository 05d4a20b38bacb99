"""The files of the library that a file imports, from its text."""

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@functools.cache
def parse(file: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(file.read_text(encoding="utf-8"))


class _WithoutDocstrings(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) else node


def code_of(file: Path) -> str:
    """Return the code of a file in a form that does not depend on comments and docstrings."""
    return ast.dump(_WithoutDocstrings().visit(ast.parse(file.read_text(encoding="utf-8"))))


def imported_names(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Return the dotted names of import statements. `from a import b` has the name a.b."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@functools.cache
def imported_files(file: Path) -> frozenset[Path]:
    """Return the files of adamjax whose modules, or names in them, a file imports."""
    names = {name for name in imported_names(ast.walk(parse(file))) if name.startswith("adamjax")}
    names |= {name.rpartition(".")[0] for name in names} - {""}
    modules = [ROOT / name.replace(".", "/") for name in names]
    files = [path for m in modules for path in (m.with_suffix(".py"), m / "__init__.py")]
    return frozenset(filter(Path.exists, files))


def with_imports(files: Iterable[Path]) -> set[Path]:
    """Return files of the library with all files that they import, directly or not.

    An import of `adamjax` itself leads to all its exports, but not to variants, which it imports by
    name.
    """
    reached, ahead = set(), [*files]
    while ahead:
        file = ahead.pop()
        if file not in reached:
            reached.add(file)
            ahead += imported_files(file)
    return reached
