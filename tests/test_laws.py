"""Laws that hold for any gradients: signs, units, leaves that do not mix."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import adamjax
from tests.hessians import FED, fed

STEPS, SIZE = 6, 8
# In steps of 1/256: rounding is as everywhere, but no square of one underflows.
GRADIENTS = np.random.default_rng(0).integers(-1024, 1024, (STEPS, SIZE)).astype("f") / 256
SMALL = {"eps": 0.0, "eps1": 0.0, "ns_eps": 0.0, "initial_accumulator_value": 0.0}
# Rules on single elements. Those with units have some number beside the gradients.
UNITLESS = ("adam", "adamax", "amsgrad", "lion", "nadam", "adopt", "yogi", "laprop", "ademamix")
WITH_UNITS = ("sgd", "adabound", "diffgrad", "padam", "acprop")


def direction(name, **others):
    """The direction of a variant, its ε zero: the hardest case for a 0 / 0."""
    make = adamjax.get_variant(name).scale_by
    small = {key: SMALL[key] for key in SMALL if key in inspect.signature(make).parameters}
    tx = make(**small, **others)
    return fed(tx, **FED) if name == "sophia" else tx


def as_tree(elements):
    return {"matrix": elements[:6].reshape(2, 3), "rest": elements[6:]}


def steps_of(tx, gradients, shape=as_tree):
    """The directions of all steps, one row each."""
    params = shape(jnp.full(SIZE, 0.5))
    state, rows = tx.init(params), []
    for gradient in gradients:
        updates, state = tx.update(shape(jnp.asarray(gradient)), state, params)
        rows.append(jnp.concatenate([jnp.ravel(u) for u in jax.tree.leaves(updates)]))
    return np.asarray(rows)


@pytest.mark.parametrize("name", UNITLESS + WITH_UNITS)
def test_elementwise_rules(name):
    tx = direction(name)
    rows = steps_of(tx, GRADIENTS)
    # Terms of order 1 may cancel, and each of the two programs rounds them in its own way.
    together = steps_of(tx, GRADIENTS, shape=lambda elements: elements)
    np.testing.assert_allclose(rows, together, rtol=1e-6, atol=3e-7)
    np.testing.assert_array_equal(steps_of(tx, -GRADIENTS), -rows)
    for exponents in (20, -20, np.arange(SIZE)):
        scaled = steps_of(tx, GRADIENTS * np.exp2(exponents))
        assert np.array_equal(scaled, rows) == (name in UNITLESS)


def test_zero_gradients_give_zero_directions():
    for name in adamjax.list_variants():
        variant = adamjax.get_variant(name)
        for style in variant.styles or [None] if variant.scale_by else ():
            tx = direction(name, **({"style": style} if style else {}))
            rows = steps_of(tx, np.zeros((3, SIZE), "f"))
            if name == "amos":  # which decays by itself
                assert np.isfinite(rows).all()
            else:
                np.testing.assert_array_equal(rows, 0.0, err_msg=f"{name}, {style}")
