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

STEPS, SIZE = 8, 8
MOVING = {"momentum": 0.875}
# Forms of a variant that are no style of it.
FORMS = {
    "sgd-momentum": MOVING,
    "sgd-nesterov": {**MOVING, "nesterov": True},
    "rmsprop-momentum": MOVING,
    "rmsprop-centered": {"centered": True},
    "adafactor-momentum": MOVING,
}
# Gradients in steps of 1/256: rounding is as everywhere, but no square of one underflows.
GRADIENTS = arrays(
    np.float32, (STEPS, SIZE), elements=st.integers(-1024, 1024).map(lambda n: n / 256)
)
law = settings(max_examples=10, derandomize=True, deadline=None, database=None)


# Each direction once: adamw's is adam's.
DIRECTIONS = {adamjax.get_variant(name).direction: name for name in adamjax.list_variants()[::-1]}


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
    make = adamjax.get_variant(name).direction
    arguments = dict(FORMS.get(label) or ({"style": style} if style else {}))
    accepted = inspect.signature(make).parameters
    small = {"eps": 0.0, "eps1": 0.0, "min_dim_size_to_factor": 2}
    return make(**{**{k: v for k, v in small.items() if k in accepted}, **arguments, **others})


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
    assert np.all(largest <= bounds(label) * (1 + 1e-5))


def weights(label, t, b1=0.9, b2=0.999):
    """What u at step t makes of the gradients so far, as numerator and as radicand."""
    name, _, style = label.partition("-")
    age = np.arange(t)[::-1]
    present = 1.0 * (age == 0)
    if name == "adagrad":
        return present, np.ones(t)
    if name == "rmsprop":
        return present, 0.01 * 0.99**age
    numerator, radicand = (1 - b1) * b1**age, (1 - b2) * b2**age
    if style in ("mlx", "paper"):
        return numerator, radicand
    radicand /= 1 - b2**t
    if not name.startswith("nadam"):
        return numerator / (1 - b1**t), radicand
    mu, coming, product = momenta(style, t, b1)
    looked_ahead = 1 - product * (1 if style == "mlcommons" else coming)
    return coming * numerator / looked_ahead + (1 - mu) * present / (1 - product), radicand


def bounds(label):
    """The longest u at each step.

    By Cauchy and Schwarz (Σ aᵢ gᵢ)² <= Σ aᵢ²/wᵢ · Σ wᵢ gᵢ², for any weights. The bound of the Adam
    paper, (1-b₁) / √(1-b₂), is that for a single gradient.
    """
    pairs = [weights(label, t) for t in range(1, STEPS + 1)]
    if label.startswith("adamax"):  # |m| against a decayed maximum
        return np.asarray([np.sum(a / 0.999 ** np.arange(len(a))[::-1]) for a, _ in pairs])
    return np.asarray([np.sqrt(np.sum(a**2 / w)) for a, w in pairs])


def momenta(style, t, b1):
    """NAdam's μ at this step and the next, and the product of all up to this one."""
    psi = {"torch": 0.004, "keras": 1.0}.get(style)
    mu = [b1 if psi is None else b1 * (1 - 0.5 * 0.96 ** (k * psi)) for k in range(1, t + 2)]
    return mu[-2], mu[-1], np.prod(mu[:-1])


# What breaks a law: variants with all their styles, or single styles and forms.
NOTHING = {}
COUPLED = {"adafactor": "row and column means, and the root mean square of the leaf"}
WITH_UNITS = {
    "sgd": "the step has the units of the gradient",
    "adadelta": "ε gives the step its units; without it there is none",
    "radam-torch": "momentum, in the units of the gradient, until v can be trusted",
    "radam-optax": "the same",
    "adabound": "the bounds are numbers without units, their product with m is not",
    "amsbound": "the same",
}
UNBOUNDED = {
    **WITH_UNITS,
    "rmsprop-centered": "the variance of a constant gradient goes to 0",
    "rmsprop-momentum": "a sum of normalised steps",
    "adafactor": "proportional to the parameter, and v is made of means",
}
# Settings at which it shows, where the usual ones hide it.
REVEALING = {
    ("has_no_units", "adadelta"): {"eps": 1e-6},
    ("is_bounded", "adadelta"): {"eps": 1e6},
    ("is_bounded", "adafactor"): {"size": 100.0, "momentum": 0.0},
}


@pytest.mark.parametrize("label", covered(COUPLED))
@law
@given(g=GRADIENTS)
def test_tree_is_concatenation(label, g):
    is_concatenation(label, g)


@pytest.mark.parametrize("label", covered(NOTHING))
@law
@given(g=GRADIENTS)
def test_sign(label, g):
    is_odd(label, g)


@pytest.mark.parametrize("label", covered(WITH_UNITS))
@law
@given(g=GRADIENTS, exponent=st.integers(-20, 20))
def test_scale(label, g, exponent):
    has_no_units(label, g, exponent)


@pytest.mark.parametrize("label", covered({**WITH_UNITS, **COUPLED}))
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
    np.testing.assert_allclose(steps_of(label)(gradients)[-1], bounds(label)[-1], rtol=1e-5)


@pytest.mark.parametrize("label", covered(NOTHING))
@pytest.mark.parametrize("concatenated", [False, True])
def test_zero_gradients_give_zero_directions(label, concatenated):
    zeros = np.zeros((STEPS, SIZE), np.float32)
    np.testing.assert_array_equal(steps_of(label, concatenated)(zeros), zeros)


BROKEN = (
    [(is_concatenation, label, ()) for label in COUPLED]
    + [(has_no_units, label, (20,)) for label in WITH_UNITS]
    + [(has_no_units, label, (np.arange(SIZE),)) for label in {**WITH_UNITS, **COUPLED}]
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
                for gradients in (random, 1e6 * random, np.ones_like(random)):
                    broken(each, gradients.astype(np.float32), *scales, **others)
