"""The benchmark of pathologies equals `compare`, tunes as it says, and its results hold."""

import jax
import numpy as np
import pytest

import adamjax
from adamjax.cli.compare import run
from adamjax.problems import PROBLEMS, parameters
from benchmarks import pathologies, pathologies_picture, record
from benchmarks.pathologies import HIGHEST, LOWEST, Settings

SHORT = Settings(steps=30, tuning_seeds=1, start_noise=0.0)


def test_every_problem_is_in_one_group_of_equal_shapes_and_in_one_column():
    groups = pathologies.groups(PROBLEMS)
    assert sorted(p.name for group in groups for p in group) == sorted(PROBLEMS)
    for group in groups:
        assert len({str(jax.tree.map(np.shape, parameters(p.start))) for p in group}) == 1
        assert all(p.arguments == group[0].arguments for p in group)
    columns = pathologies_picture.columns(list(PROBLEMS))
    assert sorted(name for names in columns.values() for name in names) == sorted(PROBLEMS)


def test_a_group_equals_compare_and_seeds_draw_starts_and_noise():
    problems = [PROBLEMS[name] for name in ("rosenbrock", "noisy", "delayed")]
    runner = pathologies.make_runner("adam", problems, SHORT)
    for index, problem in enumerate(problems):
        (score, *_), _ = runner(np.int32(index), np.float32([0.1]), np.int32([0]))
        losses = run(adamjax.adam, problem, learning_rates=[0.1], steps=30).losses
        assert float(score) == pytest.approx(np.log10(losses[-3:].mean() / losses[0]), abs=1e-3)
    runner = pathologies.make_runner("sgd", problems, SHORT._replace(start_noise=0.05))
    seeds = np.arange(3, dtype=np.int32)
    for index in range(2):
        scores, _ = runner(np.int32(index), np.full(3, 1e-3, np.float32), seeds)
        assert len(set(np.asarray(scores).tolist())) == 3


@pytest.mark.parametrize("best", [1e-7, 3e-2, 1e4])
def test_the_best_learning_rate_is_found_also_beyond_the_grid(best):
    def run(rates, seeds):
        assert len(rates) == len(seeds) == len(Settings().judging_seeds)
        off = np.abs(np.log10(rates / best))
        return np.minimum(off, HIGHEST) - 2 + 0.01 * seeds, off

    assert abs(np.log10(pathologies.tune(run, Settings()) / best)) < 0.26


def test_scores():
    def equal(rates, seeds):
        return np.full(len(rates), LOWEST), np.abs(np.log10(rates / 1e-2))

    # Of equal scores, the faster run is chosen.
    assert pathologies.tune(equal, Settings()) == pytest.approx(1e-2)
    scores = pathologies.score(np.array([np.nan, np.inf, 1e9, 1.0, 0.0], np.float32))
    np.testing.assert_allclose(scores, [HIGHEST, HIGHEST, HIGHEST, 0, LOWEST])
    settings = Settings()
    assert not set(range(settings.tuning_seeds)) & set(settings.judging_seeds.tolist())


def test_shares_are_of_the_best_in_decades():
    def row(score, failed=0.0):
        return {"score": score, "failed": failed}

    results = {
        "one": {"adam": row(-4.0), "sgd": row(-1.0), "lion": row(2.0, 1.0)},
        "two": {"adam": row(-1.0), "sgd": row(-2.0), "lion": row(-2.0, 0.2)},
    }
    summary = pathologies.summary(results)
    assert list(summary) == ["adam", "sgd", "lion"]
    assert [row["mean_share"] for row in summary.values()] == [0.75, 0.625, 0.5]
    assert [row["problems_failed"] for row in summary.values()] == [0, 0, 1]


# In docs/how-to-choose.md: by more decades than AdamW, or less if negative.
CLAIMS = [
    ("grokadamw grams adopt adafactor came", "outliers", 0.9),
    ("adagrad nadam", "sparse completion", 0.1),
    ("schedule_free_adamw schedule_free_radam", "logistic in_turn", 0.9),
    ("soap", "both_sides", 2),
    ("came adopt soap", "layers", 0.5),
    ("lion tiger prodigy dadapt_adam", "noisy", -0.3),
    ("prodigy dadapt_adam radam ranger adabelief", "outliers", -0.5),
    ("yogi apollo", "vanishing", -7),
    ("soap", "sparse", -2),
]


def test_committed_results():
    report = record.newest("pathologies")
    results = report["results"]
    assert set(report["summary"]) <= set(adamjax.list_variants())
    assert set(results) == set(PROBLEMS)
    assert report["summary"] == pathologies.summary(results)

    def decades(variant, problem):
        return -results[problem][variant]["score"]

    assert [results["reddi"][name]["failed"] for name in ("adam", "adamw", "lion")] == [1, 1, 1]
    for name in ("amsgrad", "yogi", "adopt", "sgd"):
        assert results["reddi"][name]["failed"] == 0 and decades(name, "reddi") > 1.5
    for variants, problems, more in CLAIMS:
        for name in variants.split():
            for problem in problems.split():
                gap = decades(name, problem) - decades("adamw", problem)
                assert gap > more if more > 0 else gap < more, (name, problem)
