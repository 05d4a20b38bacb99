"""The committed results hold."""

import pytest

import adamjax
from benchmarks import machine, record


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


def test_committed_sweeps_are_fast_and_found_rates_are_right():
    report = record.newest("sweep")
    assert report["settings"]["members"] == 32
    assert report["times"]["sweep"]["ratio"][1] <= 0.5  # relative to loops
    counts = report["summary"]["1"]
    assert counts["within"] >= 0.95 * (counts["within"] + counts["wrong"])
    assert counts["within"] >= counts["none"]


def test_committed_sharding_of_muon_divides_the_work():
    from benchmarks import matrices

    rows = record.newest("matrices")["sharding"]
    assert len(rows) == 3 * len(matrices.SPECS)
    for name, row in rows.items():
        if name.startswith("adamjax"):
            assert row["multiplications"] < 1.05
            assert row["collectives"] <= (4 if name.endswith("2-D") else 2)
            assert row["difference"] < (0.1 if "bfloat16" in name else 1e-5)


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
