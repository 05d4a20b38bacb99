"""Means of microbatches: those of `optax.MultiSteps`, and their errors in 16 bits."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax

SIZE = 1 << 14


def steps(tx, gradients, dtype=jnp.float32):
    """The parameters after each microbatch, and the states."""
    params = {"w": jnp.ones(gradients[0].shape, dtype)}
    state, update, path = tx.init(params), jax.jit(tx.update), []
    for g in gradients:
        updates, state = update({"w": g}, state, params)
        params = optax.apply_updates(params, updates)
        path.append((np.asarray(params["w"]), state))
    return path


@pytest.mark.parametrize("every_k", [3, lambda done: 1 + done], ids=["number", "ramp"])
def test_float32_is_multi_steps_bit_for_bit(every_k):
    gradients = list(jax.random.normal(jax.random.key(0), (7, 5)))
    ours = steps(adamjax.accumulate(adamjax.adamw(0.1), every_k), gradients)
    several = optax.MultiSteps(adamjax.adamw(0.1), every_k)
    for (p, state), (expected, theirs) in zip(ours, steps(several, gradients), strict=True):
        np.testing.assert_array_equal(p, expected)
        for field in ("mini_step", "gradient_step"):
            assert int(getattr(state, field)) == int(getattr(theirs, field))
        assert bool(state.has_updated) == bool(several.has_updated(theirs))
    assert int(state.gradient_step) == (2 if every_k == 3 else 3)


def test_has_updated_of_an_nnx_optimizer():
    from flax import nnx

    model = nnx.Linear(2, 3, rngs=nnx.Rngs(0))
    tx = adamjax.accumulate(adamjax.adam(0.1), 2)
    optimizer, updated = nnx.Optimizer(model, tx, wrt=nnx.Param), []
    for _ in range(2):
        optimizer.update(model, jax.tree.map(jnp.ones_like, nnx.state(model, nnx.Param)))
        updated.append(bool(optimizer.opt_state.has_updated))
    assert updated == [False, True]


@pytest.mark.parametrize(
    ("dtype", "rounding", "exponent"),
    [
        ("float32", "stochastic", -22),
        ("float16", "stochastic", -9),
        ("bfloat16", "stochastic", -6),
        ("bfloat16", "residual8", -11),
        ("bfloat16", "kahan", -16),
    ],
)
def test_mean_of_64_microbatches(dtype, rounding, exponent):
    """Unbiased, and within the error that the docstring states."""
    mean, noise = jax.random.normal(jax.random.key(0), (2, SIZE))
    gradients = jax.random.normal(jax.random.key(1), (64, SIZE)) * (1 + jnp.abs(noise)) + mean
    gradients = gradients.astype(jnp.bfloat16)
    exact = np.asarray(gradients, np.float64).mean(0)
    tx = adamjax.accumulate(optax.sgd(1.0), 64, dtype=dtype, rounding=rounding)
    params = jnp.zeros(SIZE)
    state, _ = jax.lax.scan(
        lambda state, g: (tx.update(g, state, params)[1], None), tx.init(params), gradients[:-1]
    )
    assert state.acc_grads.dtype == dtype
    updates, _ = tx.update(gradients[-1], state, params)
    error = -np.asarray(updates, np.float64) - exact
    size = np.linalg.norm(exact)
    assert np.linalg.norm(error) < 2.0**exponent * size
    # The part along the mean has the standard deviation error / √SIZE.
    assert abs(error @ exact) / size < 4 * np.linalg.norm(error) / np.sqrt(SIZE) + 2.0**-24 * size
    assert 2.0**exponent / 4 < np.linalg.norm(error) / size or exponent in (-11, -22)


def test_a_spoiled_mean_ends_with_its_step():
    gradients = [jnp.full(3, g) for g in (1.0, jnp.nan, 1.0, 2.0, 1.0, 2.0)]
    tx = adamjax.accumulate(adamjax.guard(optax.sgd(1.0)), 2, dtype=jnp.bfloat16, rounding="kahan")
    path = [float(p[0]) for p, _ in steps(tx, gradients)]
    assert path == [1.0, 1.0, 1.0, -0.5, -0.5, -2.0]


def test_complex_and_low_precision_parameters():
    """A complex mean is not rounded, and bits are those of no parameter."""
    params = {"c": jnp.ones(2, complex), "h": jnp.ones(2, jnp.bfloat16), "none": None}
    tx = adamjax.accumulate(adamjax.adam(0.1, param_rounding="stochastic"), 2, dtype=jnp.bfloat16)
    state = tx.init(params)
    assert state.acc_grads["c"].dtype == jnp.complex64
    for _ in range(2):
        updates, state = jax.jit(tx.update)(params, state, params)
        assert updates["h"].dtype == jnp.bfloat16
    np.testing.assert_allclose(updates["c"].real, -0.1, rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"every_k": np.int64(0)}, ValueError, "every_k must be a whole number from 1, got 0"),
        ({"every_k": 2.5}, ValueError, "every_k must be a whole number from 1, got 2.5"),
        ({"every_k": 2, "dtype": "int8"}, TypeError, "dtype must be float32, bfloat16 or float16"),
        ({"every_k": 2, "dtype": "foo"}, TypeError, "dtype must be float32, .* got 'foo'"),
        ({"every_k": 2, "rounding": "up"}, ValueError, "unknown rounding mode 'up'"),
    ],
)
def test_settings_that_do_not_fit(arguments, error, message):
    with pytest.raises(error, match=message):
        adamjax.accumulate(optax.sgd(1.0), **arguments)


def test_another_state_is_refused():
    with pytest.raises(ValueError, match="state: this optimizer does not accept"):
        adamjax.accumulate(optax.sgd(1.0), 2).update(jnp.ones(2), optax.sgd(1.0).init(None))


# --- leaves that are overwritten


@pytest.mark.parametrize(("how", "expected"), [("replace", 0.5), ("max", 2.0)])
def test_overwritten_leaves_take_no_part_in_the_step(how, expected):
    inner = optax.chain(optax.clip_by_global_norm(1.0), adamjax.adamw(0.1, weight_decay=0.1))
    tx = adamjax.overwrite(adamjax.accumulate(inner, 1), ["*scale", "*amax*"], how=how)
    kernel = {"kernel": jnp.ones(3)}
    params = {**kernel, "scale": jnp.float32(2.0), "amax_history": jnp.array([2.0, 2.0])}
    state = tx.init(params)
    moments = optax.tree_utils.tree_get(state, "mu")
    assert [x.shape for x in jax.tree.leaves(moments)] == [(3,)]
    gradients = {**kernel, "scale": jnp.float32(0.5), "amax_history": jnp.array([448.0, jnp.nan])}
    updates, _ = tx.update(gradients, state, params)
    after = optax.apply_updates(params, updates)
    alone, _ = inner.update(kernel, inner.init(kernel), kernel)
    np.testing.assert_array_equal(updates["kernel"], alone["kernel"])
    assert float(after["scale"]) == expected
    np.testing.assert_array_equal(after["amax_history"], [448.0, 2.0])  # not finite: it stays


@pytest.mark.parametrize(("dtype", "steps"), [("float32", 2), ("bfloat16", 5), ("float16", 3)])
def test_a_tiny_scale_is_reached_in_few_steps(dtype, steps):
    tx = adamjax.overwrite(optax.sgd(1.0), "*")
    p, g = jnp.ones([], dtype), jnp.asarray(1e-9 if steps != 3 else 2.0**-20, dtype)
    for _ in range(steps):
        updates, _ = tx.update(g, tx.init(p), p)
        p = optax.apply_updates(p, updates)
        assert p > 0  # layers divide by it
    assert float(p) == pytest.approx(float(g), rel=1e-2 if dtype == "bfloat16" else 1e-5)


def test_settings_of_overwrite_that_do_not_fit():
    with pytest.raises(ValueError, match="unknown how 'min'"):
        adamjax.overwrite(optax.sgd(1.0), "*scale", how="min")
    with pytest.raises(ValueError, match=r"mask: no parameter matches '\*scale'"):
        adamjax.overwrite(optax.sgd(1.0), "*scale").init({"w": jnp.ones(1)})
    tx, params = adamjax.overwrite(optax.sgd(1.0), "steps"), {"w": jnp.ones(1), "steps": 1}
    with pytest.raises(TypeError, match=r"params\['steps'\] is int32"):
        tx.update(params, tx.init(params), params)
