"""`round_params`: where parameters land, on average and exactly, and what is carried."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import adamjax
from adamjax.storage.rounding import MODES, RoundParamsState

N = 200_000
modes = pytest.mark.parametrize("mode", MODES)
dtypes = pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16], ids=["bfloat16", "float16"])


def parameters(dtype, seed=0):
    """Over all sizes that matter: seven powers of ten, both signs, and zero."""
    random = np.random.default_rng(seed)
    p = random.normal(size=N) * 10.0 ** random.uniform(-5, 2, size=N)
    p[:100] = 0.0
    return jnp.asarray(p, dtype)


def updates_for(p, share, seed=1):
    """Updates of some share of the parameters' size."""
    random = np.random.default_rng(seed)
    wide = np.asarray(p, np.float32)
    return jnp.asarray(share * random.normal(size=N) * (abs(wide) + 1e-6), jnp.float32)


def neighbours(target, dtype):
    """The two numbers of a dtype around each target; the same twice where it is one itself."""
    nearest = target.astype(dtype)
    above = jnp.where(
        nearest.astype(jnp.float32) < target, jnp.nextafter(nearest, inf(dtype)), nearest
    )
    below = jnp.where(
        nearest.astype(jnp.float32) > target, jnp.nextafter(nearest, -inf(dtype)), nearest
    )
    return np.asarray(below, np.float32), np.asarray(above, np.float32)


def inf(dtype):
    return jnp.asarray(jnp.inf, dtype)


@modes
@dtypes
@pytest.mark.parametrize("share", [1e-5, 1e-2, 3.0])
def test_lands_on_a_neighbour_exactly(mode, dtype, share):
    """Of p + u in float32: the nearest, or with "stochastic" one of the two."""
    p = parameters(dtype)
    u = updates_for(p, share)
    tx = adamjax.round_params(mode)
    updates, _ = jax.jit(tx.update)({"w": u}, tx.init({"w": p}), {"w": p})
    assert updates["w"].dtype == jnp.float32
    landed = optax.apply_updates({"w": p}, updates)["w"]
    assert landed.dtype == dtype
    target = p.astype(jnp.float32) + u
    seen = np.asarray(landed, np.float32)
    # What was returned is rounded - p, so that nothing is left for `apply_updates` to round.
    np.testing.assert_array_equal(np.asarray(p, np.float32) + np.asarray(updates["w"]), seen)
    if mode == "stochastic":
        below, above = neighbours(target, dtype)
        assert np.all((seen == below) | (seen == above))
    else:
        np.testing.assert_array_equal(seen, np.asarray(target.astype(dtype), np.float32))


@dtypes
@pytest.mark.parametrize("p", [1.0, -0.37, 3e-5, 4e-7])
def test_stochastic_is_right_on_average(dtype, p):
    """Within 5σ of 200,000 draws; 3e-5 and 4e-7 are below what float16 has as normal numbers."""
    params = jnp.full(N, p, dtype)
    gap = float(jnp.nextafter(params[0], inf(dtype)).astype(jnp.float32)) - float(params[0])
    for share in (0.02, 0.3, -0.71):
        u = jnp.full(N, share * abs(gap), jnp.float32)
        tx = adamjax.round_params("stochastic")
        updates, _ = tx.update(u, tx.init(params), params)
        seen = np.asarray(updates, np.float64)
        assert len(np.unique(seen)) == 2
        target = np.float64(np.float32(params[0]) + np.float32(u[0])) - np.float64(params[0])
        assert abs(seen.mean() - target) < 5 * seen.std() / np.sqrt(N)


@dtypes
def test_stochastic_bits_change_from_step_to_step(dtype):
    p = jnp.ones(4096, dtype)
    u = jnp.full(4096, 0.4 * float(jnp.finfo(dtype).eps), jnp.float32)
    tx = adamjax.round_params("stochastic")
    one, state = tx.update({"w": u}, tx.init({"w": p}), {"w": p})
    two, _ = tx.update({"w": u}, state, {"w": p})
    other, _ = tx.update({"v": u}, tx.init({"v": p}), {"v": p})
    again, _ = tx.update({"w": u}, tx.init({"w": p}), {"w": p})
    assert 0.3 < np.mean(one["w"] != two["w"]) < 0.7
    assert 0.3 < np.mean(one["w"] != other["v"]) < 0.7
    np.testing.assert_array_equal(one["w"], again["w"])


@modes
@dtypes
def test_tiny_updates_add_up(mode, dtype):
    """1,000 updates of a 50th of what the parameter resolves, all of which are lost without it."""
    p = jnp.asarray(np.linspace(0.3, 3.0, 512), dtype)
    u = jnp.full(512, 0.02 * float(jnp.finfo(dtype).eps), jnp.float32) * p.astype(jnp.float32)
    tx = adamjax.round_params(mode)

    def step(carry, _):
        rounded, state, plain = carry
        updates, state = tx.update(u, state, rounded)
        rounded = optax.apply_updates(rounded, updates)
        return (rounded, state, optax.apply_updates(plain, u)), None

    (rounded, _, plain), _ = jax.lax.scan(step, (p, tx.init(p), p), None, length=1000)
    np.testing.assert_array_equal(plain, p)
    start = np.asarray(p, np.float64)
    moved = (np.asarray(rounded, np.float64) - start) / (1000 * np.asarray(u, np.float64))
    # 20 resolutions of the dtype: the sum in a Kahan compensation is right to one of them.
    assert abs(np.mean(moved) - 1) < {"stochastic": 0.05, "kahan": 0.01, "residual8": 0.02}[mode]
    assert np.max(abs(moved - 1)) < {"stochastic": 2.0, "kahan": 0.1, "residual8": 0.2}[mode]


