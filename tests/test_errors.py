"""Bad input: an error that names the argument, the leaf and the way out, and nothing is lost."""

import inspect
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.optimizer import DECAY_MODES
from adamjax.registry import register
from tests.adversarial_hparams import NOT_SIGNED
from tests.cases import ROTATE
from tests.sharding.needed import POLAR
from tests.tiers import each_variant

AVERAGING = {"b1", "b2", "b3", "b1_1d", "b2_1d", "momentum", "shampoo_beta"}


def params():
    return {"dense": {"bias": jnp.ones(3), "kernel": jnp.ones((2, 3))}, "scale": jnp.float32(2.0)}


def ready_made(name, **others):
    return adamjax.create(name, **{"learning_rate": 0.1, **others})


# --- hyperparameters


@pytest.mark.parametrize("name", adamjax.list_variants())
def test_hyperparameters_out_of_range(name):
    for key in inspect.signature(adamjax.get_variant(name).optimizer).parameters:
        if key not in NOT_SIGNED:
            for value in (-1.0, -1e-30, math.nan, np.float32(-1.0), np.asarray(np.nan)):
                with pytest.raises(ValueError, match=rf"\b{key}\b"):
                    adamjax.create(name, **{key: value})
        if key in AVERAGING:
            for value in (1, 1.0, 1.5, np.float32(1.0)):
                message = rf"{key} must be at least 0 and below 1, got {value}"
                with pytest.raises(ValueError, match=message):
                    adamjax.create(name, **{key: value})
    with pytest.raises(
        ValueError, match=r"unknown decay_mode 'decopled'; did you mean 'decoupled'"
    ):
        adamjax.create(name, decay_mode="decopled")
    for style in adamjax.get_variant(name).styles:
        message = rf"unknown style '{style}s'; did you mean .*'{style}'"
        with pytest.raises(ValueError, match=message):
            adamjax.create(name, style=f"{style}s")


@pytest.mark.parametrize("find", [adamjax.create, adamjax.get_variant])
def test_unknown_variant(find):
    with pytest.raises(ValueError, match=r"unknown variant 'adamm'; did you mean .*'adam'"):
        find("adamm")
    with pytest.raises(ValueError, match=r"unknown variant 'xyz'\. Options: acprop, "):
        find("xyz")


def test_unknown_argument():
    with pytest.raises(TypeError, match="beta1"):
        adamjax.create("adam", beta1=0.9)


