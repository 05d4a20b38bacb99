"""The language model looks back only, learns, and trains alike with every storage."""

import argparse
from pathlib import Path

import numpy as np
import pytest

SIZES = "--steps 60 --every 30 --width 64 --depth 1 --heads 2 --length 16 --batch-size 4"


@pytest.fixture
def char_lm():
    """The example; it imports Flax."""
    from examples import char_lm

    return char_lm


def test_a_prediction_depends_on_no_later_byte(char_lm):
    model = char_lm.Transformer(16, 2, 2, 8, char_lm.nnx.Rngs(0))
    tokens = np.random.default_rng(0).integers(0, 256, (3, 8), np.uint8)
    changed = tokens.copy()
    changed[:, 5] += 1
    call = char_lm.nnx.jit(char_lm.Transformer.__call__)
    before, after = call(model, tokens), call(model, changed)
    assert before.shape == (3, 8, 256)
    np.testing.assert_array_equal(before[:, :5], after[:, :5])
    assert (np.abs(before[:, 5:] - after[:, 5:]).max(axis=-1) > 0).all()


def test_the_text_holds_out_whole_files_and_no_tests():
    from examples import data

    text = data.python_source()
    share = len(text.held_out) / (len(text.train) + len(text.held_out))
    assert 0.05 < share < 0.1
    parts = [part.tobytes() for part in (text.train, text.held_out)]
    module = Path(argparse.__file__).read_bytes()
    assert sum(module in part for part in parts) == 1
    assert not any(b"class TestArgparseModuleStructure" in part for part in parts)
    np.testing.assert_array_equal(text.held_out, data.python_source().held_out)


def test_labels_are_the_next_bytes_and_draws_cover_the_text():
    from examples import data

    text = np.arange(100, dtype=np.uint8)
    inputs, labels = data.stretches(text, 10)
    assert inputs.shape == labels.shape == (9, 10)
    np.testing.assert_array_equal(labels, inputs + 1)
    np.testing.assert_array_equal(inputs.ravel(), text[:90])
    inputs, labels = data.stretches(text, 10, count=20, seed=3)
    np.testing.assert_array_equal(labels, inputs + 1)
    for cycle in (inputs[:9], inputs[9:18]):
        assert sorted(cycle[:, 0]) == list(range(0, 90, 10))
    np.testing.assert_array_equal(inputs, data.stretches(text, 10, count=20, seed=3)[0])
    assert (inputs != data.stretches(text, 10, count=20, seed=4)[0]).any()


@pytest.mark.wide
def test_storages_start_alike_learn_and_report_their_memory(char_lm, tmp_path, capsys):
    from examples import data

    text = data.Text("noise", *np.random.default_rng(0).integers(0, 256, (2, 5000), np.uint8))
    _, options = char_lm.parse([*SIZES.split(), "--every", "1"])
    runs = [char_lm.prepare(storage, text, options) for storage in ("float32", "8bit")]
    # The loss of the first step comes before any update.
    first, second = (run.trainer.epoch() for run in runs)
    assert first == second

    def table(*options):
        """{storage: (loss, bytes of state and of parameters)} of a run, one named twice."""
        char_lm.main([*SIZES.split(), "--runs", str(tmp_path), "--storage", *options])
        lines = capsys.readouterr().out.split("steps/s\n")[1].splitlines()
        rows = [line.replace(",", "").split() for line in lines if not line.startswith("picture")]
        return {storage: tuple(map(float, numbers[:3])) for storage, *numbers in rows}

    rows = table("float32", "8bit", "float32")
    assert (tmp_path / "char_lm.png").stat().st_size > 10_000
    assert list(rows) == ["float32", "8bit"]
    loss, state, parameters = zip(*rows.values(), strict=True)
    assert loss[0] < 4.5 < np.log(256)
    assert loss[1] == pytest.approx(loss[0], abs=0.05)
    assert state[0] == pytest.approx(8, abs=0.01)
    assert 2 < state[1] < 4  # the smallest leaves stay float32
    assert parameters[0] == parameters[1]
    rounded = table("8bit", "--params", "bfloat16")["8bit"]
    assert rounded[0] == pytest.approx(loss[1], abs=0.05)
    assert 2 * rounded[2] == parameters[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--storage 9bit", "9bit"),
        ("--steps 30", "30 is not a multiple of --every 25"),
        ("--batch-size 0", "--batch-size: must be at least 1"),
        ("--heads 3", "128 is not a multiple of 3 heads"),
        ("--learning-rate -1", "must be above 0"),
        ("--b2 2", "b2"),
    ],
)
def test_errors_are_one_line(char_lm, arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        char_lm.main(arguments.split())
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
