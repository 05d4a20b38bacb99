"""Several processes train as one does, and resume after SIGKILL with the same bits."""

import contextlib
import shutil

import pytest

from benchmarks import interruptions
from examples.distributed import launch

SIZES = "--steps 12 --width 32 --depth 1 --batch-size 4 --length 16 --every 1"
STORED = [*SIZES.split(), "--storage", "8bit"]


@pytest.fixture(scope="module")
def alone():
    """One process, with four devices."""
    return launch.train(STORED, 1, 4)


@pytest.mark.wide
def test_a_killed_training_resumes_with_more_processes(alone, tmp_path):
    """And on another mesh. A half-written folder is not taken for a checkpoint."""
    folder = tmp_path / "checkpoints"
    arguments = [*STORED, "--checkpoints", str(folder)]
    (tmp_path / "logs").mkdir()
    group = launch.Processes(arguments, 2, 4, tmp_path / "logs")
    with contextlib.ExitStack() as stack:
        stack.callback(group.kill)
        while not interruptions.steps_on(folder)[0]:
            assert group.wait(0.05) is None, group.said()
        group.running[1].kill()
        assert group.wait(30) is False
        assert all(process.poll() is not None for process in group.running)
    step, _ = interruptions.steps_on(folder)
    assert 0 < step < 12
    shutil.copytree(folder / str(step), folder / "12.orbax-checkpoint-tmp")
    shutil.copytree(folder, tmp_path / "copy")
    resumed = launch.train(arguments, 4, 4)
    assert resumed["begun_at"] == step
    assert interruptions.same(resumed, alone)
    arguments = [*STORED, "--checkpoints", str(tmp_path / "copy"), "--mesh", "data=2,model=2"]
    resumed = launch.train(arguments, 2, 4)
    assert resumed["begun_at"] == step
    assert resumed["losses"] == pytest.approx(alone["losses"], abs=1e-5)


@pytest.mark.wide
def test_the_command_reports_failures_and_the_layout_of_the_state(capsys):
    assert launch.main(["--optimizer", "adamm", "--processes", "2"]) == 1
    assert "did you mean 'adam" in capsys.readouterr().err
    assert launch.main([*SIZES.split(), "--processes=2"]) == 0
    out = capsys.readouterr().out
    assert "losses the same, bit for bit, weights the same, bit for bit" in out
    (embedding,) = (line for line in out.splitlines() if line.startswith("0/mu/tokens"))
    layout = ["256x32", "float32", "data,", "-", "32,768", "8,192"]
    assert embedding.split()[1:] == layout
