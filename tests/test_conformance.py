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


def matrices(params):
    return jax.tree.map(lambda p: p.ndim > 1, params)


# Settings under which a variant keeps other moments or computes along other lines than by default.
OPTIONS = {
    "adafactor": {"momentum": 0.9, "min_dim_size_to_factor": 2, "decay": "scaled"},
    "adam": {"b1": adamjax.decaying(0.9, 2), "learning_rate": optax.linear_schedule(0.1, 0.0, 9)},
    "adamw": {"mu_dtype": jnp.bfloat16, "decay": "l2", "mask": matrices},
    "nadam": {"b1": adamjax.cyclic(0.9, 2), "decay": "proximal"},
    "rmsprop": {"momentum": 0.9, "centered": True, "decay": "independent"},
    "sgd": {"momentum": 0.9, "nesterov": True},
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
            makers[f"{name}-{style}"] = functools.partial(variant.make, **settings)
        if not variant.styles:
            makers[name] = functools.partial(variant.make)
        decays = inspect.signature(variant.make).parameters["weight_decay"].default != 0
        if not decays or name in OPTIONS:
            settings = {"weight_decay": 0.1, **OPTIONS.get(name, {})}
            makers[f"{name}-options"] = functools.partial(variant.make, **settings)
    return makers


MAKERS = all_makers()


def needs_params(settings, name):
    """Whether something in these settings looks at the parameters."""
    scaled_by_them = name == "adafactor" and settings["style"] != "bigvision"
    return scaled_by_them or settings["weight_decay"] != 0


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
        factory=make,
        static_args=static_args(settings, adamjax.get_variant(name)),
    )


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("label", MAKERS)
def test_variant(label, name):
    CHECKS[name](subject_of(label))


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
        seen.append(moment.shape)
        for mine, axis in zip(moment.shape, param.shape, strict=True):
            assert mine in (1, axis)

    state = subject.tx.init(subject.params)
    optax.tree_utils.tree_map_params(subject.tx.init, compare, state, subject.params)
    slots = adamjax.get_variant(label.split("-")[0]).slots
    assert len(seen) >= len(slots) * len(jax.tree.leaves(subject.params))
