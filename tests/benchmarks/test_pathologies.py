"""The benchmark of pathologies equals `compare`, and its results hold."""

import numpy as np
import pytest

import adamjax
from adamjax.cli.compare import run
from adamjax.problems import PROBLEMS
from benchmarks import pathologies, record
from benchmarks.pathologies import Settings

SHORT = Settings(steps=30, tuning_seeds=1, start_noise=0.0)


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
