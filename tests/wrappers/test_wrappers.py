"""Identities of the wrappers of whole optimizers."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.testing import CHECKS, Subject
from adamjax.testing.subject import sample_params
from tests.kit import run_check

START = {"w": jnp.asarray(np.random.default_rng(0).normal(size=(3, 2)), jnp.float32)}


def slope(params):
    return jax.tree.map(lambda p: p + jnp.sin(3 * p), params)


def path(tx, steps=12, start=START, **extra):
    """The parameters after each step on a fixed loss, and the states."""
    params, state = start, tx.init(start)
    seen, states = [], []
    for _ in range(steps):
        updates, state = tx.update(slope(params), state, params, **extra)
        params = optax.apply_updates(params, updates)
        seen.append(np.asarray(params["w"], np.float32))
        states.append(state)
    return np.stack(seen), states


# --- what they promise around any optimizer

WRAPPED = {
    "lookahead": lambda: adamjax.lookahead(adamjax.lion(0.01), sync_period=2),
    "lazy_rows": lambda: adamjax.lazy_rows(adamjax.adamw(weight_decay=0.1)),
    "schedule_free": lambda: adamjax.schedule_free(adamjax.lion(0.01), 0.01),
    "ema_params": lambda: adamjax.ema_params(adamjax.adam(), 0.9),
    "swa": lambda: adamjax.swa(adamjax.adam(), start=1),
    "sam": lambda: _with_slope(adamjax.sam(adamjax.adam())),
    "nested": lambda: adamjax.ema_params(adamjax.lookahead(adamjax.muon())),
}


def _with_slope(tx):
    """SAM, told where gradients come from."""
    update = lambda u, s, p=None, **extra: tx.update(u, s, p, grad_fn=lambda q: q, **extra)  # noqa: E731

    def call(updates, state, params=None, **extra):
        return update(updates, state, params, **extra)

    return optax.GradientTransformationExtraArgs(tx.init, call)


@pytest.mark.parametrize("check", [name for name in CHECKS if "inject" not in name])
@pytest.mark.parametrize("name", WRAPPED)
def test_conformance(name, check):
    run_check(name, check, Subject(WRAPPED[name](), sample_params(), True, leafwise=name != "sam"))


# --- identities


def test_lookahead_all_the_way_is_the_optimizer():
    plain, _ = path(adamjax.adam(0.1))
    ahead, _ = path(adamjax.lookahead(adamjax.adam(0.1), sync_period=3, slow_step_size=1.0))
    np.testing.assert_allclose(ahead, plain, atol=1e-6)


def test_lookahead_nowhere_comes_back_to_the_start():
    ahead, _ = path(adamjax.lookahead(adamjax.adam(0.1), sync_period=3, slow_step_size=0.0))
    np.testing.assert_allclose(ahead[2::3], np.stack([START["w"]] * 4), atol=1e-7)


def test_lookahead_is_the_one_of_optax():
    ours, _ = path(adamjax.lookahead(optax.sgd(0.1), sync_period=3, slow_step_size=0.5))
    tx = optax.lookahead(optax.sgd(0.1), sync_period=3, slow_step_size=0.5)
    params = optax.LookaheadParams.init_synced(START)
    state, theirs = tx.init(params), []
    for _ in range(12):
        updates, state = tx.update(slope(params.fast), state, params)
        params = optax.apply_updates(params, updates)
        theirs.append(params.fast["w"])
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_schedule_free_without_b1_is_the_optimizer():
    plain, _ = path(adamjax.sgd(0.1))
    free, states = path(adamjax.schedule_free(adamjax.sgd(0.1), 0.1, b1=0.0))
    np.testing.assert_allclose(free, plain, atol=1e-6)
    np.testing.assert_array_equal(adamjax.eval_params(states[-1], {"w": free[-1]})["w"], free[-1])


def test_x_of_schedule_free_is_the_mean_of_z():
    """With a constant learning rate; and y lies between the two."""
    y, states = path(adamjax.schedule_free(adamjax.sgd(0.1), 0.1, b1=0.75))
    z = np.stack([state.z["w"] for state in states])
    for t, state in enumerate(states):
        x = adamjax.eval_params(state, {"w": jnp.asarray(y[t])})["w"]
        np.testing.assert_allclose(x, z[: t + 1].mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(y[t], 0.75 * x + 0.25 * z[t], atol=1e-6)


def test_schedule_free_is_the_one_of_optax():
    ours, states = path(adamjax.schedule_free_adamw(0.1, eps=1e-3, weight_decay=0.1))
    tx = optax.contrib.schedule_free_adamw(0.1, eps=1e-3, weight_decay=0.1)
    theirs, their_states = path(tx)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    last = {"w": jnp.asarray(ours[-1])}
    x = optax.contrib.schedule_free_eval_params(their_states[-1], last)["w"]
    np.testing.assert_allclose(adamjax.eval_params(states[-1], last)["w"], x, atol=1e-5)


@pytest.mark.parametrize("wrap", [adamjax.ema_params, adamjax.swa])
def test_averages_leave_the_training_alone(wrap):
    plain, _ = path(adamjax.adam(0.1))
    np.testing.assert_array_equal(path(wrap(adamjax.adam(0.1)))[0], plain)


def test_averages_are_those_of_the_parameters():
    seen, states = path(adamjax.swa(adamjax.sgd(0.1), start=4, every=3))
    wanted = seen[[4, 7, 10]].mean(axis=0)
    last = {"w": jnp.asarray(seen[-1])}
    np.testing.assert_allclose(adamjax.eval_params(states[-1], last)["w"], wanted, atol=1e-6)
    early = {"w": jnp.asarray(seen[2])}
    np.testing.assert_array_equal(adamjax.eval_params(states[2], early)["w"], seen[2])
    seen, states = path(adamjax.ema_params(adamjax.sgd(0.1), lambda count: 0.5 + 0 * count))
    wanted = seen[0]
    for p in seen[1:]:
        wanted = (wanted + p) / 2
    np.testing.assert_allclose(adamjax.eval_params(states[-1], last)["w"], wanted, atol=1e-6)


def test_the_outermost_is_evaluated_and_there_must_be_one():
    tx = optax.chain(optax.clip(1.0), adamjax.schedule_free_sgd(0.1))
    y, states = path(tx)
    params = {"w": jnp.asarray(y[-1])}
    x = adamjax.eval_params(states[-1], params)
    np.testing.assert_array_equal(x["w"], states[-1][1].eval_params(params)["w"])
    with pytest.raises(ValueError, match=r"state: .* has no other parameters to evaluate"):
        adamjax.eval_params(adamjax.adam().init(START), START)


TWO = {"a": jnp.ones(3), "n": None, "block": {"b": jnp.ones(2), "c": jnp.full(2, 2.0)}}
PART = {"a": "x", "n": None, "block": "y"}
PARTS = {
    "partition": lambda tx, rest: optax.partition({"x": tx, "y": rest}, PART),
    "masked": lambda tx, rest: optax.masked(tx, {"a": True, "n": None, "block": False}),
    "partition_matrices": lambda tx, rest: adamjax.partition_matrices(tx, rest, "a"),
}


def trained(tx, steps=5):
    """The parameters to train, and those to evaluate."""
    params, state = TWO, tx.init(TWO)
    for _ in range(steps):
        updates, state = tx.update(slope(params), state, params)
        params = optax.apply_updates(params, updates)
    return params, jax.jit(adamjax.eval_params)(state, params)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("wrapped", ["schedule_free", "ema_params"])
def test_a_part_of_the_parameters_is_evaluated(part, wrapped):
    """The other ones are those that are trained."""
    tx = WRAPPED[wrapped]()
    params, found = trained(PARTS[part](tx, adamjax.adam()))
    _, wanted = trained(tx)
    np.testing.assert_allclose(found["a"], wanted["a"], rtol=1e-6)
    jax.tree.map(np.testing.assert_array_equal, found["block"], params["block"])
    assert abs(found["a"] - params["a"]).max() > 1e-4


def test_each_part_is_evaluated_by_its_own():
    x, y = WRAPPED["schedule_free"](), WRAPPED["ema_params"]()
    _, found = trained(PARTS["partition"](x, y))
    np.testing.assert_allclose(found["a"], trained(x)[1]["a"], rtol=1e-6)
    for leaf in ("b", "c"):
        np.testing.assert_allclose(found["block"][leaf], trained(y)[1]["block"][leaf], rtol=1e-6)


def test_averages_are_kept_in_float32_and_evaluated_as_the_parameters_are():
    low = jax.tree.map(lambda p: p.astype(jnp.bfloat16), START)
    for wrapped in (adamjax.swa(adamjax.sgd(0.1)), adamjax.schedule_free_sgd(0.1)):
        _, states = path(wrapped, start=low)
        assert adamjax.eval_params(states[-1], low)["w"].dtype == jnp.bfloat16
    assert states[-1].z["w"].dtype == jnp.float32


@pytest.mark.parametrize("name", ["lookahead_adam", "ranger", "schedule_free_adamw"])
def test_low_precision_parameters_can_be_rounded(name):
    """So that steps far below their resolution add up."""
    start = {"w": jnp.ones((64, 64), jnp.bfloat16)}
    tx = adamjax.create(name, learning_rate=1e-4, param_rounding="kahan")
    state, params = tx.init(start), start
    update = jax.jit(tx.update)
    gradient = {"w": jnp.linspace(1.0, 2.0, 64 * 64, dtype=jnp.bfloat16).reshape(64, 64)}
    wide, wide_state = {"w": jnp.ones((64, 64))}, None
    plain = adamjax.create(name, learning_rate=1e-4)
    wide_state = plain.init(wide)
    for _ in range(50):
        updates, state = update(gradient, state, params)
        params = optax.apply_updates(params, updates)
        updates, wide_state = plain.update(gradient, wide_state, wide)
        wide = optax.apply_updates(wide, updates)
    assert np.abs(np.asarray(params["w"] - wide["w"], np.float32)).max() < 2**-8


def test_sam_goes_uphill_first():
    w = START["w"]
    norm = np.linalg.norm(slope(START)["w"])
    ahead = {"w": w + 0.05 * slope(START)["w"] / norm}
    tx = adamjax.sam(optax.sgd(1.0))
    updates, _ = tx.update(slope(START), tx.init(START), START, grad_fn=slope)
    np.testing.assert_allclose(updates["w"], -slope(ahead)["w"], rtol=1e-5)
    adaptive = adamjax.sam(optax.sgd(1.0), rho=0.5, adaptive=True)
    g = slope(START)["w"]
    ahead = {"w": w + 0.5 * w**2 * g / np.linalg.norm(w * g)}
    updates, _ = adaptive.update(slope(START), adaptive.init(START), START, grad_fn=slope)
    np.testing.assert_allclose(updates["w"], -slope(ahead)["w"], rtol=1e-5)


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("size", [1e-25, 1e25, 3e38])
def test_sam_goes_as_far_uphill_by_any_gradient(size, adaptive):
    seen = []
    tx = adamjax.sam(optax.sgd(0.0), rho=0.5, adaptive=adaptive)
    ones = {"w": jnp.ones(4)}
    gradient = {"w": jnp.full(4, size, jnp.float32)}
    tx.update(gradient, tx.init(ones), ones, grad_fn=lambda p: seen.append(p) or gradient)
    np.testing.assert_allclose(seen[0]["w"], 1.25, rtol=1e-6)


def test_sam_nowhere_is_the_optimizer():
    plain, _ = path(adamjax.adam(0.1))
    seen, _ = path(adamjax.sam(adamjax.adam(0.1), rho=0.0), grad_fn=slope)
    np.testing.assert_allclose(seen, plain, atol=1e-6)


def test_sam_asks_for_the_function():
    tx = adamjax.sam(optax.sgd(1.0))
    with pytest.raises(ValueError, match="grad_fn: give update the function"):
        tx.update(START, tx.init(START), START)


@pytest.mark.parametrize("make", [adamjax.prodigy, adamjax.dadapt_adam])
def test_a_step_size_is_found(make):
    """From one that is far too small, on a quadratic."""
    tx, params = make(d0=1e-6), {"w": jnp.asarray([3.0, -2.0, 1.0])}
    state, update = tx.init(params), jax.jit(tx.update)
    for _ in range(400):
        updates, state = update(params, state, params)
        params = optax.apply_updates(params, updates)
    assert 1e-2 < state[0].found.d < 10
    assert np.abs(params["w"]).max() < 0.1
    np.testing.assert_allclose(state[1].learning_rate, state[0].found.factor, rtol=1e-6)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (adamjax.prodigy, optax.contrib.prodigy),
        (adamjax.dadapt_adam, optax.contrib.dadapt_adamw),
    ],
)
def test_with_bias_correction_it_is_the_one_of_optax(ours, theirs):
    seen, _ = path(ours(1.0, bias_correction=True))
    wanted, _ = path(theirs(1.0, betas=(0.9, 0.999)))
    np.testing.assert_allclose(seen, wanted, atol=2e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: adamjax.lookahead(optax.sgd(1.0), 0), "sync_period must be a whole number"),
        (lambda: adamjax.swa(optax.sgd(1.0), every=0), "every must be a whole number"),
        (lambda: adamjax.ema_params(optax.sgd(1.0), 1.0), "decay must be at least 0 and below 1"),
        (lambda: adamjax.schedule_free(optax.sgd(1.0), 1.0, b1=1.0), "b1 must be at least 0"),
        (lambda: adamjax.sam(optax.sgd(1.0), -1.0), "rho must not be negative"),
        (lambda: adamjax.prodigy(d0=0.0), "d0 must be positive"),
    ],
)
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()
