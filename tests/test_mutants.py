"""Every mistake that `tests/mutation.py` plants is noticed by the comparison with the oracles."""

import numpy as np
import pytest

from tests.equivalents import EQUIVALENT
from tests.mutation import mutants
from tests.reference import precision
from tests.sandbox import check_mutant, compiled

MUTANTS = list(mutants())
FILES = sorted({file for mutant in MUTANTS for file in mutant.files})


@pytest.fixture(autouse=True)
def float64():
    with precision(np.float64):
        yield


def is_equivalent(mutant):
    return any(mutant.name in names for names in EQUIVALENT.values())


@pytest.mark.parametrize(
    "mutant", [m for m in MUTANTS if not is_equivalent(m)], ids=lambda mutant: mutant.name
)
def test_mutant_is_killed(mutant):
    assert any(check_mutant(file, mutant.module, mutant.code) for file in mutant.files)


@pytest.mark.parametrize("file", FILES)
def test_without_a_mistake_nothing_is_killed(file):
    assert check_mutant(file, file, compiled(file)) is None


def test_every_exception_is_of_a_mutant_that_exists():
    assert set().union(*EQUIVALENT.values()) <= {mutant.name for mutant in MUTANTS}
