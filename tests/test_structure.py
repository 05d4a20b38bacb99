"""The shape of the code: the way of imports, what one does, sizes, the parts of a variant."""

import ast
import functools
import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import adamjax
import adamjax.testing
import adamjax.tracking

ROOT = Path(__file__).resolve().parent.parent
# A module may import those in the lines above its own, and its own package.
LEVELS = [
    {"moments", "checks", "trees", "one_pass"},
    {"rule", "storage"},
    {"registry", "optimizer", "schedules", "modifiers"},
    {"wrappers"},
    {"variants"},
    {"tracking", "sharding", "interop"},
    {"__init__"},
    {"testing", "problems"},
    {"cli"},
    {"__main__"},
]
LEVEL_OF = {name: level for level, names in enumerate(LEVELS) for name in names}
CORE = {"jax", "numpy", "optax"}
FOREIGN = {*CORE, "flax", "equinox", "keras", "safetensors", "torch"}
# Folders of which the code is held to sizes; what is not there is not needed.
CODE = [f for d in ("adamjax", "tests", "examples", "benchmarks") for f in (ROOT / d).rglob("*.py")]
LIBRARY = sorted((ROOT / "adamjax").rglob("*.py"))
VARIANTS = [f for f in LIBRARY if f.parent.name == "variants" and f.name != "__init__.py"]
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def name_of(file):
    return str(file.relative_to(ROOT))


each_file = functools.partial(pytest.mark.parametrize, "file", ids=name_of)


@functools.cache
def parse(file):
    return ast.parse(file.read_text(encoding="utf-8"))


def imported(nodes):
    """The dotted names that import statements bring in, `from a import b` being a.b."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_import(body):
    """The statements that an import runs: not those in functions, nor those for type checkers."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from at_import(node.orelse)
        elif not isinstance(node, FUNCTION):
            yield from at_import(ast.iter_child_nodes(node))


def part_of(dotted):
    """The part of the library that a dotted name belongs to; None for anything else."""
    root, *parts = dotted.split(".")
    if root != "adamjax":
        return None
    return parts[0] if parts and parts[0] in LEVEL_OF else "__init__"


# --- imports


@each_file(LIBRARY)
def test_imports_go_one_way(file):
    mine = file.relative_to(ROOT / "adamjax").parts[0].removesuffix(".py")
    for dotted in imported(ast.walk(parse(file))):
        part = part_of(dotted)
        assert part in (None, mine) or LEVEL_OF[part] < LEVEL_OF[mine], f"{mine} imports {dotted}"


def test_every_module_has_a_level():
    parts = {file.relative_to(ROOT / "adamjax").parts[0].removesuffix(".py") for file in LIBRARY}
    assert parts == set(LEVEL_OF)


@each_file(LIBRARY)
def test_only_the_core_is_imported_at_once(file):
    roots = {dotted.split(".")[0] for dotted in imported(at_import(parse(file).body))}
    assert roots <= {"adamjax"} | CORE | sys.stdlib_module_names


@each_file(CODE)
def test_only_public_names_of_other_libraries(file):
    names = set(imported(ast.walk(parse(file))))
    names |= {ast.unparse(n) for n in ast.walk(parse(file)) if isinstance(n, ast.Attribute)}
    private = re.compile(rf"({'|'.join(FOREIGN)})(\.\w+)*\._(?!_)[\w.]+")
    assert [name for name in names if private.fullmatch(name)] == []


