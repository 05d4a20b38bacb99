"""The benchmarks of times: their arithmetic, their steps and their worker processes."""

import contextlib

import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import steps, timing, workers
from benchmarks.workers import Subject

SIZE = 20_000  # large enough for the library to store in 8 bits
CPU = {"platform": "cpu", "memory": 2**40}


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
    # A subject of another group has its own rounds.
    rounds.append({timing.BASELINE: 8.0, timing.COPY: 1.0, "late": 24.0})
    rows = timing.summary(10**9, rounds, about)
    assert rows["half"]["ratio"] == [0.5, 0.5, 0.5]
    assert rows["half"]["milliseconds"] == [5500, 10_000, 55_000]
    assert rows["half"]["gigabytes_per_second"][1] == 1.6
    # Sixteen bytes in the time in which a copy moves 32.
    assert rows["half"]["share_of_copy"] == [0.5, 0.5, 0.5]
    assert rows["late"]["ratio"] == [3, 3, 3]
    assert rows["late"]["rounds"] == 1 and rows["half"]["rounds"] == 3
    row = {"ratio": [0.5, 0.61, 0.7], "share_of_copy": [0.8, 0.84, 0.9]}
    assert list(timing.reached("gpu", {"adamw 8bit": row}).values()) == [True, False]


def test_each_round_has_a_turn_of_each_subject():
    calls = []

    def turn(name, seconds, steps):
        calls.append((name, steps))
        return seconds

    seconds = {"slow": 1.0, "fast": 0.004, "middle": 0.015}
    turns = {
        name: lambda steps, name=name, each=each: turn(name, each, steps)
        for name, each in seconds.items()
    }
    rounds = workers.take_turns(turns, until=0.0, least=8, seed=0)
    assert rounds == [seconds] * 8
    interleaved = calls[-24:]
    orders = [tuple(name for name, _ in interleaved[i : i + 3]) for i in range(0, 24, 3)]
    assert all(sorted(order) == sorted(seconds) for order in orders)
    assert len(set(orders)) > 2
    assert dict(interleaved) == {"slow": 1, "fast": 8, "middle": 2}  # at least 20 ms each


def test_the_steps_are_those_of_the_optimizers():
    sizes = [SIZE, 3]
    theirs, ours, stored = timed = (
        steps.optax_adamw(sizes),
        steps.adamjax_adamw(sizes),
        steps.adamjax_adamw(sizes, storage="8bit"),
    )
    for each in timed:
        each.run(3)
    for leaf, size in enumerate(sizes):
        expected = theirs.held[0][leaf]
        assert expected.shape == (size,)
        assert float(jnp.abs(expected - 1).max()) > 1e-3 or size == 3
        np.testing.assert_allclose(ours.held[0][leaf], expected, rtol=1e-6)
        np.testing.assert_allclose(stored.held[0][leaf], expected, atol=5e-4)


@pytest.mark.parametrize("gigabytes", [2, 4, 6, 12, 40])
def test_groups_fit_into_memory(gigabytes):
    subjects = timing.subjects("cpu", "python", "python")
    size, memory = 10**8, gigabytes * 1e9
    groups = workers.pack(size, subjects, memory)
    placed = [subject.name for group in groups for subject in group[2:]]
    assert len(placed) == len(set(placed))
    for group in groups:
        assert group[:2] == subjects[:2]
        assert sum(subject.needs(size) for subject in group) <= memory
    alone = memory - sum(subject.needs(size) for subject in subjects[:2])
    assert set(placed) == {s.name for s in subjects[2:] if s.needs(size) <= alone}


@pytest.mark.wide
def test_workers():
    plain = Subject("plain", "optax", 16)
    flagged = Subject("flagged", "adamjax", 16, flags=("--xla_no_such_flag=1",))
    absent = Subject("flash", "flashoptim", 13, package="flashoptim-jax")
    with contextlib.ExitStack() as stack:
        # XLA ends a process whose flags it does not know, and no other.
        with pytest.raises(workers.WorkerError, match="no_such_flag"):
            workers.start(stack, [plain, flagged], [SIZE], CPU)
        turns, about, errors = workers.start(stack, [plain, absent], [SIZE], CPU)
        assert set(turns) == set(about) == {"plain"}
        assert turns["plain"](2) > 0
        assert "No module named 'flashoptim_jax'" in errors["flash"]
        # One process serves all on a platform that admits one.
        group = [plain, Subject("two", "adamjax", 10, {"storage": "8bit"})]
        turns, about, _ = workers.start(stack, group, [SIZE], {**CPU, "platform": "tpu"})
        assert turns["plain"].func.__self__ is turns["two"].func.__self__
        assert all(turn(2) > 0 for turn in turns.values())
        moved = {name: facts["least_bytes"] for name, facts in about.items()}
        assert moved == pytest.approx({"plain": 28, "two": 16}, rel=1e-2)