def test_name_taken():
    paper = adamjax.get_variant("sgd").paper
    with pytest.raises(ValueError, match="name: there is already a variant 'adam'"):
        register(adamjax.scale_by_sgd, paper, summary="", learning_rate=1.0, name="adam")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: adamjax.sgd(nesterov=True), "nesterov needs a momentum"),
        (lambda: adamjax.radam(threshold=3.0), "threshold must be at least 4"),
        (lambda: adamjax.adabound(optax.constant_schedule(0.1)), "base_lr: with a schedule"),
        (lambda: adamjax.adamc(optax.constant_schedule(0.1)), "max_lr: with a schedule"),
        (lambda: adamjax.ano(b2=0.25), "b2 must be at least 0.5"),
        (lambda: adamjax.padam(partial=0.75), "partial must be at most 0.5"),
        (lambda: adamjax.qhadam(nu2=1.5), "nu2 must be at most 1"),
        (lambda: adamjax.adashift(reduce="min"), "unknown reduce 'min'"),
        (lambda: adamjax.apollo(warmup_steps=-1), "warmup_steps must be a whole number from 0"),
        (lambda: adamjax.schedule_free_sgd(warmup_steps=2.5), "warmup_steps must be a whole"),
        (lambda: adamjax.grokadamw(gamma=3.0), "gamma must be at most 1"),
        (lambda: adamjax.amsbound(0.1, base_lr=0.0), "base_lr .* must be positive, got 0.0"),
        (lambda: adamjax.adafactor(style="bigvision"), "learning_rate: .* give a number"),
        (
            lambda: adamjax.inverse_epoch_schedule(1.0, 10),
            "b1 must be at least 0 and below 1, got 1.0",
        ),
        (
            lambda: adamjax.cosine_cycle_schedule(0.9, 0),
            "steps_per_epoch must be a whole number from 1, got 0",
        ),
        (lambda: adamjax.optimizer(optax.identity(), -1.0), "learning_rate must not be negative"),
        (
            lambda: adamjax.optimizer(optax.identity(), 1.0, decay_mode="l1"),
            "unknown decay_mode 'l1'",
        ),
    ],
)
def test_settings_that_do_not_go_together(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: adamjax.adam("1e-3"), "learning_rate must be a number, .* got '1e-3'"),
        (lambda: adamjax.adam(eps=None), "eps must be a number"),
        (lambda: adamjax.adam(jnp.ones(3)), "learning_rate must be a number, a scalar array"),
        (lambda: adamjax.adam(mu_dtype="int8"), "mu_dtype and nu_dtype must be floating"),
    ],
)
def test_hyperparameters_that_are_no_numbers(make, message):
    with pytest.raises(TypeError, match=message):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda half: adamjax.clip_by_previous_norm(half),
        lambda half: adamjax.clip_by_rms(half),
        lambda half: adamjax.adagc(half),
        lambda half: adamjax.trust_ratio(half),
        lambda half: adamjax.projection(optax.identity(), half),
        lambda half: adamjax.guard(optax.sgd(0.1), max_ratio=half),
        lambda half: adamjax.swa(optax.sgd(0.1), start=half),
        lambda half: adamjax.hyperball(optax.sgd(0.1), 0.1, radius=half),
        lambda half: adamjax.sam(optax.sgd(0.1), half),
        lambda half: adamjax.schedule_free_adamw(r=half),
        lambda half: adamjax.lamb(norm_cap=half),
        lambda half: adamjax.adagrad(initial_accumulator_value=half),
        lambda half: adamjax.rmsprop(initial_accumulator_value=half),
        lambda half: adamjax.yogi(initial_accumulator_value=half),
        lambda half: adamjax.adamc(0.1, max_lr=half),
        lambda half: adamjax.adabound(base_lr=half),
        lambda half: adamjax.dadapt_adam(d0=half),
        lambda half: adamjax.muon(ns_eps=half),
    ],
)
def test_schedules_of_constants_are_refused(make):
    with pytest.raises(TypeError, match="must be a number or a scalar array, not a schedule"):
        make(lambda count: 0.5)


@pytest.mark.parametrize("name", ["b1", "rate"])
def test_schedules_have_no_schedules_inside(name):
    with pytest.raises(TypeError, match=f"{name} must be a number, got a schedule"):
        adamjax.inverse_epoch_schedule(**{"b1": 0.9, "steps_per_epoch": 9, name: lambda count: 0.5})


def test_schedule_must_give_a_scalar():
    tx = adamjax.adam(lambda count: jnp.array([0.1]))
    message = r"a schedule must return a scalar, got one of shape \(1,\)"
    with pytest.raises(TypeError, match=message):
        tx.update(params(), tx.init(params()))


# --- parameters and gradients


@each_variant(own="wide")
def test_dtypes_that_are_refused(name):
    """Casting complex gradients would lose the imaginary part, integers round the direction."""
    variant, p = adamjax.get_variant(name), params()
    tx = ready_made(name)
    for dtype in (int, bool, np.uint8):
        wrong = {**p, "steps": np.zeros(2, dtype)}
        message = r"params\['steps'\] is .*optax.masked, optax.partition"
        with pytest.raises(TypeError, match=message):
            tx.init(wrong)
    for each in filter(None, (tx, variant.scale_by and variant.scale_by())):
        gradient = {**p, "scale": jnp.asarray(2)}
        with pytest.raises(TypeError, match=r"updates\['scale'\] is "):
            each.update(gradient, each.init(p), p)


BY_AXES = {
    *("adafactor", "adam_mini", "adamp", "amos", "came", "ranger", "sgdp"),
    *ROTATE,
    *POLAR,
}


