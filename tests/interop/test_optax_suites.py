"""Optax's own tests, which are in its wheel, on our optimizers.

They run on `adamjax.optax`, and on the optimizers of `adamjax` in place of Optax's. Tests of other
optimizers are left out, and those of `EXCLUDED`.
"""

import importlib.util
import os
import re
from pathlib import Path
from unittest import mock
from warnings import catch_warnings, simplefilter

import jax
import optax
import optax.contrib
import pytest

import adamjax
import adamjax.optax
from adamjax.interop import tables

pytest.importorskip("sklearn")
# Patterns on the name and the parameters of a test, and the reasons.
EXCLUDED = {
    r"explicit_dtype.*params_dtype='bfloat16', state_dtype=None": "our moments are float32",
    r"explicit_dtype.*params_dtype='complex64', state_dtype='": "mu as complex as its parameter",
    r"explicit_dtype.*state_dtype='complex64'": "mu_dtype is a real dtype",
    r"explicit_dtype.*sgd_mom": "the field trace is mu",
    r"'adafactor'.*complex(64|128)": "factors are of real arrays",
}
# Those of the optimizers of `adamjax`, which have other names and defaults than Optax's.
DIFFERENT = {
    r"'(adamw|adamaxw|nadamw|lamb)'.*(rosenbrock|parabola)": "weight decay is 0.01 here",
    r"accept_learning_rate_schedule": "it skips itself, since our annotation is another",
    r"test_optimizers.*'sophia'": "weight decay is 0.1, and 0.0001 there",
    r"test_optimizers.*'muon'.*_setup_parabola": "Adam steps a vector at 0.015 of the rate",
    r"inject_hyperparams.*'muon'": "a leaf with three axes needs a layout",
}
# 10,000 steps, 30,000 steps, and many compilations.
SLOW = r"test_(optimization|optimizers|state_shape_dtype_shard_stability)\d"


def load(file, names, **modules):
    """A test module of Optax, with optimizers and modules replaced."""
    path = Path(optax.__file__).parent / file
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    # One creates its optimizers while it is imported, and sets XLA_FLAGS.
    with mock.patch.multiple(optax, **names), mock.patch.dict(os.environ), catch_warnings():
        simplefilter("ignore")
        spec.loader.exec_module(module)
    vars(module).update(modules)
    return module


def suite(base, excluded, tier=None):
    """A test class of our optimizers. Slow tests are in this tier."""
    methods = {}
    for name in filter(lambda name: name.startswith("test"), dir(base)):
        text = name + getattr(base, "_test_params_reprs", {}).get(name, "")
        optimizers = re.findall(r"opt_name='(\w+?)(?:_mom)?'|(?:input|update|jit)_(\w+)", text)
        mine = any(x in tables.OPTAX for found in optimizers for x in found)
        if not mine or any(re.search(pattern, text) for pattern in excluded):
            methods[name] = None
        elif tier and re.match(SLOW, name):
            methods[name] = pytest.mark.exhaustive(getattr(base, name))
    return pytest.mark.wide(type(base.__name__, (base,), methods))


class Own:
    """A module of Optax with the optimizers of `adamjax` in place of its own."""

    def __init__(self, module):
        self.module = module

    def __getattr__(self, name):
        return getattr(adamjax if name in tables.OPTAX else self.module, name)


NAMES = {n: vars(adamjax.optax)[n] for n in tables.OPTAX if hasattr(optax, n)}
OWN_NAMES = {n: getattr(adamjax, n) for n in NAMES}
ALIAS, CONTRIB, SHARDING = "_src/alias_test.py", "contrib/_common_test.py", "_src/sharding_test.py"
drop_in = {"alias": adamjax.optax, "contrib": adamjax.optax.contrib}
own = {"alias": Own(optax), "contrib": Own(optax.contrib)}

TestAlias = suite(load(ALIAS, NAMES, **drop_in).AliasTest, EXCLUDED)
TestContrib = suite(load(CONTRIB, NAMES, **drop_in).ContribTest, EXCLUDED)
# These compare versions as strings, and would skip themselves on JAX 0.12.
on_new_jax = mock.patch.object(jax, "__version__", "0.99")
TestSharding = on_new_jax(suite(load(SHARDING, NAMES).ShardingTest, EXCLUDED))
different = EXCLUDED | DIFFERENT
TestOwnAlias = suite(load(ALIAS, OWN_NAMES, **own).AliasTest, different, "exhaustive")
TestOwnContrib = suite(load(CONTRIB, OWN_NAMES, **own).ContribTest, different, "exhaustive")
TestOwnSharding = on_new_jax(suite(load(SHARDING, OWN_NAMES).ShardingTest, different))
