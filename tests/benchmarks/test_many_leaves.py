"""That the benchmark of many leaves runs, and prepares each step anew."""

import jax
import jax.monitoring
import jax.numpy as jnp
import optax
import pytest

from benchmarks import many_leaves
from tests.benchmarks.benchmark_runs import only_result, run


def test_quick_run(tmp_path):
    process = run("benchmarks.many_leaves", "--quick", "--results", tmp_path)
    assert process.returncode == 0, process.stderr
    results = only_result("many_leaves", tmp_path)
    small, large = results["trees"].values()
    state = {name: row["state_bytes"] for name, row in large.items()}
    assert state == pytest.approx(
        {
            "optax.adamw": 8,
            "adamw float32": 8,
            "adamw 8bit": 2,
            "store(optax.adamw) 8bit": 2,
        },
        rel=1e-2,
    )
    for rows in (small, large):
        assert all(part["ratio"] == [1, 1, 1] for part in list(rows["optax.adamw"].values())[1:])
        assert all(min(row[s]["seconds"]) > 0 for row in rows.values() for s in many_leaves.STAGES)


def test_nothing_is_taken_from_a_cache():
    traced, compiled = [], []

    @jax.jit
    def inner(x):
        traced.append("inner")
        return x + 1

    def update(grads, state, params=None):
        traced.append("outer")
        return jax.tree.map(inner, grads), state

    tx = optax.GradientTransformation(lambda params: (), update)

    def listen(event, seconds, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(seconds)

    jax.monitoring.register_event_duration_secs_listener(listen)
    params = many_leaves.leaves(2, 8)
    for count in (1, 2, 3):
        times = many_leaves.prepare(tx, params, ())
        assert sorted(traced) == ["inner"] * count + ["outer"] * count
        assert len(compiled) == count
        assert set(times) == set(many_leaves.STAGES)
        # What the compiler says of itself lies within our time of it, and is most of it.
        assert 0.3 * times["compile"] < compiled[-1] <= times["compile"]


def test_slow_stages_are_told_apart():
    quick = {"trace": 1.0, "lower": 2.0, "compile": 5.0}
    rounds = [
        {"optax.adamw": quick, "other": {stage: 3 * each for stage, each in quick.items()}},
        {
            "optax.adamw": {stage: 10 * each for stage, each in quick.items()},
            "other": {"trace": 30.0, "lower": 20.0, "compile": 50.0},
        },
    ]
    other = many_leaves.summary(rounds)["other"]
    assert other["trace"]["ratio"] == [3, 3, 3]
    assert other["lower"]["ratio"] == [1.5, 2, 2.5]
    assert other["all"]["seconds"] == [43, 62, 81]
    assert other["all"]["ratio"] == [1.688, 2.125, 2.562]


def test_leaves_are_apart():
    tree = many_leaves.leaves(5, 64)
    assert [(x.shape, x.dtype) for x in jax.tree.leaves(tree)] == [((64, 64), jnp.float32)] * 5
