"""Each benchmark runs with `--quick`, leaves a result and a picture, and measures its subjects."""

import json

import pytest

from benchmarks import machine, many_leaves, record
from scripts import install_libtpu
from tests.benchmarks.benchmark_runs import only_result, run

pytestmark = pytest.mark.wide
# Modules that import Flax are imported by the tests that use them.
PAPERS = sorted(file.name.split(".")[1] for file in record.RESULTS.glob("papers.*.json"))

SLOW = ("time", "compile", "memory", "quality")
# The most bytes per parameter. Each is one kernel, after one for the norm of `guard`.
MOST = {
    "optax.adamw": 28.01,
    "adamw float32": 28.01,
    "adamw bfloat16": 20.1,
    "adamw 8bit_v16": 18.1,
    "adamw 8bit": 16.1,
    "store(optax.adamw) 8bit": 16.1,
    "store(optax.lion) 8bit": 14.1,
    "adamw 8bit, bf16 stochastic": 10.1,
    "track(optax.adamw)": 28.01,
    "track(per_layer)": 28.01,
    "guard + adamw float32": 32.1,
    "guard + adamw 8bit": 20.1,
    "guard + adamw 8bit, bf16 stochastic": 12.1,
}


@pytest.mark.skipif(
    not install_libtpu.has_wheels(), reason="libtpu is published for Linux on x86-64 alone"
)
def test_compiled_for_tpu_each_step_is_one_pass_over_memory(tmp_path):
    options = ["--devices", "TPU v5e", "--matrix", "4096x1024", "--rows", *MOST]
    process = run("benchmarks.compiled", "--backend", "tpu", "--results", tmp_path, *options)
    assert process.returncode == 0, process.stderr
    report = json.loads((tmp_path / "compiled.tpu.json").read_text(encoding="utf-8"))
    assert "libtpu" in report["compiler"]
    assert (tmp_path / "compiled.tpu.png").stat().st_size > 10_000
    rows = {row["row"]: row for row in report["rows"]}
    assert set(rows) == set(MOST)
    for name, row in rows.items():
        guarded = name.startswith("guard")
        assert row["kernels_per_leaf"] == 1 + guarded, row
        # Nothing moves less than the least: a lower figure means that the count is wrong.
        assert row["least"] - 1e-3 <= row["bytes_per_parameter"] <= MOST[name], row
        assert row["temporary_bytes"] <= (2**19 if guarded or "track" in name else 8192), (
            row
        )  # partial sums


def test_many_leaves(tmp_path):
    process = run("benchmarks.many_leaves", "--quick", "--results", tmp_path)
    assert process.returncode == 0, process.stderr
    small, large = only_result("many_leaves", tmp_path)["trees"].values()
    expected = {"optax.adamw": 8, "adamw 8bit": 2, "store(optax.adamw) 8bit": 2}
    state = {name: large[name]["state_bytes"] for name in expected}
    assert state == pytest.approx(expected, rel=1e-2)
    for rows in (small, large):
        assert all(part["ratio"] == [1, 1, 1] for part in list(rows["optax.adamw"].values())[1:])
        assert all(min(row[s]["seconds"]) > 0 for row in rows.values() for s in many_leaves.STAGES)


def test_timing(tmp_path):
    process = run("benchmarks.timing", "--quick", "--results", tmp_path)
    assert process.returncode == 0, process.stderr
    report = only_result("timing", tmp_path)
    assert set(report["layouts"]) == {"1", "3"}
    (rows,) = report["layouts"]["1"].values()
    # Parameters and state twice, the gradient once.
    expected = {"optax.adamw": 28, "x + 1": 8, "adamw bfloat16": 20, "adamw 8bit": 16}
    least = {name: rows[name]["least_bytes"] for name in expected}
    assert least == pytest.approx(expected, rel=1e-2)
    assert rows["optax.adamw"]["ratio"] == [1, 1, 1]
    assert rows["x + 1"]["share_of_copy"] == [1, 1, 1]
    assert all(row["rounds"] == 2 and min(row["milliseconds"]) > 0 for row in rows.values())


def test_pathologies(tmp_path, monkeypatch):
    from adamjax.problems import PROBLEMS
    from benchmarks import pathologies

    few = {name: PROBLEMS[name] for name in ("noisy", "reddi", "both_sides")}
    monkeypatch.setattr(pathologies, "PROBLEMS", few)
    pathologies.main(["--quick", "--variants", "sgd", "--results", str(tmp_path)])
    report = only_result("pathologies", tmp_path)
    assert list(report["results"]) == list(few)
    assert set(report["summary"]) == {"sgd"}


def test_sensitivity(tmp_path):
    from benchmarks import sensitivity

    sensitivity.main(["--quick", "--results", str(tmp_path)])
    report = only_result("sensitivity", tmp_path)
    assert [row["variant"] for row in report["results"]["MNIST MLP"]] == ["adamw", "lion"]


