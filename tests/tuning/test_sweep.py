"""A sweep: members are single runs, and the result says which is best."""

import builtins
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.tuning.results import Sweep
from tests.test_modes import flags

STEPS = 30
PARAMS = {"w": jnp.array([1.0, -2.0]), "b": jnp.float32(0.5)}
BATCHES = list(np.random.default_rng(0).normal(size=(STEPS, 2)).astype(np.float32))


def loss(params, batch):
    return jnp.mean((params["w"] * batch + params["b"] - 1) ** 2)


def single_run(tx, params=PARAMS):
    """The losses and final parameters of a loop, and the state."""
    state, losses, step = tx.init(params), [], jax.jit(jax.value_and_grad(loss))
    for batch in BATCHES:
        value, gradients = step(params, batch)
        updates, state = jax.jit(tx.update)(gradients, state, params)
        params = optax.apply_updates(params, updates)
        losses.append(value)
    return np.array(losses), params, state


@pytest.mark.parametrize("make", [adamjax.adamw, optax.adamw])
def test_members_equal_single_runs_and_compile_once(make):
    """Five members in chunks that do not divide them, on the devices of the test suite."""
    traced = []

    def counted(params, batch):
        traced.append(batch)
        return loss(params, batch)

    grid = [{"learning_rate": r, "weight_decay": w} for r in (0.01, 0.1) for w in (0.0, 0.2)]
    grid.append({"learning_rate": 0.3, "weight_decay": 0.1})
    result = adamjax.sweep(make, grid, counted, PARAMS, BATCHES, chunk=3)
    assert len(traced) <= 2  # by `scan` and its gradient, not by member or chunk
    for i, member in enumerate(grid):
        losses, params, _ = single_run(make(**member))
        np.testing.assert_allclose(result.losses[i], losses, rtol=1e-6, atol=1e-6)
        for name, value in params.items():
            np.testing.assert_allclose(result.params[name][i], value, rtol=1e-6, atol=1e-6)
    assert not result.stopped.any()
    np.testing.assert_allclose(result.scores, result.losses[:, -3:].mean(axis=1), rtol=1e-6)


def test_diverged_members_stop_and_others_go_on():
    def growing(params, batch):
        return jnp.sum(params["w"] ** 2)

    rates = [0.1, 3.0, 1e30]
    result = adamjax.sweep("sgd", {"learning_rate": rates}, growing, PARAMS, BATCHES)
    # Each step with 3.0 multiplies w by -5 and the loss by 25.
    assert result.stopped.tolist() == [0, 3, 2]
    assert np.isnan(result.losses).sum(axis=1).tolist() == [0, STEPS - 2, STEPS - 1]
    np.testing.assert_allclose(result.params["w"][1], 25 * PARAMS["w"])
    np.testing.assert_allclose(result.losses[0], 5 * 0.8 ** (2 * np.arange(STEPS)), rtol=1e-5)
    assert result.scores[1:].tolist() == [math.inf, math.inf]
    assert str(result).splitlines()[1:] == [
        "0.1            3.098e-05  best".replace("3.098e-05", f"{result.scores[0]:.4g}"),
        "3              inf        diverged at step 3",
        "1e+30          inf        diverged at step 2",
    ]
    allowed = adamjax.sweep(
        "sgd", {"learning_rate": [3.0]}, growing, PARAMS, BATCHES[:5], stop_above=math.inf
    )
    assert allowed.stopped.tolist() == [0]


def test_starts_are_averaged_and_parameters_are_those_to_evaluate():
    def start(seed):
        return {"w": jax.random.normal(jax.random.key(seed), (2,)), "b": jnp.float32(0)}

    grid = {"learning_rate": [0.1, 0.3], "seed": [0, 7]}
    result = adamjax.sweep("schedule_free_adamw", grid, loss, start, iter(BATCHES))
    _, params, state = single_run(adamjax.schedule_free_adamw(0.3), start(7))
    expected = adamjax.eval_params(state, params)
    assert np.abs(expected["w"] - params["w"]).max() > 1e-3
    np.testing.assert_allclose(result.params["w"][3], expected["w"], rtol=1e-5, atol=1e-6)
    means = result.scores.reshape(2, 2).mean(axis=1)
    assert result.settings() == [
        ({"learning_rate": r}, m) for r, m in zip((0.1, 0.3), means, strict=True)
    ]
    assert result.best == {"learning_rate": (0.1, 0.3)[int(means.argmin())]}


