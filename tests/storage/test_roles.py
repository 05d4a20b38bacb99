"""The roles in the records: those of the states, and true of them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.storage.formats import Ratio, groups
from adamjax.storage.roles import ROLES, roles_in, roles_of
from tests.storage.problem import SHAPE

# No average m with b1 = 0.9 is further from 0 in units of √v with b2 = 0.999 (Cauchy-Schwarz).
LARGEST = 7.28
# Settings in which a variant keeps more.
MORE = [
    ("adafactor", {"momentum": 0.9}),
    ("grokfast_adamw", {"window": 3}),
    ("laprop", {"amsgrad": True}),
    ("laprop", {"centered": True}),
    ("rmsprop", {"centered": True, "momentum": 0.9}),
    ("sgd", {"momentum": 0.9}),
]


def nodes_in(state):
    """The states with moments of any parameter, in any nesting."""
    is_node = lambda node: bool(roles_of(node, {}))  # noqa: E731
    nodes = filter(is_node, jax.tree.leaves(state, is_leaf=is_node))
    return [
        node for node in nodes if jax.tree.leaves([getattr(node, f) for f in roles_of(node, {})])
    ]


@functools.cache
def gradients(steps=150):
    """Of several sizes, that agree, turn, vanish, shrink and jump."""
    random = np.random.default_rng(1)
    size = np.exp(3 * random.normal(size=(32, 16)))
    waves = 0.3 + random.standard_t(3, size=(steps, 32, 16))
    waves[:60, :4] = 1.0
    waves[60:, 4:8] *= 1e-3
    waves[:60, 8:12] *= 1e-3
    waves[:, 12:16] *= random.random((steps, 4, 16)) < 0.05
    return jnp.asarray(size * waves, jnp.float32)


def run(name, arguments):
    """The moments after each of many steps: of each state the roles and the arrays."""
    tx = adamjax.create(name, learning_rate=1e-3, **arguments)
    params = jnp.ones((32, 16))

    def step(state, gradient):
        _, state = tx.update(gradient, state, params)
        return state, [{f: getattr(n, f) for f in roles_of(n, {})} for n in nodes_in(state)]

    start = tx.init(params)
    _, moments = jax.jit(lambda g: jax.lax.scan(step, start, g))(gradients())
    pairs = zip(nodes_in(start), moments, strict=True)
    return [(roles_of(node, {}), jax.tree.map(np.asarray, fields)) for node, fields in pairs]


def test_the_records_name_the_roles_and_slots_of_their_states():
    """And no other array of a state has the size of a leaf."""
    params = jax.ShapeDtypeStruct(SHAPE, jnp.float32)
    for name in adamjax.list_variants():
        variant = adamjax.get_variant(name)
        for options in ({}, {"storage": "8bit"} if variant.roles else {}):
            state = jax.eval_shape(variant.optimizer(learning_rate=1e-3, **options).init, params)
            roles = {f: role for node in nodes_in(state) for f, role in roles_of(node, {}).items()}
            assert roles == variant.roles == roles_in(state), name
        assert set(variant.roles) <= set(variant.slots), name
        assert set(variant.roles.values()) <= set(ROLES), name
        paths = jax.tree_util.tree_leaves_with_path(state)
        fields = {
            [key.name for key in path if isinstance(key, jax.tree_util.GetAttrKey)][-1]
            for path, x in paths
            if x.size > 1
        }
        assert fields <= {*variant.slots, "format"}, name
        for slot in variant.slots:
            assert optax.tree_utils.tree_get_all_with_path(state, slot), name


VARIANTS = [name for name in adamjax.list_variants() if adamjax.get_variant(name).roles]
QUICK = ("adai", "adamw", "amsgrad", "lion", "prodigy", "soap")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *(
            pytest.param(n, {}, marks=() if n in QUICK else pytest.mark.exhaustive)
            for n in VARIANTS
        ),
        *(pytest.param(*setting, marks=pytest.mark.exhaustive) for setting in MORE),
    ],
)
def test_the_roles_are_true(name, arguments):
    """Squares and maxima are not negative, maxima do not fall, and squares bound the means."""
    for roles, moments in run(name, arguments):
        for field, role in roles.items():
            x = moments[field]
            assert np.isfinite(x).all()
            if role in ("square", "maximum"):
                assert (x >= 0).all()
            if role == "maximum":
                assert (np.diff(x, axis=0) >= 0).all()
            if role == "mean":
                assert "square" in roles.values()
        for fields, code in groups("8bit", roles):
            if isinstance(code, Ratio):
                mean, square = (moments[field].astype(float) for field in fields)
                assert (np.abs(mean) <= LARGEST * np.sqrt(square)).all()
                assert fields == ("mu", "nu")


def test_known_roles():
    roles = {name: adamjax.get_variant(name).roles for name in adamjax.list_variants()}
    assert roles["adamw"] == {"mu": "mean", "nu": "square"}
    assert roles["amsgrad"] == {"mu": "mean", "nu": "square", "nu_max": "maximum"}
    assert roles["adamax"] == {"mu": "signed", "nu": "square"}  # v is no average of squares
    assert roles["adadelta"] == {"nu": "square", "delta": "square"}
    assert roles["adafactor"] == {"v": "square"}  # rows and columns stay as they are
    assert roles["sgd"] == {}
    optax_roles = {
        optax.amsgrad: {"mu": "mean", "nu": "square", "nu_max": "maximum"},
        optax.adabelief: {"mu": "signed", "nu": "square"},
        optax.adan: {"m": "signed", "v": "signed", "n": "square", "g": "signed"},
        optax.adadelta: {"e_g": "square", "e_x": "square"},
        optax.adagrad: {"sum_of_squares": "square"},
        optax.lion: {"mu": "signed"},
        optax.sm3: {},
        optax.contrib.ademamix: {"m1": "mean", "m2": "signed", "nu": "square"},
        optax.contrib.simplified_ademamix: {"m": "signed", "n": "square"},
        optax.contrib.sophia: {"mu": "signed", "nu": "signed"},
        lambda rate: optax.rmsprop(rate, centered=True): {},
        lambda rate: optax.rmsprop(rate): {"nu": "square"},
        lambda rate: optax.sgd(rate, momentum=0.9): {"trace": "signed"},
        lambda rate: optax.ema(0.9): {"ema": "signed"},
        optax.adafactor: {"v": "square"},
    }
    params = jax.ShapeDtypeStruct(SHAPE, jnp.float32)
    for make, expected in optax_roles.items():
        assert roles_in(jax.eval_shape(make(0.1).init, params)) == expected


def test_windows_of_gradients_are_stored():
    for make in (adamjax.adashift, adamjax.grokfast_adamw):
        state = jax.eval_shape(make(window=4, storage="8bit").init, jnp.ones(SHAPE))
        assert optax.tree_utils.tree_get(state, "window").dtype == jnp.int8
