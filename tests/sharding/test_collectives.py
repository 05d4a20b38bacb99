"""No device sends what the algorithm does not need."""

import pytest

import adamjax
from adamjax.sharding import state_shardings
from tests.sharding import plans
from tests.sharding.collectives import of_step
from tests.sharding.needed import MATRICES, REDUCED

SIZES = sorted(leaf.size for leaf in plans.PARAMS.values())
BY_ELEMENT = sorted({*adamjax.list_variants()} - {*REDUCED, *MATRICES})


def sent(tx, plan):
    shardings, zero = plans.plan(plan)
    state = state_shardings(tx, plans.PARAMS, shardings, zero=zero, min_size=0)
    return of_step(tx, plans.PARAMS, shardings, state)


def collected(name):
    """What ZeRO adds: each new parameter once; a state of nothing leaves nothing to divide."""
    return {"all-gather": SIZES} if adamjax.get_variant(name).slots else {}


@pytest.mark.parametrize("plan", ["fsdp", "fsdp x tensor"])
@pytest.mark.parametrize("name", BY_ELEMENT)
def test_what_goes_by_element_sends_nothing(name, plan):
    assert sent(adamjax.create(name, learning_rate=0.1), plan) == {}


@pytest.mark.parametrize("plan", ["fsdp", "fsdp x tensor"])
@pytest.mark.parametrize("storage", ["bfloat16", "8bit_v16", "8bit"])
def test_codes_send_nothing(storage, plan):
    tx = adamjax.adamw(0.1, storage=storage, param_rounding="stochastic")
    assert sent(tx, plan) == {}


@pytest.mark.parametrize("name", BY_ELEMENT)
def test_zero_collects_each_parameter_once(name):
    assert sent(adamjax.create(name, learning_rate=0.1), "zero") == collected(name)


@pytest.mark.parametrize("storage", ["bfloat16", "8bit_v16", "8bit"])
def test_zero_with_codes_collects_each_parameter_once(storage):
    assert sent(adamjax.adamw(0.1, storage=storage), "zero") == {"all-gather": SIZES}


@pytest.mark.parametrize("name", REDUCED)
def test_sums_over_a_leaf_are_all_that_is_sent(name):
    """No more than are listed, each of a row or a number; with ZeRO the parameters as well."""
    tx = adamjax.create(name, learning_rate=0.1)
    rows = sent(tx, "fsdp")
    assert set(rows) == {"all-reduce"}
    assert 0 < len(rows["all-reduce"]) <= REDUCED[name][0]
    for plan in ("fsdp", "fsdp x tensor", "zero"):
        seen = sent(tx, plan)
        assert max(seen.pop("all-reduce")) <= 32
        assert seen == (collected(name) if plan == "zero" else {})


@pytest.mark.parametrize("name", MATRICES)
def test_matrices_send_no_more_than_their_products(name):
    seen = sent(adamjax.create(name, learning_rate=0.1), "fsdp")
    assert max(max(sizes) for sizes in seen.values()) <= 32 * 32


def test_a_counted_collective_is_seen():
    """The counter counts: of a tree that lies across its state, the gradients must be turned."""
    shardings, _ = plans.plan("fsdp")
    across, _ = plans.plan("fsdp x tensor")
    tx = adamjax.adamw(0.1)
    state = state_shardings(tx, plans.PARAMS, across)
    assert of_step(tx, plans.PARAMS, shardings, state) != {}
