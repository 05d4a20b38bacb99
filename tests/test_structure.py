"""The shape of the code: the way of imports, sizes, the parts of a variant."""

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys

import adamjax
import adamjax.testing
import adamjax.tracking
from scripts.imports import imported_names, parse
from tests import ROOT

# A module may import those in the lines above its own, and its own package.
LEVELS = [
    {"moments", "checks", "trees"},
    {"matrices"},
    {"rule", "storage"},
    {"optimizer", "schedules", "modifiers", "arguments"},
    {"derive", "names"},
    {"registry"},
    {"wrappers"},
    {"variants"},
    {"tracking", "sharding", "interop", "stages"},
    {"tuning"},
    {"optax"},
    {"__init__"},
    {"testing", "problems"},
    {"cli"},
    {"__main__"},
]
LEVEL_OF = {name: level for level, names in enumerate(LEVELS) for name in names}
CORE = {"jax", "numpy", "optax"}
FOREIGN = {*CORE, "flax", "equinox", "keras", "safetensors", "torch"}
# Folders whose functions have a limited size, as far as they exist.
CODE = [f for d in ("adamjax", "tests", "examples", "benchmarks") for f in (ROOT / d).rglob("*.py")]
LIBRARY = sorted((ROOT / "adamjax").rglob("*.py"))
VARIANTS = [f for f in LIBRARY if f.parent.name == "variants" and f.name != "__init__.py"]
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def at_import(body):
    """The statements that an import runs: not those in functions, nor those for type checkers."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from at_import(node.orelse)
        elif not isinstance(node, FUNCTION):
            yield from at_import(ast.iter_child_nodes(node))


def top_of(file):
    """The module or package of the library that a file belongs to."""
    return file.relative_to(ROOT / "adamjax").parts[0].removesuffix(".py")


def part_of(dotted):
    """The part of the library that a dotted name belongs to, None for anything else."""
    root, *parts = dotted.split(".")
    if root != "adamjax":
        return None
    return parts[0] if parts and parts[0] in LEVEL_OF else "__init__"


def test_imports_go_one_way():
    assert {top_of(file) for file in LIBRARY} <= set(LEVEL_OF)
    for file in LIBRARY:
        mine = top_of(file)
        for dotted in imported_names(ast.walk(parse(file))):
            part = part_of(dotted)
            assert part in (None, mine) or LEVEL_OF[part] < LEVEL_OF[mine], (mine, dotted)


def test_only_the_core_is_imported_at_once():
    for file in LIBRARY:
        roots = {dotted.split(".")[0] for dotted in imported_names(at_import(parse(file).body))}
        assert roots <= {"adamjax"} | CORE | sys.stdlib_module_names, file


def test_only_public_names_of_other_libraries():
    private = re.compile(rf"({'|'.join(FOREIGN)})(\.\w+)*\._(?!_)[\w.]+")
    for file in CODE:
        nodes = list(ast.walk(parse(file)))
        names = {
            *imported_names(nodes),
            *(ast.unparse(n) for n in nodes if isinstance(n, ast.Attribute)),
        }
        assert [name for name in names if private.fullmatch(name)] == [], file


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
    # Without variables that an import in this process may have set.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JAX_", "XLA_", "TF_"))}
    environment = {**kept, "JAX_PLATFORMS": "no_such_platform"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def lines_of(function):
    """Lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


def functions_of(file):
    return [node for node in ast.walk(parse(file)) if isinstance(node, FUNCTION)]


def test_functions_fit_on_a_screen():
    for file in CODE:
        assert {f.name: lines_of(f) for f in functions_of(file) if lines_of(f) > 60} == {}, file
    for file in VARIANTS:
        rules = [f for f in functions_of(file) if f.name == "rule"]
        assert max(map(lines_of, rules), default=0) <= 15, file


def test_exported_functions_have_an_example():
    for module in (adamjax, adamjax.tracking, adamjax.testing):
        for name, value in inspect.getmembers(module):
            if inspect.isfunction(value) and not name.startswith("_"):
                assert ">>> " in value.__doc__, name


# --- the parts of a variant


def test_variant_says_where_it_comes_from_and_what_it_computes():
    for file in VARIANTS:
        title, *rest = re.split(r"\n\n", ast.get_docstring(parse(file)))
        assert re.search(r"\b(19|20)\d\d\b|\byear\b", title), file
        assert any(re.search(r"^    .+ = .+", part, re.MULTILINE) for part in rest), file


def test_variant_has_its_parts_in_order():
    """States, update rules, ready-made optimizers. The file has the name of one of them."""
    for name in adamjax.list_variants():
        variant = adamjax.get_variant(name)
        module = importlib.import_module(variant.optimizer.__module__)
        assert module.__name__.startswith("adamjax.variants.")
        assert getattr(adamjax, name) is variant.optimizer
        if variant.scale_by is not None:
            assert getattr(adamjax, variant.scale_by.__name__) is variant.scale_by
    for file in VARIANTS:
        body = parse(file).body
        states = [n.lineno for n in body if isinstance(n, ast.ClassDef) and "State" in n.name]
        functions = [node for node in body if isinstance(node, FUNCTION)]
        directions = [f.lineno for f in functions if f.name.startswith("scale_by_")]
        assert states + directions == sorted(states + directions), file
        assert file.stem.strip("_") in {*adamjax.list_variants(), "template"}, file


# --- the size of an import


def test_a_variant_is_imported_when_it_is_used():
    code = """
import sys, adamjax
names = lambda: {name.rpartition(".")[2] for name in sys.modules if ".variants." in name}
before = names()
assert adamjax.adabound.__name__ == "adabound" and names() == before | {"adabound"}, names()
assert not {"adamjax.cli", "adamjax.problems", "adamjax.testing"} & set(sys.modules)
assert "scale_by_yogi" in dir(adamjax) and "yogi" in adamjax.list_variants()
try:
    adamjax.adammm
except AttributeError:
    print("unknown")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "unknown\n", done.stderr
