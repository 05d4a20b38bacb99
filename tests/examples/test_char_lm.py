"""The language model trains alike with every storage."""

import jax
import numpy as np
import pytest

SIZES = "--steps 60 --every 30 --width 64 --depth 1 --heads 2 --length 16 --batch-size 4"


@pytest.fixture
def char_lm():
    """The example, which imports Flax."""
    from examples import char_lm

    return char_lm


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


@pytest.mark.wide
def test_released_steps_have_the_same_losses(char_lm):
    from flax import nnx

    from examples import data, released

    text = data.Text("noise", *np.random.default_rng(0).integers(0, 256, (2, 5000), np.uint8))
    _, options = char_lm.parse([*SIZES.split(), "--depth", "2", "--every", "6"])
    runs = [
        char_lm.prepare("float32", text, options, trainers)
        for trainers in (char_lm.loop.Trainer, released.Trainer)
    ]
    first, second = (run.trainer.epoch() for run in runs)
    assert first == pytest.approx(second, rel=1e-5)
    ordinary, step = (run.trainer for run in runs)
    assert min(step.temporary_bytes, ordinary.temporary_bytes) > 0
    expected = pytest.approx(ordinary.state_bytes_per_parameter, rel=1e-3)
    assert step.state_bytes_per_parameter == expected
    weights = [jax.tree.leaves(nnx.state(run.trainer.model, nnx.Param)) for run in runs]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-2, atol=1e-4)
