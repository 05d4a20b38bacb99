"""Identities of the wrappers of whole optimizers."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.testing import CHECKS, Subject, check
from adamjax.testing.subject import sample_params

START = {"w": jnp.asarray(np.random.default_rng(0).normal(size=(3, 2)), jnp.float32)}


def slope(params):
    return jax.tree.map(lambda p: p + jnp.sin(3 * p), params)


def path(tx, steps=12, start=START, **extra):
    """The parameters after each step on a fixed loss, and the states."""
    params, state = start, tx.init(start)
    points, states = [], []
    for _ in range(steps):
        updates, state = tx.update(slope(params), state, params, **extra)
        params = optax.apply_updates(params, updates)
        points.append(np.asarray(params["w"], np.float32))
        states.append(state)
    return np.stack(points), states


def evaluated(state, point):
    return adamjax.eval_params(state, {"w": jnp.asarray(point)})["w"]


# --- promises around any optimizer

WRAPPED = {
    "lookahead": lambda: adamjax.lookahead(adamjax.lion(0.01), sync_period=2),
    "lazy_rows": lambda: adamjax.lazy_rows(adamjax.adamw(weight_decay=0.1)),
    "guard": lambda: adamjax.guard(adamjax.adamw(weight_decay=0.1)),
    "guard_per_leaf": lambda: adamjax.guard(adamjax.adamw(weight_decay=0.1), per_leaf=True),
    "accumulate": lambda: adamjax.accumulate(adamjax.adamw(weight_decay=0.1), 2),
    "schedule_free": lambda: adamjax.schedule_free(adamjax.lion(0.01), 0.01),
    "ema_params": lambda: adamjax.ema_params(adamjax.adam(), 0.9),
    "swa": lambda: adamjax.swa(adamjax.adam(), start=1),
    "hyperball": lambda: adamjax.hyperball(adamjax.scale_by_adam(), 0.01),
    "sam": lambda: _with_slope(adamjax.sam(adamjax.adam())),
    "nested": lambda: adamjax.ema_params(adamjax.lookahead(adamjax.muon())),
}
# The checks that reach the branches of a wrapper and of the copies that it keeps.
SHAPES_AND_CALLS = ("state_is_stable", "init_takes_shapes", "empty_leaves", "missing_params")


def _with_slope(tx):
    """SAM, which is told the function of the gradients."""

    def update(updates, state, params=None, **extra):
        return tx.update(updates, state, params, grad_fn=lambda p: p, **extra)

    return optax.GradientTransformationExtraArgs(tx.init, update)


@pytest.mark.parametrize("name", [*WRAPPED][:-1])
def test_any_shape_and_call(name):
    subject = Subject(WRAPPED[name](), sample_params(), True, leafwise=name != "sam")
    for each in SHAPES_AND_CALLS:
        CHECKS[each](subject)


@pytest.mark.wide
@pytest.mark.usefixtures("compiled_quickly")
@pytest.mark.parametrize("name", WRAPPED)
def test_conformance(name):
    # The oldest `flax.nnx.Optimizer` cannot keep the state of a partition.
    skip = ["nnx_optimizer"] if name == "nested" else []
    skip += ["nonfinite_gradients"] if "guard" in name else []  # of which it leaves no trace
    check(WRAPPED[name](), needs_params=True, leafwise=name != "sam", skip=skip)


# --- identities


def test_lookahead_goes_a_part_of_the_way():
    """A full step is the optimizer's, an empty one the start. `lazy` starts at the k-th step."""
    plain, _ = path(adamjax.adam(0.1))
    ahead, _ = path(adamjax.lookahead(adamjax.adam(0.1), sync_period=3, slow_step_size=1.0))
    np.testing.assert_allclose(ahead, plain, atol=1e-6)
    ahead, _ = path(adamjax.lookahead(adamjax.adam(0.1), sync_period=3, slow_step_size=0.0))
    np.testing.assert_allclose(ahead[2::3], np.stack([START["w"]] * 4), atol=1e-7)
    late, _ = path(adamjax.lookahead(adamjax.adam(0.1), 3, 0.0, lazy=True))
    np.testing.assert_allclose(late[:3], plain[:3], atol=1e-6)
    np.testing.assert_allclose(late[2::3], np.stack([plain[2]] * 4), atol=1e-6)
    scheduled, _ = path(adamjax.lookahead(adamjax.adam(0.1), 3, lambda count: 1.0 * (count < 3)))
    np.testing.assert_allclose(scheduled, late, atol=1e-6)


def test_schedule_free_without_b1_is_the_optimizer():
    plain, _ = path(adamjax.sgd(0.1))
    free, states = path(adamjax.schedule_free(adamjax.sgd(0.1), 0.1, b1=0.0))
    np.testing.assert_allclose(free, plain, atol=1e-6)
    np.testing.assert_array_equal(evaluated(states[-1], free[-1]), free[-1])


