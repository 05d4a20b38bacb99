"""`round_params`: where parameters land, on average and exactly, and the residual."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

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
    """The two numbers of a dtype around each target, or twice the target if it is one."""
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
def test_lands_on_a_neighbour_exactly(mode, dtype):
    """Of p + u in float32: the nearest, or with "stochastic" one of the two.

    Where u is above half of p, as near as the resolution of u allows.
    """
    p = parameters(dtype)
    tx = adamjax.round_params(mode)
    update = jax.jit(tx.update)
    for share in (0.0, 1e-5, 1e-2, 3.0):
        u = updates_for(p, share)
        updates, state = update({"w": u}, tx.init({"w": p}), {"w": p})
        np.testing.assert_array_equal(updates["w"], updates["w"].astype(dtype).astype("float32"))
        landed = optax.apply_updates({"w": p}, updates)["w"]
        low = optax.apply_updates({"w": p}, {"w": updates["w"].astype(dtype)})["w"]
        np.testing.assert_array_equal(low, landed)
        assert landed.dtype == dtype
        target, landed = p.astype(jnp.float32) + u, np.asarray(landed, np.float32)
        eps = float(jnp.finfo(dtype).eps)
        assert np.all(abs(landed - target) <= eps * (abs(u) + abs(target)) + 2.0**-24)
        small = abs(u) <= abs(p.astype(jnp.float32)) / 2
        if mode == "stochastic":
            below, above = neighbours(target, dtype)
            assert np.all((landed == below) | (landed == above) | ~small)
        else:
            nearest = np.asarray(target.astype(dtype), np.float32)
            np.testing.assert_array_equal(landed[small], nearest[small])
        if mode == "kahan":
            whole = landed + np.asarray(state.residual["w"], np.float32)
            assert np.all(abs(whole - target) <= eps * abs(landed - target) + 2.0**-24)


@dtypes
def test_stochastic_is_right_on_average(dtype):
    """Within 5σ of 200,000 draws. 3e-5 and 4e-7 are below the normal numbers of float16.

    The last update leaves little of its parameter, and has more digits than it.
    """
    tx = adamjax.round_params("stochastic")
    update = jax.jit(tx.update)
    for p, share in ((1.0, 0.02), (-0.37, 0.3), (3e-5, -0.71), (4e-7, 0.02), (1.0, None)):
        params = jnp.full(N, p, dtype)
        gap = float(jnp.nextafter(params[0], inf(dtype)).astype(jnp.float32)) - float(params[0])
        u = jnp.full(N, -0.94371 if share is None else share * abs(gap), jnp.float32)
        updates, _ = update(u, tx.init(params), params)
        draws = np.asarray(updates, np.float64)
        assert len(np.unique(draws)) == 2
        target = np.float64(np.float32(params[0]) + np.float32(u[0])) - np.float64(params[0])
        assert abs(draws.mean() - target) < 5 * draws.std() / np.sqrt(N)


def test_stochastic_bits_change_from_step_to_step():
    p = jnp.ones(4096, jnp.bfloat16)
    u = jnp.full(4096, 0.4 * float(jnp.finfo(jnp.bfloat16).eps), jnp.float32)
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
    """1,000 updates of a 50th of the parameter's resolution, all of which are lost without it."""
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
    wide = jnp.ones((8, 8))
    params = {"low": wide.astype("bfloat16"), "wide": wide, "none": None, "half": jnp.float16(2)}
    updates = {"low": wide, "wide": wide, "none": None, "half": jnp.float32(1e-5)}
    tx = adamjax.round_params(mode)
    state = tx.init(params)
    assert isinstance(state, RoundParamsState)
    rounded, after = tx.update(updates, state, params)
    np.testing.assert_array_equal(rounded["wide"], updates["wide"])
    assert rounded["none"] is None
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert jax.tree.map(jnp.result_type, after) == jax.tree.map(jnp.result_type, state)
    kept = sum(x.nbytes for x in jax.tree.leaves(after.residual))
    assert kept == {"stochastic": 0, "kahan": 2 * 65, "residual8": 65}[mode]


@modes
@dtypes
def test_values_that_are_not_finite(mode, dtype):
    """NaN and infinities stay, and the other elements are not affected."""
    p = jnp.asarray([1.0, 1.0, jnp.inf, 1.0, 0.0, -0.0], dtype)
    u = jnp.asarray([jnp.nan, jnp.inf, 0.0, 0.0, 0.0, 1e-40], jnp.float32)
    tx = adamjax.round_params(mode)
    updates, _ = tx.update(u, tx.init(p), p)
    landed = np.asarray(optax.apply_updates(p, updates), np.float32)
    assert np.isnan(landed[0])
    assert np.isposinf(landed[1:3]).all()
    np.testing.assert_array_equal(landed[3:], [1.0, 0.0, 0.0])


