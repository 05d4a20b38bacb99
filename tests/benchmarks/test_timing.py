"""The arithmetic of the benchmarks of times."""

from benchmarks import timing


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
