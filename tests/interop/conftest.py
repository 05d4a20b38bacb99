"""Fixtures whose imports are too slow for the quick tier."""


def pytest_ignore_collect(collection_path, config):
    """Leave Optax's suites to the tiers that run them."""
    is_quick = config.getoption("--tier") == "quick"
    return True if is_quick and collection_path.name == "test_optax_suites.py" else None