def test_settings_may_be_in_any_order_and_float64():
    grid = [{"learning_rate": 0.1, "b1": 0.9}, {"b1": 0.5, "learning_rate": 0.2}]
    with flags("x64"):
        result = adamjax.sweep("adam", grid, loss, PARAMS, BATCHES)
    assert [line.split()[:2] for line in str(result).splitlines()[1:]] == [
        ["0.1", "0.9"],
        ["0.2", "0.5"],
    ]


def made(scores, **axes):
    """A result with these scores, on a grid."""
    names, values = list(axes), np.meshgrid(*axes.values(), indexing="ij")
    columns = [x.ravel().tolist() for x in values]
    members = tuple(dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
    scores = np.array(scores, float)
    losses = np.repeat(scores[:, None], 20, axis=1)
    return Sweep(members, losses, np.where(np.isfinite(scores), 0, 4), (), scores)


def test_best_and_basin(monkeypatch):
    line = made([1.05, 3.0, 1.05, 1.0, 1.09, 1.2, np.inf], x=[1, 2, 3, 4, 5, 6, 7])
    assert line.best == {"x": 4}
    assert line.basin() == {"x": (3, 5)} and line.basin(0.5) == {"x": (3, 6)}
    plane = made([5, 1.1, 3, 4, 1.0, np.nan], x=[1, 2], y=[1, 2, 3])
    assert plane.best == {"x": 2, "y": 2} and plane.basin(0.2) == {"x": (1, 2), "y": (2, 2)}
    lost = made([np.inf, np.nan], x=[1, 2])
    assert lost.best is None and lost.basin() == {} and "best" not in str(lost)
    frame = plane.table()
    assert list(frame.columns) == ["x", "y", "loss", "diverged"] and len(frame) == 6
    real = builtins.__import__

    def without_pandas(name, *args):
        if name == "pandas":
            raise ImportError
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without_pandas)
    assert plane.table()[1] == {"x": 1, "y": 2, "loss": 1.1, "diverged": 0}


def test_plot_has_a_line_for_each_other_setting(tmp_path):
    result = made([3, 1, 2, np.inf, 4, 2], y=[0.5, 0.9], x=[0.01, 0.1, 1.0])
    result = result._replace(members=tuple({"x": m["x"], "y": m["y"]} for m in result.members))
    scores, losses = result.plot(tmp_path / "sweep.png").axes
    assert (tmp_path / "sweep.png").stat().st_size > 10_000
    lines = {each.get_label(): each.get_xydata() for each in scores.lines}
    np.testing.assert_array_equal(lines["y 0.5"], [(0.01, 3), (0.1, 1), (1.0, 2)])
    np.testing.assert_array_equal(lines["y 0.9"], [(0.1, 4), (1.0, 2)])
    assert [scores.get_xscale(), scores.get_yscale(), scores.get_xlabel()] == ["log", "linear", "x"]
    assert [line.get_label() for line in losses.lines].count("best") == 1
    assert made([np.inf, np.nan], x=[1, 2]).plot().axes  # nothing to draw is no error
    seeds = made([3, 1], seed=[0, 1])._replace(starts=("seed",)).plot().axes[0]
    np.testing.assert_array_equal(seeds.lines[0].get_xydata(), [(0, 3), (1, 1)])