@each_variant()
def test_complex_parameters_are_pairs_of_real_ones(name):
    """Variants that act on axes refuse them, with advice that works."""
    tx, leaf = ready_made(name), jnp.asarray([[3.0 + 4.0j], [1.0j]])
    pairs = jnp.stack([leaf.real, leaf.imag], -1)
    if name in BY_AXES:
        with pytest.raises(TypeError, match=r"s\['w'\].*optax.contrib.split_real_and_imaginary"):
            tx.update({"w": leaf}, tx.init({"w": leaf}), {"w": leaf})
        tx = optax.contrib.split_real_and_imaginary(tx)
        jax.eval_shape(tx.update, {"w": leaf}, tx.init({"w": leaf}), {"w": leaf})
        return
    state, expected = tx.init(leaf), tx.init(pairs)
    for _ in range(2):
        u, state = tx.update(leaf, state, leaf)
        expected_u, expected = tx.update(pairs, expected, pairs)
        if name not in ("mars_adamw", "mars_lion"):  # by the number of axes
            np.testing.assert_allclose(u, jax.lax.complex(*jnp.moveaxis(expected_u, -1, 0)), 1e-6)
        assert (u.shape, u.dtype) == (leaf.shape, leaf.dtype)


@each_variant(own="wide")
def test_missing_params(name):
    p = params()
    for decay_mode in DECAY_MODES:
        tx = ready_made(name, weight_decay=0.1, decay_mode=decay_mode)
        with pytest.raises(ValueError, match=r"params: .*call update\(updates, state, params\)"):
            tx.update(p, tx.init(p))


def without(tree, key):
    return {"dense": {k: v for k, v in tree["dense"].items() if k != key}, "scale": tree["scale"]}


def with_wider(tree, key):
    return {**tree, "dense": {**tree["dense"], key: jnp.ones((2, 4))}}


MISFITS = {
    "missing": (lambda p: without(p, "bias"), "do not match: .*'dense/bias'"),
    "more": (lambda p: {**p, "extra": p["scale"]}, "do not match: .*'extra'"),
    "other name": (
        lambda p: {"a": p["dense"], "scale": p["scale"]},
        "'a/bias'.*'dense/bias'|'dense/bias'.*'a/bias'",
    ),
    "other shape": (lambda p: with_wider(p, "kernel"), r"\['dense/kernel'\].* shape"),
    "other container": (lambda p: {**p, "dense": list(p["dense"].values())}, "do not match|other"),
    "nothing": (lambda p: None, "do not match"),
}


@each_variant(own="wide")
def test_trees_that_do_not_match(name):
    """Named, and the state is as good as before: the next step is the one it would have been."""
    tx, p = ready_made(name, weight_decay=0.1), params()
    gradient = jax.tree.map(jnp.cos, p)
    _, state = tx.update(gradient, tx.init(p), p)
    expected = tx.update(gradient, state, p)
    for misfit, (change, message) in MISFITS.items():
        of_params = "call update" if misfit == "nothing" else message
        for updates, seen, named in (
            (change(gradient), p, message),
            (gradient, change(p), of_params),
        ):
            for update in (tx.update, jax.jit(tx.update)):
                with pytest.raises(ValueError, match=named) as caught:
                    update(updates, state, seen)
                assert "\n" not in str(caught.value)
    jax.tree.map(np.testing.assert_array_equal, tx.update(gradient, state, p), expected)


def test_shape_that_differs_in_one_of_two_places_of_an_array():
    tx, shared = adamjax.adam(), jnp.ones(2)
    state = tx.init({"a": jnp.ones(2), "b": jnp.ones(3)})
    with pytest.raises(ValueError, match=r"updates\['b'\] has shape \(2,\)"):
        tx.update({"a": shared, "b": shared}, state)


def test_a_resumed_run_may_schedule_what_was_constant():
    p = params()
    constant, scheduled = adamjax.adam(0.1), adamjax.adam(lambda count: 0.1 / (1 + count))
    for _ in range(2):
        _, state = constant.update(p, constant.init(p))
    updates, _ = scheduled.update(p, state)
    np.testing.assert_allclose(updates["scale"], constant.update(p, state)[0]["scale"] / 2)


