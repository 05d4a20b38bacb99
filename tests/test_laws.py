"""Laws that directions obey, whatever the gradients, and which variants obey them.

Each law runs over every variant and style of the registry but those that its table of exceptions
names; of these each is shown to break it.
"""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

import adamjax
from tests.bounds import bounds, weights
from tests.hessians import FED, fed
from tests.law_exceptions import (
    COUPLED,
    NOT_ODD,
    NOTHING,
    REVEALING,
    UNBOUNDED,
    WITH_UNITS,
    WITH_UNITS_OF_ITS_ELEMENTS,
)

STEPS, SIZE = 8, 8
MOVING = {"momentum": 0.875}
# Forms of a variant that are no style of it.
FORMS = {
    "sgd-momentum": MOVING,
    "sgd-nesterov": {**MOVING, "nesterov": True},
    "rmsprop-momentum": MOVING,
    "rmsprop-centered": {"centered": True},
    "adafactor-momentum": MOVING,
    "laprop-amsgrad": {"amsgrad": True},
}
# Gradients in steps of 1/256: rounding is as everywhere, but no square of one underflows.
GRADIENTS = arrays(
    np.float32, (STEPS, SIZE), elements=st.integers(-1024, 1024).map(lambda n: n / 256)
)
law = settings(max_examples=10, derandomize=True, deadline=None, database=None)


# Each direction once: adamw's is adam's.
DIRECTIONS = {adamjax.get_variant(name).scale_by: name for name in adamjax.list_variants()[::-1]}
DIRECTIONS.pop(None)  # those that are more than a direction


def all_labels():
    labels = list(FORMS)
    for name in DIRECTIONS.values():
        labels += [f"{name}-{style}" for style in adamjax.get_variant(name).styles] or [name]
    return sorted(labels)


def excluded_by(table, label):
    """Whether a table of exceptions names this label, or its variant with all styles and forms."""
    return label in table or label.split("-")[0] in table


def covered(table):
    return [label for label in all_labels() if not excluded_by(table, label)]


def direction(label, **others):
    """The direction that a label names, its ε zero: the hardest case for a 0 / 0."""
    name, _, style = label.partition("-")
    make = adamjax.get_variant(name).scale_by
    arguments = dict(FORMS.get(label) or ({"style": style} if style else {}))
    accepted = inspect.signature(make).parameters
    small = {
        "eps": 0.0,
        "eps1": 0.0,
        "ns_eps": 0.0,
        "min_dim_size_to_factor": 2,
        "initial_accumulator_value": 0.0,
    }
    if name == "adashift":  # which does not move while its window fills
        others = {"window": 2, **others}
    tx = make(**{**{k: v for k, v in small.items() if k in accepted}, **arguments, **others})
    return fed(tx, **FED) if name == "sophia" else tx


def as_tree(elements):
    return {
        "matrix": elements[..., :6].reshape(*elements.shape[:-1], 2, 3),
        "rest": elements[..., 6:],
    }


@functools.cache
def steps_of(label, concatenated=False, size=0.5, **others):
    """A jitted function from the gradients of all steps to the directions of all steps."""
    tx = direction(label, **others)
    shape = (lambda elements: elements) if concatenated else as_tree

    @jax.jit
    def steps(gradients):
        params = shape(jnp.full(SIZE, size, jnp.float32))

        def body(state, gradient):
            updates, state = tx.update(shape(gradient), state, params)
            return state, jnp.concatenate([jnp.ravel(u) for u in jax.tree.leaves(updates)])

        return jax.lax.scan(body, tx.init(params), gradients)[1]

    return lambda gradients: np.asarray(steps(jnp.asarray(gradients, jnp.float32)))


def is_concatenation(label, g, **others):
    """u of a tree is u of its leaves strung together: no element knows its neighbours."""
    together = steps_of(label, concatenated=True, **others)
    # Terms of order 1 may cancel, and each of the two programs rounds them in its own way.
    np.testing.assert_allclose(steps_of(label, **others)(g), together(g), rtol=1e-6, atol=3e-7)


