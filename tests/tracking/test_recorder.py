"""The recorder returns its records, after crashes too."""

import json
import math
import os
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from adamjax.tracking import Recorder

RECORDS = [
    (1, {"loss": 2.5, "count": 3}),
    (2, {"loss": math.nan, "count": 4}),
    (10, {"loss": -math.inf, "count": 0}),
    (11, {"loss": 0.1 + 0.2, "count": -7}),
]


def write(path, records=RECORDS):
    with Recorder(path) as recorder:
        for step, metrics in records:
            recorder.record(step, metrics)
    return recorder


def assert_same(history, expected):
    assert list(history) == list(expected)
    for key, values in expected.items():
        np.testing.assert_array_equal(history[key], values, strict=True, err_msg=key)


def test_round_trip_of_extreme_numbers_and_names(tmp_path):
    numbers = (2**62, -(2**62), True, 5e-324, 1.7976931348623157e308, -0.0, math.pi)
    names = ("a,b", '"quoted"', "", " ", "ä😀", "steps", "\\n")
    records = [
        (-5, dict(zip(names, numbers, strict=True))),
        (2**40, dict(zip(names, numbers[::-1], strict=True))),
        (3, {}),
    ]
    path = tmp_path / "run.jsonl"
    history = write(path, records).history
    assert_same(Recorder.load(path).history, history)


def test_values_from_devices():
    recorder = Recorder()
    metrics = {"jax": jnp.float32(0.1), "half": jnp.bfloat16(0.5), "bool": np.bool_(True)}
    recorder.record(jnp.int32(5), metrics)
    expected = {"step": 5, "jax": float(np.float32(0.1)), "half": 0.5, "bool": 1}
    assert_same(recorder.history, {key: np.array([value]) for key, value in expected.items()})


def test_files_are_readable_by_others(tmp_path):
    write(tmp_path / "run.jsonl")

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    text = (tmp_path / "run.jsonl").read_text()
    lines = [json.loads(line, parse_constant=refuse) for line in text.splitlines()]
    assert [line["loss"] for line in lines] == [2.5, "nan", "-inf", 0.1 + 0.2]


def test_metrics_may_come_and_go(tmp_path):
    path = tmp_path / "run.jsonl"
    write(path, [(1, {"loss": 1.0}), (2, {"loss": 2.0, "accuracy": 0.5}), (3, {"accuracy": 0.75})])
    expected = {
        "step": np.array([1, 2, 3]),
        "loss": np.array([1.0, 2.0, np.nan]),
        "accuracy": np.array([np.nan, 0.5, 0.75]),
    }
    assert_same(Recorder.load(path).history, expected)
    assert os.listdir(tmp_path) == [path.name]


def test_a_killed_process_loses_nothing(tmp_path):
    path = tmp_path / "run.jsonl"
    code = (
        "import os, signal, sys; from adamjax.tracking import Recorder\n"
        "recorder = Recorder(sys.argv[1])\n"
        "for step in range(100): recorder.record(step, {'loss': step / 7})\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert ended.returncode == -9
    history = Recorder.load(path).history
    np.testing.assert_array_equal(history["step"], np.arange(100))
    np.testing.assert_array_equal(history["loss"], np.arange(100) / 7)


def test_an_existing_file_is_continued(tmp_path):
    path = tmp_path / "run.jsonl"
    write(path, RECORDS[:2])
    assert_same(write(path, RECORDS[2:]).history, write(tmp_path / "one.jsonl").history)
    assert path.read_bytes() == (tmp_path / "one.jsonl").read_bytes()


def test_torn_anywhere_in_the_last_line(tmp_path):
    """Cut after every byte of the last line: all other records survive, and recording goes on."""
    whole = tmp_path / "whole.jsonl"
    expected = write(whole).history
    data = whole.read_bytes()
    start = data.rstrip(b"\n").rindex(b"\n") + 1
    path = tmp_path / "torn.jsonl"
    for end in range(start + 1, len(data)):
        path.write_bytes(data[:end])
        if end == len(data) - 1:  # Only the newline is missing.
            assert_same(Recorder.load(path).history, expected)
            write(path, [])
        else:
            with pytest.warns(UserWarning, match="torn last line"):
                assert Recorder.load(path).history["step"].tolist() == [1, 2, 10]
            assert path.read_bytes() == data[:end]  # Loading changes nothing.
            with pytest.warns(UserWarning, match="torn last line"):
                write(path, RECORDS[3:])
        assert path.read_bytes() == data


def test_torn_in_the_very_first_line(tmp_path):
    path = tmp_path / "run.jsonl"
    line = b'{"step": 1, "loss": 2.5}'
    for end in range(1, len(line)):
        path.write_bytes(line[:end])
        with pytest.warns(UserWarning, match="torn last line") as caught:
            write(path, RECORDS)
        assert [one.filename for one in caught] == [__file__]
        assert_same(Recorder.load(path).history, write(None).history)


FOREIGN = {
    "notes.jsonl": (b"buy milk", "line 1"),
    "list.jsonl": (b"[1, 2]\n", "line 1"),
    "no_step.jsonl": (b'{"step": 1}\n{"loss": 1}\n', "line 2"),
    "text.jsonl": (b'{"step": 1, "loss": "high"}\n', "line 1"),
    "nested.jsonl": (b'{"step": 1, "loss": [1]}\n', "line 1"),
    "binary.jsonl": (b"\xff\xfe\n", "decode"),
}


def test_foreign_files_are_refused_and_left_alone(tmp_path):
    for name, (data, complaint) in FOREIGN.items():
        path = tmp_path / name
        path.write_bytes(data)
        for opening in (Recorder, Recorder.load):
            with pytest.raises(ValueError, match=f"path: .*{name}.* not written .*{complaint}"):
                opening(path)
        assert path.read_bytes() == data


def test_bad_records_are_refused_and_nothing_is_recorded(tmp_path):
    path = tmp_path / "run.jsonl"
    write(path)
    with Recorder(path) as recorder:
        before, data = recorder.history, path.read_bytes()
        for step, record, error, message in (
            (1.5, {"loss": 1.0}, TypeError, r"step must be an integer, not 1\.5"),
            (
                20,
                {"new": 1, "loss": np.ones((2, 1))},
                ValueError,
                r"'loss'\] must be a scalar or .*\(2, 1",
            ),
            (20, {"loss": 1j}, TypeError, r"metrics\['loss'\] must be a real number"),
            (20, {"loss": None}, TypeError, r"metrics\['loss'\] must be a real number"),
            (20, {"step": 3}, ValueError, r'metrics\["step"\]'),
            (20, {"a\n": 3}, ValueError, r"metrics\['a\\n'\]: a name must be printable"),
        ):
            with pytest.raises(error, match=message):
                recorder.record(step, record)
        assert_same(recorder.history, before)
        assert path.read_bytes() == data
    with pytest.raises(ValueError, match="is closed"):
        recorder.record(20, {"loss": 1.0})


def test_path_must_say_the_format(tmp_path):
    for opening in (Recorder, Recorder.load):
        with pytest.raises(ValueError, match=r"must end in \.jsonl, not '.*run\.txt'"):
            opening(tmp_path / "run.txt")
    with pytest.raises(FileNotFoundError):
        Recorder.load(tmp_path / "absent.jsonl")
    assert not list(tmp_path.iterdir())
