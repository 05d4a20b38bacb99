"""The conformance kit over every variant."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.testing import CHECKS, Subject
from adamjax.testing.subject import sample_params
from tests.kit import run_check


def matrices(params):
    return jax.tree.map(lambda p: p.ndim > 1, params)


# Settings under which a variant keeps other moments or computes along other lines than by default.
OPTIONS = {
    "adafactor": {"momentum": 0.9, "min_dim_size_to_factor": 2, "decay_mode": "scaled"},
    "adam": {
        "b1": adamjax.inverse_epoch_schedule(0.9, 2),
        "learning_rate": optax.linear_schedule(0.1, 0.0, 9),
    },
    "adamw": {"mu_dtype": jnp.bfloat16, "decay_mode": "l2", "mask": matrices},
    "adashift": {"window": 2},
    "grokadamw": {"gamma": 0.0},  # which leaf is which, a module says in another order
    "laprop": {"amsgrad": True, "centered": True},
    "nadam": {"b1": adamjax.cosine_cycle_schedule(0.9, 2), "decay_mode": "proximal"},
    "padam": {"decay_mode": "l2"},
    "rmsprop": {"momentum": 0.9, "centered": True, "decay_mode": "independent"},
    "sgd": {"momentum": 0.9, "nesterov": True},
    "soap": {"precondition_frequency": 1},
}
# Variants whose direction depends on the parameters.
LOOK_AT_PARAMS = {
    "prodigy",
    "lookahead_adam",
    "ranger",
    "schedule_free_adamw",
    "schedule_free_radam",
    "schedule_free_sgd",
    "lamb",
    "focus",
    "madgrad",
    "amos",
    "adamp",
    "sgdp",
}
# Variants that keep all their moments of matrices alone.
OF_MATRICES = {"mars_adamw", "mars_lion", "muon"}
# Variants of which each leaf depends on all.
COUPLE_LEAVES = {
    "adai",
    "dadapt_adam",
    "grokadamw",  # by the position of a leaf
    "prodigy",
}
# Settings without which a promise cannot be kept.
NEEDED = {
    "amos": {"eta_fn": lambda shape: 0.5},  # by default it knows the neurons by their axis
    # With its learning rate of 1 two of the largest float16 gradients make a step that is larger.
    "schedule_free_sgd": {"learning_rate": 0.01},
}
# A style without a step size of its own, which the others take for None.
REQUIRED = {("adafactor", "bigvision"): {"learning_rate": 1e-2}}


def all_makers():
    """For every variant each style, and one with weight decay if it has none, and other options."""
    makers = {}
    for name in adamjax.list_variants():
        variant = adamjax.get_variant(name)
        for style in variant.styles:
            settings = {"style": style, **REQUIRED.get((name, style), {})}
            makers[f"{name}-{style}"] = functools.partial(variant.optimizer, **settings)
        if not variant.styles:
            makers[name] = functools.partial(variant.optimizer, **NEEDED.get(name, {}))
        decays = inspect.signature(variant.optimizer).parameters["weight_decay"].default != 0
        if not decays or name in OPTIONS:
            settings = {"weight_decay": 0.1, **NEEDED.get(name, {}), **OPTIONS.get(name, {})}
            makers[f"{name}-options"] = functools.partial(variant.optimizer, **settings)
    return makers


MAKERS = all_makers()


def needs_params(settings, name):
    """Whether something in these settings looks at the parameters."""
    scaled_by_them = name == "adafactor" and settings["style"] != "bigvision"
    return scaled_by_them or name in LOOK_AT_PARAMS or settings["weight_decay"] != 0


def static_args(settings, variant):
    """What `optax.inject_hyperparams` would wrongly make a number or a schedule of its own.

    A schedule of b1 has to stay inside, where the bias correction follows it.
    """
    others = ("b1", "mask", "mu_dtype", "nu_dtype")
    return variant.static + tuple(name for name in others if callable(settings.get(name)))


@functools.cache
def subject_of(label):
    """Made once, so that what one check has compiled serves the next."""
    make, name = MAKERS[label], label.split("-")[0]
    settings = {name: p.default for name, p in inspect.signature(make).parameters.items()}
    return Subject(
        make(),
        sample_params(),
        needs_params=needs_params(settings, name),
        leafwise=name not in COUPLE_LEAVES,
        factory=make,
        static_args=static_args(settings, adamjax.get_variant(name)),
    )


# What the numbers of a rule decide: each style and form is held to them, and one of each variant,
# that with most options, to all checks.
OF_NUMBERS = {
    *("state_is_stable", "updates_fit", "denormal_gradients", "huge_gradients"),
    *("nonfinite_gradients", "missing_params", "jit_and_scan"),
}
FULLEST = {label.split("-")[0]: label for label in MAKERS}.values()


@pytest.mark.parametrize(
    ("label", "name"),
    [
        (label, name)
        for label in MAKERS
        for name in CHECKS
        if label in FULLEST or name in OF_NUMBERS
    ],
)
def test_variant(label, name):
    run_check(label.split("-")[0], name, subject_of(label))


@pytest.fixture
def x64():
    """Float64 switched on, for one test."""
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


@pytest.mark.parametrize("label", MAKERS)
def test_state_is_stable_in_float64(label, x64):
    CHECKS["state_is_stable"](subject_of(label))


@pytest.mark.parametrize("name", ["denormal_gradients", "huge_gradients", "jit_and_scan"])
def test_float64(name, x64):
    CHECKS[name](Subject(adamjax.adam(), {"w": np.asarray([1.0, 2.0])}))


@pytest.mark.parametrize("label", MAKERS)
def test_state_can_be_sharded_as_the_parameters_are(label):
    """Each axis of a moment is its parameter's, or has one element."""
    subject = subject_of(label)
    seen = []

    def compare(moment, param):
        if isinstance(moment, optax.MaskedNode):
            return
        seen.append(moment.shape)
        if label.startswith("soap") and moment.shape[-1:] == moment.shape[-2:-1]:
            return  # a covariance has both axes from one
        ahead = moment.ndim - param.ndim if label.startswith("adashift") else 0  # of its window
        for mine, axis in zip(moment.shape[ahead:], param.shape, strict=True):
            assert mine in (1, axis)

    state = subject.tx.init(subject.params)
    is_hole = lambda node: isinstance(node, optax.MaskedNode)  # noqa: E731
    optax.tree_utils.tree_map_params(
        subject.tx.init, compare, state, subject.params, is_leaf=is_hole
    )
    name, _, style = label.partition("-")
    variant = adamjax.get_variant(name)
    if style in ("", next(iter(variant.styles), "")):  # the record's slots are the defaults'
        leaves = jax.tree.leaves(subject.params)
        whole = [p for p in leaves if p.ndim == 2 or name not in OF_MATRICES]
        assert len(seen) >= len(variant.slots) * len(whole)
