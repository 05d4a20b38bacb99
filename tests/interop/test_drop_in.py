"""`adamjax.optax`: Optax's functions with Optax's arguments and steps."""

import inspect
import json
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import pytest

import adamjax
import adamjax.optax
from adamjax.derive import OPTAX_STYLES
from adamjax.interop import tables
from adamjax.interop.optax_arguments import optax_call
from scripts import coming_from_optax
from tests.tiers import each_variant

pytestmark = pytest.mark.usefixtures("compiled_quickly")
LR = {"learning_rate": 1e-2}
MASK = {"large": True, "w": False, "b": True}
DECAY = {"weight_decay": 0.1, "mask": MASK}


def schedule(count):
    return 1e-2 / (1 + 0.1 * count)


SCHEDULE = {"learning_rate": schedule}
# Unusual arguments. Those that only Optax's own function has come last.
UNUSUAL = {
    "acprop": [{**SCHEDULE, **DECAY, "b1": 0.8, "b2": 0.9, "eps": 1e-3, "eps_root": 1e-4}],
    "adabelief": [{"eps": 1e-3, "eps_root": 1e-5, "b2": 0.9}, {"nesterov": True}],
    "adadelta": [
        {**SCHEDULE, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1, "weight_decay_mask": MASK},
        {"learning_rate": None},
    ],
    "adafactor": [
        {"min_dim_size_to_factor": 3, "decay_rate": 0.7, "multiply_by_parameter_scale": False}
        | {"clipping_threshold": 0.5, "momentum": 0.9, "weight_decay_rate": 0.01, "eps": 1e-5}
        | {"weight_decay_mask": MASK, "dtype_momentum": jnp.float32},
        {"learning_rate": None, "clipping_threshold": None, "factored": False},
    ],
    "adagrad": [{"initial_accumulator_value": 1.0, "eps": 1e-3}],
    "adam": [{**SCHEDULE, "b1": 0.8, "eps": 1e-3, "eps_root": 1e-3, "nesterov": True}],
    "adamax": [{"b1": 0.5, "b2": 0.8, "eps": 1e-2}],
    "adamaxw": [DECAY],
    "adamw": [{**DECAY, "mask": lambda params: MASK, "eps_root": 1e-2, "nesterov": True}],
    "adan": [{**DECAY, "b1": 0.9, "b2": 0.8, "b3": 0.7, "eps": 1e-3, "eps_root": 1e-2}],
    "ademamix": [
        {**DECAY, "eps_root": 1e-2, "alpha": 3.0},
        {"b3": lambda count: 0.99, "alpha": lambda count: 2.0 + count},
    ],
    "adopt": [
        {"use_clipping": False, "b2": 0.9, "eps": 1e-2},
        {"nesterov": True},
        {"clip_value_fn": jnp.sqrt},
    ],
    "amsgrad": [{"b2": 0.8, "eps_root": 1e-2}, {"bias_correction_nu": False}],
    "lamb": [{**DECAY, "eps_root": 1e-2}],
    "lion": [{**DECAY, **SCHEDULE}],
    "madgrad": [{"momentum": 0.5, "weight_decay": 0.1, "eps": 1e-3}],
    "muon": [
        {"ns_steps": 3, "beta": 0.8, "weight_decay": 0.1, "adaptive": True, "adam_b1": 0.5}
        | {"consistent_rms": 0.2, "nesterov": False},
    ],
    "nadam": [{"eps_root": 1e-2, "b2": 0.9}, {"nesterov": False}],
    "nadamw": [{**DECAY, "nesterov": False}],
    "novograd": [{"b1": 0.8, "b2": 0.9, "eps_root": 0.1, "weight_decay": 0.1}],
    "prodigy": [
        {"betas": (0.8, 0.9), "beta3": 0.95, "estim_lr0": 1e-3, "estim_lr_coef": 2.0}
        | {**SCHEDULE, "weight_decay": 0.1},
        {"safeguard_warmup": True},
    ],
    "radam": [{"b2": 0.9, "threshold": 4.0, "eps_root": 1e-2}, {"nesterov": True}],
    "rmsprop": [
        {"eps_in_sqrt": False, "initial_scale": 1.0, "centered": True, "eps": 1e-2},
        {**SCHEDULE, "decay": 0.8, "momentum": 0.9, "nesterov": True},
        {"bias_correction": True},
    ],
    "schedule_free_adamw": [
        {"warmup_steps": 5, "b1": 0.8, "weight_decay": 0.1, "weight_lr_power": 1.0, "eps": 1e-3},
        {"state_dtype": "float32"},
    ],
    "schedule_free_sgd": [{"warmup_steps": 5, "b1": 0.8, "weight_decay": 0.1}],
    "sgd": [{**SCHEDULE, "momentum": 0.9, "nesterov": True, "accumulator_dtype": "float32"}],
    "simplified_ademamix": [{**DECAY, "alpha": lambda count: 2.0 + count, "b1": 0.8}],
    "sophia": [{"gamma": 0.1, "clip_threshold": None, "update_interval": 2, "weight_decay": 0.1}],
    "yogi": [{"b1": 0.8, "eps": 1e-2}],
}
SHARED = [n for n in tables.OPTAX if hasattr(optax, n) or hasattr(optax.contrib, n)]
# Optax computes 1 - b₂ᵗ in float32, which these divide, or compare to a threshold.
ROUNDED = {"radam": 2e-4, "prodigy": 1e-3}


