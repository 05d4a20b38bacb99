"""That the benchmark of times runs, and measures what it says."""

import contextlib

import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import steps, timing, workers
from benchmarks.workers import Subject
from tests.benchmarks.benchmark_runs import only_result, run

SIZE = 20_000  # large enough for the library to store in 8 bits
CPU = {"platform": "cpu", "memory": 2**40}


@pytest.fixture
def stack():
    with contextlib.ExitStack() as stack:
        yield stack


def test_quick_run(tmp_path):
    process = run("benchmarks.timing", "--quick", "--results", tmp_path)
    assert process.returncode == 0, process.stderr
    results = only_result("timing", tmp_path)
    assert set(results["layouts"]) == {"1", "3"}
    (rows,) = results["layouts"]["1"].values()
    least = {name: row["least_bytes"] for name, row in rows.items()}
    # Each array of parameters and state twice, the gradient once; a wrong subject moves others.
    expected = {
        "optax.adamw": 28,
        "x + 1": 8,
        "adamw float32": 28,
        "adamw float32, one loop": 28,
        "adamw bfloat16": 20,
        "adamw 8bit_v16": 18,
        "adamw 8bit": 16,
        "adamw 8bit, one loop, 512 bits": 16,
    }
    assert {name: least[name] for name in expected} == pytest.approx(expected, rel=1e-2)
    assert rows["optax.adamw"]["ratio"] == [1, 1, 1]
    assert rows["x + 1"]["share_of_copy"] == [1, 1, 1]
    assert all(row["rounds"] == 2 and min(row["milliseconds"]) > 0 for row in rows.values())


def test_ratios_are_those_of_a_round():
    # The machine becomes a hundred times slower; medians of times would give other ratios.
    about = {
        timing.BASELINE: {"least_bytes": 28},
        timing.COPY: {"least_bytes": 8},
        "half": {"least_bytes": 16},
        "late": {"least_bytes": 16},
    }
    rounds = [
        {timing.BASELINE: 2.0 * slow, timing.COPY: 0.25 * slow, "half": 1.0 * slow}
        for slow in (1, 10, 100)
    ]
    # A subject of another group has rounds of its own.
    rounds.append({timing.BASELINE: 8.0, timing.COPY: 1.0, "late": 24.0})
    rows = timing.summary(10**9, rounds, about)
    assert rows["half"]["ratio"] == [0.5, 0.5, 0.5]
    assert rows["half"]["milliseconds"] == [5500, 10_000, 55_000]
    assert rows["half"]["gigabytes_per_second"][1] == 1.6
    # Sixteen bytes in the time in which a copy moves 32.
    assert rows["half"]["share_of_copy"] == [0.5, 0.5, 0.5]
    assert rows["late"]["ratio"] == [3, 3, 3]
    assert rows["late"]["rounds"] == 1 and rows["half"]["rounds"] == 3


def test_each_round_has_a_turn_of_each_subject():
    taken = []

    def turn(name, seconds, steps):
        taken.append((name, steps))
        return seconds

    seconds = {"slow": 1.0, "fast": 0.004, "middle": 0.015}
    turns = {
        name: lambda steps, name=name, each=each: turn(name, each, steps)
        for name, each in seconds.items()
    }
    rounds = workers.take_turns(turns, until=0.0, least=8, seed=0)
    assert rounds == [seconds] * 8
    interleaved = taken[-24:]
    orders = [tuple(name for name, _ in interleaved[i : i + 3]) for i in range(0, 24, 3)]
    assert all(sorted(order) == sorted(seconds) for order in orders)
    assert len(set(orders)) > 2
    assert dict(interleaved) == {"slow": 1, "fast": 8, "middle": 2}  # at least 20 ms each


def test_a_turn_times_the_steps_it_says():
    counted = steps.on_jax(lambda p, s, g: (p + g, s + 1), jnp.zeros(3), jnp.zeros(()), jnp.ones(3))
    counted.run(5)
    np.testing.assert_array_equal(counted.held[0], [5, 5, 5])
    assert counted.held[1] == 5
    steps.turn(counted, 1)
    assert counted.held[1] == 6  # none but the one
    steps.turn(counted, 4)
    assert counted.held[1] == 11  # one to warm up


def test_the_steps_are_those_of_the_optimizers():
    sizes = [SIZE, 3]
    theirs, ours, stored = (
        steps.optax_adamw(sizes),
        steps.adamjax_adamw(sizes),
        steps.adamjax_adamw(sizes, storage="8bit"),
    )
    for timed in (theirs, ours, stored):
        timed.run(3)
    for leaf, size in enumerate(sizes):
        expected = theirs.held[0][leaf]
        assert expected.shape == (size,)
        assert float(jnp.abs(expected - 1).max()) > 1e-3 or size == 3
        np.testing.assert_allclose(ours.held[0][leaf], expected, rtol=1e-6)
        np.testing.assert_allclose(stored.held[0][leaf], expected, atol=5e-4)


def test_flags_reach_the_process_and_no_other(stack):
    flagged = Subject("flagged", "adamjax", 16, flags=("--xla_no_such_flag=1",))
    plain = Subject("plain", "optax", 16)
    # XLA ends a process whose flags it does not know.
    with pytest.raises(workers.WorkerError, match="no_such_flag"):
        workers.start(stack, [plain, flagged], [SIZE], CPU)
    turns, _, _ = workers.start(stack, [plain], [SIZE], CPU)
    assert turns["plain"](2) > 0


def test_what_another_environment_cannot_run_is_told(stack):
    absent = Subject("flash", "flashoptim", 13, package="flashoptim-jax")
    group = [Subject("plain", "optax", 16), absent]
    turns, about, failed = workers.start(stack, group, [SIZE], CPU)
    assert set(turns) == set(about) == {"plain"}
    assert "No module named 'flashoptim_jax'" in failed["flash"]


def test_one_process_serves_all_where_there_can_be_but_one(stack):
    group = [Subject("one", "optax", 16), Subject("two", "adamjax", 10, {"storage": "8bit"})]
    turns, about, _ = workers.start(stack, group, [SIZE], {**CPU, "platform": "tpu"})
    assert turns["one"].func.__self__ is turns["two"].func.__self__
    assert all(turn(2) > 0 for turn in turns.values())
    moved = {name: facts["least_bytes"] for name, facts in about.items()}
    assert moved == pytest.approx({"one": 28, "two": 16}, rel=1e-2)


@pytest.mark.parametrize("gigabytes", [2, 4, 6, 12, 40])
def test_groups_fit_into_memory(gigabytes):
    compared = timing.subjects("cpu", "python", "python")
    size, memory = 10**8, gigabytes * 1e9
    groups = workers.pack(size, compared, memory)
    placed = [subject.name for group in groups for subject in group[2:]]
    assert len(placed) == len(set(placed))
    for group in groups:
        assert group[:2] == compared[:2]
        assert sum(subject.needs(size) for subject in group) <= memory
    alone = memory - sum(subject.needs(size) for subject in compared[:2])
    assert set(placed) == {s.name for s in compared[2:] if s.needs(size) <= alone}


def test_targets_are_compared_with_medians():
    row = {"ratio": [0.5, 0.61, 0.7], "share_of_copy": [0.8, 0.84, 0.9]}
    reached = timing.reached("gpu", {"adamw 8bit": row})
    assert list(reached.values()) == [True, False]
