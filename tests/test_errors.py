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

variants = pytest.mark.parametrize("name", adamjax.list_variants())
AVERAGING = {"b1", "b2", "b3", "b1_1d", "b2_1d", "momentum", "shampoo_beta"}
# Arguments that are not numbers with a sign.
OTHERS = {
    *(
        "amsgrad",
        "centered",
        "decay_mode",
        "eta_fn",
        "mask",
        "matrices",
        "min_dim_size_to_factor",
        "mu_dtype",
        "nesterov",
        "nu_dtype",
    ),
    *(
        "bias_correction",
        "centralize",
        "optimize_1d",
        "out_axis",
        "param_rounding",
        "scale",
        "scale_parameter",
        "shape_fn",
        "storage",
        "style",
    ),
    "grad_averaging",
    "reduce",
    "kept",
}


def arguments(*, averaging):
    for name in adamjax.list_variants():
        for key in inspect.signature(adamjax.get_variant(name).optimizer).parameters:
            if key not in OTHERS and (not averaging or key in AVERAGING):
                yield pytest.param(name, key, id=f"{name}-{key}")


def params():
    return {"dense": {"bias": jnp.ones(3), "kernel": jnp.ones((2, 3))}, "scale": jnp.float32(2.0)}


def ready_made(name, **others):
    return adamjax.create(name, **{"learning_rate": 0.1, **others})


# --- hyperparameters


@pytest.mark.parametrize(("name", "key"), list(arguments(averaging=False)))
@pytest.mark.parametrize("value", [-1.0, -1e-30, math.nan, np.float32(-1.0), np.asarray(np.nan)])
def test_negative_or_nan(name, key, value):
    with pytest.raises(ValueError, match=rf"\b{key}\b"):
        adamjax.create(name, **{key: value})


@pytest.mark.parametrize(("name", "key"), list(arguments(averaging=True)))
@pytest.mark.parametrize("value", [1, 1.0, 1.5, np.float32(1.0)])
def test_averaging_coefficient_of_one_or_more(name, key, value):
    with pytest.raises(ValueError, match=rf"{key} must be at least 0 and below 1, got {value}"):
        adamjax.create(name, **{key: value})


@variants
def test_unknown_decay(name):
    with pytest.raises(
        ValueError, match=r"unknown decay_mode 'decopled'; did you mean 'decoupled'"
    ):
        adamjax.create(name, decay_mode="decopled")


@pytest.mark.parametrize(
    ("name", "style"),
    [(n, style) for n in adamjax.list_variants() for style in adamjax.get_variant(n).styles],
)
def test_unknown_style(name, style):
    with pytest.raises(ValueError, match=rf"unknown style '{style}s'; did you mean .*'{style}'"):
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
    with pytest.raises(ValueError, match="name: there is already a variant 'adam'"):
        register(adamjax.get_variant("sgd")._replace(name="adam"))


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
        (
            lambda: adamjax.schedule_free_sgd(warmup_steps=2.5),
            "warmup_steps must be a whole number",
        ),
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


# --- parameters and gradients


@variants
@pytest.mark.parametrize("dtype", [int, bool, np.uint8])
def test_integer_parameters(name, dtype):
    wrong = {**params(), "steps": np.zeros(2, dtype)}
    with pytest.raises(TypeError, match=r"params\['steps'\] is .*optax.masked, optax.partition"):
        ready_made(name).init(wrong)


@variants
def test_complex_parameters(name):
    wrong = {"dense": {**params()["dense"], "phase": jnp.ones(2, complex)}}
    with pytest.raises(TypeError, match=r"params\['dense/phase'\].*split_real_and_imaginary"):
        ready_made(name).init(wrong)


@variants
def test_the_advice_for_complex_parameters_works(name):
    p = {"phase": jnp.asarray([3.0 + 4.0j, 1.0j])}
    tx = optax.contrib.split_real_and_imaginary(ready_made(name))
    updates, _ = tx.update(p, tx.init(p), p)
    assert updates["phase"].dtype == p["phase"].dtype
    assert jnp.all(jnp.isfinite(updates["phase"]))