def test_import_does_nothing():
    """No backend starts, no environment variable changes, nothing optional is loaded."""
    modules = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in LIBRARY
    ]
    code = f"""
import importlib, os, sys
import jax, optax
before = dict(os.environ)
for module in {modules}:
    importlib.import_module(module)
assert dict(os.environ) == before, "the environment changed"
optional = {{"rich", "matplotlib", "flax", "equinox", "tensorboard", "tensorboardX"}}
optional |= {{"keras", "safetensors", "torch"}}
assert not optional & set(sys.modules), optional & set(sys.modules)
try:
    jax.numpy.zeros(())
except RuntimeError as error:
    assert "no_such_platform" in str(error), error
else:
    sys.exit("the backend that does not exist was not needed: this test sees nothing")
"""
    # Without what an import in this process may have set.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JAX_", "XLA_", "TF_"))}
    environment = {**kept, "JAX_PLATFORMS": "no_such_platform"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


# --- sizes


@each_file(CODE)
def test_files_are_short(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) < 300


def lines_of(function):
    """Lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


def functions_of(file):
    return [node for node in ast.walk(parse(file)) if isinstance(node, FUNCTION)]


@each_file(CODE)
def test_functions_fit_on_a_screen(file):
    assert {f.name: lines_of(f) for f in functions_of(file) if lines_of(f) > 60} == {}


# --- documentation


@each_file(LIBRARY)
def test_public_names_are_documented(file):
    tree = parse(file)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    bodies = [tree.body, *(c.body for c in classes)]
    defined = [n for body in bodies for n in body if isinstance(n, (*FUNCTION, ast.ClassDef))]
    names = [node.name for node in defined if not ast.get_docstring(node)]
    assert [name for name in names if not name.startswith("_")] == []
    assert ast.get_docstring(tree)


EXPORTS = {
    f"{module.__name__}.{name}": value
    for module in (adamjax, adamjax.tracking, adamjax.testing)
    for name, value in vars(module).items()
    if inspect.isfunction(value) and not name.startswith("_")
}


@pytest.mark.parametrize("name", EXPORTS)
def test_exported_functions_have_an_example(name):
    assert ">>> " in EXPORTS[name].__doc__


# --- the parts of a variant


def records_of(file):
    """The statements of a variant's file that make records, and the names in them."""
    for node in parse(file).body:
        text = ast.unparse(node)
        if isinstance(node, ast.Assign) and re.search(r"\b(Variant|_replace)\(name=", text):
            yield node, re.search(r"name='(\w+)'", text).group(1)


@each_file(VARIANTS)
def test_variant_has_its_parts_in_order(file):
    """Docstring, states, directions, ready-made optimizers, records; helpers where they serve."""
    tree, names = parse(file), dict(map(reversed, records_of(file)))
    first = {"docstring": [tree.body[0]], "record": list(names.values())}
    parts = {"state": [], "direction": [], "optimizer": []}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name.endswith("State"):
            parts["state"].append(node)
        elif isinstance(node, FUNCTION) and node.name.startswith("scale_by_"):
            parts["direction"].append(node)
        elif isinstance(node, FUNCTION) and node.name in names:
            parts["optimizer"].append(node)
    order = [first["docstring"], *parts.values(), first["record"]]
    lines = [node.lineno for part in order for node in part]
    assert lines == sorted(lines)
    assert [node.name for node in parts["optimizer"]] == list(names)
    assert file.stem.strip("_") in names
    assert tree.body[-1] in names.values()


@each_file(VARIANTS)
def test_variant_says_where_it_comes_from_and_what_it_computes(file):
    title, *rest = re.split(r"\n\n", ast.get_docstring(parse(file)))
    assert re.search(r"\b(19|20)\d\d\b|\byear\b", title)
    assert any(re.search(r"^    .+ = .+", part, re.MULTILINE) for part in rest)


@each_file(VARIANTS)
def test_rules_are_short(file):
    rules = [f for f in functions_of(file) if f.name == "rule"]
    assert max(map(lines_of, rules), default=0) <= 15


def test_every_record_is_in_a_variant_file():
    names = [name for file in VARIANTS for _, name in records_of(file)]
    assert sorted(set(names) - {"template"}) == adamjax.list_variants()
    assert len(names) == len(set(names))


def test_every_variant_is_exported():
    for name in adamjax.list_variants():
        variant = adamjax.get_variant(name)
        assert getattr(adamjax, name) is variant.optimizer
        if variant.scale_by is not None:
            assert getattr(adamjax, variant.scale_by.__name__) is variant.scale_by
        module = importlib.import_module(variant.optimizer.__module__)
        assert module.__name__.startswith("adamjax.variants.")
