"""Rows without a gradient stay: against torch's SparseAdam, an oracle, and by what they promise."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.testing import CHECKS, Subject
from adamjax.testing.subject import expect_close, expect_same, sample_params
from tests.reference import make, precision, replay

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

# What it is put around: moments in float32, in codes, factored, ours and Optax's.
INNER = {
    "adam": lambda: adamjax.adam(0.1),
    "adamw 8bit": lambda: _stored("8bit"),
    "adamw 8bit_v16": lambda: _stored("8bit_v16"),
    "adamw bfloat16": lambda: _stored("bfloat16"),
    "adamw l2": lambda: adamjax.adamw(0.1, weight_decay=0.1, decay_mode="l2"),
    "amsgrad": lambda: adamjax.amsgrad(lambda count: 0.1 / (1 + count), b1=lambda count: 0.9),
    "kahan": lambda: adamjax.lion(0.1, param_rounding="kahan"),
    "partition": lambda: adamjax.partition_matrices(adamjax.scale_by_lion(), optax.scale_by_adam()),
    "injected": lambda: optax.inject_hyperparams(adamjax.adam)(learning_rate=0.1),
    "lazy itself": lambda: adamjax.lazy_rows(optax.adam(0.1), {"bias": False, "table": True}),
    "masked": lambda: optax.masked(optax.adam(0.1), {"bias": False, "table": True}),
    "optax.adamw": lambda: optax.chain(optax.clip(1.0), optax.adamw(0.1)),
    "optax.contrib.ademamix": lambda: optax.contrib.ademamix(0.1),
}


def _stored(storage):
    return adamjax.store(adamjax.adamw(0.1, weight_decay=0.1), storage, min_size=0)


def tree(table, dtype=jnp.float32):
    """A table and something without rows."""
    return {"bias": jnp.ones(COLUMNS, dtype), "table": jnp.asarray(table, dtype)}


def path(tx, gradients=GRADIENTS, dtype=jnp.float32, jit=False):
    """Parameters and state before and after each step."""
    update = jax.jit(tx.update) if jit else tx.update
    params = tree(START, dtype)
    state = tx.init(params)
    seen = [(params, state)]
    for gradient in gradients:
        updates, state = update(tree(gradient, dtype), state, params)
        params = optax.apply_updates(params, updates)
        seen.append((params, state))
    return seen


def rows_in(state):
    """The arrays with as many rows as the table."""
    return [x for x in jax.tree.leaves(state) if jnp.shape(x)[:1] == (ROWS,)]


def bits(x):
    return np.asarray(x).view(f"u{x.dtype.itemsize}")


# --- against others


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_around_adam_it_is_sparse_adam_of_torch(dtype):
    inner, wanted = make(META), TORCH["params_embedding"]
    tolerance = META["tolerance"] if dtype == np.float64 else 2e-6
    reached = replay(adamjax.lazy_rows(inner), TORCH, dtype)["embedding"]
    assert reached.dtype == dtype
    np.testing.assert_allclose(reached, wanted, rtol=0, atol=tolerance)
    assert abs(replay(inner, TORCH, dtype)["embedding"] - wanted).max() > 1e-3


def by_row(row, gradients, lr=0.1, b1=0.9, b2=0.999, eps=1e-8, decay=0.1):
    """One row of AdamW, which knows the step but takes part in its own steps alone."""
    m, v, seen = np.zeros(COLUMNS), np.zeros(COLUMNS), [row]
    for t, g in enumerate(gradients, start=1):
        if g.any():
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
            u = m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps)
            row = row - lr * (u + decay * row)
        seen.append(row)
    return np.stack(seen)


def test_every_row_by_itself():
    tx = adamjax.lazy_rows(adamjax.adamw(0.1, weight_decay=0.1))
    with precision(np.float64):
        given = {"params_table": START[None], "grads_table": GRADIENTS}
        seen = replay(tx, given, np.float64)["table"]
    wanted = [by_row(START[r], GRADIENTS[:, r]) for r in range(ROWS)]
    np.testing.assert_allclose(seen, np.stack(wanted, axis=1), rtol=0, atol=1e-12)


# --- promises


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("name", INNER)
def test_rows_stay_bit_for_bit_and_the_state_is_that_of_the_inner(name, jit, dtype):
    tx = INNER[name]()
    seen = path(adamjax.lazy_rows(tx), dtype=dtype, jit=jit)
    assert len(rows_in(seen[0][1])) > 0
    for on, (params, state), (moved, after) in zip(ON, seen, seen[1:], strict=False):
        pairs = zip(rows_in((params, state)), rows_in((moved, after)), strict=True)
        for before, now in pairs:
            np.testing.assert_array_equal(bits(now)[~on], bits(before)[~on])
        assert (moved["table"] != params["table"])[on].any(axis=1).all()
    layout = lambda state: jax.tree.map(lambda x: (x.shape, x.dtype), state)  # noqa: E731
    assert layout(seen[-1][1]) == layout(tx.init(seen[0][0]))


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("name", INNER)
def test_with_every_row_touched_it_is_the_inner(name, jit):
    """Bit for bit; compiled, as far as XLA makes the same of both."""
    tx, expect = INNER[name](), expect_close if jit else expect_same
    seen, wanted = (path(each, DENSE[:4], jit=jit) for each in (adamjax.lazy_rows(tx), tx))
    expect("the training", seen, wanted)


@pytest.mark.parametrize("name", INNER)
def test_what_another_row_does_is_no_matter(name):
    others = GRADIENTS.copy()
    others[:, :3] = DENSE[:, :3]
    tx = adamjax.lazy_rows(INNER[name]())
    for one, other in zip(path(tx), path(tx, others), strict=True):
        for a, b in zip(rows_in(one), rows_in(other), strict=True):
            np.testing.assert_array_equal(bits(a)[3:], bits(b)[3:])


def test_counts_go_on():
    (_, (moments, _)) = path(adamjax.lazy_rows(adamjax.adam(0.1)), 0 * GRADIENTS)[-1]
    assert moments.count == STEPS
    np.testing.assert_array_equal(moments.mu["table"], 0)
    np.testing.assert_allclose(moments.mu["bias"], 1 - 0.9**STEPS, rtol=1e-5)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16, jnp.float16])
def test_what_a_zero_is(dtype):
    gradient = jnp.asarray([[0.0], [-0.0], [jnp.nan], [jnp.inf], [1e-4]], dtype)
    params = jnp.full_like(gradient, -0.0)
    tx = adamjax.lazy_rows(optax.chain(optax.add_decayed_weights(1.0), optax.trace(0.9)))
    for update in (tx.update, jax.jit(tx.update)):
        updates, (_, state) = update(gradient, tx.init(params), params)
        moved = optax.apply_updates(params, updates)
        np.testing.assert_array_equal(bits(moved)[:2], bits(params)[:2])
        for x in (state.trace, moved):
            np.testing.assert_array_equal(np.float32(x[2:]), np.float32(gradient[2:]))


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_moments_of_low_precision_are_not_rounded(dtype):
    """Numbers of every size, subnormal ones among them."""
    every = np.arange(2**16, dtype=np.uint16).view(jnp.dtype(dtype)).reshape(-1, 2)
    every = jnp.asarray(every[~np.isnan(np.asarray(every, np.float32)).any(axis=1)])
    tx = adamjax.lazy_rows(optax.trace(0.9))
    state = optax.TraceState(trace=every)
    _, after = jax.jit(tx.update)(jnp.zeros_like(every), state)
    np.testing.assert_array_equal(bits(after.trace), bits(every))


def test_factored_moments():
    """Row means have rows; column means are of all rows, and go on."""
    tx = adamjax.lazy_rows(adamjax.scale_by_adafactor(min_dim_size_to_factor=2))
    gradients = np.ones((2, ROWS, COLUMNS))
    gradients[1, 0], gradients[1, 1:] = 0.0, 2.0
    (_, before), (_, after) = path(tx, gradients)[1:]
    assert before.v_row["table"].shape == (ROWS, 1)
    changed = before.v_row["table"] != after.v_row["table"]
    np.testing.assert_array_equal(changed[:, 0], [False] + [True] * (ROWS - 1))
    assert (before.v_col["table"] != after.v_col["table"]).all()


def test_what_only_has_as_many_rows_is_of_the_inner():
    """The covariances of a matrix are no rows of it."""
    inner = adamjax.eigenbasis(adamjax.scale_by_adam())
    seen, wanted = (path(tx, GRADIENTS[:1])[-1][1] for tx in (adamjax.lazy_rows(inner), inner))
    assert seen.left["table"].shape == (ROWS, ROWS)
    np.testing.assert_array_equal(seen.left_basis["table"], wanted.left_basis["table"])


@pytest.mark.parametrize("axis", [1, -1])
def test_rows_along_another_axis(axis):
    lazy = adamjax.lazy_rows(adamjax.adam(0.1)), adamjax.lazy_rows(adamjax.adam(0.1), axis=axis)
    rows, columns = (
        tx.update(g, tx.init(g), g)[0]
        for tx, g in zip(lazy, (GRADIENTS[3], GRADIENTS[3].T), strict=True)
    )
    np.testing.assert_array_equal(columns.T, rows)


@pytest.mark.parametrize(
    ("mask", "lazy"),
    [
        (None, {"a/table", "kernel"}),
        ("*table", {"a/table"}),
        (["!kernel", "!bias"], {"a/table"}),
        ({"a": True, "bias": False, "kernel": False}, {"a/table"}),
        (lambda p: jax.tree.map(lambda x: x.ndim == 1, p), {"bias"}),
    ],
)
def test_which_leaves_are_lazy(mask, lazy):
    params = {"a": {"table": jnp.ones((2, 3))}, "bias": jnp.ones(2), "kernel": jnp.ones((2, 2))}
    tx = adamjax.lazy_rows(optax.add_decayed_weights(1.0), mask)
    updates, _ = tx.update(jax.tree.map(jnp.zeros_like, params), tx.init(params), params)
    names = [("a/table", updates["a"]["table"]), *((k, updates[k]) for k in ("bias", "kernel"))]
    assert {name for name, u in names if (u == 0).all()} == lazy


def test_several_gradients_make_one_step():
    """A row that any of them touches is touched; outside, as MultiSteps averages them."""
    tx = optax.MultiSteps(adamjax.lazy_rows(adamjax.adamw(0.1, weight_decay=0.1)), 2)
    means = GRADIENTS.reshape(-1, 2, ROWS, COLUMNS).mean(axis=1)
    for one, several in zip(means, np.split(GRADIENTS, STEPS // 2), strict=True):
        np.testing.assert_array_equal(one.any(axis=1), several.any(axis=(0, 2)))
    wanted, _ = path(adamjax.lazy_rows(adamjax.adamw(0.1, weight_decay=0.1)), means)[-1]
    np.testing.assert_allclose(path(tx, jit=True)[-1][0]["table"], wanted["table"], atol=1e-5)


def test_extra_arguments_reach_the_inner():
    seen = {}

    def update(updates, state, params=None, **extra):
        seen.update(extra)
        return updates, state

    tx = adamjax.lazy_rows(optax.GradientTransformationExtraArgs(optax.identity().init, update))
    tx.update(tree(START), tx.init(tree(START)), value=3.0)
    assert seen == {"value": 3.0}


# What names its leaves otherwise has other random bits.
RENAMES = {"equinox_module", "nnx_optimizer", "train_state"}


@pytest.mark.parametrize("check", [check for check in CHECKS if check not in RENAMES])
def test_conformance_in_codes(check):
    def make(learning_rate=1e-2):
        inner = adamjax.store(adamjax.adam(learning_rate), "8bit", min_size=0)
        return adamjax.lazy_rows(inner)

    CHECKS[check](Subject(make(), sample_params(), factory=make))


# --- refusals


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mask": "*tables"}, r"mask: no parameter matches '\*tables'"),
        ({"mask": "*"}, r"axis: 'scale' of shape \(\) has no axis 0"),
        ({"mask": {"scale": False}}, "mask: the tree of bools does not fit"),
        ({"axis": 2}, r"axis: 'table' of shape \(6, 4\) has no axis 2"),
        ({"axis": -3}, r"axis: 'table' of shape \(6, 4\) has no axis -3"),
    ],
)
def test_a_leaf_without_such_rows_is_named(arguments, message):
    params = {"scale": jnp.float32(1.0), "table": jnp.asarray(START)}
    tx = adamjax.lazy_rows(adamjax.adam(), **arguments)
    with pytest.raises(ValueError, match=message):
        tx.init(params)
    with pytest.raises(ValueError, match=message):
        tx.update(params, adamjax.adam().init(params), params)


def test_a_state_with_other_trees_is_refused():
    tx, params = adamjax.lazy_rows(optax.sm3(0.1)), tree(START)
    with pytest.raises(ValueError, match="inner: cannot tell which parts of its state"):
        tx.update(params, tx.init(params), params)
