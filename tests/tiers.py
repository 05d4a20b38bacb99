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

# For long tests of code that all variants share: elementwise, in parts by shape, and sums over all.
FEW = ("adamw", "muon", "prodigy")
# More than a rule under `lift`, or a ready-made form that does more than pass its arguments on.
OWN_CODE = {
    *("adabound", "adamod", "adamp", "amos", "amsbound", "apollo", "c_adamw", "c_lion"),
    *("dadapt_adam", "focus", "grokadamw", "grokfast_adamw", "laprop", "lookahead_adam", "madgrad"),
    *("mars_adamw", "mars_lion", "novograd", "ranger", "schedule_free_radam", "schedule_free_sgd"),
    *("sgdp", "stable_adamw"),
}


def each_variant(
    argument="name", *, quick=REPRESENTATIVES, own=None, others="exhaustive", names=None
):
    """Parametrize over variants: some representatives are quick, others in another tier.

    `own` is the tier of those that have code of their own, if it is not that of the others.
    """

    def marks(name):
        tier = own if own and name in OWN_CODE else others
        tier = "wide" if name in REPRESENTATIVES else tier
        return () if name in quick else getattr(pytest.mark, tier)

    params = [pytest.param(n, marks=marks(n)) for n in names or adamjax.list_variants()]
    return pytest.mark.parametrize(argument, params)
