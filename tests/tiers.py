"""The three tiers of the suite, and the variants that carry the shared code paths.

    quick        `make test`: one test per code path, representatives of the variants
    wide         `.ci/run`: also every variant that is not a pass-through
    exhaustive   `make test-all`: every variant x path

A test belongs to the quick tier unless it is marked `wide` or `exhaustive`.
"""

import pytest

import adamjax

TIERS = ("quick", "wide", "exhaustive")
# One of each kind of update rule, state, wrapper and ready-made optimizer.
REPRESENTATIVES = (
    "adafactor",  # factored moments, a learning rate of its own
    "adai",  # a scalar of the whole tree
    "adamw",  # a pair of moments
    "adashift",  # a window of gradients
    "amsgrad",  # a maximum
    "lamb",  # weight decay inside, norms of the leaf
    "lion",  # one signed moment
    "muon",  # a partition, matrices
    "prodigy",  # sums over all leaves, a copy of the parameters
    "schedule_free_adamw",  # an iterate of its own
    "soap",  # bases beside the moments
    "sophia",  # an extra argument of update
)


def each_variant(argument="name", *, others="exhaustive", names=None):
    """Parametrize over the variants: representatives are quick, the others in another tier."""
    mark = getattr(pytest.mark, others)
    params = [
        pytest.param(name, marks=() if name in REPRESENTATIVES else mark)
        for name in names or adamjax.list_variants()
    ]
    return pytest.mark.parametrize(argument, params)
