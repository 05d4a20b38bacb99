"""A private copy of adamjax in which one module has another source, compared with the oracles."""

import ast
import builtins
import functools
import importlib.util
import pathlib
import types

import numpy as np

import adamjax
from tests import cases

# The comparison of test_oracles agrees to 3e-11 where it is least exact.
TOLERANCE = 1e-10
FAILURES = (
    *(ArithmeticError, AttributeError, LookupError, NameError),
    *(RuntimeError, TypeError, ValueError, Warning),
)


class Sandbox:
    """Modules of adamjax loaded afresh, registry included, one of them from the given code."""

    def __init__(self, module, code):
        self.codes = {module: code}
        self.modules = {}

    def load(self, name):
        if name not in self.modules:
            module = self.modules[name] = types.ModuleType(name)
            module.__dict__["__builtins__"] = vars(builtins) | {"__import__": self._import}
            exec(self.codes.get(name) or compiled(name), vars(module))
        return self.modules[name]

    def _import(self, name, namespace=None, local=None, names=(), level=0):
        if name.startswith("adamjax."):
            return self.load(name)
        return builtins.__import__(name, namespace, local, names, level)


@functools.cache
def parsed(module):
    source = pathlib.Path(importlib.util.find_spec(module).origin)
    return ast.parse(source.read_text(encoding="utf-8"))


@functools.cache
def compiled(module):
    return compile(parsed(module), module, "exec")


def home(variant):
    """The module of a variant."""
    return adamjax.get_variant(variant).optimizer.__module__


def check_mutant(file, module, code):
    """How the variants of a file, with this code for a module, differ from the oracles, or None.

    First a glance at every trial, which most mistakes do not survive, then all of every trial.
    """
    subjects = [(name, style) for name, style in cases.VARIANTS if home(name) == file]
    try:
        sandbox = Sandbox(module, code)
        sandbox.load(file)
        find = sandbox.load("adamjax.registry").get_variant
        for glance in (True, False):
            for i in range(len(cases.trials(*subjects[0]))):
                for name, style in subjects:
                    if step := first_difference(name, style, i, glance, find(name)):
                        label = cases.trials(name, style)[i].label
                        return f"{name}, {style}, {label}: step {step} differs"
    except FAILURES as failure:
        return f"{type(failure).__name__}: {failure}"
    return None


def first_difference(name, style, i, glance, variant):
    """The first step of a trial on which a record of a variant and the oracle disagree, or None."""
    params, grads, steps, measure = truth(name, style, i, glance)
    tx = cases.trials(name, style)[i].optimizer(variant)
    updates = cases.taken(tx, params, grads, np.float64)
    for t, (update, step) in enumerate(zip(updates, steps, strict=True), start=1):
        if cases.error(update, step, *measure) > TOLERANCE:
            return t
    return None


@functools.cache
def truth(name, style, i, glance):
    """A problem, the oracle's steps and their measure. The quick one has seven steps of a leaf."""
    trial = cases.trials(name, style)[i]
    params, grads = trial.problem()
    if glance:
        leaf = "matrix" if "matrix" in params else "big"
        params, grads = {leaf: params[leaf]}, [{leaf: g[leaf]} for g in grads[:7]]
    steps, *measure = cases.expected(name, params, grads, **trial.oracle_arguments)
    return params, grads, steps, measure
