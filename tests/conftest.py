"""Options and fixtures of the whole suite: tiers, eight CPU devices, float64."""

import platform

import jax
import optax
import pytest

from tests.tiers import TIERS

# For tests of meshes, before any computation.
jax.config.update("jax_num_cpu_devices", 8)


@pytest.fixture(scope="module")
def compiled_quickly():
    """For tests that compile much, run it briefly and do not look at last digits."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
    jax.clear_caches()


@pytest.fixture
def float64():
    """Enable float64. Tests marked `xdist_group("float64")` share their compilations."""
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def pytest_report_header():
    return f"Python {platform.python_version()}, JAX {jax.__version__}, Optax {optax.__version__}"


def pytest_addoption(parser):
    parser.addoption("--tier", choices=TIERS, default="quick", help="the largest tier to run")
    parser.addoption("--only", action="store_true", help="leave out the tiers below --tier")


def pytest_collection_modifyitems(config, items):
    """Select the tests of the chosen tier and, without --only, of those below it."""
    chosen = TIERS.index(config.getoption("--tier"))
    tiers = {chosen} if config.getoption("--only") else set(range(chosen + 1))
    dropped = [item for item in items if tier_of(item) not in tiers]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if tier_of(item) in tiers]


def tier_of(item):
    """The number of the largest tier that a test is marked with."""
    marks = {mark.name for mark in item.iter_markers()}
    return max(i for i, tier in enumerate(TIERS) if i == 0 or tier in marks)
