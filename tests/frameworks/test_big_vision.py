"""big_vision and scenic: directions by name from the config, masks by regular expressions.

Facts:
- google-research/big_vision, big_vision/optax.py: `make` gets the function with
  `operator.attrgetter(config.optax_name)(optax)` and calls it with the keywords of `config.optax`;
  own ones are hung into the module `optax` (`optax.big_vision.scale_by_adafactor`). Around it are
  `optax.masked` by what is not frozen, multipliers of the learning rate and weight decay by
  regular expressions on "/"-joined paths, one `scale_by_schedule` for each pattern, `scale(-1)`.
  `get_count` finds the steps with `find_states(opt_state, optax.ScaleByScheduleState)`.
- google-research/scenic, scenic/train_lib/optax.py: the same, by `config.optax_configs`.
- Their configs write dtypes as strings, such as mu_dtype="bfloat16".
"""

import operator
import re

import jax
import jax.numpy as jnp
import optax
import pytest

import adamjax
from tests.frameworks.loop import assert_same, gradients_at, large_params, plain_loop
from tests.storage.runs import assert_equal, dtypes_of


def in_8_bits(**settings):
    return adamjax.store(adamjax.scale_by_adam(**settings), "8bit")


@pytest.fixture(autouse=True)
def names_in_optax(monkeypatch):
    """What a user's config file does: adamjax hung into `optax`."""
    monkeypatch.setattr(optax, "adamjax", adamjax, raising=False)
    monkeypatch.setattr(optax, "in_8_bits", in_8_bits, raising=False)


def masks_of(tree, patterns):
    """A tree of bools for each pattern, of which the first that matches a path has the leaf."""

    def first(path, _):
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        return next((i for i, p in enumerate(patterns) if re.fullmatch(p, name)), -1)

    found = jax.tree_util.tree_map_with_path(first, tree)
    return [jax.tree.map(lambda i, n=n: i == n, found) for n in range(len(patterns))]


def find_states(state, cls):
    leaves = jax.tree.leaves(state, is_leaf=lambda node: isinstance(node, cls))
    return [leaf for leaf in leaves if isinstance(leaf, cls)]


def count_of(state):
    counts = {int(s.count) for s in find_states(state, optax.ScaleByScheduleState)}
    assert len(counts) == 1
    return counts.pop()


def make(config, params):
    patterns, schedules = zip(*config["schedule"], strict=True)
    masks = masks_of(params, patterns)
    nothing = jax.tree.map(lambda _: False, params)
    frozen = [m for m, s in zip(masks, schedules, strict=True) if s is None]
    frozen = jax.tree.map(lambda *bools: any(bools), nothing, *frozen)
    trained = jax.tree.map(operator.not_, frozen)
    direction = operator.attrgetter(config["optax_name"])(optax)

    def masked(make_one, pairs):
        names, values = zip(*pairs, strict=True)
        trees = masks_of(params, names)
        return [make_one(v, m) for v, m in zip(values, trees, strict=True) if v is not None]

    return optax.chain(
        optax.masked(optax.clip_by_global_norm(config["grad_clip_norm"]), trained),
        optax.masked(direction(**config.get("optax", {})), trained),
        optax.scale(config["lr"]),
        *masked(lambda mult, m: optax.masked(optax.scale(mult), m), config["lr_mults"]),
        *masked(
            lambda mult, m: optax.add_decayed_weights(config["wd"] * mult, m), config["wd_mults"]
        ),
        *masked(lambda s, m: optax.masked(optax.scale_by_schedule(s), m), config["schedule"]),
        optax.masked(optax.set_to_zero(), frozen),
        optax.scale(-1.0),
    )


def schedule(count):
    return 1.0 / (1.0 + count)


CONFIG = {
    "grad_clip_norm": 1.0,
    "lr": 1e-2,
    "lr_mults": [("encoder/.*", 0.5), (".*", 1.0)],
    "wd": 0.1,
    "wd_mults": [(".*/kernel", 1.0)],
    "schedule": [("head/.*", None), (".*", schedule)],
}


def by_hand(direction, params, steps):
    """The same, written out for the leaves that are trained."""
    encoder = {"encoder": params["encoder"]}
    state = direction.init(encoder)
    decay = {"encoder": {"bias": 0.0, "kernel": 0.1}}

    @jax.jit
    def step(encoder, state, t):
        gradients = gradients_at(encoder, t)
        norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(gradients)))
        gradients = jax.tree.map(lambda g: g / jnp.maximum(norm, 1.0), gradients)
        directions, state = direction.update(gradients, state, encoder)

        def moved(p, u, wd):
            return p - schedule(t) * (1e-2 * 0.5 * u + wd * p)

        return jax.tree.map(moved, encoder, directions, decay), state

    for t in range(steps):
        encoder, state = step(encoder, state, jnp.float32(t))
    return encoder["encoder"]


NAMES = {
    "adamjax.scale_by_adam": {"b2": 0.95, "mu_dtype": "bfloat16"},
    "adamjax.scale_by_lion": {"mu_dtype": "bfloat16"},
    "adamjax.scale_by_adafactor": {"momentum": 0.9, "scale_parameter": False},
    "adamjax.scale_by_adopt": {"nu_dtype": "bfloat16"},
    "in_8_bits": {"b2": 0.95},
}


@pytest.mark.parametrize("name", NAMES)
def test_direction_by_name(name):
    start = large_params()
    tx = make({**CONFIG, "optax_name": name, "optax": NAMES[name]}, start)
    seen, state = plain_loop(tx, start, steps=4)
    direction = operator.attrgetter(name)(optax)(**NAMES[name])
    assert_same(seen["encoder"], by_hand(direction, start, 4), start["encoder"])
    assert_equal(seen["head"], start["head"])
    assert count_of(state) == 4
    low = {"bfloat16"} if "bfloat16" in NAMES[name].values() else {"uint8", "int8"}
    assert bool(low & dtypes_of(state)) == (name == "in_8_bits" or "bfloat16" in low)


def test_count_of_adam_is_found_by_its_class():
    start = large_params()
    tx = make({**CONFIG, "optax_name": "in_8_bits"}, start)
    _, state = plain_loop(tx, start, steps=3)
    (adam,) = find_states(state, optax.ScaleByAdamState)
    assert int(adam.count) == 3
    assert isinstance(adam.mu["head"]["kernel"], optax.MaskedNode)
    assert dtypes_of(adam.mu["encoder"]["kernel"]) == {"int8"}


def test_scheduled_rate_is_read_from_injected_hyperparams():
    """The rate that is logged is the one that was used."""
    optimizer = adamjax.adamw
    injected = optax.inject_hyperparams(optimizer, static_args="mask")
    tx = injected(learning_rate=lambda count: 1e-2 * schedule(count), mask="*kernel")
    start = large_params()
    seen, state = plain_loop(tx, start)
    direct = optimizer(lambda count: 1e-2 * schedule(count), mask="*kernel")
    assert_same(seen, plain_loop(direct, start)[0], start)
    assert float(state.hyperparams["learning_rate"]) == pytest.approx(1e-2 / 5)