@dtypes
@pytest.mark.parametrize("mode", MODES[1:])
def test_master_params_are_the_parameters_and_their_rounding_errors(mode, dtype):
    """They come back after a round trip: nearly the first time, and exactly after that.

    The middle between a power of 2 and the number below it may change by a unit of the error.
    """
    tx = adamjax.sgd(1e-3, param_rounding=mode)
    params = {"low": parameters(dtype), "wide": jnp.ones(2), "none": None}
    state = tx.init(params)
    exact = np.asarray(parameters(jnp.float32, seed=3))
    master = {"low": jnp.asarray(exact), "wide": jnp.full(2, 3.0), "none": None}
    params, state = adamjax.from_master_params(master, params, state)
    assert jax.tree.map(spec, state) == jax.tree.map(spec, tx.init(params))
    once = adamjax.master_params(params, state)
    np.testing.assert_array_equal(params["low"], jnp.asarray(exact).astype(dtype))
    np.testing.assert_array_equal(once["wide"], 3.0)
    smallest = 1e-6 if dtype == jnp.bfloat16 else 2.0**-24
    assert np.all(abs(once["low"] - exact) <= 1.02 * 2.0**-16 * abs(exact) + smallest)
    params, state = adamjax.from_master_params(once, params, state)
    twice = adamjax.master_params(params, state)["low"]
    assert np.mean(twice != once["low"]) <= (1e-4 if mode == "residual8" else 0)
    np.testing.assert_allclose(twice, once["low"], rtol=2.0**-15, atol=smallest)
    updates, state = tx.update(jax.tree.map(jnp.zeros_like, params), state, params)
    params = optax.apply_updates(params, updates)
    still = adamjax.master_params(params, state)["low"]
    np.testing.assert_allclose(still, once["low"], rtol=2.0**-15, atol=smallest)


def spec(x):
    return jnp.shape(x), jnp.result_type(x)


def test_master_params_that_are_not_finite_stay_so():
    params = jnp.array([jnp.inf, jnp.nan, 1.0], jnp.bfloat16)
    for mode in MODES[1:]:
        state = adamjax.round_params(mode).init(params)
        master = params.astype(jnp.float32)
        np.testing.assert_array_equal(adamjax.master_params(params, state), master)
        after, state = adamjax.from_master_params(master, params, state)
        np.testing.assert_array_equal(adamjax.master_params(after, state), master)


def test_master_params_of_frozen_leaves_and_of_an_nnx_optimizer():
    from flax import nnx

    model = nnx.Linear(2, 3, rngs=nnx.Rngs(0), param_dtype=jnp.bfloat16)
    params = nnx.state(model, nnx.Param)
    tx = adamjax.groups(adamjax.adamw, {"bias": "frozen"}, default={"param_rounding": "kahan"})
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
    master = jax.tree.map(lambda p: p.astype(jnp.float32) + 1e-3, params)
    params, state = adamjax.from_master_params(master, params, optimizer.opt_state)
    assert jax.tree.structure(state) == jax.tree.structure(optimizer.opt_state)
    optimizer.opt_state = state
    once = adamjax.master_params(params, optimizer)
    np.testing.assert_allclose(once["kernel"][...], master["kernel"][...], rtol=1e-4)
    np.testing.assert_array_equal(once["bias"][...], params["bias"][...].astype(jnp.float32))


def test_master_params_need_rounding_errors():
    params = jnp.ones(2, jnp.bfloat16)
    state = adamjax.round_params("kahan").init({"w": params})
    for others in ({"v": params}, {"w": params[:1]}):
        with pytest.raises(ValueError, match="params: their tree or shapes are not those of the"):
            adamjax.master_params(others, state)
    with pytest.raises(ValueError, match="it has 0 trees of rounding errors"):
        adamjax.master_params(params, adamjax.round_params().init(params))


def test_refusals():
    p = jnp.ones(3, jnp.bfloat16)
    with pytest.raises(
        ValueError, match=r"unknown rounding mode 'stochastik'; did you mean 'stochastic'"
    ):
        adamjax.round_params("stochastik")
    with pytest.raises(ValueError, match="unknown rounding mode 'nearest'"):
        adamjax.adamw(param_rounding="nearest")
    tx = adamjax.round_params("kahan")
    with pytest.raises(ValueError, match=r"params: .*call update\(updates, state, params\)"):
        tx.update(p, tx.init(p))
    with pytest.raises(ValueError, match="'b' only in params"):
        tx.update({"a": p}, tx.init({"a": p}), {"a": p, "b": p})
    bfloat16 = {"w": jnp.ones(3, jnp.bfloat16)}
    for mode in MODES:
        for other in set(MODES) - {mode}:
            state = adamjax.round_params(other).init(bfloat16)
            with pytest.raises(ValueError, match="state"):
                adamjax.round_params(mode).update(bfloat16, state, bfloat16)


@pytest.mark.parametrize(
    ("dtype", "rounding", "learns"),
    [
        ("bfloat16", None, False),
        ("float16", None, False),
        ("bfloat16", "kahan", False),
        ("bfloat16", "stochastic", True),
        ("bfloat16", "residual8", True),
        ("float16", "kahan", True),
    ],
)
def test_prodigy_on_low_precision_learns_or_warns(dtype, rounding, learns):
    """The first steps are below the resolution, and d only increases with the distance."""
    tx, target = adamjax.prodigy(param_rounding=rounding), jnp.linspace(-2.0, 3.0, 16)
    start = jnp.ones(16, dtype)
    with warnings.catch_warnings(record=True, action="always") as caught:
        state = tx.init(start)
        adamjax.prodigy(param_rounding=rounding, d0=0.1).init(start)  # whose steps are larger
        tx.init(start.at[0].set(0.0))  # which has a finer resolution
    assert ["prodigy: the first steps" in str(w.message) for w in caught] == [True] * (not learns)
    assert all(w.filename == __file__ for w in caught)

    def step(carry, _):
        p, state = carry
        updates, state = tx.update(p.astype(jnp.float32) - target, state, p)
        return (optax.apply_updates(p, updates), state), None

    (reached, _), _ = jax.lax.scan(step, (start, state), length=1000)
    if learns:
        np.testing.assert_allclose(reached.astype(jnp.float32), target, atol=0.05)
    else:
        np.testing.assert_array_equal(reached, start)
