"""Groups are the optimizers of `optax.partition`, with one state."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.testing import CHECKS, Subject, check
from adamjax.testing.subject import sample_params
from tests.tiers import FEW, each_variant

RNG = np.random.default_rng(0)
PARAMS = {
    "block": {"bias": jnp.ones(3), "kernel": jnp.asarray(RNG.normal(size=(129, 128)), jnp.float32)},
    "embedding": jnp.asarray(RNG.normal(size=(6, 4)), jnp.float32),
    "head": {"kernel": jnp.ones((4, 4)), "none": None},
}
LABELS = {
    "block": {"bias": "b", "kernel": "c"},
    "embedding": "a",
    "head": {"kernel": "d", "none": None},
}
RATES = {"a": 0.005, "b": 0.03, "c": 0.01}


def grouped(make, **settings):
    return adamjax.groups(
        make,
        {
            "*embedding": {"learning_rate": "0.5x"},
            "*bias": {"learning_rate": 0.03},
            "head/*": "frozen",
        },
        default={"learning_rate": 0.01, **settings},
    )


def train(tx, steps=3, params=PARAMS, **extra):
    """The parameters and the state after some jitted steps."""
    state, step = tx.init(params), jax.jit(tx.update)
    for _ in range(steps):
        gradients = jax.tree.map(lambda p: jnp.sin(3 * p) + p / 8, params)
        updates, new = step(gradients, state, params, **extra)
        assert jax.tree.map(spec, new) == jax.tree.map(spec, state)
        params, state = optax.apply_updates(params, updates), new
    return params, state


def spec(x):
    return jnp.shape(x), jnp.result_type(x)


def assert_same(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


MAKES = {
    "optax.adamw": optax.adamw,
    "injected": optax.inject_hyperparams(optax.adamw),
    "8bit": partial(adamjax.adamw, storage="8bit"),
    "kahan": partial(adamjax.adamw, param_rounding="kahan"),
    "schedule": lambda learning_rate: optax.sgd(lambda _: learning_rate, momentum=0.9),
    "tracked": lambda learning_rate: adamjax.track(adamjax.lion(learning_rate)),
}


@each_variant(quick=(*FEW, "sophia"))
def test_variant_takes_the_steps_of_a_partition(name):
    compare_with_partition(getattr(adamjax, name), hessian=PARAMS if name == "sophia" else None)


@pytest.mark.parametrize("name", MAKES)
def test_optimizer_takes_the_steps_of_a_partition(name):
    compare_with_partition(MAKES[name])


def compare_with_partition(make, hessian=None):
    extra = {} if hessian is None else {"hessian": hessian}
    tx = grouped(make)
    parts = {label: make(learning_rate=rate) for label, rate in RATES.items()}
    after, state = train(tx, **extra)
    if not extra:  # a partition does not divide extra arguments
        expected, _ = train(optax.partition({**parts, "d": optax.set_to_zero()}, LABELS))
        assert_same(after, expected)
    trained = {**PARAMS, "head": {"kernel": optax.MaskedNode(), "none": None}}
    one = jax.eval_shape(parts["c"].init, trained)
    assert jax.tree.map(spec, state.inner_state) == jax.tree.map(spec, one)


def test_without_settings_nothing_changes():
    after, state = train(adamjax.groups(adamjax.adamw, {}, layer_decay=None))
    expected, one = train(adamjax.adamw())
    assert_same(after, expected)
    assert_same(state.inner_state, one)


# --- settings


def test_settings_are_values_factors_and_schedules():
    """A schedule in one group makes schedules of the numbers in the others."""
    schedule = optax.linear_schedule(0.0, 0.4, 4)
    settings = {
        "*embedding": {"learning_rate": "0.5x", "b1": optax.constant_schedule(0.5)},
        ("*bias", "head/*"): {"learning_rate": 0.1, "weight_decay": "2x"},
    }
    tx = adamjax.groups(
        adamjax.adamw, settings, default={"learning_rate": schedule, "weight_decay": 0.05}
    )
    constant = optax.constant_schedule
    parts = {
        "a": adamjax.adamw(lambda t: 0.5 * schedule(t), b1=constant(0.5), weight_decay=0.05),
        "b": adamjax.adamw(constant(0.1), b1=constant(0.9), weight_decay=0.1),
        "c": adamjax.adamw(schedule, b1=constant(0.9), weight_decay=0.05),
    }
    parts["d"] = parts["b"]
    after, state = train(adamjax.track(tx))
    expected, _ = train(optax.partition(parts, LABELS))
    for a, b in zip(jax.tree.leaves(after), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)
    rates = {"*embedding": 0.1, "*bias, head/*": 0.1, "default": 0.2}
    measured = adamjax.metrics(state)
    for name, rate in rates.items():
        np.testing.assert_allclose(measured[f"learning_rate/{name}"], rate, rtol=1e-6)
    np.testing.assert_allclose(measured["learning_rate"], 0.2, rtol=1e-6)
    assert str(tx.table(PARAMS)).splitlines() == [
        "parameter     shape       group          learning_rate  weight_decay  b1",
        "block/bias    (3,)        *bias, head/*  0.1            0.1           0.9",
        "block/kernel  (129, 128)  default        schedule       0.05          0.9",
        "embedding     (6, 4)      *embedding     0.5x           0.05          schedule",
        "head/kernel   (4, 4)      *bias, head/*  0.1            0.1           0.9",
    ]


def test_learning_rate_can_be_injected_from_outside():
    def make(learning_rate):
        settings = {"*embedding": {"learning_rate": "0.5x"}}
        return adamjax.groups(adamjax.lion, settings, default={"learning_rate": learning_rate})

    tx = optax.inject_hyperparams(make)(learning_rate=0.2)
    state = tx.init(PARAMS)
    state.hyperparams["learning_rate"] = jnp.float32(0.4)
    updates, state = jax.jit(tx.update)(PARAMS, state, PARAMS)
    np.testing.assert_allclose(jnp.abs(updates["block"]["bias"]), 0.4, rtol=1e-2)
    np.testing.assert_allclose(jnp.abs(updates["embedding"]), 0.2, rtol=1e-2)


def test_frozen_leaves_have_no_state():
    tx = adamjax.groups(optax.adamw, {"*kernel": {"learning_rate": 0.1}}, default="frozen")
    after, state = train(tx)
    mu = optax.tree_utils.tree_get(state, "mu")
    assert [x.shape for x in jax.tree.leaves(mu)] == [(129, 128), (4, 4)]
    assert_same(after["embedding"], PARAMS["embedding"])
    assert np.all(after["head"]["kernel"] != PARAMS["head"]["kernel"])


def test_state_is_converted_and_found():
    _, state = train(grouped(adamjax.adamw, storage="8bit"))
    assert optax.tree_utils.tree_get(state, "mu")["block"]["kernel"].dtype == jnp.int8
    wide = adamjax.convert_state(state, to="float32")
    for to, storage in ((wide, "float32"), (adamjax.convert_state(wide, to="8bit"), "8bit")):
        tx = grouped(adamjax.adamw, storage=storage)
        assert jax.tree.map(spec, tx.init(PARAMS)) == jax.tree.map(spec, to)
        jax.jit(tx.update)(PARAMS, to, PARAMS)


def halved(learning_rate=0.01):
    settings = {"*": {"learning_rate": "0.5x"}}
    return adamjax.groups(adamjax.adamw, settings, default={"learning_rate": learning_rate})


def test_any_shape_and_call():
    subject = Subject(halved(), sample_params(), needs_params=True)
    for name in ("state_is_stable", "init_takes_shapes", "empty_leaves", "tree_map_params"):
        CHECKS[name](subject)


@pytest.mark.wide
@pytest.mark.usefixtures("compiled_quickly")
def test_conformance():
    check(halved(), needs_params=True, factory=halved)


# --- layer-wise decay

STACK = {
    "embed": jnp.ones((3, 4)),
    "encoder": {"layers": {"bias": jnp.ones((3, 5)), "kernel": jnp.ones((3, 4, 5))}},
    "head": jnp.ones(3),
}


@pytest.mark.parametrize("traced", [False, True])
def test_steps_of_layers_are_multiplied(traced):
    settings = {"default": {"learning_rate": 1.0}, "stacked": {"encoder/layers/*": 0}}
    make = partial(adamjax.groups, adamjax.sgd, {}, **settings)
    tx = make(layer_decay=0.5)
    step = lambda decay: make(layer_decay=decay).update(STACK, tx.init(STACK), STACK)  # noqa: E731
    updates, _ = jax.jit(step, static_argnums=() if traced else 0)(0.5)
    layers = updates["encoder"]["layers"]
    assert jax.tree.map(lambda u: float(-u.ravel()[0]), updates) == {
        "embed": 0.0625,
        "encoder": {"layers": {"bias": 0.125, "kernel": 0.125}},
        "head": 1.0,
    }
    np.testing.assert_array_equal(-layers["kernel"][:, 3, 4], [0.125, 0.25, 0.5])
    assert str(tx.table(STACK)).splitlines()[2].endswith("1              0.125 to 0.5")


@pytest.mark.parametrize("path", ["layers_1/w", "block1/w", "h/1/w", "Encoder/Block_1/LayerNorm_0"])
def test_layer_is_in_the_path(path):
    tx = adamjax.groups(optax.sgd, {}, default={"learning_rate": 1.0}, layer_decay=0.5)
    paths = ["wte", path, path.replace("1", "0"), "h/kernel"]  # the last is no stack
    params = dict.fromkeys(paths, jnp.ones(2))
    updates, _ = tx.update(params, tx.init(params), params)
    assert [-float(updates[k][0]) for k in paths] == [0.125, 0.5, 0.25, 1.0]


def test_layers_of_microbatches():
    """Groups around `accumulate` take the steps of `accumulate` around groups."""
    params = {"layers_0": jnp.ones(2), "layers_1": jnp.ones(2)}
    decayed = partial(adamjax.groups, settings={}, layer_decay=0.5)
    mean = partial(adamjax.accumulate, every_k=2, dtype=jnp.bfloat16, rounding="residual8")
    make = lambda learning_rate: adamjax.adam(learning_rate)  # noqa: E731
    inside = decayed(lambda learning_rate: mean(make(learning_rate)), default=RATE)
    assert_same(
        train(inside, params=params)[0], train(mean(decayed(make, default=RATE)), params=params)[0]
    )


# --- errors

RATE = {"learning_rate": 0.1}
ERRORS = {
    "unknown setting 'lr'.*learning_rate": (adamjax.adamw, {"*bias": {"lr": 1.0}}, {}),
    "unknown settings 'frosen'; did you mean 'frozen'": (adamjax.adamw, {"*": "frosen"}, {}),
    "no parameter matches '\\*scale'": (adamjax.adamw, {"*scale": {}}, {}),
    "leaves that match 'head/\\*' are in earlier groups": (
        adamjax.adamw,
        {"*kernel": {}, "head/*": {}},
        {},
    ),
    "learning_rate: the group 'default' has none; give it in default": (optax.adamw, {}, {}),
    "learning_rate: '2x' multiplies the value in default": (
        optax.adamw,
        {"*bias": {"learning_rate": "2x"}},
        {},
    ),
    "learning_rate: 'x0.1' is no factor; write '0.1x'": (
        adamjax.adamw,
        {"*bias": {"learning_rate": "x0.1"}},
        {},
    ),
    "two groups are called 'default'; write .* '\\[d\\]efault'": (
        adamjax.adamw,
        {"default": RATE},
        {},
    ),
    "storage: it is common to all groups": (adamjax.adamw, {"*bias": {"storage": "8bit"}}, {}),
    'all groups are "frozen"': (adamjax.adamw, {"*": "frozen"}, "frozen"),
    "put track around groups": (
        lambda learning_rate: adamjax.track(optax.adam(learning_rate), per_layer=True),
        {"*bias": RATE},
        RATE,
    ),
    "those of '\\*bias' change the tree of the state": (
        optax.sgd,
        {"*bias": {"momentum": 0.9}},
        RATE,
    ),
}


def test_table_shows_frozen_leaves_without_settings():
    table = adamjax.groups("adam", {"*bias": "frozen"}).table(
        {"bias": jnp.ones(1), "w": jnp.ones(1)}
    )
    assert [line.split()[-1] for line in str(table).splitlines()] == [
        "settings",
        "frozen",
        "default",
    ]


def test_settings_of_a_group_are_arguments():
    for settings, default in (({"*bias": 0.1}, {}), ({}, 1e-3)):
        with pytest.raises(TypeError, match=r"give arguments such as .*, got 0\.[01]"):
            adamjax.groups(adamjax.adamw, settings, default=default)
    with pytest.raises(TypeError, match=r"settings must be a dict from patterns .*, got \["):
        adamjax.groups(adamjax.adamw, [("*bias", {})])


@pytest.mark.parametrize("message", ERRORS)
def test_error_says_what_to_write(message):
    make, settings, default = ERRORS[message]
    with pytest.raises(ValueError, match=message):
        adamjax.groups(make, settings, default=default).init(PARAMS)


UNROLLED = {"layers_0": jnp.ones(2)}
LAYER_ERRORS = {
    "no path has a layer": (adamjax.adamw, {"block": jnp.ones(2)}),
    "optimizer with a HyperballState": (
        partial(adamjax.hyperball, optax.identity()),
        {"layers_0": jnp.ones((2, 2))},
    ),
    "optimizer with a ScheduleFreeState": (adamjax.schedule_free_adamw, UNROLLED),
    "optimizer with a RoundParamsState": (partial(adamjax.adamw, param_rounding="kahan"), UNROLLED),
}


@pytest.mark.parametrize("message", LAYER_ERRORS)
def test_layer_decay_refuses(message):
    make, params = LAYER_ERRORS[message]
    with pytest.raises(ValueError, match=message):
        adamjax.groups(make, {}, default=RATE, layer_decay=0.5).init(params)


def test_layers_of_pretrained_models():
    """Names of torch, and heads that "emb" does not make an embedding."""
    names = ["h.0.attn.weight", "model.layers.1.w", "embed_in.w", "embed_out.w", "unembed/w"]
    tx = adamjax.groups(adamjax.adamw, {}, layer_decay=0.5)
    rows = tx.table(dict.fromkeys(names, jnp.ones(2)))
    factors = {row.parameter: row.factors for row in rows}
    assert factors == dict(zip(names, ([0.25], [0.5], [0.125], [1.0], [1.0]), strict=True))


@pytest.mark.parametrize("decay", [0.0, 1.5, float("nan")])
def test_layer_decay_is_a_fraction(decay):
    with pytest.raises(ValueError, match=f"layer_decay must be .*, got {decay}"):
        adamjax.groups(adamjax.adamw, {}, layer_decay=decay)


@pytest.mark.parametrize("others", [{"layers": {"a": jnp.ones((3, 2))}}, {"block_2": jnp.ones(2)}])
def test_stacks_have_one_number_of_layers(others):
    tx = adamjax.groups(adamjax.adamw, {}, layer_decay=0.5, stacked={"layers/*": 0})
    params = {**others, "layers": {"b": jnp.ones((2, 3)), **others.get("layers", {})}}
    with pytest.raises(ValueError, match="'layers/b' stacks 2 layers, but other leaves have 3"):
        tx.init(params)


def test_stacked_needs_a_decay():
    with pytest.raises(ValueError, match="stacked: it is the axis for layer_decay"):
        adamjax.groups(adamjax.adamw, {}, stacked={"layers/*": 0})
    with pytest.raises(TypeError, match="layer_decay must be a number"):
        adamjax.groups(adamjax.adamw, {}, layer_decay=optax.constant_schedule(0.5))


def test_gradients_do_not_fit_the_parameters():
    tx = adamjax.groups(adamjax.adamw, {}, default=RATE)
    with pytest.raises(
        ValueError, match=r"updates and params do not match: .* 'embedding', .* only in params"
    ):
        tx.update({"block": PARAMS["block"]}, tx.init(PARAMS), PARAMS)


def test_refuses_the_state_of_another_optimizer():
    with pytest.raises(ValueError, match="does not accept a tuple"):
        grouped(adamjax.adamw).update(PARAMS, adamjax.adamw().init(PARAMS), PARAMS)
