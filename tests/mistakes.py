"""Mistakes planted in the source of the variants, one at a time.

A mutant is the file of a variant, or a module of helpers as the variants use it, with one
expression changed.

Not planted, as no number depends on them or they have tests of their own: docstrings, annotations,
records, methods of states, the text of errors, masks, dtypes, storage, the limit on huge gradients,
the exchange of operands that commute, and `>` for `>=`, which differ in ties alone.
"""

import ast
import functools
import pkgutil
import types
from typing import NamedTuple

import adamjax
import adamjax.modifiers
import adamjax.wrappers
from tests.sandbox import home, parsed

# Code that variants share: a variant that uses it has to show each mistake. Code that carries
# formulas over trees has none.
SHARED = (
    "adamjax.moments",
    "adamjax.schedules",
    *(
        f"adamjax.{folder}.{module.name}"
        for folder, package in (("modifiers", adamjax.modifiers), ("wrappers", adamjax.wrappers))
        for module in pkgutil.iter_modules(package.__path__)
        if module.name not in {"copy_params", "map_updates", "partition_matrices"}
    ),
)
HIDDEN = {None, "dtype", "mask", "mu_dtype", "nu_dtype", "param_rounding", "squares", "storage"}
HIDDEN |= {"square", "strict"}
UNUSED = {None, "_check_state", "clamp"}  # trials have valid states and no huge numbers
BUILDERS = {"callable", "copy_params", "lift", "lookup_or_suggest", "optimizer", "Slot"}
BUILDERS |= {"with_extra_args_support", "with_param_rounding"}
CASTS = {"_wide", "asarray", "at_least_float32", "cast", "clamp", "float"}
COMMUTE = {"logaddexp", "maximum", "minimum", "max", "min", "clip", "sqrt_eps_inside"}
NOT_ARRAYS = {"step", "moments", "beta", "step.b1", "step.b2", "step.momentum", "axes"}
OPPOSITES = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
# Names that are easily confused.
ATTRIBUTES = {
    "b1": ["b2"],
    "b2": ["b1"],
    "eps": ["eps_root"],
    "eps_root": ["eps"],
    "value": ["one_minus"],
    "one_minus": ["value"],
    "bias_correction": ["one_minus"],
    "mu": ["nu"],
    "nu": ["mu", "nu_max"],
    "nu_max": ["nu"],
}
FUNCTIONS = {
    "adam_update": ["adam_update_eps_hat", "adam_update_no_bias_correction"],
    "adam_update_eps_hat": ["adam_update"],
    "adam_update_no_bias_correction": ["adam_update"],
    "denominator": ["denominator_eps_hat"],
    "denominator_eps_hat": ["denominator"],
}
# The name of a mutant shows these in the expression around them.
SMALL = (ast.Constant, ast.Name, ast.Attribute)
AROUND = (ast.BinOp, ast.Call, ast.Compare, ast.IfExp, ast.Slice, ast.Subscript, ast.Tuple)


class Mutant(NamedTuple):
    """One change to a module, for the variants of some files."""

    name: str
    files: tuple[str, ...]
    module: str
    code: types.CodeType


def mutants(files):
    """The mutants of some variants' files, and those of the code that they share with others."""
    for file in files:
        yield from planted(file)
    for module in SHARED:
        yield from (m for m in planted(module) if not set(files).isdisjoint(m.files))


@functools.cache
def planted(module):
    """All mutants of a module, by name."""
    users = None if module in homes() else users_of_shared()
    seen, found = {}, []
    for function, change, code in changes(module, users):
        name = f"{module.split('.')[-1]}-{function}: {change}"
        seen[name] = seen.get(name, 0) + 1
        again = f" #{seen[name]}" if seen[name] > 1 else ""
        files = (module,) if users is None else users[function]
        found.append(Mutant(name + again, files, module, code))
    return found


@functools.cache
def homes():
    """The files of all variants."""
    return tuple(dict.fromkeys(map(home, adamjax.list_variants())))


@functools.cache
def users_of_shared():
    """{shared function: the files of the variants that use it}"""
    names = {file: used(file) for file in homes()}
    return {
        function: tuple(file for file in names if function in names[file])
        for function in set().union(*names.values())
    }


@functools.cache
def used(file):
    """The helpers that a file calls or names in its tables, and those that they do."""
    bodies = [body for module in imported(file) for body in parsed(module).body]
    functions = {name_of(body): body for body in bodies if name_of(body) not in UNUSED}
    found, ahead = set(), [parsed(file)]
    while ahead:
        tree = ahead.pop()
        read = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and is_read(n)]
        names = {n.id for n in read} & functions.keys()
        ahead += [functions[name] for name in names - found]
        found |= names
    return found


def imported(file):
    """The variants and the modules of helpers that a file imports, and those that they do."""
    found, ahead = set(), [file]
    while ahead:
        lines = [node for node in parsed(ahead.pop()).body if isinstance(node, ast.ImportFrom)]
        modules = {n.module for n in lines if n.module in {*SHARED, *homes()}} - found
        found |= modules
        ahead += modules
    return sorted(found)


def changes(module, functions):
    """(function, description, code) for each change in the given functions, or in all."""
    tree = parsed(module)
    for name, top in parts(tree.body):
        if name is None or (functions is not None and name not in functions):
            continue
        # Defaults of shared code do not matter, since the variants pass their own values.
        defaults = set() if functions is None else set(ast.walk(getattr(top, "args", ast.Pass())))
        for holder, key, node, around in places(top, top):
            if node in defaults:
                continue
            shown = around if isinstance(node, SMALL) and isinstance(around, AROUND) else node
            before = ast.unparse(shown)
            for new in mistakes(node, top):
                put(holder, key, ast.fix_missing_locations(ast.copy_location(new, node)))
                after = ast.unparse(new if shown is node else shown)
                code = compile(tree, module, "exec")
                put(holder, key, node)
                if after != before:
                    yield name, shortened(before, after), code


