"""Laws of the settings that all variants share: decay, masks, schedules, and forms of a number."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

import adamjax
from adamjax.optimizer import DECAYS
from adamjax.rule import ScheduledDecayState

STEPS = 4
LR, WD = 0.5, 0.25
# Values that every format of floating-point number holds exactly.
VALUES = {
    "learning_rate": LR,
    "weight_decay": WD,
    "b1": 0.875,
    "b2": 0.96875,
    "b2_cap": 0.75,
    "clip_threshold": 0.5,
    "decay_rate": 0.75,
    "eps": 2**-10,
    "eps1": 2**-12,
    "eps2": 2**-6,
    "eps_root": 2**-12,
    "final_lr": 0.25,
    "gamma": 0.125,
    "momentum": 0.75,
    "momentum_decay": 0.25,
    "threshold": 4.5,
}
# Arguments that are no scalar of the rule: they decide what is computed, not with which numbers.
STRUCTURE = {
    "base_lr",
    "centered",
    "decay",
    "initial_accumulator_value",
    "mask",
    "min_dim_size_to_factor",
    "mu_dtype",
    "nesterov",
    "nu_dtype",
    "param_rounding",
    "scale_parameter",
    "storage",
    "style",
}
FORMS = {
    "schedule": lambda value: lambda count: value,
    "schedule of arrays": lambda value: lambda count: jnp.float32(value) + 0 * count,
    "jax array": jnp.float32,
    "weak jax array": jnp.asarray,
    "bfloat16 array": jnp.bfloat16,
    "numpy array": np.asarray,
    "numpy float64": np.float64,
    "numpy float32": np.float32,
}
GRADIENTS = arrays(np.float32, (STEPS, 3), elements=st.floats(-4, 4, width=16))
law = settings(max_examples=5, derandomize=True, deadline=None, database=None)


def scalars_of(name):
    """The arguments of a ready-made optimizer that may be numbers, arrays or schedules."""
    signature = inspect.signature(adamjax.get_variant(name).make).parameters
    return {key: VALUES[key] for key in signature if key not in STRUCTURE}


def ready_made(name, **others):
    """An optimizer with a number for its learning rate, which Adafactor has not by itself."""
    return adamjax.create(name, **{"learning_rate": LR, **others})


def as_tree(row):
    return {"dense": {"bias": jnp.asarray(row[:1]), "kernel": jnp.asarray(row[None, 1:])}}


PARAMS = {"dense": {"bias": np.float32([0.5]), "kernel": np.float32([[-2.0, 0.25]])}}
RANDOM = np.random.default_rng(0).normal(size=(STEPS, 3)).astype(np.float32)


def run(tx, gradients, params=PARAMS, change=lambda gradient, params: gradient):
    """The updates at each step, the parameters held still, and the state after the last."""
    state, trace = tx.init(params), []
    for row in gradients:
        updates, state = tx.update(change(as_tree(row), params), state, params)
        trace.append(updates)
    return trace, state


def assert_same(seen, wanted, rtol=1e-5):
    for a, b in zip(jax.tree.leaves(seen), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-7)


variants = pytest.mark.parametrize("name", adamjax.list_variants())


# --- weight decay, against the same optimizer without it


@variants
@pytest.mark.parametrize("decay", DECAYS)
def test_zero_weight_decay_is_none(name, decay):
    seen, _ = run(ready_made(name, weight_decay=0.0, decay=decay), RANDOM)
    wanted, _ = run(ready_made(name, weight_decay=0.0), RANDOM)
    jax.tree.map(np.testing.assert_array_equal, seen, wanted)


WITHOUT_L2 = {
    "decoupled": lambda step, p: step - LR * WD * p,
    "independent": lambda step, p: step - WD * p,
    "proximal": lambda step, p: (p + step) / (1 + LR * WD) - p,
}


@variants
@pytest.mark.parametrize("decay", WITHOUT_L2)
@law
@given(gradients=GRADIENTS)
def test_decay_of_the_parameters(name, decay, gradients):
    seen, _ = run(ready_made(name, weight_decay=WD, decay=decay), gradients)
    steps, _ = run(ready_made(name, weight_decay=0.0), gradients)
    assert_same(seen, [jax.tree.map(WITHOUT_L2[decay], step, PARAMS) for step in steps])


@variants
@law
@given(gradients=GRADIENTS)
def test_l2_is_a_term_of_the_gradient(name, gradients):
    seen, _ = run(ready_made(name, weight_decay=WD, decay="l2"), gradients)
    decayed = lambda gradient, params: jax.tree.map(lambda g, p: g + WD * p, gradient, params)  # noqa: E731
    wanted, _ = run(ready_made(name, weight_decay=0.0), gradients, change=decayed)
    assert_same(seen, wanted)


@variants
def test_decoupled_is_independent_of_a_constant_learning_rate(name):
    seen, _ = run(ready_made(name, weight_decay=WD), RANDOM)
    wanted, _ = run(ready_made(name, weight_decay=LR * WD, decay="independent"), RANDOM)
    assert_same(seen, wanted)


def test_every_decay_has_a_law():
    assert {*WITHOUT_L2, "l2"} == set(DECAYS)


# --- masks

KERNELS_ONLY = {
    "tree": {"dense": {"bias": False, "kernel": True}},
    "function": lambda params: jax.tree.map(lambda p: p.ndim > 1, params),
    "pattern": "*kernel",
    "patterns": ["dense/*", "!*bias"],
    "exclusion": ("!*bias",),
}
ALL = {"none": None, "prefix": {"dense": True}, "one bool": True, "pattern": "*"}


@variants
@pytest.mark.parametrize("decay", DECAYS)
def test_masks_of_all_forms_agree(name, decay):
    """With the bias left out it moves as without decay, and the kernel as if nothing were."""
    with_decay, _ = run(ready_made(name, weight_decay=WD, decay=decay), RANDOM)
    without, _ = run(ready_made(name, weight_decay=0.0), RANDOM)
    for mask in KERNELS_ONLY.values():
        seen, _ = run(ready_made(name, weight_decay=WD, decay=decay, mask=mask), RANDOM)
        for updates, on, off in zip(seen, with_decay, without, strict=True):
            np.testing.assert_array_equal(updates["dense"]["bias"], off["dense"]["bias"])
            np.testing.assert_array_equal(updates["dense"]["kernel"], on["dense"]["kernel"])
    for mask in ALL.values():
        seen, _ = run(ready_made(name, weight_decay=WD, decay=decay, mask=mask), RANDOM)
        jax.tree.map(np.testing.assert_array_equal, seen, with_decay)


# --- numbers, arrays and schedules


@variants
@pytest.mark.parametrize("form", FORMS)
def test_forms_of_a_scalar_agree(name, form):
    values = scalars_of(name)
    wanted, _ = run(adamjax.create(name, **values), RANDOM)
    for key, value in values.items():
        others = {"base_lr": LR} if name in ("adabound", "amsbound") else {}
        given_so = {**values, key: FORMS[form](value), **others}
        seen, _ = run(adamjax.create(name, **given_so), RANDOM)
        assert_same(seen, wanted)


@variants
def test_schedules_are_asked_for_each_step(name):
    """With the number of steps done, an integer: a schedule may look it up in a table."""
    for key, value in scalars_of(name).items():
        counts = set()

        def schedule(count, counts=counts, value=value):
            assert jnp.issubdtype(jnp.result_type(count), jnp.integer)
            counts.add(int(count))
            return value

        others = {"base_lr": LR} if name in ("adabound", "amsbound") else {}
        run(ready_made(name, **{**scalars_of(name), key: schedule, **others}), RANDOM)
        assert counts.issuperset(range(STEPS)), key


# --- reductions

REDUCTIONS = [
    pytest.param(name, reduction, id=f"{name}-{reduction.other}-{i}")
    for name in adamjax.list_variants()
    for i, reduction in enumerate(adamjax.get_variant(name).reduces_to)
]


@pytest.mark.parametrize(("name", "reduction"), REDUCTIONS)
@law
@given(gradients=GRADIENTS)
def test_declared_reductions(name, reduction, gradients):
    seen, _ = run(adamjax.create(name, **reduction.at), gradients)
    wanted, _ = run(adamjax.create(reduction.other, **reduction.gives), gradients)
    assert_same(seen, wanted)


# --- exact bias correction under a changing b1

# Each direction once: adamw's is adam's.
DIRECTIONS = {adamjax.get_variant(name).direction: name for name in adamjax.list_variants()[::-1]}
WITH_B1 = [
    f"{name}-{style}"
    for make, name in DIRECTIONS.items()
    for style in adamjax.get_variant(name).styles or ["-"]
    if "b1" in inspect.signature(make).parameters
]
# With ε = 0 and a constant gradient, u is its sign: all averages are free of their bias.
NOT_ITS_SIGN = {
    "adam-mlx": "has no bias correction",
    "amsgrad-paper": "has no bias correction",
    "radam-torch": "is momentum until v can be trusted",
    "radam-optax": "is momentum until v can be trusted",
    "radam-author": "does not move until v can be trusted",
    "adabound--": "has bounds",
    "amsbound--": "has bounds",
    "nadam-torch": "corrects m by another product than that of b1",
    "nadam-keras": "corrects m by another product than that of b1",
    "nadam-optax": "corrects m by a product that holds for a constant b1 alone",
    "nadam-mlcommons": "adds the gradient in a share that holds for a constant b1 alone",
}
B1S = arrays(np.float32, STEPS, elements=st.floats(0, 0.9375, width=16))


def constant_gradients(label, b1, c):
    name, _, style = label.partition("-")
    style = {} if style == "-" else {"style": style}
    make = adamjax.get_variant(name).direction
    tx = make(lambda count: jnp.asarray(b1)[count], eps=0.0, **style)
    return run(tx, np.full((STEPS, 3), c, np.float32))


@pytest.mark.parametrize("label", WITH_B1)
@law
@given(b1=B1S, c=st.sampled_from([-3.0, 0.001, 1e10]))
def test_average_of_a_constant_gradient_is_the_gradient(label, b1, c):
    _, state = constant_gradients(label, b1, c)
    assert isinstance(state, ScheduledDecayState)
    for leaf in jax.tree.leaves(state.inner_state.mu):
        np.testing.assert_allclose(leaf / state.corrections["b1"], c, rtol=1e-6)


@pytest.mark.parametrize("label", [label for label in WITH_B1 if label not in NOT_ITS_SIGN])
@law
@given(b1=B1S, c=st.sampled_from([-3.0, 0.001, 1e10]))
def test_direction_of_a_constant_gradient_is_its_sign(label, b1, c):
    for updates in constant_gradients(label, b1, c)[0]:
        assert_same(updates, jax.tree.map(lambda u: np.full_like(u, np.sign(c)), updates))


@pytest.mark.parametrize("label", NOT_ITS_SIGN)
def test_exceptions_are_not_its_sign(label):
    trace, _ = constant_gradients(label, np.float32([0.9, 0.5, 0.0, 0.75]), 3.0)
    with pytest.raises(AssertionError):
        assert_same(trace, jax.tree.map(np.ones_like, trace))
