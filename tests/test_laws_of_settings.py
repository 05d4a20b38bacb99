"""Laws of the settings that all variants share: decay, masks, schedules, and forms of a number."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

import adamjax
from adamjax.optimizer import DECAY_MODES
from adamjax.rule import ScheduledBetaState
from tests.adversarial_hparams import STRUCTURE, VALUES
from tests.law_exceptions import (
    L2_OF_OTHER_LEAVES,
    NOT_ADDED,
    NOT_AN_AVERAGE_OF_GRADIENTS,
    NOT_ITS_SIGN,
    RATE_MOVES,
)

STEPS = 4
LR, WD = VALUES["learning_rate"], VALUES["weight_decay"]
# What an optimizer needs for its learning rate and its weight decay to be what they are given as.
PLAIN = {
    "adamp": {"wd_ratio": 1.0},
    "apollo": {"warmup_steps": 0},
    # A step size above all that could be found stays.
    "dadapt_adam": {"d0": 2.0**20, "learning_rate": LR / 2**20},
    "prodigy": {"d0": 1.0, "d_coef": 0.0},
    "sgdp": {"wd_ratio": 1.0, "momentum": 0.0},
}
# What is a number in these optimizers, and may be a schedule in others.
UNSCHEDULED = {"adamp": {"eps"}, "sgdp": {"eps"}}
# What a schedule for one number takes for another.
BESIDE_SCHEDULES = {
    "adabound": {"base_lr": LR},
    "amsbound": {"base_lr": LR},
    "adamc": {"max_lr": LR},
    "apollo": {"warmup_steps": 2},
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
    signature = inspect.signature(adamjax.get_variant(name).optimizer).parameters
    return {k: VALUES[k] for k in signature if k not in STRUCTURE | UNSCHEDULED.get(name, set())}


def ready_made(name, **others):
    """An optimizer with a number for its learning rate, which Adafactor has not by itself."""
    return adamjax.create(name, **{"learning_rate": LR, **PLAIN.get(name, {}), **others})


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
@pytest.mark.parametrize("decay_mode", DECAY_MODES)
def test_zero_weight_decay_is_none(name, decay_mode):
    seen, _ = run(ready_made(name, weight_decay=0.0, decay_mode=decay_mode), RANDOM)
    wanted, _ = run(ready_made(name, weight_decay=0.0), RANDOM)
    jax.tree.map(np.testing.assert_array_equal, seen, wanted)


FIRST_DECAYED = {"adopt": 1}  # which leaves the parameters alone in its first step
WITHOUT_L2 = {
    "decoupled": lambda step, p: step - LR * WD * p,
    "independent": lambda step, p: step - WD * p,
    "proximal": lambda step, p: (p + step) / (1 + LR * WD) - p,
    "decoupled_after": lambda step, p: step - LR * WD * (p + step),
    "independent_after": lambda step, p: step - WD * (p + step),
}


@pytest.mark.parametrize("name", [n for n in adamjax.list_variants() if n not in NOT_ADDED])
@pytest.mark.parametrize("decay_mode", WITHOUT_L2)
def test_decay_of_the_parameters(name, decay_mode):
    seen, _ = run(ready_made(name, weight_decay=WD, decay_mode=decay_mode), RANDOM)
    steps, _ = run(ready_made(name, weight_decay=0.0), RANDOM)
    at = FIRST_DECAYED.get(name, 0)
    assert_same(seen[:at], steps[:at])
    assert_same(
        seen[at:], [jax.tree.map(WITHOUT_L2[decay_mode], step, PARAMS) for step in steps[at:]]
    )


@variants
def test_l2_is_a_term_of_the_gradient(name):
    seen, _ = run(ready_made(name, weight_decay=WD, decay_mode="l2"), RANDOM)
    decayed = lambda gradient, params: jax.tree.map(lambda g, p: g + WD * p, gradient, params)  # noqa: E731
    wanted, _ = run(ready_made(name, weight_decay=0.0), RANDOM, change=decayed)
    assert_same(seen, wanted)


@pytest.mark.parametrize("name", [n for n in adamjax.list_variants() if n not in RATE_MOVES])
def test_decoupled_is_independent_of_a_constant_learning_rate(name):
    seen, _ = run(ready_made(name, weight_decay=WD, decay_mode="decoupled"), RANDOM)
    wanted, _ = run(ready_made(name, weight_decay=LR * WD, decay_mode="independent"), RANDOM)
    assert_same(seen, wanted)


def test_every_decay_has_a_law():
    assert {*WITHOUT_L2, "l2"} == set(DECAY_MODES)


# --- masks

KERNELS_ONLY = {
    "tree": {"dense": {"bias": False, "kernel": True}},
    "function": lambda params: jax.tree.map(lambda p: p.ndim > 1, params),
    "pattern": "*kernel",
    "patterns": ["dense/*", "!*bias"],
    "exclusion": ("!*bias",),
}
ALL = {"none": None, "prefix": {"dense": True}, "one bool": True, "pattern": "*"}


def l2_of_kernel(gradient, params):
    decayed = gradient["dense"]["kernel"] + WD * params["dense"]["kernel"]
    return {"dense": {**gradient["dense"], "kernel": decayed}}


@variants
@pytest.mark.parametrize("decay_mode", DECAY_MODES)
def test_mask(name, decay_mode):
    """With the bias left out it moves as without decay, and the kernel as if nothing were."""
    kernel, _ = run(ready_made(name, weight_decay=WD, decay_mode=decay_mode), RANDOM)
    bias, _ = run(ready_made(name, weight_decay=0.0), RANDOM)
    if decay_mode == "l2" and name in L2_OF_OTHER_LEAVES:
        # Each moves as if the gradients had come with the term of the kernel's in them.
        kernel, _ = run(ready_made(name, weight_decay=0.0), RANDOM, change=l2_of_kernel)
        bias = kernel
    seen, _ = run(ready_made(name, weight_decay=WD, decay_mode=decay_mode, mask="*kernel"), RANDOM)
    for updates, on, off in zip(seen, kernel, bias, strict=True):
        np.testing.assert_array_equal(updates["dense"]["bias"], off["dense"]["bias"])
        np.testing.assert_array_equal(updates["dense"]["kernel"], on["dense"]["kernel"])


@variants
@pytest.mark.parametrize("which", [KERNELS_ONLY, ALL], ids=["kernels", "all"])
def test_masks_of_all_forms_agree(name, which):
    wanted, *others = (
        run(ready_made(name, weight_decay=WD, decay_mode="decoupled", mask=mask), RANDOM)[0]
        for mask in which.values()
    )
    for seen in others:
        jax.tree.map(np.testing.assert_array_equal, seen, wanted)


# --- numbers, arrays and schedules


@variants
@pytest.mark.parametrize("form", FORMS)
def test_forms_of_a_scalar_agree(name, form):
    values, others = scalars_of(name), BESIDE_SCHEDULES.get(name, {})
    wanted, _ = run(adamjax.create(name, **values, **others), RANDOM)
    given_so = {key: FORMS[form](value) for key, value in values.items()}
    seen, _ = run(adamjax.create(name, **given_so, **others), RANDOM)
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

        others = BESIDE_SCHEDULES.get(name, {})
        run(ready_made(name, **{**scalars_of(name), key: schedule, **others}), RANDOM)
        # What SOAP averages begins at the second step.
        assert counts.issuperset(range(name == "soap", STEPS)), key


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
    wanted, _ = run(adamjax.create(reduction.other, **reduction.arguments), gradients)
    assert_same(seen, wanted)


# --- exact bias correction under a changing b1

# Each direction once: adamw's is adam's.
DIRECTIONS = {adamjax.get_variant(name).scale_by: name for name in adamjax.list_variants()[::-1]}
DIRECTIONS.pop(None)  # those that are more than a direction
WITH_B1 = [
    f"{name}-{style}"
    for make, name in DIRECTIONS.items()
    for style in adamjax.get_variant(name).styles or ["-"]
    if "b1" in inspect.signature(make).parameters and "mu" in adamjax.get_variant(name).slots
]
B1S = arrays(np.float32, STEPS, elements=st.floats(0, 0.9375, width=16))


def constant_gradients(label, b1, c):
    name, _, style = label.partition("-")
    make = adamjax.get_variant(name).scale_by
    accepted = inspect.signature(make).parameters
    others = {k: 0.0 for k in ("eps", "initial_accumulator_value") if k in accepted}
    others |= {} if style == "-" else {"style": style}
    tx = make(b1=lambda count: jnp.asarray(b1)[count], **others)
    return run(tx, np.full((STEPS, 3), c, np.float32))


def corrected_averages(state):
    """Every mu that is an average with b1, free of its bias."""
    is_node = lambda node: isinstance(node, ScheduledBetaState)  # noqa: E731
    nodes = [n for n in jax.tree.leaves(state, is_leaf=is_node) if is_node(n)]
    nodes = [node for node in nodes if hasattr(node.inner_state, "mu")]
    assert nodes
    return [
        mu / n.bias_corrections["b1"] for n in nodes for mu in jax.tree.leaves(n.inner_state.mu)
    ]


@pytest.mark.parametrize("label", [x for x in WITH_B1 if x not in NOT_AN_AVERAGE_OF_GRADIENTS])
@law
@given(b1=B1S, c=st.sampled_from([-3.0, 0.001, 1e10]))
def test_average_of_a_constant_gradient_is_the_gradient(label, b1, c):
    _, state = constant_gradients(label, b1, c)
    for average in corrected_averages(state):
        np.testing.assert_allclose(average, c, rtol=1e-6)


@pytest.mark.parametrize("label", NOT_AN_AVERAGE_OF_GRADIENTS)
def test_exceptions_are_not_the_gradient(label):
    _, state = constant_gradients(label, np.float32([0.9, 0.5, 0.25, 0.75]), 3.0)
    assert not all(np.allclose(x, 3.0, rtol=1e-6) for x in corrected_averages(state))


@pytest.mark.parametrize("label", [label for label in WITH_B1 if label not in NOT_ITS_SIGN])
@law
@given(b1=B1S, c=st.sampled_from([-3.0, 0.001, 1e10]))
def test_direction_of_a_constant_gradient_is_its_sign(label, b1, c):
    for updates in constant_gradients(label, b1, c)[0]:
        assert_same(updates, jax.tree.map(lambda u: np.full_like(u, np.sign(c)), updates))


@pytest.mark.parametrize("label", NOT_ITS_SIGN)
def test_exceptions_are_not_its_sign(label):
    with pytest.raises(AssertionError):
        for c in (3.0, 0.001):
            trace, _ = constant_gradients(label, np.float32([0.9, 0.5, 0.0, 0.75]), c)
            assert_same(trace, jax.tree.map(np.ones_like, trace))