@each_variant()
def test_moments_of_less_precision_are_refused(name):
    """As v would be rounded to nearest at every step. Once cast, they are accepted."""
    tx, p = ready_made(name), params()
    low = jax.tree.map(
        lambda x: x.astype(jnp.bfloat16) if x.ndim and x.dtype == jnp.float32 else x, tx.init(p)
    )
    if all(x.dtype != jnp.bfloat16 for x in jax.tree.leaves(low)):
        return
    with pytest.raises(ValueError, match=r"is bfloat16, but this optimizer keeps it in float32"):
        tx.update(p, low, p)
    tx.update(p, jax.tree.map(lambda x: jnp.float32(x) if x.dtype == jnp.bfloat16 else x, low), p)


def test_states_that_are_refused():
    p, tx = params(), adamjax.adam()
    with pytest.raises(ValueError, match="'scale' is only in updates"):
        tx.update(p, tx.init({"dense": p["dense"]}))
    fading = adamjax.inverse_epoch_schedule(0.9, 10)
    for nothing in ((), optax.EmptyState(), list(tx.init(p))):
        with pytest.raises(ValueError, match=r"state: .* restore it into init"):
            tx.update(p, nothing)
    for theirs in (
        optax.adam(0.1),
        optax.adamw(lambda count: 0.1),
        optax.chain(optax.clip(1.0), optax.sgd(0.1)),
    ):
        with pytest.raises(ValueError, match=r"state: .*interop.optax.from_optax\(name, state"):
            tx.update(p, theirs.init(p))
    with pytest.raises(ValueError, match=r"state: .* param_rounding differs"):
        tx.update(p, adamjax.adam(param_rounding="kahan").init(p))
    rounding = adamjax.adam(param_rounding="kahan")
    with pytest.raises(
        ValueError, match=r"state: .* continue with \(optax.EmptyState\(\), state, "
    ):
        rounding.update(p, tx.init(p), p)
    continued = (optax.EmptyState(), tx.init(p), adamjax.round_params("kahan").init(p))
    rounding.update(p, continued, p)
    with pytest.raises(ValueError, match=r"state: .* call init again"):
        adamjax.scale_by_adam(b1=fading).update(p, adamjax.scale_by_adam().init(p))


# --- masks


MASKS = (
    (
        "*kernels",
        r"mask: no parameter matches '\*kernels'; the nearest names .* \['dense/kernel', ",
    ),
    (["*kernel", "!*gamma"], r"mask: no parameter matches '!\*gamma'"),
    (["*kernels", "!*gamma"], r"mask: no parameter matches '\*kernels'"),
    ({"dense": {"bias": False}, "scale": True}, "mask: .*bools .*one for each leaf"),
    ({"dense": False, "scales": True}, "mask: .*bools .*one for each leaf"),
    (lambda p: [True], "mask: .*bools .*one for each leaf"),
    ({"dense": "*kernel", "scale": False}, "mask: "),
)


@each_variant(own="wide")
def test_masks_that_do_not_fit(name):
    p = params()
    for mask, message in MASKS:
        tx = ready_made(name, weight_decay=0.1, mask=mask)
        with pytest.raises(ValueError, match=message):
            tx.update(p, tx.init(p), p)


def test_patterns_are_checked_in_init():
    p = {"dense": params()["dense"]}
    adam = adamjax.scale_by_adam()
    for tx in (
        adamjax.adamw(mask="*scale"),
        adamjax.lamb(weight_decay=0.1, decay_mode="inside", mask="*scale"),
        adamjax.adam_mini(kept={"*scale": ()}),
        adamjax.lazy_rows(adam, ["*kernel", "!*scale"]),
        adamjax.store(adam, exclude="!*scale"),
    ):
        with pytest.raises(ValueError, match=r"no parameter matches '!?\*scale'"):
            tx.init(p)


def test_patterns_may_fit_another_part_of_the_tree():
    p = params()
    decay = adamjax.sgd(0.1, weight_decay=0.1, mask=["*kernel", "!*scale"])
    labels = {"dense": {"bias": "other", "kernel": "decay"}, "scale": "other"}
    tx = optax.partition({"decay": decay, "other": optax.set_to_zero()}, labels)
    updates, _ = tx.update(jax.tree.map(jnp.zeros_like, p), tx.init(p), p)
    assert float(updates["dense"]["kernel"][0, 0]) == pytest.approx(-0.01)
