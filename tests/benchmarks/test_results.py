"""Reports are compared with reports like them, and the committed results hold."""

import json
import math

import pytest

import adamjax
from benchmarks import machine, record
from tests.benchmarks.benchmark_runs import only_result


@pytest.fixture
def command():
    """The main function of `python -m benchmarks`; it imports Flax."""
    from benchmarks import __main__

    return __main__.main


def make_report(ratio=(1.0, 1.1, 1.2), name="adamw", **changes):
    """A report of one figure."""
    rows = {"one leaf": {name: list(ratio), "optax.adamw": [1.0, 1.0, 1.0]}}
    return {
        "benchmark": "report",
        "hardware": {"processor": "AMD EPYC", "cores": 2, "devices": ["cpu"]},
        "settings": {"seconds": 8},
        "versions": {"jax": "0.10.1"},
        "sections": {"time": {"unit": "ratio", "rows": rows}},
        **changes,
    }


def compare(command, folder, *reports):
    files = [folder / f"{index}.json" for index, _ in enumerate(reports)]
    for file, report in zip(files, reports, strict=True):
        file.write_text(json.dumps(report))
    command(["compare", *map(str, files)])


def test_changes_beyond_the_spread_are_marked(command, tmp_path, capsys):
    later = make_report((2.0, 2.1, 2.2), versions={"jax": "0.10.2"})
    compare(command, tmp_path, make_report(), later)
    text = capsys.readouterr().out
    (ours,) = (line for line in text.splitlines() if " adamw " in line)
    (theirs,) = (line for line in text.splitlines() if "optax.adamw" in line)
    assert ours.split()[-3:] == ["1.1", "2.1", "higher"]
    assert theirs.split()[-2:] == ["1", "1"]
    assert "jax: 0.10.1 and now 0.10.2" in text
    compare(command, tmp_path, make_report(), make_report(name="lion"))
    text = capsys.readouterr().out
    assert "not in both: time, one leaf, adamw" in text
    assert "not in both: time, one leaf, lion" in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"hardware": {"processor": "AMD EPYC", "cores": 4, "devices": ["cpu"]}},
            "cores is 2 and 4",
        ),
        ({"hardware": {"processor": "AMD EPYC", "cores": 2, "devices": ["TPU v5e"]}}, "devices"),
        ({"settings": {"seconds": 60}}, "seconds is 8 and 60"),
        ({"benchmark": "other"}, "different benchmark: report and other"),
    ],
)
def test_reports_of_other_kinds_are_not_compared(command, changes, message, tmp_path, capsys):
    report, other = make_report(), make_report(**changes)
    with pytest.raises(SystemExit) as stopped:
        compare(command, tmp_path, report, other)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    with pytest.raises(SystemExit):
        compare(command, tmp_path, other, report)


def test_files_that_are_no_reports_are_errors(command, tmp_path, capsys):
    with pytest.raises(SystemExit):
        command(["compare", str(tmp_path / "a"), str(tmp_path / "b")])
    assert "No such file" in capsys.readouterr().err.splitlines()[-1]
    with pytest.raises(SystemExit):
        command(["compare", *2 * [str(next(record.RESULTS.glob("timing.*.json")))]])
    assert "not a report" in capsys.readouterr().err


def test_a_section_that_fails_leaves_its_error_and_the_others(
    command, tmp_path, monkeypatch, capsys
):
    from benchmarks import sections, workers

    def fail(*_):
        raise workers.WorkerError("out of memory")

    broken = sections.SECTIONS["time"]._replace(measure=fail)
    monkeypatch.setitem(sections.SECTIONS, "time", broken)
    rows = {"one leaf": {"optax.adamw": [1.0, 1.0, 1.0]}}
    other = broken._replace(measure=lambda *_: {"rows": rows})
    monkeypatch.setitem(sections.SECTIONS, "bytes", other)
    with pytest.raises(SystemExit) as stopped:
        command(["--quick", "--sections", "time", "bytes", "--results", str(tmp_path)])
    assert stopped.value.code == 1
    assert "FAILED: WorkerError: out of memory" in capsys.readouterr().out
    reported = only_result("report", tmp_path)["sections"]
    assert reported["time"]["error"] == "WorkerError: out of memory"
    assert reported["bytes"]["rows"]


@pytest.mark.parametrize(
    ("losses", "decades", "at_least"),
    [
        ([1.05, 1.0, 1.05], 2.0, True),  # the grid ends first
        ([1.2, 1.0, 1.2], 1.0, False),  # half way to each side
        ([math.inf, 1.0, 1.2], 0.5, False),  # no interpolation towards a diverged run
        ([2.0, 1.2, 1.0], 0.5, True),
        ([math.inf, math.inf, math.inf], 0.0, False),
    ],
)
def test_a_basin_ends_where_the_loss_is_a_tenth_higher(losses, decades, at_least):
    from benchmarks import sensitivity

    basin = sensitivity.basin([0.01, 0.1, 1.0], losses)
    assert (basin["decades"], basin["at_least"]) == (decades, at_least)
    assert (basin["best_rate"] is None) == (min(losses) == math.inf)


def test_committed_results_name_their_machine():
    for file in record.RESULTS.glob("*.json"):
        report = record.read(file)
        on = file.name.removeprefix(f"{report['benchmark']}.").removesuffix(".json")
        assert on in (machine.name(report["hardware"]), "tpu", "cuda")
        assert report["versions"]["jax"] and report["date"] and report["command"]


def test_committed_sensitivity_has_three_decades_and_three_seeds():
    from benchmarks import sensitivity

    assert set(sensitivity.FIRST_CLASS) <= set(adamjax.list_variants())
    for rows in record.newest("sensitivity")["results"].values():
        assert [row["variant"] for row in rows] == list(sensitivity.FIRST_CLASS)
        for row in rows:
            assert row["rates"][-1] / row["rates"][0] == pytest.approx(1000, rel=0.01)
            assert all(len(seeds) == 3 for seeds in row["held_out"])


def test_committed_findings_of_papers_follow_from_the_measurements(capsys):
    from benchmarks.papers import __main__ as papers

    experiments = papers.experiments()
    assert {f"papers.{name}" for name in experiments} == {
        file.name.rpartition(".cpu")[0] for file in record.RESULTS.glob("papers.*.json")
    }
    for name, module in experiments.items():
        experiment, report = module.EXPERIMENT, record.newest(f"papers.{name}")
        assert adamjax.get_variant(experiment.variant).paper.title
        assert all(len(text) > 3 for text in experiment)
        assert report["experiment"] == experiment._asdict()
        assert report["settings"].keys() == module.Settings()._asdict().keys()
        assert "--quick" not in report["command"]
        assert report["findings"] == [finding._asdict() for finding in module.findings(report)]
    with pytest.raises(SystemExit):
        papers.main(["--quick", "adamm"])
    assert "unknown experiment 'adamm'" in capsys.readouterr().err
