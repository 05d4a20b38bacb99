"""Stacked layers take the steps of separate layers."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax import per_layer, stacked_layouts
from tests.hessians import FED, fed
from tests.tiers import FEW, each_variant

SHAPES = {"bias": (4,), "gain": (), "kernel": (4, 5), "tensor": (2, 3, 4)}
LAYERS, STEPS = 3, 4
HEAD = [np.ones((4, 3))] * 5  # enough leaves for traces that leaves share
MATRICES = "a b c -> a b c"
# Settings with which a reduction or a path has an effect, or without one that counts leaves.
SETTINGS = {
    "adafactor": {"decay_mode": "scaled"},
    "adam_mini": {"kept": {"*kernel": 0, "*tensor": 1}},
    "grokadamw": {"gamma": 0.0},
}
STACKED = {f"stack/{k}": min(1, len(shape)) for k, shape in SHAPES.items()}
LAYOUTS = {
    "layer*tensor": MATRICES,
    "stack*": stacked_layouts(STACKED, {"*tensor": MATRICES}),
}
BASES = {"soap", "kl_soap", "kl_shampoo"}  # of which eigenvectors depend on rounding
MODIFIERS = {
    "adagc": lambda: adamjax.adagc(0.9, 0.5, warmup_steps=2),
    "clip_by_rms": adamjax.clip_by_rms,
    "gradient_centralization": adamjax.gradient_centralization,
    "grokfast_window": lambda: adamjax.grokfast_window(2),
    "trust_ratio": adamjax.trust_ratio,
}


def layers(seed):
    """Arrays of separate layers, each a different size of numbers."""
    random = np.random.default_rng(seed)
    return [
        {leaf: (5.0**i) * random.normal(size=shape) for leaf, shape in SHAPES.items()}
        for i in range(LAYERS)
    ]


def separate(each):
    return {"head": HEAD, **{f"layer {i}": layer for i, layer in enumerate(each)}}


def stacked(each, axis):
    stack = {k: np.stack([x[k] for x in each], min(axis, len(SHAPES[k]))) for k in SHAPES}
    return {"head": HEAD, "stack": stack}


def run(tx, arrays):
    """The parameters after a few steps."""
    params, *gradients = map(jax.tree.map, [jnp.asarray] * (STEPS + 1), arrays)
    state, update = tx.init(params), jax.jit(tx.update)
    for gradient in gradients:
        updates, state = update(gradient, state, params)
        params = optax.apply_updates(params, updates)
    return params


def expect_equal(make, stack_axes, axis):
    with jax.enable_x64(True):
        each = [layers(seed) for seed in range(STEPS + 1)]
        apart = run(make(), map(separate, each))
        together = run(per_layer(make(), stack_axes), [stacked(x, axis) for x in each])
    expected = stacked([apart[f"layer {i}"] for i in range(LAYERS)], axis)
    expected["head"] = apart["head"]
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, 1e-12, 1e-12), together, expected)


@each_variant(names=sorted({*adamjax.list_variants()} - BASES), quick=FEW, own="wide")
def test_variant(name):
    settings = {"learning_rate": 0.1, "weight_decay": 0.1, **SETTINGS.get(name, {})}
    if "layouts" in adamjax.get_variant(name).defaults:
        settings["layouts"] = LAYOUTS

    def make():
        tx = adamjax.create(name, **settings)
        return fed(tx, **FED) if name == "sophia" else tx

    expect_equal(make, STACKED, 1)


@pytest.mark.parametrize("name", MODIFIERS)
def test_modifier(name):
    def make():
        return optax.chain(MODIFIERS[name](), optax.scale(-0.1))

    expect_equal(make, {"stack/*": 0}, 0)


def test_stacks_in_stacks_and_complex_numbers():
    rule = adamjax.trust_ratio()
    p = np.random.default_rng(0).normal(size=(2, 5, 3, 4, 2)).view(complex)[..., 0]
    tx, p = per_layer(rule, {"w": (0, 2)}), jnp.asarray(p)
    u = {"w": jnp.exp(p)}
    got, _ = tx.update(u, tx.init({"w": p}), {"w": p})
    for i in range(2):
        for j in range(3):
            one = {"w": p[i, :, j]}, {"w": u["w"][i, :, j]}
            expected, _ = rule.update(one[1], rule.init(one[0]), one[0])
            np.testing.assert_allclose(got["w"][i, :, j], expected["w"], rtol=1e-6)


def test_state_has_a_number_for_each_layer():
    params = {"blocks": jnp.ones((3, 4, 5)), "head": jnp.ones((4, 5))}
    tx = per_layer(adamjax.adagc(), {"blocks": 0})
    assert jax.tree.map(jnp.shape, tx.init(params).norm) == {"blocks": (3,), "head": ()}
    tx = per_layer(adamjax.scale_by_adafactor(), {"blocks": 0})
    assert tx.init(params).v_row["blocks"].shape == (3, 4, 1)
    state = adamjax.scale_by_adam_mini().init(params)  # not of a stack
    with pytest.raises(ValueError, match="the state's nu it is \\(1, 1, 5\\)"):
        per_layer(adamjax.scale_by_adam_mini(), {"blocks": 0}).update(params, state)


def test_errors():
    params = {"bias": jnp.ones(3), "gain": jnp.ones(())}
    message = r"'gain' of shape \(\) has no axis 0 .* or \{'gain': \(\), \.\.\.\}"
    with pytest.raises(ValueError, match=message):
        per_layer(adamjax.adam(), {"*": 0}).init(params)
    per_layer(adamjax.adam(), {"gain": (), "*": 0}).init(params)
    with pytest.raises(ValueError, match="no parameter matches 'baas'"):
        per_layer(optax.identity(), {"baas": 0}).init(params)
    assert per_layer(adamjax.lamb(), {"blocks/*": 0}).init({})