def functions(name):
    """Optax's function, and that of `adamjax.optax`."""
    if hasattr(optax, name):
        return getattr(optax, name), getattr(adamjax.optax, name)
    return getattr(optax.contrib, name), getattr(adamjax.optax.contrib, name)


def start():
    draw = np.random.default_rng(0)
    shapes = {"large": (128, 130), "w": (3, 4), "b": (4,)}
    return {k: jnp.asarray(draw.normal(size=s), jnp.float32) for k, s in shapes.items()}


def gradient(draw, p):
    parts = np.float32(draw.normal(size=(1 + jnp.iscomplexobj(p), *p.shape)))
    return parts[0] + 1j * parts[1] if jnp.iscomplexobj(p) else parts[0]


def loss(params):
    return sum(jnp.sum(x**4) for x in jax.tree.leaves(params))


def steps(tx, params, count=20, **extra_args):
    """The change of the parameters by some steps on noise."""
    draw = np.random.default_rng(1)
    update = jax.jit(lambda g, state, p: tx.update(g, state, p, **extra_args))
    before, state = params, tx.init(params)
    for t in range(count):
        noise = {k: gradient(draw, p) * (1 + t % 3) for k, p in params.items()}
        updates, state = update(noise, state, params)
        params = optax.apply_updates(params, updates)
    return jnp.concatenate([(params[k] - before[k]).ravel() for k in params])


@each_variant(others="wide", names=SHARED)
def test_equals_optax(name):
    theirs, ours = functions(name)
    extra_args = {"obj_fn": loss} if name == "sophia" else {}
    for unusual in [{}, *UNUSUAL[name]]:
        if not unusual.keys() <= inspect.signature(theirs).parameters.keys():
            continue  # of a newer Optax
        arguments = {**LR, **unusual}
        expected = steps(theirs(**arguments), start(), **extra_args)
        change = steps(ours(**arguments), start(), **extra_args)
        distance = jnp.linalg.norm(change - expected) / jnp.linalg.norm(expected)
        assert distance < ROUNDED.get(name, 2e-5), unusual


# Optax's own complex steps: of averages of g² or a complex d, by g / |g|, or an error.
OTHER_COMPLEX = {
    *("adadelta", "adafactor", "lion", "madgrad", "prodigy", "simplified_ademamix", "sophia")
}


@each_variant(others="wide", names=[n for n in SHARED if n not in OTHER_COMPLEX])
def test_complex_leaves_equal_optax(name):
    arguments = LR | ({"use_clipping": False} if name == "adopt" else {})
    params = {"b": start()["b"], "z": gradient(np.random.default_rng(2), jnp.ones((3, 4), complex))}
    theirs, ours = (f(**arguments) for f in functions(name))
    expected, change = steps(theirs, params), steps(ours, params)
    distance = jnp.linalg.norm(change - expected) / jnp.linalg.norm(expected)
    assert distance < ROUNDED.get(name, 2e-5)


@pytest.mark.wide
@pytest.mark.parametrize("name", SHARED)
def test_distances_in_the_documentation(name):
    recorded = json.loads(coming_from_optax.DISTANCES.read_text(encoding="utf-8"))[name]
    assert abs(coming_from_optax.distance(name) - recorded) < 0.1 * recorded + 1e-4


@pytest.mark.parametrize("name", ["scale_by_adam", "scale_by_adopt"])
def test_rules_equal_optax(name):
    theirs, ours = (optax.chain(f(b1=0.8), optax.scale(-0.01)) for f in functions(name))
    params = {**start(), "z": start()["w"] * (1 + 2j)} if name == "scale_by_adam" else start()
    np.testing.assert_allclose(steps(ours, params), steps(theirs, params), rtol=1e-4, atol=1e-5)
    tx = functions(name)[1](storage="8bit")
    assert optax.tree_utils.tree_get(tx.init(start()), "mu")["large"].dtype == jnp.int8


