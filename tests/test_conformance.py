"""The conformance kit over every variant."""

import functools
import importlib.metadata
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.testing import CHECKS, Subject, check
from adamjax.testing.subject import sample_params
from tests.tiers import OWN_CODE, REPRESENTATIVES


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
    **{name: {"precondition_frequency": 1} for name in ("kl_shampoo", "kl_soap", "soap")},
}
# Variants whose direction depends on the parameters.
LOOK_AT_PARAMS = {
    "prodigy",
    "lookahead_adam",
    "muown",
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
            settings = {"style": style, **NEEDED.get(name, {}), **REQUIRED.get((name, style), {})}
            makers[f"{name}-{style}"] = functools.partial(variant.optimizer, **settings)
        if not variant.styles:
            makers[name] = functools.partial(variant.optimizer, **NEEDED.get(name, {}))
        decays = inspect.signature(variant.optimizer).parameters["weight_decay"].default is not None
        if not decays or name in OPTIONS:
            settings = {"weight_decay": 0.1, **NEEDED.get(name, {}), **OPTIONS.get(name, {})}
            makers[f"{name}-options"] = functools.partial(variant.optimizer, **settings)
    return makers


MAKERS = all_makers()


# The settings of a variant under which most is computed.
FULLEST = {label.split("-")[0]: label for label in MAKERS}
# Of `optax.partition`, whose states `flax.nnx.Optimizer` cannot keep before Flax 0.12.
IN_PARTS = {"adamuon", "mars_adamw", "mars_lion", "muon", "muown", "normuon", "scion"}
KEEPS_PARTS = tuple(map(int, importlib.metadata.version("flax").split(".")[:2])) >= (0, 12)


def each_maker():
    def marks(label):
        name = label.split("-")[0]
        if label != FULLEST[name] or name not in {*REPRESENTATIVES, *OWN_CODE}:
            return pytest.mark.exhaustive
        return () if name in REPRESENTATIVES else pytest.mark.wide

    return pytest.mark.parametrize("label", [pytest.param(x, marks=marks(x)) for x in MAKERS])


def needs_params(settings, name):
    """Whether something in these settings looks at the parameters."""
    scaled_by_them = name == "adafactor" and settings["style"] != "bigvision"
    return scaled_by_them or name in LOOK_AT_PARAMS or bool(settings["weight_decay"])


def static_args(settings, variant):
    """Arguments that `optax.inject_hyperparams` would wrongly make a number or a schedule.

    A schedule of b1 has to stay inside, where the bias correction follows it.
    """
    others = ("b1", "mask", "mu_dtype", "nu_dtype")
    return variant.static + tuple(name for name in others if callable(settings.get(name)))


@each_maker()
def test_variant(label):
    make, name = MAKERS[label], label.split("-")[0]
    settings = {key: p.default for key, p in inspect.signature(make).parameters.items()}
    report = check(
        make(),
        needs_params=needs_params(settings, name),
        leafwise=name not in COUPLE_LEAVES,
        factory=make,
        static_args=static_args(settings, adamjax.get_variant(name)),
        skip=["nnx_optimizer"] if name in IN_PARTS and not KEEPS_PARTS else [],
    )
    assert set(CHECKS) == {*report.ran, *report.not_run}
    assert not report.not_run or (set(report.not_run) == {"nnx_optimizer"} and not KEEPS_PARTS)


@pytest.mark.xdist_group("float64")
@each_maker()
def test_state_is_stable_in_float64(label, float64):
    CHECKS["state_is_stable"](Subject(MAKERS[label](), sample_params()))


@pytest.mark.xdist_group("float64")
def test_float64(float64):
    subject = Subject(adamjax.adam(), {"w": np.asarray([1.0, 2.0])})
    for name in ("denormal_gradients", "huge_gradients", "jit_and_scan"):
        CHECKS[name](subject)


@each_maker()
def test_state_can_be_sharded_as_the_parameters_are(label):
    """Each axis of a moment is its parameter's, or has one element."""
    tx, params, shapes = MAKERS[label](), sample_params(), []

    def compare(moment, param):
        if isinstance(moment, optax.MaskedNode):
            return
        shapes.append(moment.shape)
        if label.startswith(("kl_", "soap")) and moment.shape != param.shape:
            return  # a covariance has both axes from one
        ahead = moment.ndim - param.ndim if label.startswith("adashift") else 0  # of its window
        for mine, axis in zip(moment.shape[ahead:], param.shape, strict=True):
            assert mine in (1, axis)

    is_hole = lambda node: isinstance(node, optax.MaskedNode)  # noqa: E731
    optax.tree_utils.tree_map_params(tx.init, compare, tx.init(params), params, is_leaf=is_hole)
    name, _, style = label.partition("-")
    variant = adamjax.get_variant(name)
    if style in ("", next(iter(variant.styles), "")):  # the record's slots are the defaults'
        leaves = jax.tree.leaves(params)
        whole = [p for p in leaves if p.ndim == 2 or name not in IN_PARTS]
        assert len(shapes) >= len(variant.slots) * len(whole)
