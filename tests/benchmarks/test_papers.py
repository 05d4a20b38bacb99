"""Each experiment on a paper runs, and its committed findings follow from what it measured."""

import pytest

import adamjax
from benchmarks import record
from benchmarks.papers import __main__ as papers
from tests.benchmarks.benchmark_runs import only_result

EXPERIMENTS = papers.experiments()


@pytest.mark.usefixtures("compiled_quickly")
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_it_runs(name, tmp_path):
    papers.main(["--quick", "--results", str(tmp_path), name])
    report = only_result(f"papers.{name}", tmp_path)
    assert report["findings"]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_committed_findings_follow_from_what_was_measured(name):
    report = record.newest(f"papers.{name}")
    module = EXPERIMENTS[name]
    assert report["experiment"] == module.EXPERIMENT._asdict()
    assert report["settings"].keys() == module.Settings()._asdict().keys()
    assert "--quick" not in report["command"]
    assert report["findings"] == [finding._asdict() for finding in module.findings(report)]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_says_what_it_is_about(name):
    experiment = EXPERIMENTS[name].EXPERIMENT
    assert adamjax.get_variant(experiment.variant).paper.title
    assert all(len(text) > 3 for text in experiment)


def test_an_unknown_name_is_told(capsys):
    with pytest.raises(SystemExit):
        papers.main(["--quick", "adamm"])
    assert "unknown experiment 'adamm'" in capsys.readouterr().err
