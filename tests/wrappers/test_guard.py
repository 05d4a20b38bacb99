"""Skipped steps bit for bit, limits of outliers, and states that are repaired."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import NamedSharding, PartitionSpec

import adamjax
from tests.tiers import FEW, each_variant

NAN = jnp.float32(jnp.nan)
# Each storage and each rounding.
FORMS = [
    ("8bit", "stochastic"),
    ("float32", None),
    ("bfloat16", "kahan"),
    ("8bit_v16", "residual8"),
]


def bits(tree):
    """The bytes of all arrays."""
    return [np.asarray(x).tobytes() for x in jax.tree.leaves(tree)]


def params_like(dtype=jnp.float32):
    """A leaf that is large enough to be stored in 8 bits, with both zeros, and a small one."""
    w = jnp.linspace(-1.0, 1.0, 128 * 128).reshape(128, 128).at[0, :2].set(jnp.array([-0.0, 0.0]))
    return {"b": jnp.ones(3, dtype), "w": w.astype(dtype)}


def spoiled(tree, value=jnp.nan):
    return tree | {"w": tree["w"].at[3, 3].set(value)}


def skips_bit_for_bit(tx, params):
    """Take a good step, a bad one that must change nothing, and return the state."""

    @jax.jit
    def step(gradients, params, state):
        updates, state = tx.update(gradients, state, params)
        return optax.apply_updates(params, updates), state

    gradients = jax.tree.map(jnp.cos, params)
    start = tx.init(params)
    before, state = step(gradients, params, start)
    assert bits(state) != bits(start)
    after, skipped = step(spoiled(gradients), before, state)
    assert bits(after) == bits(before)
    assert bits(skipped.inner_state) == bits(state.inner_state)
    assert int(skipped.nonfinite_gradients) == int(skipped.skipped_in_row) == 1
    return skipped


@pytest.mark.parametrize(
    ("storage", "rounding"),
    [pytest.param(*form, marks=[pytest.mark.exhaustive] * (form != FORMS[0])) for form in FORMS],
)
@each_variant(quick=FEW, own="wide")
def test_a_skipped_step_changes_no_bit(name, storage, rounding):
    options = {"storage": storage} if adamjax.get_variant(name).roles else {}
    tx = adamjax.create(name, learning_rate=0.1, param_rounding=rounding, **options)
    params = params_like(jnp.float32 if rounding is None else jnp.bfloat16)
    skips_bit_for_bit(adamjax.guard(tx), params)


WRAPPED = {
    "MultiSteps": lambda tx: optax.MultiSteps(tx, 2).gradient_transformation(),
    "accumulate": lambda tx: adamjax.accumulate(tx, 1, dtype=jnp.bfloat16, rounding="kahan"),
    "averages": lambda tx: adamjax.lookahead(adamjax.swa(tx), 2),
    "injected": lambda _: optax.inject_hyperparams(adamjax.adam)(optax.linear_schedule(0.1, 0, 9)),
    "overwrite": lambda tx: adamjax.overwrite(tx, "b"),
    "schedule_free": lambda tx: adamjax.schedule_free(tx, 0.1),
    "track": adamjax.track,
}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.wide] * (n != "averages")) for n in WRAPPED]
)
def test_a_skipped_step_changes_no_bit_of_a_wrapper(name):
    tx = WRAPPED[name](adamjax.adam(0.1, b1=lambda count: 0.9 - 0.01 * count))
    gradients = params_like()
    params, state = gradients, adamjax.guard(tx).init(gradients)
    for _ in range(2):  # MultiSteps has its first step
        updates, state = adamjax.guard(tx).update(gradients, state, params)
        params = optax.apply_updates(params, updates)
    updates, skipped = adamjax.guard(tx).update(spoiled(gradients), state, params)
    assert bits(optax.apply_updates(params, updates)) == bits(params) != bits(gradients)
    assert bits(skipped.inner_state) == bits(state.inner_state)


def test_a_run_is_the_one_without_the_skipped_steps():
    """In a scan, on a mesh, and in both branches of a condition."""
    tx, params = adamjax.adamw(0.1, storage="8bit"), params_like()
    gradients = [jax.tree.map(lambda p, t=t: jnp.cos(p + t), params) for t in range(4)]
    bad = [gradients[0], spoiled(gradients[1]), gradients[1], spoiled(gradients[2], -jnp.inf)]

    def train(tx, gradients, params):
        def step(carry, gradient):
            params, state = carry
            update = lambda: tx.update(gradient, state, params)  # noqa: E731
            skip = lambda: (jax.tree.map(jnp.zeros_like, params), state)  # noqa: E731
            updates, state = jax.lax.cond(gradient["b"][0] < 9, update, skip)
            return (optax.apply_updates(params, updates), state), None

        stacked = jax.tree.map(lambda *each: jnp.stack(each), *gradients)
        return jax.lax.scan(step, (params, tx.init(params)), stacked)[0]

    expected = jax.jit(lambda p: train(tx, gradients[:2], p))(params)
    guarded = jax.jit(lambda p: train(adamjax.guard(tx), bad, p))
    trained, state = guarded(params)
    assert bits((trained, state.inner_state)) == bits(expected)
    mesh = jax.make_mesh((8,), ("data",))
    sharded = params | {
        "w": jax.device_put(params["w"], NamedSharding(mesh, PartitionSpec("data")))
    }
    assert bits(guarded(sharded)) == bits((trained, state))
    assert adamjax.metrics(state) == {
        "nonfinite_gradients": 2,
        "nonfinite_values": 0,
        "outliers": 0,
        "skipped_in_row": 1,
    }


def test_an_nnx_optimizer_skips():
    from flax import nnx

    model = nnx.Linear(2, 3, rngs=nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, adamjax.guard(adamjax.adamw()), wrt=nnx.Param)
    before = bits(nnx.state(model))
    for _ in range(2):
        optimizer.update(model, jax.tree.map(lambda p: p + jnp.nan, nnx.state(model, nnx.Param)))
    assert bits(nnx.state(model)) == before
    assert adamjax.metrics(optimizer)["skipped_in_row"] == 2
    with pytest.raises(FloatingPointError, match=r"2 steps in a row .*nonfinite_gradients=2"):
        adamjax.check_guard(optimizer, max_skipped=2)


def test_check_guard_raises_for_one_of_several_members():
    tx = adamjax.guard(optax.sgd(1.0))
    _, state = jax.vmap(lambda g: tx.update(g, tx.init(g)))(jnp.array([1.0, jnp.nan]))
    with pytest.raises(FloatingPointError, match="1 steps in a row"):
        adamjax.check_guard(state, max_skipped=1)
    with pytest.raises(ValueError, match="max_skipped must be a whole number from 1, got 0"):
        adamjax.check_guard(state, max_skipped=0)


def test_a_value_that_is_not_finite_skips_the_step():
    for per_leaf in (False, True):
        tx, p = adamjax.guard(optax.sgd(1.0, momentum=0.9), per_leaf=per_leaf), {"w": jnp.ones(2)}
        updates, state = tx.update(p, tx.init(p), p, value=jnp.float32(1.0))
        assert float(updates["w"][0]) == -1.0
        updates, after = tx.update(p, state, p, value=jnp.inf)
        assert bits(updates) == bits({"w": jnp.full(2, -0.0)})
        assert bits(after.inner_state) == bits(state.inner_state)
        assert int(after.nonfinite_values) == 1


def test_leaves_are_skipped_alone():
    """Others and the count step as with a gradient of 0 there."""
    inner = adamjax.prodigy(0.1, weight_decay=0.1)  # with sums over all leaves
    tx, params = adamjax.guard(inner, per_leaf=True), params_like()
    gradients = jax.tree.map(jnp.cos, params)
    _, state = tx.update(gradients, tx.init(params), params)
    updates, after = tx.update(spoiled(gradients), state, params)
    without = gradients | {"w": jnp.zeros_like(params["w"])}
    expected, alone = inner.update(without, state.inner_state, params)
    assert bits(updates) == bits({"b": expected["b"], "w": jnp.full((128, 128), -0.0)})
    rule, before, alone = (s[0] for s in (after.inner_state, state.inner_state, alone))
    for field in ("mu", "nu"):
        assert bits(getattr(rule, field)["w"]) == bits(getattr(before, field)["w"])
        assert bits(getattr(rule, field)["b"]) == bits(getattr(alone, field)["b"])
    assert int(rule.count) == 2


# --- outliers


def norms_passed(norms, **limits):
    """The norms that the optimizer sees, and the last state."""
    tx = adamjax.guard(optax.identity(), window=4, **limits)
    state, passed = tx.init({"w": jnp.zeros(2)}), []
    for norm in norms:
        updates, state = tx.update({"w": jnp.array([0.6, 0.8]) * norm}, state)
        passed.append(float(jnp.linalg.norm(updates["w"])))
    return passed, state


@pytest.mark.parametrize(
    ("limits", "usual", "limit"),
    [
        ({"max_ratio": 10.0}, 2.0, 20.0),
        ({"max_zscore": 3.0}, 2.5, 2.5 + 3 * np.std([2.0, 4.0, 2.0, 2.0])),
    ],
)
def test_outliers(limits, usual, limit):
    first = [2.0, 4.0, 2.0, 2.0]  # of which none is judged
    for action, expected in (("skip", 0.0), ("clip", usual), ("shrink", limit**2 / 50)):
        for per_leaf in (False, True):
            case = limits | {"action": action, "per_leaf": per_leaf}
            passed, state = norms_passed([*first, 0.0, 50.0, jnp.nan, limit], **case)
            np.testing.assert_allclose(passed, [*first, 0.0, expected, 0.0, limit], rtol=1e-5)
            assert int(state.outliers) == 1
            assert int(state.skipped_in_row) == 0
            # An outlier enters as the limit, and a norm of 0 or NaN does not.
            np.testing.assert_allclose(
                jax.tree.leaves(state.norms)[0], [2.0, 2.0, limit, limit], rtol=1e-5
            )


@pytest.mark.parametrize("limit", [{"max_ratio": 10.0}, {"max_zscore": 6.0}])
def test_the_limit_follows_a_lasting_change(limit):
    passed, _ = norms_passed([1.0] * 6 + [1e4] * 30, **limit)
    assert passed[6] == 0
    assert passed[-1] == pytest.approx(1e4)


def test_training_with_spikes_ends_where_the_clean_one_does():
    """A regression in which 1 of 10 gradients is NaN or, once the window is full, far too large."""
    x = jax.random.normal(jax.random.key(0), (256, 8))
    y = x @ jnp.linspace(-1.0, 1.0, 8) + 0.1 * jax.random.normal(jax.random.key(1), (256,))
    mean_loss = lambda w, rows: jnp.mean((x[rows] @ w - y[rows]) ** 2)  # noqa: E731
    everything = jnp.arange(256)

    @jax.jit(static_argnames=("make", "share"))
    def losses(make, share):
        tx = make(adamjax.sgd(0.05, momentum=0.9))

        def train(key):
            def step(carry, x):
                (w, state), (key, t) = carry, x
                rows, event = jax.random.randint(key, (32,), 0, 256), jax.random.uniform(key)
                g = jax.grad(mean_loss)(w, rows)
                g = jnp.where(event < share / 2, NAN, g)
                g = jnp.where((t > 24) & (event > 1 - share / 2), 1e3 * g + 1e2, g)
                updates, state = tx.update(g, state, w)
                return (w + updates, state), None

            keys = jax.random.split(key, 200)
            start, steps = jnp.zeros(8), (keys, jnp.arange(200))
            (w, _), _ = jax.lax.scan(step, (start, tx.init(start)), steps)
            return mean_loss(w, everything)

        return jax.vmap(train)(jax.random.split(jax.random.key(2), 16))

    clean = losses(lambda tx: tx, 0.0)
    assert not np.isfinite(losses(lambda tx: tx, 0.1)).any()
    for limit in ({"max_zscore": 6.0}, {"max_ratio": 10.0, "action": "shrink"}):
        guard = lambda tx, limit=limit: adamjax.guard(tx, window=16, **limit)  # noqa: E731
        assert abs(losses(guard, 0.1).mean() - clean.mean()) < clean.std(), limit


# --- repair and errors


def test_reset_of_poisoned_and_of_chosen_parameters():
    tx, params = adamjax.schedule_free(adamjax.prodigy(0.1), 0.1), params_like()
    good = jax.tree.map(jnp.cos, params)
    _, state = tx.update(good, tx.init(params), params)
    assert bits(adamjax.reset(tx, state, params)) == bits(state)
    poisoned = state.inner_state[0]._replace(mu=spoiled(state.inner_state[0].mu))
    d = poisoned.found._replace(d=NAN)
    start = tx.init(params).inner_state[0]
    bad = state._replace(inner_state=(poisoned._replace(found=d), *state.inner_state[1:]))
    fixed = jax.jit(lambda s: adamjax.reset(tx, s, params))(bad)
    rule = fixed.inner_state[0]
    assert bits(rule.mu["w"]) == bits(start.mu["w"])
    assert bits(rule.nu["w"]) == bits(start.nu["w"])
    assert bits(fixed.z["w"]) == bits(params["w"])
    assert bits(rule.nu["b"]) == bits(poisoned.nu["b"])
    assert float(rule.found.d) == float(start.found.d)
    assert int(rule.count) == 1
    chosen = adamjax.reset(tx, state, params, where="b").inner_state[0]
    assert bits(chosen.mu["b"]) == bits(start.mu["b"])
    assert bits(chosen.mu["w"]) == bits(state.inner_state[0].mu["w"])
    tracked = adamjax.track(tx, per_layer=True)
    state = tracked.init(params)._replace(inner_state=bad)
    assert bits(adamjax.reset(tracked, state, params).inner_state) == bits(fixed)
    with pytest.raises(ValueError, match=r"where: no parameter matches 'c\*'"):
        adamjax.reset(tx, state, params, where="c*")


@pytest.mark.parametrize("where", [None, "*kernel"])
def test_reset_of_an_nnx_optimizer(where):
    from flax import nnx

    model = nnx.Linear(2, 3, rngs=nnx.Rngs(0))
    tx = adamjax.guard(adamjax.adam(0.1), max_zscore=6.0, per_leaf=True)
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
    poisoned = jax.tree.map(lambda x: x + NAN, optimizer.opt_state.inner_state[0].mu["kernel"])
    optimizer.opt_state.inner_state[0].mu["kernel"] = poisoned
    params, structure = nnx.state(model, nnx.Param), jax.tree.structure(optimizer.opt_state)
    optimizer.opt_state = adamjax.reset(tx, optimizer.opt_state, params, where)
    assert jax.tree.structure(optimizer.opt_state) == structure
    optimizer.update(model, jax.tree.map(jnp.ones_like, params))
    assert np.isfinite(model.kernel[...]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_zscore": 6.0, "max_ratio": 10.0}, "max_zscore, max_ratio: give one of them"),
        ({"max_zscore": 0.0}, "max_zscore must be positive"),
        ({"max_ratio": -1.0}, "max_ratio must be positive"),
        ({"max_ratio": 0.5}, "max_ratio must be at least 1, got 0.5"),
        ({"window": 1}, "window must be a whole number from 2"),
        ({"action": "clip"}, "action: 'clip' is for outliers; give max_zscore or max_ratio"),
        ({"action": "drop"}, "unknown action 'drop'"),
    ],
)
def test_settings_of_guard_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        adamjax.guard(optax.sgd(1.0), **options)


def test_states_of_other_optimizers_are_refused():
    p = jnp.ones(2)
    plain, limited = adamjax.guard(optax.sgd(1.0)), adamjax.guard(optax.sgd(1.0), max_ratio=10.0)
    for tx, state in ((limited, plain.init(p)), (plain, optax.sgd(1.0).init(p))):
        with pytest.raises(ValueError, match="state: this optimizer does not accept"):
            tx.update(p, state, p)
    with pytest.raises(ValueError, match=r"state: it has no adamjax\.guard"):
        adamjax.check_guard(optax.sgd(1.0).init(p))