def test_sweep(tmp_path):
    from benchmarks import sweep

    sweep.main(["--quick", "--results", str(tmp_path)])
    report = only_result("sweep", tmp_path)
    assert report["times"][sweep.LOOPS]["ratio"] == [1, 1, 1]
    assert list(report["found"]) == ["beale", "noisy", "MNIST MLP"]
    assert sum(report["summary"]["1"].values()) == 3


@pytest.mark.usefixtures("compiled_quickly")
def test_matrix_optimizers(tmp_path, capsys):
    from benchmarks import matrix_optimizers

    matrix_optimizers.main(["--quick", "--results", str(tmp_path)])
    report = only_result("matrix_optimizers", tmp_path)
    assert list(report["judged"]) == list(report["results"]) == report["settings"]["optimizers"]
    assert report["judged"]["adamw"]["steps"] == [8, 8]
    assert matrix_optimizers.markdown(report) in capsys.readouterr().out


@pytest.mark.usefixtures("compiled_quickly")
def test_convert(tmp_path):
    from benchmarks import convert

    convert.main(["--quick", "--results", str(tmp_path)])
    report = only_result("convert", tmp_path)
    assert list(report["results"]) == ["adamw to muon", "schedule_free_adamw to adamw"]
    losses = report["results"]["adamw to muon"]
    assert losses["converted"] != losses["new"]
    assert report["judged"]["adamw to muon"] == convert.judged(losses, 2)


def test_steering(tmp_path):
    process = run("benchmarks.steering", "--quick", "--results", tmp_path)
    assert process.returncode == 0, process.stderr
    (rows,) = only_result("steering", tmp_path)["trees"].values()
    assert list(rows) == ["optax.adamw", "groups", "track", "track(per_layer)"]
    # Groups keep the state of one optimizer.
    assert rows["groups"]["state_bytes"] == pytest.approx(8, rel=1e-2)


@pytest.mark.usefixtures("compiled_quickly")
def test_mup_adds_rows_to_the_last_result(tmp_path, capsys):
    from benchmarks import mup

    for name in ("lion", "adamw"):
        options = f"--quick --add --models mlp --optimizers {name} --results".split()
        mup.main([*options, str(tmp_path)])
    report = only_result("mup", tmp_path)
    assert list(report["results"]["mlp"]) == ["lion", "adamw"]
    assert mup.table(report) in capsys.readouterr().out
    for way in mup.WAYS:
        small, wide = report["results"]["mlp"]["adamw"][way].values()
        assert small["rates"][0] <= small["best"] <= small["rates"][-1]
        assert wide["activations"].keys() == {"first", "hidden", "head"}
    assert len(list(tmp_path.glob("mup*.png"))) == 2


@pytest.mark.usefixtures("compiled_quickly")
def test_matrices(tmp_path, capsys):
    from benchmarks import matrices

    matrices.main(["--quick", "--only", "steps", "--results", str(tmp_path)])
    report = only_result("matrices", tmp_path)
    assert report["steps"][matrices.BASELINE]["ratio"] == [1, 1, 1]
    assert matrices.markdown(report, "steps") in capsys.readouterr().out


@pytest.mark.usefixtures("compiled_quickly")
@pytest.mark.parametrize(
    "name",
    [PAPERS[0], *(pytest.param(name, marks=pytest.mark.exhaustive) for name in PAPERS[1:])],
)
def test_paper(name, tmp_path):
    from benchmarks.papers import __main__ as papers

    papers.main(["--quick", "--results", str(tmp_path), name])
    assert only_result(f"papers.{name}", tmp_path)["findings"]


SECTIONS = ["bytes", "pathologies", *(pytest.param(s, marks=pytest.mark.exhaustive) for s in SLOW)]


@pytest.mark.parametrize("section", SECTIONS)
def test_report(section, tmp_path):
    options = ("--quick", "--json", "--sections", section, "--results", tmp_path)
    process = run("benchmarks", *options)
    assert process.returncode == 0, process.stderr
    report = only_result("report", tmp_path)
    assert json.loads(process.stdout) == report  # nothing else is printed
    assert set(report["versions"]) >= {"python", "adamjax", "jax", "optax"}
    assert report["hardware"] == machine.hardware() | {"devices": ["cpu"]}
    assert report["clocks"]["timer_resolution_seconds"] > 0
    assert list(record.find("report", tmp_path)) == [machine.name(report["hardware"])]
    assert list(report["sections"]) == [section]
    for rows in report["sections"][section]["rows"].values():
        assert any(name.startswith("optax.") for name in rows)
        assert all(low <= middle <= high for low, middle, high in rows.values())


def test_committed_results_are_drawn_by_one_command(tmp_path):
    from benchmarks import __main__ as command

    for file in record.RESULTS.glob("*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    command.main(["--results", str(tmp_path), "pictures"])
    committed = {file.name for file in record.RESULTS.glob("*.png")}
    assert {file.name for file in tmp_path.glob("*.png")} == committed
    assert len(committed) >= 10
