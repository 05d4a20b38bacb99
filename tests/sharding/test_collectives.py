"""No device sends more than the algorithm needs."""

import pytest

import adamjax
from adamjax.sharding import state_shardings
from tests.sharding import plans
from tests.sharding.collectives import of_step
from tests.sharding.needed import MATRICES, REDUCED
from tests.tiers import REPRESENTATIVES

pytestmark = pytest.mark.usefixtures("compiled_quickly")
SIZES = sorted(leaf.size for leaf in plans.PARAMS.values())
QUICK = ("adamw", "lamb", "prodigy")
BY_ELEMENT = sorted({*adamjax.list_variants()} - {*REDUCED, *MATRICES})


def each(names):
    """Three variants are quick, the other representatives and all that send something wide."""

    def mark(name):
        return pytest.mark.wide if name in (*REPRESENTATIVES, *REDUCED) else pytest.mark.exhaustive

    params = [pytest.param(name, marks=() if name in QUICK else mark(name)) for name in names]
    return pytest.mark.parametrize("name", params)


def sent(tx, plan):
    shardings, zero = plans.plan(plan)
    state = state_shardings(tx, plans.PARAMS, shardings, zero=zero, min_size=0)
    return of_step(tx, plans.PARAMS, shardings, state)


def collected(name):
    """The part of ZeRO: each new parameter once. Without a state there is nothing to divide."""
    return {"all-gather": SIZES} if adamjax.get_variant(name).slots else {}


@each(BY_ELEMENT)
def test_elementwise_variants_send_nothing(name):
    tx = plans.create(name)
    for plan in ("fsdp", "fsdp x tensor"):
        assert sent(tx, plan) == {}
    assert sent(tx, "zero") == collected(name)


@pytest.mark.parametrize(
    "storage",
    ["8bit", *(pytest.param(s, marks=pytest.mark.wide) for s in ("bfloat16", "8bit_v16"))],
)
def test_codes_send_nothing(storage):
    tx = adamjax.adamw(0.1, storage=storage, param_rounding="stochastic")
    assert sent(tx, "fsdp") == sent(tx, "fsdp x tensor") == {}
    assert sent(adamjax.adamw(0.1, storage=storage), "zero") == {"all-gather": SIZES}


@each(REDUCED)
def test_sums_over_a_leaf_are_all_that_is_sent(name):
    """At most the listed ones, each of a row or a number. ZeRO adds the parameters."""
    tx = plans.create(name)
    for plan in ("fsdp", "fsdp x tensor", "zero"):
        operations = sent(tx, plan)
        sums = operations.pop("all-reduce", [])
        assert max(sums, default=0) <= 32
        assert plan != "fsdp" or 0 < len(sums) <= REDUCED[name][0]
        assert operations == (collected(name) if plan == "zero" else {})


@pytest.mark.wide
@pytest.mark.parametrize("name", MATRICES)
def test_matrices_send_no_more_than_their_products(name):
    operations = sent(plans.create(name), "fsdp")
    assert max(max(sizes) for sizes in operations.values()) <= 32 * 32


def test_a_counted_collective_is_seen():
    """The counter counts: of a tree that lies across its state, the gradients must be turned."""
    shardings, _ = plans.plan("fsdp")
    across, _ = plans.plan("fsdp x tensor")
    tx = adamjax.adamw(0.1)
    state = state_shardings(tx, plans.PARAMS, across)
    assert of_step(tx, plans.PARAMS, shardings, state) != {}
