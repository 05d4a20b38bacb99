"""The benchmark of learning rates runs, and its committed results are of what there is."""

import math

import pytest

import adamjax
from benchmarks import record, sensitivity
from tests.benchmarks.benchmark_runs import only_result


def test_quick_run(tmp_path):
    sensitivity.main(["--quick", "--results", str(tmp_path)])
    report = only_result("sensitivity", tmp_path)
    assert [row["variant"] for row in report["results"]["MNIST MLP"]] == ["adamw", "lion"]


def test_the_committed_results_are_three_decades_of_three_seeds():
    report = record.newest("sensitivity")
    assert set(sensitivity.FIRST_CLASS) <= set(adamjax.list_variants())
    for rows in report["results"].values():
        assert [row["variant"] for row in rows] == list(sensitivity.FIRST_CLASS)
        for row in rows:
            assert row["rates"][-1] / row["rates"][0] == pytest.approx(1000, rel=0.01)
            assert all(len(seeds) == 3 for seeds in row["held_out"])


@pytest.mark.parametrize(
    ("losses", "decades", "at_least"),
    [
        ([1.05, 1.0, 1.05], 2.0, True),  # the grid ends first
        ([1.2, 1.0, 1.2], 1.0, False),  # half way to each side
        ([math.inf, 1.0, 1.2], 0.5, False),  # nothing is reckoned towards what diverged
        ([2.0, 1.2, 1.0], 0.5, True),
    ],
)
def test_a_basin_ends_where_the_loss_is_a_tenth_higher(losses, decades, at_least):
    found = sensitivity.basin([0.01, 0.1, 1.0], losses)
    assert (found["decades"], found["at_least"]) == (decades, at_least)


def test_a_variant_that_always_diverges_has_no_basin():
    found = sensitivity.basin([0.1, 1.0], [math.inf, math.inf])
    assert found == {"best_rate": None, "best_loss": None, "decades": 0.0, "at_least": False}