def is_odd(label, g, **others):
    """u(-g) = -u(g)."""
    steps = steps_of(label, **others)
    np.testing.assert_array_equal(steps(-g), -steps(g))


def has_no_units(label, g, exponents, **others):
    """u(s g) = u(g), s a power of two: a number, or one for each element."""
    steps = steps_of(label, **others)
    np.testing.assert_array_equal(steps(g * np.exp2(exponents)), steps(g))


def is_bounded(label, g, **others):
    """|u| <= the bound of the label's family at each step, to rounding."""
    largest = np.abs(steps_of(label, **others)(g)).max(axis=1)
    assert np.all(largest <= bounds(label, STEPS) * (1 + 1e-5))


@pytest.mark.parametrize("label", covered(COUPLED))
@law
@given(g=GRADIENTS)
def test_tree_is_concatenation(label, g):
    is_concatenation(label, g)


@pytest.mark.parametrize("label", covered(NOT_ODD))
@law
@given(g=GRADIENTS)
def test_sign(label, g):
    is_odd(label, g)


@pytest.mark.parametrize("label", covered(WITH_UNITS))
@law
@given(g=GRADIENTS, exponent=st.integers(-20, 20))
def test_scale(label, g, exponent):
    has_no_units(label, g, exponent)


@pytest.mark.parametrize("label", covered(WITH_UNITS_OF_ITS_ELEMENTS))
@law
@given(g=GRADIENTS, exponents=arrays(int, SIZE, elements=st.integers(-20, 20)))
def test_diagonal_scale(label, g, exponents):
    has_no_units(label, g, exponents)


@pytest.mark.parametrize("label", covered(UNBOUNDED))
@law
@given(g=GRADIENTS)
def test_bound(label, g):
    is_bounded(label, g)


@pytest.mark.parametrize(
    "label",
    ["adam-torch", "adam-keras", "adam-mlx", "adagrad-torch", "nadam-torch", "rmsprop-keras"],
)
def test_bound_is_reached(label):
    """By the gradients that make Cauchy's and Schwarz's inequality an equation."""
    a, w = weights(label, STEPS)
    gradients = np.tile((a / w)[:, None], SIZE)
    np.testing.assert_allclose(steps_of(label)(gradients)[-1], bounds(label, STEPS)[-1], rtol=1e-5)


@pytest.mark.parametrize("label", covered(NOTHING))
@pytest.mark.parametrize("concatenated", [False, True])
def test_zero_gradients_give_zero_directions(label, concatenated):
    zeros = np.zeros((STEPS, SIZE), np.float32)
    np.testing.assert_array_equal(steps_of(label, concatenated)(zeros), zeros)


BROKEN = (
    [(is_concatenation, label, ()) for label in COUPLED]
    + [(is_odd, label, ()) for label in NOT_ODD]
    + [(has_no_units, label, (20,)) for label in WITH_UNITS]
    + [(has_no_units, label, (np.arange(SIZE),)) for label in WITH_UNITS_OF_ITS_ELEMENTS]
    + [(is_bounded, label, ()) for label in UNBOUNDED]
)


@pytest.mark.parametrize(
    ("broken", "label", "scales"), BROKEN, ids=lambda x: getattr(x, "__name__", str(x))
)
def test_exceptions_break_the_law(broken, label, scales):
    """In every style and form that the table leaves out, for gradients of a usual kind."""
    random = np.random.default_rng(0).normal(size=(STEPS, SIZE))
    others = REVEALING.get((broken.__name__, label), {})
    for each in all_labels():
        if excluded_by({label: ""}, each):
            with pytest.raises(AssertionError):
                for gradients in (random, 1e6 * random, np.ones_like(random), random / 64):
                    broken(each, gradients.astype(np.float32), *scales, **others)
