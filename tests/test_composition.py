"""Every variant with its moments in few bits, its parameters in bfloat16, and watched."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from tests.tiers import each_variant

STEPS = 12
# The kernel is as large as a leaf has to be for its moments to be stored in codes.
PARAMS = {
    "bias": jnp.zeros(128),
    "kernel": jnp.asarray(np.random.default_rng(0).normal(size=(128, 128)), jnp.float32) / 8,
}
# Large enough for bfloat16 parameters to move at each of so few steps.
ARGUMENTS = {"learning_rate": 1e-2, "weight_decay": 0.1, "mask": "*kernel"}
# Optimizers that move parameters alone, and additions that others need for it.
OWN_RATE = {"learning_rate": 1.0, "d0": 1e-2}
OTHERS = {
    "adadelta": {"learning_rate": 1.0},
    "dadapt_adam": OWN_RATE,
    "prodigy": OWN_RATE,
    "sgd": {"momentum": 0.9},
}
# The cosine of the way with float32's, where rounding adds more to it than by default.
USUAL = 0.97
TURNED = {"adamuon": 0.95, "muon": 0.6, "muown": 0.85, "normuon": 0.85, "scion": 0.75}
TURNED |= {"simplified_ademamix": 0.95}
NOTHING_TO_STORE = {"madgrad", "schedule_free_sgd"}


def gradients(params, step):
    """Those of a bowl, its middle moving, under noise of several sizes."""

    def one(p):
        noise = jax.random.normal(jax.random.fold_in(jax.random.key(1), step), p.shape)
        return (p - 1) * jnp.arange(1.0, 129.0) / 64 + noise

    return jax.tree.map(one, params)


def moved(name, *, dtype=jnp.float32, watched=False, **others):
    """How far some steps lead, in float32, and the last state."""
    tx = adamjax.create(name, **{**ARGUMENTS, **OTHERS.get(name, {}), **others})
    tx = adamjax.track(tx) if watched else tx
    start = jax.tree.map(lambda p: p.astype(dtype), PARAMS)

    def step(carry, t):
        params, state = carry
        wide = jax.tree.map(lambda p: p.astype(jnp.float32), params)
        grads = jax.tree.map(lambda g, p: g.astype(p.dtype), gradients(wide, t), params)
        updates, state = tx.update(grads, state, params)
        return (optax.apply_updates(params, updates), state), None

    run = jax.jit(lambda p: jax.lax.scan(step, (p, tx.init(p)), jnp.arange(STEPS))[0])
    params, state = run(start)
    change = jax.tree.map(lambda p, q: np.asarray(p, "f") - np.asarray(q, "f"), params, start)
    return np.concatenate([np.ravel(x) for x in jax.tree.leaves(change)]), state


def cosine(a, b):
    return np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b))


@pytest.mark.usefixtures("compiled_quickly")
@each_variant(own="wide")
def test_stored_rounded_and_watched(name):
    """In one compiled loop: masked decay, moments in 8 bits, rounded parameters, metrics."""
    true, _ = moved(name)
    assert np.linalg.norm(true) > 0
    least = TURNED.get(name, USUAL)
    few_bits = {} if name in NOTHING_TO_STORE else {"storage": "8bit"}
    stored, _ = moved(name, **few_bits)
    assert cosine(stored, true) > least
    both, state = moved(
        name, dtype=jnp.bfloat16, watched=True, param_rounding="stochastic", **few_bits
    )
    assert cosine(both, true) > 0.9 * least
    seen = adamjax.metrics(state)
    assert seen["nonfinite"] == 0
    assert 0 < seen["update_norm"] < np.inf


def test_a_leaf_without_weight_decay_does_not_see_its_parameter():
    params = {"a": jnp.array([jnp.inf, 1.0]), "b": jnp.ones(2)}
    gradients = jax.tree.map(jnp.ones_like, params)
    for name in ("adamw", "novograd", "stable_adamw"):
        tx = adamjax.create(name, learning_rate=0.01, weight_decay=0.1, mask="b")
        updates, _ = tx.update(gradients, tx.init(params), params)
        assert jnp.isfinite(updates["a"]).all(), name
