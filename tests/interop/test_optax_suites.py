"""Optax's own tests, which ship in its wheel, on our optimizers.

They run on `adamjax.optax`, and on the optimizers of `adamjax` in the place of Optax's. Tests of
other optimizers than ours are left out, and those in `EXCLUDED`.
"""

import contextlib
import importlib.util
import os
import re
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import optax
import optax.contrib
import pytest

import adamjax
import adamjax.optax
from adamjax.interop import tables

pytest.importorskip("sklearn")
FOLDER = Path(optax.__file__).parent
# Tests by name and parameters, and why we differ.
EXCLUDED = {
    r"explicit_dtype.*params_dtype='bfloat16', state_dtype=None": "moments are float32",
    r"explicit_dtype.*state_dtype='complex64'": "mu_dtype must be floating",
    r"explicit_dtype.*params_dtype='complex64', state_dtype='": "a real mu of complex parameters",
}
OF_OWN = {
    r"explicit_dtype.*sgd_mom": "accumulator_dtype is mu_dtype, and trace is mu",
}
# Until the core supports them.
WAITING = {
    r"(complex64|complex128)": "complex leaves",
    r"inject_hyperparams": "state of injected betas",
}
EXCLUDED |= WAITING


def ours(module):
    """The names of a module of Optax, with the optimizers of `adamjax` in their place."""
    names = {name: getattr(adamjax, name) for name in adamjax.list_variants()}
    return SimpleNamespace(**{**vars(module), **names})


def load(file, **names):
    """A test module of Optax in which some names stand for others."""
    spec = importlib.util.spec_from_file_location(Path(file).stem, FOLDER / file)
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(os.environ):  # one sets XLA_FLAGS
        spec.loader.exec_module(module)
    vars(module).update(names)
    return module


def suite(base, exclude):
    """A test class without the tests of others' optimizers and those to exclude."""
    chosen = {}
    for name in filter(lambda name: name.startswith("test"), dir(base)):
        parameters = base._test_params_reprs.get(name, "")
        optimizers = re.findall(r"opt_name='(\w+)'", parameters)
        text = f"{name} {parameters}"
        mine = any(x in tables.OPTAX or x == "sgd_mom" for x in optimizers)
        if not mine or any(re.search(pattern, text) for pattern in exclude):
            chosen[name] = None
    return type(base.__name__, (base,), chosen)


alias, contrib = "_src/alias_test.py", "contrib/_common_test.py"
own = {"alias": ours(optax._src.alias), "contrib": ours(optax.contrib)}
AliasOwn = suite(load(alias, alias=own["alias"]).AliasTest, EXCLUDED | OF_OWN)
ContribOwn = suite(load(contrib, **own).ContribTest, EXCLUDED | OF_OWN)
Alias = suite(load(alias, alias=adamjax.optax).AliasTest, EXCLUDED)
Contrib = suite(
    load(contrib, alias=adamjax.optax, contrib=adamjax.optax.contrib).ContribTest, EXCLUDED
)