def test_every_shared_name_is_there():
    names = [n for n in adamjax.list_variants() if hasattr(optax, n) or hasattr(optax.contrib, n)]
    assert names == sorted(SHARED)
    assert tables.OPTAX.keys() == UNUSUAL.keys()
    for name in names:
        theirs, ours = functions(name)
        parameters = inspect.signature(ours).parameters
        assert [*parameters.values()][:-2] == [*inspect.signature(theirs).parameters.values()]
        assert list(parameters)[-2:] == ["storage", "param_rounding"]
        assert pickle.loads(pickle.dumps(ours)) is ours
        assert "storage: " in ours.__doc__


def test_each_state_has_one_count():
    for name in adamjax.list_variants():
        tx = adamjax.create(name, learning_rate=0.1)
        state = jax.eval_shape(tx.init, {"w": jnp.ones((3, 4)), "b": jnp.ones(4)})
        assert optax.tree_utils.tree_get(state, "count").dtype == jnp.int32, name


def test_other_names_are_those_of_optax():
    from adamjax.optax import contrib, losses, softmax_cross_entropy

    assert softmax_cross_entropy is optax.softmax_cross_entropy
    assert losses is optax.losses
    assert adamjax.optax.lbfgs is optax.lbfgs
    assert contrib.sam is optax.contrib.sam
    assert set(dir(optax)) <= set(dir(adamjax.optax))
    with pytest.raises(AttributeError, match="adamq"):
        adamjax.optax.adamq  # noqa: B018


@pytest.mark.parametrize(
    ("name", "arguments", "field"),
    [("adamw", {}, "nu"), ("adopt", {"nesterov": True}, "nu"), ("muon", {}, "mu")],
)
def test_storage_rounding_and_float32(name, arguments, field):
    make = functions(name)[1]
    params = jax.tree.map(lambda p: p.astype(jnp.bfloat16), start())

    def moments(tx):
        leaves = jax.tree_util.tree_leaves_with_path(tx.init(params))
        return [x for path, x in leaves if jax.tree_util.GetAttrKey(field) in path and x.size > 1e4]

    assert [x.dtype.name for x in moments(make(1e-3, **arguments))] == ["float32"]
    plain = make(1e-3, **arguments)
    coded = make(1e-3, **arguments, storage="8bit", param_rounding="kahan")
    assert [x.dtype.itemsize for x in moments(coded)] == [1]
    for tx in (plain, adamjax.narrow_updates(coded)):
        updates, _ = tx.update(params, tx.init(params), params)
        assert updates["large"].dtype == jnp.bfloat16


def test_arguments_without_an_equal():
    with pytest.raises(ValueError, match=r"use adamjax\.optax\.muon"):
        adamjax.from_optax_args("muon", learning_rate=0.1)
    with pytest.raises(ValueError, match="nesterov must be False"):
        adamjax.from_optax_args("radam", learning_rate=0.1, nesterov=True)
    with pytest.raises(ValueError, match="unknown optimizer of Optax 'adamx'"):
        adamjax.from_optax_args("adamx")
    with pytest.raises(TypeError, match="beta1"):
        adamjax.optax.adam(1e-3, beta1=0.9)


@pytest.mark.parametrize("name", SHARED)
def test_style_optax(name):
    """It selects the rule that `from_optax_args` selects."""
    if tables.OPTAX[name].refused:
        assert adamjax.create(name, **LR, style="optax")
        return
    call, params = optax_call(name, LR), {"w": jnp.ones((2, 3))}
    if name != "adafactor":
        params["z"] = jnp.ones(2, complex)
    own = OPTAX_STYLES.get(name, {"style": "optax"})
    others = {k: x for k, x in call.arguments.items() if k not in own}

    def program(tx):
        return str(jax.make_jaxpr(tx.update)(params, tx.init(params), params))

    assert program(adamjax.create(name, **others, style="optax")) == program(call.make())


def test_sophia_in_the_style_of_optax():
    estimate = optax.stateless(lambda g, _: jax.tree.map(jnp.square, g))
    theirs = optax.contrib.sophia(
        0.1, gamma=0.5, eps=1e-3, update_interval=1, hessian_diagonal_fn=estimate, weight_decay=0.0
    )
    ours = adamjax.sophia(0.1, rho=0.5, eps=1e-3, style="optax", weight_decay=0.0)

    def update(g, state, params):
        return ours.update(g, state, params, hessian=jax.tree.map(jnp.square, g))

    expected = steps(theirs, start())
    change = steps(optax.GradientTransformationExtraArgs(ours.init, update), start())
    np.testing.assert_allclose(change, expected, rtol=1e-4, atol=1e-6)