def test_residual_is_below_half_a_resolution():
    """p and its residual together are the parameter to 24 bits, however often it is updated."""
    p = parameters(jnp.bfloat16)
    tx = adamjax.round_params("residual8")
    state, exact, params = tx.init(p), np.asarray(p, np.float64), p
    update = jax.jit(tx.update)
    for t in range(5):
        u = updates_for(params, 0.01, seed=t)
        updates, state = update(u, state, params)
        exact = exact + np.asarray(u, np.float64)
        params = optax.apply_updates(params, updates)
    assert state.residual.dtype == jnp.int8
    apart = abs(np.asarray(params, np.float64) - exact) / np.maximum(abs(exact), 1e-30)
    assert np.max(apart[abs(exact) > 1e-6]) < 2.0**-8 * 1.1  # half of bfloat16's resolution


@modes
def test_other_leaves_pass(mode):
    params = {
        "low": jnp.ones((8, 8), jnp.bfloat16),
        "wide": jnp.ones((8, 8)),
        "none": None,
        "scalar": jnp.float16(2.0),
    }
    updates = {
        "low": jnp.full((8, 8), 1e-4),
        "wide": jnp.full((8, 8), 1e-4),
        "none": None,
        "scalar": jnp.float32(1e-5),
    }
    tx = adamjax.round_params(mode)
    state = tx.init(params)
    assert isinstance(state, RoundParamsState)
    seen, after = tx.update(updates, state, params)
    np.testing.assert_array_equal(seen["wide"], updates["wide"])
    assert seen["none"] is None
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert jax.tree.map(jnp.result_type, after) == jax.tree.map(jnp.result_type, state)
    kept = sum(x.nbytes for x in jax.tree.leaves(after.residual))
    assert kept == {"stochastic": 0, "kahan": 2 * 65, "residual8": 65}[mode]


@modes
@dtypes
def test_whatever_is_not_finite(mode, dtype):
    """A NaN stays a NaN and an infinity an infinity; the other elements do not notice."""
    p = jnp.asarray([1.0, 1.0, 1.0, 0.0, -0.0], dtype)
    u = jnp.asarray([jnp.nan, jnp.inf, 0.0, 0.0, 1e-40], jnp.float32)
    tx = adamjax.round_params(mode)
    updates, _ = tx.update(u, tx.init(p), p)
    landed = np.asarray(optax.apply_updates(p, updates), np.float32)
    assert np.isnan(landed[0])
    assert np.isposinf(landed[1])
    np.testing.assert_array_equal(landed[2:], [1.0, 0.0, 0.0])


@modes
def test_no_update_leaves_the_parameters_alone(mode):
    p = parameters(jnp.bfloat16)
    tx = adamjax.round_params(mode)
    updates, _ = tx.update(jnp.zeros(N), tx.init(p), p)
    np.testing.assert_array_equal(updates, np.zeros(N))


@modes
def test_on_a_ready_made_optimizer(mode):
    """bfloat16 parameters get where float32 gets; plainly they stop where updates round to 0."""
    target = jnp.asarray(np.random.default_rng(0).normal(size=(64, 64)), jnp.float32)

    def reached(dtype, **arguments):
        tx = adamjax.adamw(1e-4, weight_decay=0.0, storage="8bit", **arguments)
        params = (target + 0.05).astype(dtype)

        def step(carry, _):
            params, state = carry
            updates, state = tx.update(params.astype(jnp.float32) - target, state, params)
            return (optax.apply_updates(params, updates), state), None

        (params, _), _ = jax.jit(lambda p: jax.lax.scan(step, (p, tx.init(p)), None, length=600))(
            params
        )
        return float(jnp.mean(jnp.abs(params.astype(jnp.float32) - target)))

    rounding = float(jnp.mean(jnp.abs(target.astype(jnp.bfloat16).astype(jnp.float32) - target)))
    wanted = reached(jnp.float32)
    assert abs(reached(jnp.bfloat16, param_rounding=mode) - wanted) < 2 * rounding
    assert reached(jnp.bfloat16) > wanted + 4 * rounding


@modes
def test_nnx_optimizer(mode):
    """Unmodified, it lands on the rounded value: the same as `optax.apply_updates`."""

    class Model(nnx.Module):
        def __init__(self):
            self.w = nnx.Param(jnp.linspace(-1, 1, 4096).reshape(64, 64).astype(jnp.bfloat16))

    model = Model()
    tx = optax.chain(optax.sgd(1e-3), adamjax.round_params(mode))
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
    params, state = {"w": model.w[...]}, None
    state = tx.init(params)
    for _ in range(3):
        gradients = nnx.grad(lambda m: jnp.sum(jnp.sin(m.w[...].astype(jnp.float32))))(model)
        updates, state = tx.update({"w": gradients["w"][...]}, state, params)
        params = optax.apply_updates(params, updates)
        optimizer.update(model, gradients)
        np.testing.assert_array_equal(model.w[...], params["w"])
    assert model.w[...].dtype == jnp.bfloat16


def test_what_is_refused():
    p = jnp.ones(3, jnp.bfloat16)
    with pytest.raises(ValueError, match=r"unknown mode 'stochastik'; did you mean 'stochastic'"):
        adamjax.round_params("stochastik")
    with pytest.raises(ValueError, match="unknown mode 'nearest'"):
        adamjax.adamw(param_rounding="nearest")
    tx = adamjax.round_params("kahan")
    with pytest.raises(ValueError, match=r"params: .*call update\(updates, state, params\)"):
        tx.update(p, tx.init(p))
    with pytest.raises(ValueError, match="'b' is only in params"):
        tx.update({"a": p}, tx.init({"a": p}), {"a": p, "b": p})
