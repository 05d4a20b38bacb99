"""The benchmark of pathologies runs what `compare` runs, tunes as it says, and its results hold."""

import jax
import numpy as np
import pytest

import adamjax
from adamjax.cli.compare import run
from adamjax.problems import PROBLEMS, parameters
from benchmarks import pathologies, pathologies_picture, record
from benchmarks.pathologies import HIGHEST, LOWEST, Settings
from tests.benchmarks.benchmark_runs import only_result

FEW = Settings(steps=30, tuning_seeds=1, start_noise=0.0)


FEW_PROBLEMS = [PROBLEMS[name] for name in ("rosenbrock", "noisy", "delayed")]


def test_every_problem_is_in_one_group_of_equal_shapes():
    found = pathologies.groups(PROBLEMS)
    assert sorted(p.name for group in found for p in group) == sorted(PROBLEMS)
    for group in found:
        assert len({str(jax.tree.map(np.shape, parameters(p.start))) for p in group}) == 1
        assert all(p.arguments == group[0].arguments for p in group)


def test_a_group_runs_what_compare_runs():
    runner = pathologies.make_runner("adam", FEW_PROBLEMS, FEW)
    for index, problem in enumerate(FEW_PROBLEMS):
        (score, *_), _ = runner(np.int32(index), np.float32([0.1]), np.int32([0]))
        losses = run(adamjax.adam, problem, learning_rates=[0.1], steps=30).losses
        assert float(score) == pytest.approx(np.log10(losses[-3:].mean() / losses[0]), abs=1e-3)


def test_seeds_draw_starts_and_noise():
    runner = pathologies.make_runner("sgd", FEW_PROBLEMS, FEW._replace(start_noise=0.05))
    seeds = np.arange(3, dtype=np.int32)
    for index in range(2):
        scores, _ = runner(np.int32(index), np.full(3, 1e-3, np.float32), seeds)
        assert len(set(np.asarray(scores).tolist())) == 3


@pytest.mark.parametrize("best", [1e-7, 1e-5, 3e-2, 10.0, 1e4])
def test_the_best_learning_rate_is_found_also_beyond_the_grid(best):
    def run(rates, seeds):
        assert len(rates) == len(seeds) == len(Settings().judging_seeds)
        off = np.abs(np.log10(rates / best))
        return np.minimum(off, HIGHEST) - 2 + 0.01 * seeds, off

    assert abs(np.log10(pathologies.tune(run, Settings()) / best)) < 0.26


def test_of_equal_scores_the_faster_run_decides():
    def run(rates, seeds):
        return np.full(len(rates), LOWEST), np.abs(np.log10(rates / 1e-2))

    assert pathologies.tune(run, Settings()) == pytest.approx(1e-2)


def test_what_is_not_finite_is_lost():
    ratios = np.array([np.nan, np.inf, 1e9, 1.0, 0.0], np.float32)
    scores = np.asarray(pathologies.score(ratios))
    np.testing.assert_allclose(scores, [HIGHEST, HIGHEST, HIGHEST, 0, LOWEST])


def test_tuning_and_judging_seeds_differ():
    settings = Settings()
    assert not set(range(settings.tuning_seeds)) & set(settings.judging_seeds.tolist())


def test_adam_fails_on_the_counter_example_and_amsgrad_does_not():
    (group,) = (g for g in pathologies.groups(PROBLEMS) if PROBLEMS["reddi"] in g)
    told = {}
    for name in ("adam", "amsgrad"):
        settings = FEW._replace(steps=500)
        runner = pathologies.make_runner(name, group, settings)
        told[name] = pathologies.judge(runner, 0, group[0], settings)
    assert told["adam"]["failed"] == 1 and told["adam"]["score"] > 0.2
    assert told["amsgrad"]["failed"] == 0 and told["amsgrad"]["score"] < -0.5
    assert {row["learning_rate"] for row in told.values()} == {0.03}


def test_shares_are_of_the_best_in_decades():
    def row(score, failed=0.0):
        return {"score": score, "failed": failed}

    found = {
        "one": {"adam": row(-4.0), "sgd": row(-1.0), "lion": row(2.0, 1.0)},
        "two": {"adam": row(-1.0), "sgd": row(-2.0), "lion": row(-2.0, 0.2)},
    }
    told = pathologies.summary(found)
    assert list(told) == ["adam", "sgd", "lion"]
    assert [told[name]["mean_share"] for name in told] == [0.75, 0.625, 0.5]
    assert [told[name]["problems_failed"] for name in told] == [0, 0, 1]


def test_it_runs_and_draws(tmp_path, monkeypatch):
    few = {name: PROBLEMS[name] for name in ("noisy", "reddi", "both_sides")}
    monkeypatch.setattr(pathologies, "PROBLEMS", few)
    pathologies.main(["--quick", "--variants", "sgd", "--results", str(tmp_path)])
    report = only_result("pathologies", tmp_path)
    assert list(report["results"]) == list(few)
    assert set(report["summary"]) == {"sgd"}


REPORT = record.newest("pathologies")


def decades(variant, problem):
    return -REPORT["results"][problem][variant]["score"]


def test_the_committed_results_are_of_what_there_is():
    assert set(REPORT["summary"]) <= set(adamjax.list_variants())
    assert set(REPORT["results"]) == set(PROBLEMS)
    assert REPORT["summary"] == pathologies.summary(REPORT["results"])


def test_the_committed_results_show_the_counter_example():
    reddi = REPORT["results"]["reddi"]
    assert [reddi[name]["failed"] for name in ("adam", "adamw", "lion")] == [1, 1, 1]
    for name in ("amsgrad", "yogi", "adopt", "sgd"):
        assert reddi[name]["failed"] == 0 and decades(name, "reddi") > 1.5


@pytest.mark.parametrize(
    ("variants", "problems", "more"),
    [
        (("grokadamw", "grams", "adopt", "adafactor", "came"), ("outliers",), 0.9),
        (("adagrad", "nadam"), ("sparse", "completion"), 0.1),
        (("schedule_free_adamw", "schedule_free_radam"), ("logistic", "in_turn"), 0.9),
        (("soap",), ("both_sides",), 2),
        (("came", "adopt", "soap"), ("layers",), 0.5),
        (("lion", "tiger", "prodigy", "dadapt_adam"), ("noisy",), -0.3),
        (("prodigy", "dadapt_adam", "radam", "ranger", "adabelief"), ("outliers",), -0.5),
        (("yogi", "apollo"), ("vanishing",), -7),
        (("soap",), ("sparse",), -2),
    ],
    ids=str,
)
def test_what_how_to_choose_says_is_in_the_results(variants, problems, more):
    """More decades than AdamW by this much, or less if negative."""
    for name in variants:
        for problem in problems:
            gap = decades(name, problem) - decades("adamw", problem)
            assert gap > more if more > 0 else gap < more


def test_every_problem_has_its_column():
    shown = pathologies_picture.columns(list(PROBLEMS))
    assert sorted(name for names in shown.values() for name in names) == sorted(PROBLEMS)
