"""A converted state has the averages of the old one."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax

STEPS = 30
PARAMS = {"bias": jnp.zeros(6), "kernel": jnp.ones((8, 6)), "norm": {"scale": jnp.ones(6)}}
SCALE = jnp.linspace(0.5, 2.0, 8)[:, None]


def gradients(step):
    """Noise around a constant, of another size in each row of the kernel."""
    keys = jax.random.split(jax.random.fold_in(jax.random.key(0), step), 3)
    leaves, treedef = jax.tree.flatten(PARAMS)
    noise = [0.1 + jax.random.normal(k, x.shape) for k, x in zip(keys, leaves, strict=True)]
    tree = treedef.unflatten(noise)
    return {**tree, "kernel": SCALE * tree["kernel"]}


def train(tx, state=None, steps=STEPS, start=0):
    """The state after some steps."""
    update, state = jax.jit(tx.update), tx.init(PARAMS) if state is None else state
    for step in range(start, start + steps):
        _, state = update(gradients(step), state, PARAMS)
    return state


def average(b, square=False, start=0):
    """The debiased average of the gradients of the kernel."""
    each = [gradients(start + i)["kernel"] ** (1 + square) for i in range(STEPS)]
    weights = [(1 - b) * b ** (STEPS - 1 - i) / (1 - b**STEPS) for i in range(STEPS)]
    return sum(w * x for w, x in zip(weights, each, strict=True))


def length(b):
    """How many gradients of equal weight an average corresponds to."""
    return (1 + b) * (1 - b**STEPS) / ((1 - b) * (1 + b**STEPS))


def share(b):
    """The weight of an average with decay 0.9 in one that is longer."""
    return (1 - b**STEPS) * length(0.9) / length(b)


def find(state, field):
    """The moment of the kernel, decoded."""
    return optax.tree_utils.tree_get(adamjax.convert_state(state, to="float32"), field)["kernel"]


@pytest.mark.parametrize(
    "old",
    [adamjax.adamw(1e-3), optax.adamw(1e-3, mask={"bias": False, "kernel": True, "norm": True})],
)
def test_averages_are_carried_with_the_weights_of_the_new_optimizer(old):
    state, m = train(old), average(0.9)
    news = {
        "lion": (adamjax.lion(1e-4, b2=0.98), share(0.98)),
        "sgd": (optax.sgd(optax.constant_schedule(0.1), 0.8), (1 - 0.8**STEPS) / (1 - 0.8)),
        "soap": (adamjax.soap(1e-3), share(0.95)),
    }
    for name, (new, weight) in news.items():
        after = adamjax.convert_optimizer(state, old, new, PARAMS)
        assert jax.tree.structure(after) == jax.tree.structure(new.init(PARAMS))
        moment = find(after, "trace" if name == "sgd" else "mu")
        np.testing.assert_allclose(moment, m * weight, rtol=1e-3, atol=1e-6, err_msg=name)
        counts = {int(x) for x in jax.tree.leaves(after) if jnp.result_type(x) == jnp.int32}
        assert counts == {STEPS}, name
    v = average(0.999, square=True) * (1 - 0.95**STEPS)
    np.testing.assert_allclose(find(after, "nu"), v, rtol=1e-3)


@pytest.mark.parametrize(
    ("new", "gain"),
    [(adamjax.muon(0.02, style="keras"), 1.0), (optax.contrib.muon(0.02), 1 - 0.95)],
)
def test_muon_has_a_sum_and_adam_for_the_others(new, gain):
    old = adamjax.adamw(1e-3)
    state = adamjax.convert_optimizer(train(old), old, new, PARAMS)
    parts = (state if hasattr(state, "inner_states") else state[0]).inner_states
    of_matrices, of_others = sorted(
        parts.values(), key=lambda x: optax.tree_utils.tree_get(x, "nu") is not None
    )
    weight = share(0.95) * gain / (1 - 0.95)
    mu = optax.tree_utils.tree_get(of_matrices, "mu")["kernel"]
    np.testing.assert_allclose(mu, average(0.9) * weight, rtol=1e-3, atol=1e-5)
    assert optax.tree_utils.tree_get(of_others, "nu")["bias"].min() > 0


@pytest.mark.wide
def test_storage_and_settings_change_all_else_stays():
    params = {"kernel": jnp.ones((128, 128))}
    old, new = adamjax.soap(1e-3), adamjax.soap(2e-3, storage="8bit")
    g = {"kernel": jax.random.normal(jax.random.key(1), (128, 128))}
    update, state = jax.jit(old.update), old.init(params)
    for _ in range(3):
        _, state = update(g, state, params)
    after = adamjax.convert_optimizer(state, old, new, params)
    assert jax.tree.structure(after) == jax.tree.structure(new.init(params))
    expected = adamjax.convert_state(state, to="8bit")
    assert jax.tree.map(jnp.shape, after) == jax.tree.map(jnp.shape, expected)
    bases = [optax.tree_utils.tree_get(x, "bases") for x in (after, state)]
    jax.tree.map(np.testing.assert_array_equal, *bases)
    new.update(g, after, params)


def test_moments_of_soap_are_turned_back():
    old, new = adamjax.soap(1e-3, precondition_frequency=4), adamjax.adamw(1e-3)
    after = adamjax.convert_optimizer(train(old, steps=STEPS + 1), old, new, PARAMS)
    m = average(0.95, start=1) * (1 - 0.9 ** (STEPS + 1))  # the first step has only a basis
    np.testing.assert_allclose(find(after, "mu"), m, rtol=1e-3, atol=1e-4)
    v = find(after, "nu") / (1 - 0.999 ** (STEPS + 1))
    assert abs(v.mean() / average(0.95, square=True, start=1).mean() - 1) < 0.01
    # Rows with larger gradients have a larger second moment.
    assert np.corrcoef(v.mean(1), SCALE[:, 0] ** 2)[0, 1] > 0.6


def test_second_moments_are_estimated_from_first():
    old, new = adamjax.lion(1e-4, b2=0.9), adamjax.adamw(1e-3)
    after = adamjax.convert_optimizer(train(old), old, new, PARAMS)
    v = find(after, "nu") / (1 - 0.999**STEPS)
    expected = average(0.99, square=True)
    assert 0.5 < float(v.mean() / expected.mean()) < 2
    assert np.corrcoef(v.mean(1), SCALE[:, 0] ** 2)[0, 1] > 0.6
    # m / √v of a long average is as on noise with the decay 0.9.
    old = adamjax.lion(1e-4, b2=0.98)
    state = train(old)
    v = find(adamjax.convert_optimizer(state, old, new, PARAMS), "nu") / (1 - 0.999**STEPS)
    m = find(state, "mu") / (1 - 0.98**STEPS)
    np.testing.assert_allclose(v.mean(), (m**2).mean() * length(0.9), rtol=1e-3)


@pytest.mark.wide
def test_schedules_of_decay_rates_and_rates_go_on():
    rate = optax.linear_schedule(0.0, 1.0, 100)
    old = optax.inject_hyperparams(optax.adamw)(learning_rate=rate)
    new = adamjax.adamw(rate, b2=lambda count: 1 - 1 / (2 + count))
    state = train(old)
    after = adamjax.convert_optimizer(state, old, new, PARAMS)
    update, after = new.update(gradients(0), after, PARAMS)
    assert round(float(after[1].last_learning_rate), 4) == STEPS / 100
    assert float(jnp.abs(update["kernel"]).max()) < 1
    back = adamjax.convert_optimizer(after, new, old, PARAMS)
    assert int(back.count) == STEPS + 1


def test_schedule_free_starts_at_the_parameters():
    old, new = adamjax.adamw(1e-3), adamjax.schedule_free_adamw(1e-3)
    after = adamjax.convert_optimizer(train(old), old, new, PARAMS)
    jax.tree.map(np.testing.assert_array_equal, adamjax.eval_params(after, PARAMS), PARAMS)
    v = average(0.999, square=True) * (1 - 0.999**STEPS)
    np.testing.assert_allclose(find(after, "nu"), v, rtol=1e-3)


@pytest.mark.parametrize("mode", ["kahan", "residual8"])
def test_averages_of_parameters_and_rounding_errors_are_carried(mode):
    params = jax.tree.map(lambda x: x.astype(jnp.bfloat16), PARAMS)
    old = adamjax.ema_params(adamjax.adamw(1e-3, param_rounding="kahan"))
    rounded = adamjax.lion(1e-3, param_rounding=mode)
    new = adamjax.accumulate(adamjax.ema_params(rounded), 2, dtype="bfloat16", rounding="kahan")
    grads = jax.tree.map(jnp.ones_like, params)
    updates, state = old.update(grads, old.init(params), params)
    params = optax.apply_updates(params, updates)
    after = adamjax.convert_optimizer(state, old, new, params).inner_opt_state
    exact, carried = (adamjax.master_params(params, x)["kernel"] for x in (state, after))
    assert np.abs(exact - params["kernel"]).min() > 5e-4
    np.testing.assert_allclose(carried, exact, rtol=2e-5)
    kept = [(x.step_count, x.averaged, x.average) for x in (state, after)]
    jax.tree.map(np.testing.assert_array_equal, *kept)


def test_other_moments_are_carried_to_the_same_optimizer():
    old, new = adamjax.adamax(1e-3), adamjax.adamax(1e-2)
    state = train(old)
    after = adamjax.convert_optimizer(state, old, new, PARAMS)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, 1e-6), after, state)


@pytest.mark.parametrize("wrap", [adamjax.accumulate, optax.MultiSteps])
def test_steps_of_microbatches(wrap):
    """A step takes several updates, and the momentum is carried as without them."""
    state, several = train(ADAMW), wrap(ADAMW, 4)
    after = adamjax.convert_optimizer(state, ADAMW, several, PARAMS)
    assert int(after.gradient_step) == STEPS
    np.testing.assert_allclose(find(after.inner_opt_state, "mu"), find(state, "mu"), rtol=1e-5)
    back = adamjax.convert_optimizer(after, several, adamjax.lion(1e-3), PARAMS)
    alone = adamjax.convert_optimizer(state, ADAMW, adamjax.lion(1e-3), PARAMS)
    np.testing.assert_allclose(find(back, "mu"), find(alone, "mu"), rtol=1e-5)


ADAMW = adamjax.adamw(1e-3)


def test_injected_settings_are_those_of_the_new_optimizer():
    old, new = (optax.inject_hyperparams(adamjax.adamw)(learning_rate=x) for x in (0.1, 0.2))
    after = adamjax.convert_optimizer(train(old, steps=2), old, new, PARAMS)
    assert after.hyperparams["learning_rate"] == np.float32(0.2)


def test_an_optimizer_that_needs_the_loss():
    state, plateau = train(ADAMW), optax.contrib.reduce_on_plateau()
    old, new = (optax.chain(tx, plateau) for tx in (ADAMW, adamjax.lion(1e-3)))
    after = adamjax.convert_optimizer((state, plateau.init(PARAMS)), old, new, PARAMS)
    alone = adamjax.convert_optimizer(state, ADAMW, adamjax.lion(1e-3), PARAMS)
    np.testing.assert_allclose(find(after, "mu"), find(alone, "mu"), rtol=1e-5)


def test_an_optimizer_without_steps_is_new():
    old, new = adamjax.adamw(1e-3), adamjax.lion(1e-3)
    after = adamjax.convert_optimizer(old.init(PARAMS), old, new, PARAMS)
    jax.tree.map(np.testing.assert_array_equal, after, new.init(PARAMS))


def test_a_checkpoint_without_containers_is_refused():
    state = {"count": jnp.int32(2), "mu": PARAMS, "nu": PARAMS}
    with pytest.raises(ValueError, match="restore the checkpoint into old"):
        adamjax.convert_optimizer([state], ADAMW, adamjax.lion(1e-3), PARAMS)


ERRORS = {
    "counts no steps": (optax.sgd(0.1, 0.9), optax.sgd(0.1, 0.9), ADAMW),
    "not those of old.init": (ADAMW, adamjax.muon(0.02), adamjax.lion(1e-3)),
    "not those of old": (ADAMW, adamjax.lion(1e-3), ADAMW),
    "no averages from which nu of 'bias'": (adamjax.sgd(0.1), adamjax.sgd(0.1), ADAMW),
    r"AdamMiniState has \['nu'\]": (ADAMW, ADAMW, adamjax.adam_mini(1e-3)),
    r"EigenbasisState has \['eigenvalues'\]": (ADAMW, ADAMW, adamjax.kl_soap(1e-3)),
    "of 'bias' is no average of squares": (ADAMW, ADAMW, adamjax.adamax(1e-3)),
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    made, old, new = ERRORS[message]
    with pytest.raises(ValueError, match=message):
        adamjax.convert_optimizer(train(made, steps=2), old, new, PARAMS)


def test_complex_parameters_are_refused():
    params = {"w": jnp.ones(2, complex)}
    _, state = ADAMW.update(params, ADAMW.init(params), params)
    with pytest.raises(TypeError, match=r"params\['w'\] is complex64.* start with new.init"):
        adamjax.convert_optimizer(state, ADAMW, adamjax.lion(1e-3), params)