def parts(statements):
    """(name, statement) of functions and tables, and of methods under the name of their class."""
    for statement in statements:
        if not isinstance(statement, ast.ClassDef):
            yield name_of(statement), statement
        elif not statement.name.endswith("State"):
            methods = (body for body in statement.body if isinstance(body, ast.FunctionDef))
            yield from ((statement.name, method) for method in methods)


def name_of(statement):
    """The name of a function, a class, or a dict from which a style is chosen, not of its texts."""
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Dict):
        name, values = statement.targets[0].id, statement.value.values
        return None if name == "STYLES" and ast.Constant in map(type, values) else name
    return getattr(statement, "name", None)


def places(tree, around):
    """(holder, key, expression, parent) wherever a mistake would matter."""
    for field, value in ast.iter_fields(tree):
        if field in {"annotation", "returns", "decorator_list", "func", "ctx"}:
            continue
        holder = value if isinstance(value, list) else tree
        for key, node in enumerate(value) if isinstance(value, list) else [(field, value)]:
            if not isinstance(node, ast.AST) or isinstance(node, ast.Raise | ast.Expr):
                continue
            if isinstance(node, ast.keyword) and node.arg in HIDDEN:
                continue
            if isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise):
                continue
            if isinstance(node, ast.expr):
                yield holder, key, node, around
            yield from places(node, tree if isinstance(node, ast.keyword) else node)


def put(holder, key, node):
    """Puts a node where `places` found one."""
    if isinstance(holder, list):
        holder[key] = node
    else:
        setattr(holder, key, node)


def shortened(before, after):
    """Description of a change: old and new expression, or their part that differs."""
    if len(before) + len(after) < 160:
        return f"{before} -> {after}"
    start = next((i for i, (x, y) in enumerate(zip(before, after, strict=False)) if x != y), 0)
    end = 0
    while end < min(len(before), len(after)) - start and before[-end - 1] == after[-end - 1]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    return f"{before[:30]}…: {old or 'nothing'} -> {new or 'nothing'}"


def mistakes(node, function):
    """Mistaken replacements of one expression of a function."""
    match node:
        case ast.Constant(value=bool() | int() | float()):
            yield wrong_constant(node.value)
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            yield node.operand
        case ast.BinOp():
            yield from wrong_operations(node)
        case ast.Compare(ops=[op]) if type(op) in OPPOSITES:
            yield ast.Compare(node.left, [OPPOSITES[type(op)]()], node.comparators)
        case ast.IfExp():
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()):
            yield from wrong_names(node, moments_read_in(function))
        case ast.Dict(values=[_, _, *_]) if not all(map(is_slot, node.values)):
            yield ast.Dict(node.keys, node.values[1:] + node.values[:1])
        case ast.Call():
            yield from wrong_calls(node)


def wrong_constant(value):
    if isinstance(value, bool):
        return ast.Constant(not value)
    return ast.Constant(value + 1 if isinstance(value, int) else 1.5 * value or 0.5)


def wrong_operations(node):
    """One operand alone, the opposite operation, and √a + e for √(a + e)."""
    yield node.left
    yield node.right
    if type(node.op) in OPPOSITES:
        yield ast.BinOp(node.left, OPPOSITES[type(node.op)](), node.right)
    match node:
        case ast.BinOp(left=ast.Call(args=[inner]) as root, op=ast.Add()) if called(root) == "sqrt":
            yield ast.Call(root.func, [ast.BinOp(inner, ast.Add(), node.right)], [])


def wrong_names(node, moments):
    """Another function, another attribute, and the old moment in place of the new."""
    if isinstance(node, ast.Name):
        yield from (ast.Name(other, ast.Load()) for other in FUNCTIONS.get(node.id, ()))
        if node.id in moments:
            yield ast.parse(f"moments.{node.id}", mode="eval").body
    else:
        known = moments if ast.unparse(node.value) == "moments" else ATTRIBUTES
        for other in ATTRIBUTES.get(node.attr, ()):
            if other in known:
                yield ast.Attribute(node.value, other, ast.Load())


def wrong_calls(node):
    """One argument in place of the result, two exchanged, a keyword forgotten."""
    name, arguments = called(node), node.args
    wires = name.startswith("scale_by_")
    array = [
        ast.unparse(argument) not in NOT_ARRAYS and not isinstance(argument, ast.Starred)
        for argument in arguments
    ]
    if name not in BUILDERS | CASTS and not wires:
        yield from (a for a, is_array in zip(arguments, array, strict=True) if is_array)
        if name == "sqrt" and isinstance(arguments[0], ast.BinOp):
            inner = arguments[0]
            yield ast.BinOp(ast.Call(node.func, [inner.left], []), inner.op, inner.right)
    if name not in COMMUTE | BUILDERS:
        for i in range(len(arguments) - 1):
            if array[i] and array[i + 1]:
                exchanged = [*arguments[:i], arguments[i + 1], arguments[i], *arguments[i + 2 :]]
                yield ast.Call(node.func, exchanged, node.keywords)
    for keyword in node.keywords:
        if keyword.arg not in HIDDEN:
            rest = [other for other in node.keywords if other is not keyword]
            yield ast.Call(node.func, arguments, rest)


def called(node):
    """The last name of a call: sqrt of jnp.sqrt."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def is_read(name):
    return isinstance(name.ctx, ast.Load)


def is_slot(node):
    return isinstance(node, ast.Call) and called(node) == "Slot"


def moments_read_in(function):
    """The moments whose old values a function reads."""
    return {
        node.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "moments"
    }
