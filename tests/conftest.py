"""Eight devices on the CPU, for tests of meshes.

`pytest --collect-only --capabilities FILE` counts the tests of each variant and capability.
"""

import collections
import json
import os
import pathlib

import jax
import pytest

from tests.capabilities import column_of, variants_of
from tests.tiers import TIERS

# Before anything is computed. What is not put on a mesh is on the first of them; each that waits
# for the others holds a thread of the pool.
os.environ.setdefault("NPROC", "16")
jax.config.update("jax_num_cpu_devices", 8)


@pytest.fixture(scope="module")
def compiled_quickly():
    """For tests that compile much, run it briefly and do not look at last digits."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
    jax.clear_caches()


def pytest_addoption(parser):
    parser.addoption("--capabilities", metavar="FILE", help="where to write docs/capabilities.json")
    parser.addoption("--tier", choices=TIERS, default="quick", help="the largest tier to run")


def pytest_collection_modifyitems(config, items):
    """Leave out the tests of larger tiers than the chosen one."""
    larger = set(TIERS[TIERS.index(config.getoption("--tier")) + 1 :])
    dropped = [item for item in items if larger.intersection(m.name for m in item.iter_markers())]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in set(dropped)]


def counted(items):
    """{variant: {capability: tests}}"""
    counts = collections.defaultdict(collections.Counter)
    for item in items:
        column = column_of(item.nodeid)
        for variant in variants_of(item.callspec.params) if column else ():
            counts[variant][column] += 1
    return counts


def pytest_collection_finish(session):
    if file := session.config.getoption("--capabilities"):
        text = json.dumps(counted(session.items), indent=1, sort_keys=True)
        pathlib.Path(file).write_text(text + "\n", encoding="utf-8")


@pytest.fixture
def collected(request):
    """The counts of this run, and whether it is of all tests."""
    option = request.config.option
    chosen = option.keyword or option.markexpr or option.deselect or option.ignore
    whole = not chosen and request.config.args == request.config.getini("testpaths")
    return counted(request.session.items), whole
