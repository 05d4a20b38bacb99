"""The roles that the records tell: those of the states that are made, and true of them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.storage.formats import FORMATS, Ratio, groups
from adamjax.storage.roles import ROLES, roles_in, roles_of
from tests.storage.problem import SHAPE

# No average m with b1 = 0.9 is further from 0 in units of √v with b2 = 0.999 (Cauchy-Schwarz).
LARGEST = 7.28
# Settings in which a variant keeps more, or something else.
MORE = {
    "adafactor": [{"momentum": 0.9}, {"min_dim_size_to_factor": 10**6}],
    "grokfast_adamw": [{"window": 3}],
    "laprop": [{"amsgrad": True}, {"centered": True}],
    "rmsprop": [{"momentum": 0.9}, {"centered": True}, {"centered": True, "momentum": 0.9}],
    "sgd": [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
}
SETTINGS = [
    (name, arguments)
    for name in adamjax.list_variants()
    for styles in [adamjax.get_variant(name).styles]
    for arguments in [{}, *({"style": style} for style in list(styles)[1:]), *MORE.get(name, ())]
]
every_setting = pytest.mark.parametrize(
    ("name", "arguments"),
    SETTINGS,
    ids=[f"{n}-{'-'.join(map(str, a.values()))}" for n, a in SETTINGS],
)


def nodes_in(state):
    """The states with moments of any parameter, in any nesting."""
    is_node = lambda node: bool(roles_of(node, {}))  # noqa: E731
    nodes = filter(is_node, jax.tree.leaves(state, is_leaf=is_node))
    return [
        node for node in nodes if jax.tree.leaves([getattr(node, f) for f in roles_of(node, {})])
    ]


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


@functools.cache
def run(name, arguments):
    """The moments after each of many steps: of each state the roles and the arrays."""
    tx = adamjax.create(name, learning_rate=1e-3, **dict(arguments))
    params = jnp.ones((32, 16))

    def step(state, gradient):
        _, state = tx.update(gradient, state, params)
        return state, [{f: getattr(n, f) for f in roles_of(n, {})} for n in nodes_in(state)]

    start = tx.init(params)
    _, kept = jax.jit(lambda g: jax.lax.scan(step, start, g))(gradients())
    pairs = zip(nodes_in(start), kept, strict=True)
    return [(roles_of(node, {}), jax.tree.map(np.asarray, fields)) for node, fields in pairs]


@pytest.mark.parametrize(
    ("name", "storage"),
    [
        (name, storage)
        for name in adamjax.list_variants()
        for storage in (FORMATS if adamjax.get_variant(name).roles else ["float32"])
    ],
)
def test_the_record_tells_the_roles_of_the_state(name, storage):
    """Of the one that is made, before and after a step, in every format."""
    variant, params = adamjax.get_variant(name), jnp.ones(SHAPE)
    chosen = {"storage": storage} if variant.roles else {}
    tx = variant.optimizer(learning_rate=1e-3, **chosen)
    before = tx.init(params)
    _, after = jax.jit(tx.update)(params, before, params)
    for state in (before, after):
        found = {
            field: role for node in nodes_in(state) for field, role in roles_of(node, {}).items()
        }
        assert found == variant.roles == roles_in(state)
    assert set(variant.roles) <= set(variant.slots)
    assert set(variant.roles.values()) <= set(ROLES)


@pytest.mark.parametrize("name", adamjax.list_variants())
def test_the_record_names_all_that_is_kept(name):
    """Each slot is in the state, and no other array has a leaf's size."""
    variant, params = adamjax.get_variant(name), jnp.ones(SHAPE)
    state = variant.optimizer(learning_rate=1e-3).init(params)
    paths = jax.tree_util.tree_leaves_with_path(state)
    fields = {path[-1].name: x for path, x in paths if x.size > 1}
    assert set(fields) <= set(variant.slots)
    for slot in variant.slots:
        assert optax.tree_utils.tree_get_all_with_path(state, slot)


@every_setting
def test_what_the_roles_say_is_true(name, arguments):
    """Squares and maxima are not negative, and maxima do not fall."""
    for roles, kept in run(name, tuple(arguments.items())):
        for field, role in roles.items():
            x = kept[field]
            assert np.isfinite(x).all()
            if role in ("square", "maximum"):
                assert (x >= 0).all()
            if role == "maximum":
                assert (np.diff(x, axis=0) >= 0).all()
            if role == "mean":
                assert "square" in roles.values()


@every_setting
def test_a_square_bounds_the_mean_that_is_coded_with_it(name, arguments):
    """No m is further from 0 than gradients can take it whose squares v is the average of."""
    for roles, kept in run(name, tuple(arguments.items())):
        for fields, code in groups("8bit", roles):
            if isinstance(code, Ratio):
                mean, square = (kept[field].astype(float) for field in fields)
                assert (np.abs(mean) <= LARGEST * np.sqrt(square)).all()
                assert fields == ("mu", "nu")


def test_roles_that_are_known():
    told = {name: adamjax.get_variant(name).roles for name in adamjax.list_variants()}
    assert told["adamw"] == {"mu": "mean", "nu": "square"}
    assert told["amsgrad"] == {"mu": "mean", "nu": "square", "nu_max": "maximum"}
    assert told["adamax"] == {"mu": "signed", "nu": "square"}  # v is no average of squares
    assert told["adadelta"] == {"nu": "square", "delta": "square"}
    assert told["adafactor"] == {"v": "square"}  # rows and columns stay as they are
    assert told["sgd"] == {}


@pytest.mark.parametrize("make", [adamjax.adashift, adamjax.grokfast_adamw])
def test_windows_of_gradients_are_stored(make):
    tx = make(window=4, storage="8bit")
    assert optax.tree_utils.tree_get(tx.init(jnp.ones(SHAPE)), "window").dtype == jnp.int8
