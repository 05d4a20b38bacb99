"""Rows without a gradient stay: against torch's SparseAdam, an oracle, and bit for bit."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.testing.subject import expect_same
from tests.reference import make, replay

with np.load(Path(__file__).parent / "sparse_adam.npz") as recorded:
    TORCH = dict(recorded)
META = json.loads(str(TORCH["meta"]))
RANDOM = np.random.default_rng(0)
STEPS, ROWS, COLUMNS = 12, 6, 4
ON = RANDOM.random((STEPS, ROWS)) < 0.4
ON[:, 0], ON[:, -1] = False, True
GRADIENTS = RANDOM.normal(size=(STEPS, ROWS, COLUMNS)) * ON[..., None]
GRADIENTS[1::2, :, 0] = 0.0  # in half of the steps a part of each row
DENSE = RANDOM.normal(size=GRADIENTS.shape)
START = RANDOM.normal(size=(ROWS, COLUMNS))

# The inner optimizers: moments in float32, in codes, factored, ours and Optax's.
INNER = {
    "adam": lambda: adamjax.adam(0.1),
    "adamw 8bit": lambda: adamjax.store(adamjax.adamw(0.1), "8bit", min_size=0),
    "adamw bfloat16": lambda: adamjax.store(adamjax.adamw(0.1), "bfloat16", min_size=0),
    "adamw l2": lambda: adamjax.adamw(0.1, weight_decay=0.1, decay_mode="l2"),
    "amsgrad": lambda: adamjax.amsgrad(lambda count: 0.1 / (1 + count), b1=lambda count: 0.9),
    "kahan": lambda: adamjax.lion(0.1, param_rounding="kahan"),
    "partition": lambda: adamjax.partition_matrices(adamjax.scale_by_lion(), optax.scale_by_adam()),
    "masked": lambda: optax.masked(optax.adam(0.1), {"bias": False, "table": True}),
    "optax.adamw": lambda: optax.chain(optax.clip(1.0), optax.adamw(0.1)),
}
# In codes and in float32, ours and Optax's, and with a mask inside.
QUICK = ("adamw 8bit", "adamw l2", "masked", "optax.adamw")
each_inner = pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.wide) for n in INNER]
)


def tree(table):
    """A table and something without rows."""
    return {"bias": jnp.ones(COLUMNS), "table": jnp.asarray(table, jnp.float32)}


def path(tx, gradients=GRADIENTS):
    """Parameters and state before and after each step."""
    params = tree(START)
    state = tx.init(params)
    steps = [(params, state)]
    for gradient in gradients:
        updates, state = tx.update(tree(gradient), state, params)
        params = optax.apply_updates(params, updates)
        steps.append((params, state))
    return steps


def rows_in(state):
    """The arrays with as many rows as the table."""
    return [x for x in jax.tree.leaves(state) if jnp.shape(x)[:1] == (ROWS,)]


def bits(x):
    return np.asarray(x).view(f"u{x.dtype.itemsize}")


# --- against others


def test_around_adam_it_is_sparse_adam_of_torch():
    inner, expected = make(META), TORCH["params_embedding"]
    reached = replay(adamjax.lazy_rows(inner), TORCH, np.float64)["embedding"]
    assert reached.dtype == np.float64
    np.testing.assert_allclose(reached, expected, rtol=0, atol=META["tolerance"])
    assert abs(replay(inner, TORCH, np.float64)["embedding"] - expected).max() > 1e-3


# --- promises


@each_inner
def test_rows_without_a_gradient_stay(name):
    """Bit for bit, with their moments. With a gradient in every row it is the inner optimizer."""
    tx = INNER[name]()
    lazy = adamjax.lazy_rows(tx)
    steps = path(lazy)
    assert len(rows_in(steps[0][1])) > 0
    for on, (params, state), (moved, after) in zip(ON, steps, steps[1:], strict=False):
        for old, new in zip(rows_in((params, state)), rows_in((moved, after)), strict=True):
            np.testing.assert_array_equal(bits(new)[~on], bits(old)[~on])
        assert (moved["table"] != params["table"])[on].any(axis=1).all()
    layout = lambda state: jax.tree.map(lambda x: (x.shape, x.dtype), state)  # noqa: E731
    assert layout(steps[-1][1]) == layout(tx.init(steps[0][0]))
    others = GRADIENTS.copy()
    others[:, :3] = DENSE[:, :3]
    for one, other in zip(steps, path(lazy, others), strict=True):
        for a, b in zip(rows_in(one), rows_in(other), strict=True):
            np.testing.assert_array_equal(bits(a)[3:], bits(b)[3:])
    expect_same("the training", path(lazy, DENSE[:4]), path(tx, DENSE[:4]))


def test_counts_go_on():
    (_, (moments, _)) = path(adamjax.lazy_rows(adamjax.adam(0.1)), 0 * GRADIENTS)[-1]
    assert moments.count == STEPS
    np.testing.assert_array_equal(moments.mu["table"], 0)
    np.testing.assert_allclose(moments.mu["bias"], 1 - 0.9**STEPS, rtol=1e-5)


def test_both_zeros_are_zero_and_nan_is_not():
    gradient = jnp.asarray([[0.0], [-0.0], [jnp.nan], [jnp.inf], [1e-4]], jnp.bfloat16)
    params = jnp.full_like(gradient, -0.0)
    tx = adamjax.lazy_rows(optax.chain(optax.add_decayed_weights(1.0), optax.trace(0.9)))
    for update in (tx.update, jax.jit(tx.update)):
        updates, (_, state) = update(gradient, tx.init(params), params)
        moved = optax.apply_updates(params, updates)
        np.testing.assert_array_equal(bits(moved)[:2], bits(params)[:2])
        for x in (state.trace, moved):
            np.testing.assert_array_equal(np.float32(x[2:]), np.float32(gradient[2:]))


def test_moments_of_low_precision_are_not_rounded():
    """Numbers of every size, subnormal ones among them."""
    every = np.arange(2**16, dtype=np.uint16).view(jnp.bfloat16).reshape(-1, 2)
    every = jnp.asarray(every[~np.isnan(np.asarray(every, np.float32)).any(axis=1)])
    tx = adamjax.lazy_rows(optax.trace(0.9))
    state = optax.TraceState(trace=every)
    _, after = jax.jit(tx.update)(jnp.zeros_like(every), state)
    np.testing.assert_array_equal(bits(after.trace), bits(every))


def test_factored_moments():
    """Row means have rows. Column means are of all rows, and continue."""
    tx = adamjax.lazy_rows(adamjax.scale_by_adafactor(min_dim_size_to_factor=2))
    gradients = np.ones((2, ROWS, COLUMNS))
    gradients[1, 0], gradients[1, 1:] = 0.0, 2.0
    (_, before), (_, after) = path(tx, gradients)[1:]
    assert before.v_row["table"].shape == (ROWS, 1)
    changed = before.v_row["table"] != after.v_row["table"]
    np.testing.assert_array_equal(changed[:, 0], [False] + [True] * (ROWS - 1))
    assert (before.v_col["table"] != after.v_col["table"]).all()


def test_arrays_that_only_have_as_many_rows_are_of_the_inner():
    """The covariances of a matrix are no rows of it."""
    inner = adamjax.eigenbasis(adamjax.scale_by_adam())
    lazy, plain = (path(tx, GRADIENTS[:1])[-1][1] for tx in (adamjax.lazy_rows(inner), inner))
    assert lazy.covariances[1]["table"].shape == (ROWS, ROWS)
    np.testing.assert_array_equal(lazy.bases[1]["table"], plain.bases[1]["table"])


def test_rows_along_another_axis():
    g, p = GRADIENTS[3], START
    rows, *columns = (
        tx.update(g, tx.init(p), p)[0]
        for g, p, axis in ((g, p, 0), (g.T, p.T, 1), (g.T, p.T, -1))
        for tx in [adamjax.lazy_rows(adamjax.adamw(0.1, weight_decay=0.1), axis=axis)]
    )
    np.testing.assert_array_equal((rows != 0).any(axis=1), ON[3])
    for each in columns:
        np.testing.assert_array_equal(each.T, rows)


def test_which_leaves_are_lazy():
    params = {"a": {"table": jnp.ones((2, 3))}, "bias": jnp.ones(2), "kernel": jnp.ones((2, 2))}
    for mask, lazy in (
        (None, {"table", "kernel"}),
        ("*table", {"table"}),
        (["!kernel", "!bias"], {"table"}),
        ({"a": True, "bias": False, "kernel": False}, {"table"}),
        (lambda p: jax.tree.map(lambda x: x.ndim == 1, p), {"bias"}),
    ):
        tx = adamjax.lazy_rows(optax.add_decayed_weights(1.0), mask)
        updates, _ = tx.update(jax.tree.map(jnp.zeros_like, params), tx.init(params), params)
        updates |= updates.pop("a")
        assert {name for name, u in updates.items() if (u == 0).all()} == lazy


def test_extra_arguments_reach_the_inner():
    arguments = {}

    def update(updates, state, params=None, **extra):
        arguments.update(extra)
        return updates, state

    tx = adamjax.lazy_rows(optax.GradientTransformationExtraArgs(optax.identity().init, update))
    tx.update(tree(START), tx.init(tree(START)), value=3.0)
    assert arguments == {"value": 3.0}


# --- refusals


def test_a_leaf_without_such_rows_is_named():
    params = {"scale": jnp.float32(1.0), "table": jnp.asarray(START)}
    for arguments, message in (
        ({"mask": "*tables"}, r"mask: no parameter matches '\*tables'"),
        ({"mask": "*"}, r"axis: 'scale' of shape \(\) has no axis 0"),
        ({"mask": {"scale": False}}, "mask: the tree of bools does not fit"),
        ({"axis": 2}, r"axis: 'table' of shape \(6, 4\) has no axis 2"),
        ({"axis": -3}, r"axis: 'table' of shape \(6, 4\) has no axis -3"),
    ):
        tx = adamjax.lazy_rows(adamjax.adam(), **arguments)
        with pytest.raises(ValueError, match=message):
            tx.init(params)
        with pytest.raises(ValueError, match=message):
            tx.update(params, adamjax.adam().init(params), params)


def test_a_state_with_other_trees_is_refused():
    tx, params = adamjax.lazy_rows(optax.sm3(0.1)), tree(START)
    with pytest.raises(ValueError, match="state: cannot tell which parts of it"):
        tx.update(params, tx.init(params), params)
