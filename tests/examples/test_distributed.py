"""Several processes train as one does, and go on after SIGKILL as if nothing had been."""

import contextlib
import shutil

import pytest

from benchmarks import interruptions
from examples.distributed import launch

SIZES = {"steps": 12, "width": 32, "depth": 1, "batch-size": 4, "length": 16, "every": 1}
TINY = [word for name, size in SIZES.items() for word in (f"--{name}", str(size))]


@pytest.fixture(scope="module")
def alone():
    """One process, with four devices."""
    return launch.train([*TINY, "--storage", "8bit"], 1, 4)


def test_the_same_bits_as_one_process(alone):
    """Of four processes, `test_killed_and_gone_on_with_more_processes` tells."""
    several = launch.train([*TINY, "--storage", "8bit"], 2, 4)
    assert interruptions.same(several, alone)
    assert several["losses"][-1] < several["losses"][0]


@pytest.mark.parametrize("options", ["--any-order", "--optimizer adafactor --mesh data=2,model=2"])
def test_nearly_the_same_where_sums_go_another_way(options):
    arguments = [*TINY, *options.split()]
    one, several = (launch.train(arguments, processes, 4) for processes in (1, 2))
    assert several["losses"] == pytest.approx(one["losses"], abs=1e-5)


def test_killed_and_gone_on_with_more_processes(alone, tmp_path):
    """And on another mesh; what is half-written is not taken for a checkpoint."""
    folder = tmp_path / "checkpoints"
    arguments = [*TINY, "--storage", "8bit", "--checkpoints", str(folder)]
    (tmp_path / "logs").mkdir()
    group = launch.Processes(arguments, 2, 4, tmp_path / "logs")
    with contextlib.ExitStack() as at_last:
        at_last.callback(group.kill)
        while not interruptions.steps_on(folder)[0]:
            assert group.wait(0.05) is None, group.said()
        group.running[1].kill()
        assert group.wait(30) is False
        assert all(process.poll() is not None for process in group.running)
    whole, _ = interruptions.steps_on(folder)
    assert 0 < whole < 12
    shutil.copytree(folder / str(whole), folder / "12.orbax-checkpoint-tmp")
    shutil.copytree(folder, tmp_path / "copy")
    more = launch.train(arguments, 4, 4)
    assert more["begun_at"] == whole
    assert interruptions.same(more, alone)
    turned = [*arguments[:-1], str(tmp_path / "copy"), "--mesh", "data=2,model=2"]
    other = launch.train(turned, 2, 4)
    assert other["begun_at"] == whole
    assert other["losses"] == pytest.approx(alone["losses"], abs=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--processes 3", "--devices: 4 cannot be shared by 3"),
        ("--processes 0", "--processes: must be at least 1"),
        ("--mesh data=3", "--mesh: 'data=3' must divide 4 devices"),
        ("--mesh rows=4", "must divide 4 devices by data"),
        ("--mesh data=2,data=4", "is not of the form"),
        ("--mesh data=-2,model=-2", "is not of the form"),
        ("--seed -1", "--seed must be at least 0"),
        ("--learning-rate nan", "--learning-rate above 0"),
        (f"--checkpoints {__file__}", "is not a folder"),
        ("--mesh data", "is not of the form data=2,model=2"),
        ("--batch-size 6", "--batch-size: 6 is not divided by"),
        ("--width 30", "30 is not a multiple of 4 heads"),
    ],
)
def test_bad_options_end_with_one_line(options, message, capsys):
    with pytest.raises(SystemExit) as end:
        launch.main(options.split())
    assert end.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_a_process_that_fails_ends_the_command(capsys):
    assert launch.main(["--optimizer", "adamm", "--processes", "2"]) == 1
    assert "did you mean 'adam" in capsys.readouterr().err


def test_the_command_tells_where_the_state_lies(capsys):
    assert launch.main([*TINY, "--processes=2"]) == 0
    said = capsys.readouterr().out
    assert "losses the same, bit for bit, weights the same, bit for bit" in said
    (embedding,) = (line for line in said.splitlines() if line.startswith("0/mu/tokens"))
    shape, dtype, *axes, whole, part = embedding.split()[1:]
    assert (shape, dtype, axes) == ("256x32", "float32", ["data,", "-"])
    assert (whole, part) == ("32,768", "8,192")