@pytest.mark.parametrize(
    "b1", [0.75, lambda count: 0.5 + 0.05 * count], ids=["constant", "scheduled"]
)
def test_x_of_schedule_free_is_an_average_of_z(b1):
    """The mean at a constant learning rate. y lies between the two, also if b₁ changes."""
    y, states = path(adamjax.schedule_free(adamjax.sgd(0.1), 0.1, b1=b1), steps=6)
    z = np.stack([state.z["w"] for state in states])
    for t, state in enumerate(states):
        x, near = evaluated(state, y[t]), b1(t) if callable(b1) else b1
        np.testing.assert_allclose(x, z[: t + 1].mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(y[t], near * x + (1 - near) * z[t], atol=1e-5)


def test_weights_of_schedule_free():
    """tʳ max(lr so far)ᵖ: of a learning rate that rises and falls."""
    rates = np.array([0.1, 0.2, 0.05])
    schedule = lambda count: jnp.asarray(rates, jnp.float32)[count]  # noqa: E731
    tx = adamjax.schedule_free(adamjax.sgd(schedule), schedule, weight_lr_power=3.0, r=2.0)
    y, states = path(tx, steps=3)
    z = np.stack([state.z["w"] for state in states])
    weights = np.array([1, 4, 9]) * np.array([0.1, 0.2, 0.2]) ** 3
    expected = np.average(z, axis=0, weights=weights)
    np.testing.assert_allclose(evaluated(states[-1], y[-1]), expected, atol=1e-5)


def test_averages_are_those_of_the_parameters():
    plain, _ = path(adamjax.sgd(0.1))
    points, states = path(adamjax.swa(adamjax.sgd(0.1), start=4, every=3))
    np.testing.assert_array_equal(points, plain)  # the training is that of the optimizer
    expected = points[[4, 7, 10]].mean(axis=0)
    np.testing.assert_allclose(evaluated(states[-1], points[-1]), expected, atol=1e-6)
    np.testing.assert_array_equal(evaluated(states[2], points[2]), points[2])
    points, states = path(adamjax.swa(adamjax.sgd(0.1), start=10))
    np.testing.assert_allclose(
        evaluated(states[-1], points[-1]), points[10:].mean(axis=0), atol=1e-6
    )
    points, states = path(adamjax.ema_params(adamjax.sgd(0.1), lambda count: 0.25 * count))
    np.testing.assert_array_equal(points, plain)
    # β of the number of averaged parameters: 0.25, 0.5 and 0.75 for the second to the fourth.
    expected = points[0]
    for beta, p in zip((0.25, 0.5, 0.75), points[1:], strict=False):
        expected = beta * expected + (1 - beta) * p
    np.testing.assert_allclose(evaluated(states[3], points[3]), expected, atol=1e-6)


def test_the_outermost_is_evaluated_and_there_must_be_one():
    tx = optax.chain(optax.clip(1.0), adamjax.schedule_free_sgd(0.1))
    y, states = path(tx)
    params = {"w": jnp.asarray(y[-1])}
    x = states[-1][1].eval_params(params)["w"]
    np.testing.assert_array_equal(evaluated(states[-1], y[-1]), x)
    with pytest.raises(ValueError, match=r"state: .* has no other parameters to evaluate"):
        adamjax.eval_params(adamjax.adam().init(START), START)


TWO = {"a": jnp.ones(3), "n": None, "block": {"b": jnp.ones(2), "c": jnp.full(2, 2.0)}}
PART = {"a": "x", "n": None, "block": "y"}
PARTS = {
    "partition": lambda tx, rest: optax.partition({"x": tx, "y": rest}, PART),
    "masked": lambda tx, rest: optax.masked(tx, {"a": True, "n": None, "block": False}),
}


def trained(tx, steps=5):
    """The parameters to train, and those to evaluate."""
    params, state = TWO, tx.init(TWO)
    for _ in range(steps):
        updates, state = tx.update(slope(params), state, params)
        params = optax.apply_updates(params, updates)
    return params, jax.jit(adamjax.eval_params)(state, params)


@pytest.mark.parametrize("wrapped", ["schedule_free", "ema_params"])
def test_a_part_of_the_parameters_is_evaluated(wrapped):
    """The other ones are those that are trained."""
    tx = WRAPPED[wrapped]()
    _, expected = trained(tx)
    for part in PARTS.values():
        params, averages = trained(part(tx, adamjax.adam()))
        np.testing.assert_allclose(averages["a"], expected["a"], rtol=1e-6)
        jax.tree.map(np.testing.assert_array_equal, averages["block"], params["block"])
        assert abs(averages["a"] - params["a"]).max() > 1e-4


def test_each_part_is_evaluated_by_its_own():
    x, y = WRAPPED["schedule_free"](), WRAPPED["ema_params"]()
    _, averages = trained(PARTS["partition"](x, y))
    np.testing.assert_allclose(averages["a"], trained(x)[1]["a"], rtol=1e-6)
    for leaf in ("b", "c"):
        expected = trained(y)[1]["block"][leaf]
        np.testing.assert_allclose(averages["block"][leaf], expected, rtol=1e-6)


def test_the_average_of_optax_is_evaluated():
    make = optax.contrib.schedule_free_adamw
    tx = adamjax.groups(make, {"*c": "frozen"}, default={"learning_rate": 0.1})
    params, averages = trained(tx)
    _, expected = trained(adamjax.schedule_free_adamw(0.1, weight_decay=0.0))
    np.testing.assert_allclose(averages["a"], expected["a"], rtol=1e-5)
    assert abs(averages["a"] - params["a"]).max() > 1e-4
    np.testing.assert_array_equal(averages["block"]["c"], TWO["block"]["c"])


def test_averages_are_kept_in_float32_and_evaluated_as_the_parameters_are():
    low = jax.tree.map(lambda p: p.astype(jnp.bfloat16), START)
    for wrapped in (adamjax.swa(adamjax.sgd(0.1)), adamjax.schedule_free_sgd(0.1)):
        _, states = path(wrapped, steps=2, start=low)
        assert adamjax.eval_params(states[-1], low)["w"].dtype == jnp.bfloat16
    assert states[-1].z["w"].dtype == jnp.float32


def test_sam_goes_uphill_first():
    w, g = START["w"], slope(START)["w"]
    for adaptive, ahead in (
        (False, w + 0.5 * g / np.linalg.norm(g)),
        (True, w + 0.5 * w**2 * g / np.linalg.norm(w * g)),
    ):
        tx = adamjax.sam(optax.sgd(1.0), rho=0.5, adaptive=adaptive)
        updates, _ = tx.update(slope(START), tx.init(START), START, grad_fn=slope)
        np.testing.assert_allclose(updates["w"], -slope({"w": ahead})["w"], rtol=1e-5)
    tree = {"a": w, "b": 2 * w}  # the norm is over all leaves
    length = np.sqrt(sum(np.sum(x**2) for x in slope(tree).values()))
    tx = adamjax.sam(optax.sgd(1.0))
    updates, _ = tx.update(slope(tree), tx.init(tree), tree, grad_fn=lambda p: p)
    np.testing.assert_allclose(updates["a"], -(w + 0.05 * g / length), rtol=1e-5)


@pytest.mark.parametrize("adaptive", [False, True])
def test_sam_goes_as_far_uphill_by_any_gradient(adaptive):
    points = []
    tx = adamjax.sam(optax.sgd(0.0), rho=0.5, adaptive=adaptive)
    ones = {"w": jnp.ones(4)}
    for size in (1e-25, 1e25, 3e38):
        gradient = {"w": jnp.full(4, size, jnp.float32)}
        tx.update(
            gradient, tx.init(ones), ones, grad_fn=lambda p, g=gradient: points.append(p) or g
        )
    np.testing.assert_allclose([p["w"] for p in points], 1.25, rtol=1e-6)


def test_sam_asks_for_the_function():
    tx = adamjax.sam(optax.sgd(1.0))
    with pytest.raises(ValueError, match="grad_fn: give update the function"):
        tx.update(START, tx.init(START), START)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: adamjax.lookahead(optax.sgd(1.0), 0), "sync_period must be a whole number"),
        (lambda: adamjax.lookahead(optax.sgd(1.0), 5, -1.0), "slow_step_size must not be"),
        (lambda: adamjax.swa(optax.sgd(1.0), every=0), "every must be a whole number"),
        (lambda: adamjax.swa(optax.sgd(1.0), start=-1), "start must not be negative"),
        (lambda: adamjax.ema_params(optax.sgd(1.0), 1.0), "decay must be at least 0 and below 1"),
        (lambda: adamjax.schedule_free(optax.sgd(1.0), -1.0), "learning_rate must not be"),
        (lambda: adamjax.schedule_free(optax.sgd(1.0), 1.0, b1=1.0), "b1 must be at least 0"),
        (lambda: adamjax.schedule_free(optax.sgd(1.0), 1.0, r=-1.0), "r must not be negative"),
        (
            lambda: adamjax.schedule_free(optax.sgd(1.0), 1.0, weight_lr_power=-1.0),
            "weight_lr_power must not be negative",
        ),
        (lambda: adamjax.sam(optax.sgd(1.0), -1.0), "rho must not be negative"),
        (lambda: adamjax.prodigy(d0=0.0), "d0 must be positive"),
    ],
)
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()
