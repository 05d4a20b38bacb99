"""Optax's own tests, which ship in its wheel, on the functions of `adamjax.optax`."""

import importlib.util
import re
from pathlib import Path

import optax
import pytest

import adamjax.optax
from adamjax.interop import tables

pytest.importorskip("sklearn")
FOLDER = Path(optax.__file__).parent


def load(file, **names):
    """A test module of Optax in which some names stand for others."""
    spec = importlib.util.spec_from_file_location(f"optax_{Path(file).stem}", FOLDER / file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module).update(names)
    return module


alias = load("_src/alias_test.py", alias=adamjax.optax)
contrib = load("contrib/_common_test.py", contrib=adamjax.optax.contrib, alias=adamjax.optax)


class AliasTest(alias.AliasTest):
    pass


class ContribTest(contrib.ContribTest):
    pass


def names_in(case, name):
    return re.search(r"opt_name='(\w+)'", case._test_params_reprs.get(name, ""))


for case in (AliasTest, ContribTest):
    for name in dir(case):
        if name.startswith("test"):
            m = names_in(case, name)
            if m and m[1] not in tables.OPTAX and m[1] not in ("sgd_mom",):
                setattr(case, name, None)
del case
