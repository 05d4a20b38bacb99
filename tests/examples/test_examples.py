"""Every example runs, and its committed results hold."""

import importlib
import json
import math
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples"
RESULTS = {file.stem: file for file in sorted(FOLDER.glob("results/*.json"))}


def main_of(name):
    """The main function of an example, which imports Flax."""
    return importlib.import_module(f"examples.{name}").main


@pytest.mark.wide
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mnist_mlp", "--epochs 2 --optimizer nadam"),
        ("digits_cnn", "--epochs 1 --batch-size 128"),
        ("binary_mlp", "--epochs 2"),
        ("timeseries_rnn", "--epochs 1"),
        ("sparse_logistic", "--epochs 1 --grid 0.01 0.1"),
    ],
)
def test_runs_and_reports(name, options, tmp_path, capsys):
    report = tmp_path / "report.json"
    main_of(name)([*options.split(), "--runs", str(tmp_path), "--json", str(report)])
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    result = json.loads(report.read_text(encoding="utf-8"))
    assert result["command"].startswith(f"python -m examples.{name} --epochs")
    assert math.isfinite(result["mean"])
    assert f"seed 0: {result['measure']} {result['mean']:.4f}" in capsys.readouterr().out


@pytest.mark.wide
def test_demo_compares_variants_and_records_the_tracked_one(tmp_path, capsys):
    options = "--epochs 1 --variants sgd adam*w --tracked adam --runs"
    main_of("demo")([*options.split(), str(tmp_path)])
    table = capsys.readouterr().out.split("state bytes per parameter\n")[1].splitlines()[:4]
    rows = {line.split()[0]: line.split() for line in table}
    assert sorted(rows) == ["adam", "adamaxw", "adamw", "sgd"]
    assert rows["adam"][-1] == "8.00"
    assert rows["sgd"][-1] == "0.00"
    assert (tmp_path / "demo.png").stat().st_size > 10_000
    records = (tmp_path / "demo_adam.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(records) == 4000 // 32
    assert json.loads(records[-1])["effective_lr_p50"] > 0


@pytest.mark.wide
def test_sweep_digits_ranks_by_the_held_out_loss(tmp_path, capsys):
    main_of("sweep_digits")(["--epochs", "2", "--runs", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines[1:25]]
    losses = [float(row[2]) for row in rows]
    assert [row[3:] for row in rows].count(["best"]) == 1
    assert rows[int(np.argmin(losses))][3:] == ["best"]
    assert min(losses) < 0.5 < losses[0]
    assert lines[27].startswith("by the training loss:")
    assert (tmp_path / "sweep_digits.png").stat().st_size > 10_000


@pytest.mark.wide
def test_fine_tune_compares_groups(capsys):
    main_of("fine_tune")(["--epochs", "2"])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[-3:]]
    accuracies, state_bytes = ([float(row[i]) for row in rows] for i in (-2, -1))
    assert accuracies[0] > accuracies[1]
    assert state_bytes[0] == pytest.approx(8, abs=0.01) and state_bytes[1] < 0.1


@pytest.mark.wide
def test_coordinate_check_finds_the_spread_over_widths(tmp_path, capsys):
    options = "--optimizer lion --learning-rate 0.002 --widths 32 128 --steps 4 --runs"
    main_of("mup_coordinate_check")([*options.split(), str(tmp_path)])
    texts = capsys.readouterr().out.splitlines()
    ours, without = (float(line.split()[-4]) for line in texts if "differ by" in line)
    assert ours < 1.3 < 1.8 < without
    assert (tmp_path / "mup_coordinate_check.png").stat().st_size > 10_000


def test_committed_results_reach_their_targets_and_are_in_the_readme():
    examples = {"mnist_mlp", "digits_cnn", "binary_mlp", "timeseries_rnn", "sparse_logistic"}
    assert examples <= set(RESULTS)
    readme = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    for file in RESULTS.values():
        result = json.loads(file.read_text(encoding="utf-8"))
        mean, lowest, highest = (f"{result[key]:.4f}" for key in ("mean", "lowest", "highest"))
        assert len(result["values"]) == 5
        assert result["mean"] == pytest.approx(np.mean(result["values"]))
        assert result["target"] is None or result["mean"] >= result["target"]
        row = next(line for line in readme if f"results/{file.name}" in line)
        assert f"{mean} ({lowest} to {highest})" in row
