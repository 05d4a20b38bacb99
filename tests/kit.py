"""The conformance kit, held to what the installed Flax can do."""

import flax
import pytest

from adamjax.testing import CHECKS

# Of `optax.partition`, whose states `flax.nnx.Optimizer` cannot keep before Flax 0.12.
IN_PARTS = {"partition_matrices", "mars_adamw", "mars_lion", "muon", "nested"}
TAKES_PARTS = tuple(map(int, flax.__version__.split(".")[:2])) >= (0, 12)


def run_check(name, check, subject):
    """Holds what has this name to a check; or to failing it, where Flax cannot do better."""
    if check == "nnx_optimizer" and name in IN_PARTS and not TAKES_PARTS:
        with pytest.raises(AssertionError, match="ellipsis"):
            CHECKS[check](subject)
    else:
        CHECKS[check](subject)