def test_progress(capsys):
    pytest.importorskip("rich")
    adamjax.sweep("sgd", {"learning_rate": [0.1]}, loss, PARAMS, BATCHES, progress=True)
    assert "100%" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"grid": {}}, ValueError, "grid: it is empty"),
        ({"grid": {"learning_rate": []}}, ValueError, "grid: it is empty"),
        ({"grid": {"learning_rate": 0.1}}, TypeError, r"grid\['learning_rate'\] must be a list"),
        ({"grid": [0.1, 0.2]}, TypeError, r"grid must be a dict .*, got \[0.1, 0.2\]"),
        ({"grid": {"nesterov": [True]}}, TypeError, r"grid\['nesterov'\] has True"),
        ({"grid": {"learnin_rate": [0.1]}}, ValueError, "did you mean 'learning_rate'"),
        ({"grid": {"b1": [1.5]}}, ValueError, "b1 must be at least 0 and below 1, got 1.5"),
        ({"grid": [{"b1": 0.5}, {"b2": 0.5}]}, ValueError, r"must have the names \['b1'\]"),
        ({"make": lambda n: optax.sgd(1.0 if n > 1 else 0.1), "grid": {"n": [2]}}, TypeError,
         r"grid\['n'\]: make needs this setting as a constant"),
        ({"make": lambda n: adamjax.sgd(adamjax.wsd(0.1, n, 9, 9)), "grid": {"n": [2]}}, TypeError,
         r"grid\['n'\]: make needs this setting as a constant"),
        ({"make": optax.sgd(0.1)}, TypeError, "make must be a function that returns an optimizer"),
        ({"params": {"f": jnp.tanh}}, TypeError, r"params\['f'\] is .* not an array; filter"),
        ({"grid": {"b1": [0.5, 0.9, 0.5]}}, ValueError, r"settings \{'b1': 0.5\} occur twice"),
        ({"batches": []}, ValueError, "batches: there are none"),
        ({"batches": iter(())}, ValueError, "batches: there are none"),
        ({"batches": [*BATCHES, np.ones(3)]}, ValueError, r"batches\[30\] has other shapes"),
        ({"batches": np.stack(BATCHES)}, TypeError, "an iterator with a batch .* got a ndarray"),
        ({"batches": (np.ones((9, 2)), np.ones(9))}, TypeError, r"write zip\(inputs, labels\)"),
        ({"batches": {"x": np.ones((9, 2))}}, TypeError, r"or \[batch\] \* steps"),
        ({"batches": 30}, TypeError, "got a int"),
        ({"chunk": 0}, ValueError, "chunk must be a whole number from 1"),
        ({"stop_above": 0}, ValueError, "stop_above must be positive"),
    ],
)  # fmt: skip
def test_bad_input(changes, error, message):
    arguments = {
        "make": "adam",
        "grid": {"learning_rate": [0.1]},
        "loss": loss,
        "params": PARAMS,
        "batches": BATCHES,
    }
    with pytest.raises(error, match=message):
        adamjax.sweep(**(arguments | changes))


def test_batches_may_have_random_keys():
    def noisy(params, batch):
        x, key = batch
        return loss(params, x + jax.random.normal(key, x.shape))

    keys = jax.random.split(jax.random.key(0), STEPS)
    grid = {"learning_rate": [1e-6]}
    losses = adamjax.sweep("sgd", grid, noisy, PARAMS, zip(BATCHES, keys, strict=True)).losses[0]
    expected = [noisy(PARAMS, batch) for batch in zip(BATCHES, keys, strict=True)]
    np.testing.assert_allclose(losses, expected, rtol=1e-3)


def test_line_searches_receive_the_loss():
    def make(learning_rate):
        search = optax.scale_by_backtracking_linesearch(max_backtracking_steps=20)
        return optax.chain(optax.sgd(learning_rate), search)

    grid = {"learning_rate": jnp.array([0.1, 50.0])}
    result = adamjax.sweep(make, grid, loss, PARAMS, [np.ones(2)] * 20)
    assert (np.diff(result.losses) <= 0).all() and (result.scores < 0.1).all()


@pytest.mark.skipif(not hasattr(jax, "set_mesh"), reason="JAX 0.7 has it")
def test_the_mesh_of_a_caller_is_no_part_of_it():
    arguments = "adam", {"learning_rate": [0.1, 0.3]}, loss, PARAMS, BATCHES
    expected = adamjax.sweep(*arguments)
    with jax.set_mesh(jax.make_mesh((jax.device_count(),), ("data",))):
        result = adamjax.sweep(*arguments)
    np.testing.assert_array_equal(result.losses, expected.losses)