@variants
@pytest.mark.parametrize("dtype", [int, complex])
def test_gradients_that_are_not_real_floats(name, dtype):
    """Casting them would lose the imaginary part, or round the direction to an integer."""
    variant, p = adamjax.get_variant(name), params()
    tx = ready_made(name) if variant.scale_by is None else variant.scale_by()
    gradient = {**p, "scale": jnp.asarray(2, dtype)}
    with pytest.raises(TypeError, match=r"updates\['scale'\] is "):
        tx.update(gradient, tx.init(p), p)


@variants
@pytest.mark.parametrize("decay_mode", DECAY_MODES)
def test_missing_params(name, decay_mode):
    tx, p = ready_made(name, weight_decay=0.1, decay_mode=decay_mode), params()
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


@variants
@pytest.mark.parametrize("misfit", MISFITS)
@pytest.mark.parametrize("which", ["gradient", "params"])
def test_trees_that_do_not_match(name, misfit, which):
    """Named, and the state is as good as before: the next step is the one it would have been."""
    change, message = MISFITS[misfit]
    if (which, misfit) == ("params", "nothing"):
        message = "call update"
    tx, p = ready_made(name, weight_decay=0.1), params()
    gradient = jax.tree.map(jnp.cos, p)
    _, state = tx.update(gradient, tx.init(p), p)
    wanted = tx.update(gradient, state, p)
    wrong = {"gradient": (change(gradient), p), "params": (gradient, change(p))}[which]
    for update in (tx.update, jax.jit(tx.update)):
        with pytest.raises(ValueError, match=message):
            update(wrong[0], state, wrong[1])
    jax.tree.map(np.testing.assert_array_equal, tx.update(gradient, state, p), wanted)


def test_shape_that_differs_in_one_of_two_places_of_an_array():
    tx, shared = adamjax.adam(), jnp.ones(2)
    state = tx.init({"a": jnp.ones(2), "b": jnp.ones(3)})
    with pytest.raises(ValueError, match=r"updates\['b'\] has shape \(2,\)"):
        tx.update({"a": shared, "b": shared}, state)


def test_state_of_other_parameters():
    p = params()
    tx = adamjax.adam()
    with pytest.raises(ValueError, match="'scale' is only in updates"):
        tx.update(p, tx.init({"dense": p["dense"]}))


# --- masks


@variants
@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ("*kernels", r"mask: no parameter matches '\*kernels'; names look like \['dense/bias', "),
        (["*kernels", "!*gamma"], r"mask: no parameter matches '\*kernels'"),
        ({"dense": {"bias": False}, "scale": True}, "mask: .*one bool for each leaf"),
        ({"dense": False, "scales": True}, "mask: .*one bool for each leaf"),
        (lambda p: [True], "mask: .*one bool for each leaf"),
        ({"dense": "*kernel", "scale": False}, "mask: "),
    ],
    ids=[
        "no match",
        "no match beside an exclusion",
        "incomplete",
        "other name",
        "function",
        "no bool",
    ],
)
def test_mask_that_does_not_fit(name, mask, message):
    tx, p = ready_made(name, weight_decay=0.1, mask=mask), params()
    state = tx.init(p)
    with pytest.raises(ValueError, match=message):
        tx.update(p, state, p)


def test_mask_may_exclude_what_is_not_there():
    """So that one list of exclusions serves many models."""
    p = params()
    all_leaves, but_gamma = (ready_made("sgd", weight_decay=0.1, mask=m) for m in (None, "!*gamma"))
    expected, _ = all_leaves.update(p, all_leaves.init(p), p)
    updates, _ = but_gamma.update(p, but_gamma.init(p), p)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, updates, expected))


def test_messages_are_one_line():
    p = params()
    for change, _ in MISFITS.values():
        tx = adamjax.adam()
        with pytest.raises(ValueError, match="updates") as caught:
            tx.update(change(p), tx.init(p))
        assert "\n" not in str(caught.value)
