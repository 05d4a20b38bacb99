"""The language model looks back only, learns, and is trained alike with every storage."""

import argparse
import contextlib
import io
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from examples import char_lm, data

SIZES = "--steps 60 --every 30 --width 64 --depth 1 --heads 2 --length 16 --batch-size 4"
TINY = SIZES.split()


def transformer(**options: object) -> char_lm.Transformer:
    return char_lm.Transformer(16, 2, 2, 8, nnx.Rngs(0), **options)


def table(output: str) -> dict[str, list[str]]:
    lines = output.split("steps/s\n")[1].splitlines()
    rows = (line.split() for line in lines if not line.startswith("picture"))
    return {storage: numbers for storage, *numbers in rows}


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_a_prediction_depends_on_no_later_byte():
    model = transformer()
    tokens = np.random.default_rng(0).integers(0, 256, (3, 8), np.uint8)
    changed = tokens.copy()
    changed[:, 5] += 1
    call = nnx.jit(char_lm.Transformer.__call__)
    before, after = call(model, tokens), call(model, changed)
    assert before.shape == (3, 8, 256)
    np.testing.assert_array_equal(before[:, :5], after[:, :5])
    assert (np.abs(before[:, 5:] - after[:, 5:]).max(axis=-1) > 0).all()


def test_an_untrained_model_knows_little_and_its_types_are_as_asked():
    model = transformer(vocabulary=50, param_dtype=jnp.bfloat16)
    tokens = np.random.default_rng(0).integers(0, 50, (4, 8))
    assert nnx.jit(char_lm.loss)(model, tokens, tokens) == pytest.approx(np.log(50), rel=0.3)
    weights = jax.tree.leaves(nnx.state(model, nnx.Param))
    assert {weight.dtype for weight in weights} == {jnp.dtype(jnp.bfloat16)}
    outputs = [nnx.eval_shape(each, tokens) for each in (model, transformer(dtype=jnp.bfloat16))]
    assert [output.dtype for output in outputs] == [jnp.float32, jnp.bfloat16]


def test_the_source_holds_out_whole_files_and_no_tests():
    text = data.python_source()
    share = len(text.held_out) / (len(text.train) + len(text.held_out))
    assert 0.05 < share < 0.1
    parts = [part.tobytes() for part in (text.train, text.held_out)]
    own = Path(argparse.__file__).read_bytes()
    assert sum(own in part for part in parts) == 1
    assert not any(b"class TestArgparseModuleStructure" in part for part in parts)
    np.testing.assert_array_equal(text.held_out, data.python_source().held_out)


def test_stretches_tell_the_byte_after_each():
    text = np.arange(100, dtype=np.uint8)
    inputs, labels = data.stretches(text, 10)
    assert inputs.shape == labels.shape == (9, 10)
    np.testing.assert_array_equal(labels, inputs + 1)
    np.testing.assert_array_equal(inputs.ravel(), text[:90])


def test_drawn_stretches_go_round_the_text_again_and_again():
    text = np.arange(100, dtype=np.uint8)
    inputs, labels = data.stretches(text, 10, count=20, seed=3)
    np.testing.assert_array_equal(labels, inputs + 1)
    for round in (inputs[:9], inputs[9:18]):
        assert sorted(round[:, 0]) == list(range(0, 90, 10))
    np.testing.assert_array_equal(inputs, data.stretches(text, 10, count=20, seed=3)[0])
    assert (inputs != data.stretches(text, 10, count=20, seed=4)[0]).any()


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> str:
    """What a run says that compares two formats, one of them named twice."""
    folder = tmp_path_factory.mktemp("runs")
    with contextlib.redirect_stdout(io.StringIO()) as output:
        char_lm.main([*TINY, "--storage", "float32", "8bit", "float32", "--runs", str(folder)])
    assert (folder / "char_lm.png").stat().st_size > 10_000
    return output.getvalue()


def test_every_storage_learns_and_is_told_with_what_it_keeps(told):
    rows = table(told)
    assert list(rows) == ["float32", "8bit"]
    loss, state, parameters = zip(*(row[:3] for row in rows.values()), strict=True)
    assert float(loss[0]) < 4.5 < np.log(256)
    assert float(loss[1]) == pytest.approx(float(loss[0]), abs=0.05)
    assert float(state[0]) == pytest.approx(8, abs=0.01)
    # The smallest leaves stay float32.
    assert 2 < float(state[1]) < 4
    assert parameters[0] == parameters[1]


def test_every_storage_starts_from_the_same_weights_with_the_same_batches():
    text = data.Text("noise", *np.random.default_rng(0).integers(0, 256, (2, 5000), np.uint8))
    _, options = char_lm.parse([*TINY, "--every", "1"])
    runs = [char_lm.prepare(storage, text, options) for storage in ("float32", "8bit")]
    # The loss of the first step comes before any update.
    first, second = (run.trainer.epoch() for run in runs)
    assert first == second


def test_bfloat16_weights_take_half_the_bytes_and_learn_as_much(told, tmp_path, capsys):
    options = [*TINY, "--storage", "8bit", "--params", "bfloat16", "--runs", str(tmp_path)]
    char_lm.main(options)
    reference, rounded = table(told)["8bit"], table(capsys.readouterr().out)["8bit"]
    assert float(rounded[0]) == pytest.approx(float(reference[0]), abs=0.05)
    assert 2 * number(rounded[2]) == number(reference[2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--storage", "9bit"], "9bit"),
        (["--steps", "30"], "30 is not a multiple of --every 25"),
        (["--batch-size", "0"], "--batch-size: must be at least 1"),
        (["--heads", "3"], "128 is not a multiple of 3 heads"),
        (["--learning-rate", "-1"], "must be above 0"),
        (["--b2", "2"], "b2"),
    ],
)
def test_bad_options_end_with_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as end:
        char_lm.main(arguments)
    assert end.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
