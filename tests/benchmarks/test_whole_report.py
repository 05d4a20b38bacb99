"""The report says where it comes from, has Optax in each table, and is compared with its like."""

import copy
import json
import math
from argparse import Namespace

import jax
import jax.numpy as jnp
import optax
import pytest

from benchmarks import (
    __main__ as command,
    comparison,
    compiled,
    machine,
    many_leaves,
    record,
    sections,
    timing,
    workers,
)
from tests.benchmarks.benchmark_runs import only_result, run

FAST = ("bytes", "pathologies")


def test_quick_run(tmp_path):
    folder = tmp_path
    process = run("benchmarks", "--quick", "--json", "--sections", *FAST, "--results", folder)
    assert process.returncode == 0, process.stderr
    report = only_result("report", folder)
    assert json.loads(process.stdout) == report  # nothing else comes out
    assert "Memory traffic" in process.stderr
    assert set(report["versions"]) >= {"python", "adamjax", "jax", "optax"}
    assert report["hardware"] == machine.hardware() | {"devices": ["cpu"]}
    assert report["clocks"]["timer_resolution_seconds"] > 0
    assert list(record.find("report", folder)) == [machine.name(report["hardware"])]
    assert list(report["sections"]) == list(FAST)
    for section in report["sections"].values():
        for rows in section["rows"].values():
            assert any(name.startswith("optax.") for name in rows)
            assert all(low <= middle <= high for low, middle, high in rows.values())


def test_every_section_has_its_parts_and_a_plan_for_each_size():
    for plan in (sections.Plan(), sections.QUICK):
        assert all(section.parts(plan) > 0 for section in sections.SECTIONS.values())


TINY = sections.Plan(
    sizes=(20_000,),
    layouts=(1, 2),
    seconds=0,
    trees=((2, 8),),
    rounds=1,
    transformers=("optax.adamw",),
    tasks=("MNIST MLP",),
    seeds=2,
    steps=3,
)


KEPT = {"optax.adamw", "adamw 8bit", timing.COPY}


@pytest.fixture
def few(monkeypatch):
    """Only so much is compared."""

    def only(of):
        def kept(*arguments, **others):
            found = of(*arguments, **others)
            if isinstance(found, dict):
                return {name: each for name, each in found.items() if name in KEPT}
            return [each for each in found if each.name in KEPT]

        return kept

    for module, name in (
        (sections, "contestants"),
        (many_leaves, "optimizers"),
        (timing, "subjects"),
    ):
        monkeypatch.setattr(module, name, only(getattr(module, name)))


@pytest.mark.parametrize("name", ["time", "compile", "memory", "quality"])
def test_each_section_has_optax_beside_ours(name, few):
    section, told = sections.SECTIONS[name], []
    found = section.measure(TINY, Namespace(torch=None, flashoptim=None), told.append)
    assert len(found["rows"]) == len(TINY.layouts) if name == "time" else found["rows"]
    for rows in found["rows"].values():
        assert "optax.adamw" in rows
        assert all(0 < low <= middle <= high for low, middle, high in rows.values())
    assert told


def test_quality_stores_the_small_leaves_of_its_tasks():
    rate = optax.constant_schedule(0.1)
    leaf = jax.ShapeDtypeStruct((32, 32), jnp.float32)
    bytes_of = {
        name: compiled.nbytes(jax.eval_shape(tx.init, leaf)) / 32**2
        for name, tx in sections.contestants(rate).items()
    }
    assert bytes_of["adamw float32"] > 8
    assert bytes_of["adamw 8bit"] < 2.1
    assert bytes_of["lion 8bit"] < 1.1


