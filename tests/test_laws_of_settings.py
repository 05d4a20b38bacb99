"""Laws of the settings that all variants share: decay, masks, schedules, and forms of a number."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import adamjax
from adamjax.optimizer import DECAY_MODES
from tests.adversarial_hparams import STRUCTURE, VALUES
from tests.cases import ROTATE
from tests.tiers import FEW, each_variant

STEPS = 4
LR, WD = VALUES["learning_rate"], VALUES["weight_decay"]
# Arguments with which the learning rate and the weight decay act exactly as given.
PLAIN = {
    "adamp": {"wd_ratio": 1.0},
    "apollo": {"warmup_steps": 0},
    # A step size above all that could be found stays.
    "dadapt_adam": {"d0": 2.0**20, "learning_rate": LR / 2**20},
    "prodigy": {"d0": 1.0, "d_coef": 0.0},
    "sgdp": {"wd_ratio": 1.0, "momentum": 0.0},
}
# Arguments that are numbers in these optimizers, and may be schedules in others.
UNSCHEDULED = {"adamp": {"eps"}, "sgdp": {"eps"}}
# Arguments that a schedule of another argument requires.
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
# Whose decay is not added to each step: it moves a point of which the parameters follow an average,
# or starts at the second step.
NOT_ADDED = {"schedule_free_adamw", "schedule_free_radam", "schedule_free_sgd", *ROTATE}
FIRST_DECAYED = {"adopt": 1}  # which leaves the parameters alone in its first step
ADDED = {
    "decoupled": lambda step, p: step - LR * WD * p,
    "independent": lambda step, p: step - WD * p,
    "proximal": lambda step, p: (p + step) / (1 + LR * WD) - p,
    "decoupled_after": lambda step, p: step - LR * WD * (p + step),
    "independent_after": lambda step, p: step - WD * (p + step),
    "cautious": lambda step, p: step - LR * WD * p * (step * p <= 0),
    "lr_squared": lambda step, p: step - LR**2 * WD * p,
}
KERNELS_ONLY = {
    "tree": {"dense": {"bias": False, "kernel": True}},
    "function": lambda params: jax.tree.map(lambda p: p.ndim > 1, params),
    "pattern": "*kernel",
    "patterns": ["dense/*", "!*bias"],
    "exclusion": ("!*bias",),
}
REDUCED = [n for n in adamjax.list_variants() if adamjax.get_variant(n).reduces_to]
ALL = {"none": None, "prefix": {"dense": True}, "one bool": True, "pattern": "*"}
PARAMS = {"dense": {"bias": np.float32([0.5]), "kernel": np.float32([[-2.0, 0.25]])}}
RANDOM = np.random.default_rng(0).normal(size=(STEPS, 3)).astype(np.float32)


def scalars_of(name):
    """The arguments of a ready-made optimizer that may be numbers, arrays or schedules."""
    signature = inspect.signature(adamjax.get_variant(name).optimizer).parameters
    return {k: VALUES[k] for k in signature if k not in STRUCTURE | UNSCHEDULED.get(name, set())}


def ready_made(name, **others):
    """An optimizer with a number for its learning rate, which Adafactor has not by itself."""
    return adamjax.create(name, **{"learning_rate": LR, **PLAIN.get(name, {}), **others})


def as_tree(row):
    return {"dense": {"bias": jnp.asarray(row[:1]), "kernel": jnp.asarray(row[None, 1:])}}


def run(tx, change=lambda gradient, params: gradient):
    """The updates at each step, the parameters held still."""
    state, trace = tx.init(PARAMS), []
    for row in RANDOM:
        updates, state = tx.update(change(as_tree(row), PARAMS), state, PARAMS)
        trace.append(updates)
    return trace


def assert_same(trace, expected, rtol=1e-5, atol=1e-7):
    for a, b in zip(jax.tree.leaves(trace), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def with_l2_of(*names):
    """Adds the L2 term of some leaves to their gradients."""

    def change(gradient, params):
        g, p = gradient["dense"], params["dense"]
        return {"dense": {k: g[k] + WD * p[k] if k in names else g[k] for k in g}}

    return change


def test_every_decay_has_a_law():
    assert {*ADDED, "l2"} == set(DECAY_MODES)


@each_variant(quick=(*FEW, "lamb", "schedule_free_adamw"), own="wide")
def test_weight_decay_and_its_mask(name):
    """With the bias masked it moves as without decay, and the kernel as if nothing were masked."""
    plain = run(ready_made(name, weight_decay=0.0))
    at = FIRST_DECAYED.get(name, 0)
    for decay_mode in DECAY_MODES:
        assert_same(run(ready_made(name, weight_decay=0.0, decay_mode=decay_mode)), plain, 0, 0)
        on = run(ready_made(name, weight_decay=WD, decay_mode=decay_mode))
        off = plain
        if decay_mode == "l2":
            assert_same(on, run(ready_made(name, weight_decay=0.0), with_l2_of("bias", "kernel")))
            if name == "adai":  # the mean of all squares, into which the kernel's term goes
                on = off = run(ready_made(name, weight_decay=0.0), with_l2_of("kernel"))
        elif name not in NOT_ADDED:
            added = [jax.tree.map(ADDED[decay_mode], step, PARAMS) for step in plain[at:]]
            assert_same(on, plain[:at] + added)
        masked = run(ready_made(name, weight_decay=WD, decay_mode=decay_mode, mask="*kernel"))
        for updates, with_decay, without in zip(masked, on, off, strict=True):
            for leaf, expected in (("kernel", with_decay), ("bias", without)):
                np.testing.assert_array_equal(updates["dense"][leaf], expected["dense"][leaf])


@each_variant(quick=FEW, own="wide")
def test_masks_of_all_forms_agree(name):
    for masks in (KERNELS_ONLY, ALL):
        expected, *others = (
            run(ready_made(name, weight_decay=WD, decay_mode="decoupled", mask=mask))
            for mask in masks.values()
        )
        for trace in others:
            assert_same(trace, expected, 0, 0)


@each_variant(quick=FEW, own="wide")
def test_forms_of_a_scalar_agree(name):
    values, others = scalars_of(name), BESIDE_SCHEDULES.get(name, {})
    expected = run(adamjax.create(name, **values, **others))
    for form in FORMS.values():
        trace = run(adamjax.create(name, **{k: form(v) for k, v in values.items()}, **others))
        assert_same(trace, expected)


@each_variant(quick=FEW, own="wide")
def test_schedules_are_asked_for_each_step(name):
    """With the number of steps done, an integer: a schedule may look it up in a table."""
    for key, value in scalars_of(name).items():
        counts = set()

        def schedule(count, counts=counts, value=value):
            assert jnp.issubdtype(jnp.result_type(count), jnp.integer)
            counts.add(int(count))
            return value

        others = BESIDE_SCHEDULES.get(name, {})
        run(ready_made(name, **{**scalars_of(name), key: schedule, **others}))
        # SOAP's averages begin at the second step.
        assert counts.issuperset(range(name in ROTATE, STEPS)), key


@pytest.mark.parametrize("name", REDUCED)
def test_declared_reductions(name):
    for reduction in adamjax.get_variant(name).reduces_to:
        trace = run(adamjax.create(name, **reduction.at))
        assert_same(trace, run(adamjax.create(reduction.other, **reduction.arguments)))


def test_a_changing_b1_is_corrected_by_its_product():
    """All averages of a constant gradient are the gradient, and u is its sign, from the start."""
    b1 = jnp.float32([0.9, 0.5, 0.0, 0.75])
    for make in (adamjax.scale_by_adam, adamjax.scale_by_amsgrad, adamjax.scale_by_qhadam):
        for c in (-3.0, 0.001, 1e10):
            tx, g = make(b1=lambda count: b1[count], eps=0.0), jnp.full(3, c, jnp.float32)
            state = tx.init(g)
            for _ in range(STEPS):
                u, state = tx.update(g, state)
                np.testing.assert_allclose(u, np.sign(c), rtol=1e-5)
            average = state.inner_state.mu / state.bias_corrections["b1"]
            np.testing.assert_allclose(average, c, rtol=1e-6)
