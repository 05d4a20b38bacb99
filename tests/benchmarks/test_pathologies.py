"""The committed results of the benchmark of pathologies hold."""

import adamjax
from adamjax.problems import PROBLEMS
from benchmarks import pathologies, record

# In docs/comparison.md: by more decades than AdamW, or less if negative.
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