def test_a_section_that_fails_leaves_its_error_and_the_others(tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise workers.WorkerError("out of memory")

    monkeypatch.setitem(sections.SECTIONS, "time", sections.SECTIONS["time"]._replace(measure=fail))
    arguments = ["--quick", "--sections", "time", "bytes", "--results", str(tmp_path)]
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    assert stopped.value.code == 1
    assert "FAILED: WorkerError: out of memory" in capsys.readouterr().out
    told = only_result("report", tmp_path)["sections"]
    assert told["time"]["error"] == "WorkerError: out of memory"
    assert told["bytes"]["rows"]


def test_what_diverged_is_told_and_drawn(tmp_path, capsys):
    diverged = report(clocks={}, date="", command="")
    diverged["sections"]["time"]["rows"]["one leaf"]["adamw"] = [0.5, math.inf, math.nan]
    record.save(diverged, tmp_path / "report.here.json")
    back = only_result("report", tmp_path)
    assert back["sections"]["time"]["rows"]["one leaf"]["adamw"] == [0.5, None, None]
    comparison.compare(report(), back)
    assert "one diverged" in capsys.readouterr().out


def report(**changes):
    """A report of one figure."""
    rows = {"one leaf": {"adamw": [1.0, 1.1, 1.2], "optax.adamw": [1.0, 1.0, 1.0]}}
    return {
        "benchmark": "report",
        "hardware": {"processor": "AMD EPYC", "cores": 2, "devices": ["cpu"]},
        "settings": {"seconds": 8},
        "versions": {"jax": "0.10.1"},
        "sections": {"time": {"unit": "ratio", "rows": rows}},
        **changes,
    }


def written(folder, name, content):
    file = folder / name
    file.write_text(json.dumps(content))
    return str(file)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"hardware": {"processor": "AMD EPYC", "cores": 4, "devices": ["cpu"]}},
            "cores is 2 and 4",
        ),
        ({"settings": {"seconds": 60}}, "seconds is 8 and 60"),
        ({"benchmark": "other"}, "different benchmark: report and other"),
    ],
)
def test_reports_that_differ_in_more_than_time_are_not_compared(changes, says, tmp_path, capsys):
    files = [written(tmp_path, "a", report()), written(tmp_path, "b", report(**changes))]
    with pytest.raises(SystemExit) as stopped:
        command.main(["compare", *files])
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err


def test_what_changed_beyond_the_spread_is_marked(tmp_path, capsys):
    later = copy.deepcopy(report(versions={"jax": "0.10.2"}))
    later["sections"]["time"]["rows"]["one leaf"]["adamw"] = [2.0, 2.1, 2.2]
    files = [written(tmp_path, "a", report()), written(tmp_path, "b", later)]
    command.main(["compare", *files])
    told = capsys.readouterr().out
    (ours,) = (line for line in told.splitlines() if " adamw " in line)
    (theirs,) = (line for line in told.splitlines() if "optax.adamw" in line)
    assert ours.split()[-3:] == ["1.1", "2.1", "higher"]
    assert theirs.split()[-2:] == ["1", "1"]
    assert "jax: 0.10.1 and now 0.10.2" in told


def test_a_missing_file_is_told_in_a_line(tmp_path, capsys):
    with pytest.raises(SystemExit):
        command.main(["compare", str(tmp_path / "a"), str(tmp_path / "b")])
    assert "No such file" in capsys.readouterr().err.splitlines()[-1]


def test_what_is_no_report_is_refused(tmp_path, capsys):
    files = [str(file) for file in sorted(record.RESULTS.glob("timing.*.json"))[:1] * 2]
    with pytest.raises(SystemExit):
        command.main(["compare", *files])
    assert "not a report" in capsys.readouterr().err


def test_what_only_one_report_has_is_named(capsys):
    rows = {"one leaf": {"lion": [1.0, 1.0, 1.0]}}
    comparison.compare(report(), report(sections={"time": {"unit": "ratio", "rows": rows}}))
    told = capsys.readouterr().out
    assert "not in both: time, one leaf, adamw" in told
    assert "not in both: time, one leaf, lion" in told


def test_comparing_is_symmetric_in_what_it_refuses():
    other = report(hardware={"processor": "AMD EPYC", "cores": 2, "devices": ["TPU v5e"]})
    for pair in ((report(), other), (other, report())):
        with pytest.raises(comparison.UnlikeError, match="devices"):
            comparison.check(*pair)


def test_committed_results_are_drawn_by_one_command(tmp_path, capsys):
    for file in record.RESULTS.glob("*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    command.main(["--results", str(tmp_path), "pictures"])
    committed = {file.name for file in record.RESULTS.glob("*.png")}
    assert {file.name for file in tmp_path.glob("*.png")} == committed
    assert len(committed) >= 10


def test_names_of_results_tell_the_machine():
    for file in record.RESULTS.glob("*.json"):
        report = record.read(file)
        on = file.name.removeprefix(f"{report['benchmark']}.").removesuffix(".json")
        assert on in (machine.name(report["hardware"]), "tpu", "cuda")
        assert report["versions"]["jax"] and report["date"] and report["command"]
