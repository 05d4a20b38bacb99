"""Identities of the modifiers, and the promises that each keeps around any transformation."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.testing import CHECKS, Subject, check
from adamjax.testing.subject import sample_gradients, sample_params

RANDOM = np.random.default_rng(0)
GRADIENTS = [RANDOM.normal(size=(6, 4)).astype("f") for _ in range(8)]
START = jnp.asarray(RANDOM.normal(size=(6, 4)), jnp.float32)


def steps(tx, gradients=GRADIENTS, params=START):
    """The directions at each step, the parameters held still."""
    state, directions = tx.init(params), []
    for gradient in gradients:
        direction, state = tx.update(jnp.asarray(gradient), state, params)
        directions.append(np.asarray(direction))
    return np.stack(directions)


# --- promises around any transformation

MODIFIED = {
    "cautious": lambda: adamjax.cautious(adamjax.scale_by_sgd(0.9)),
    "cautious_count": lambda: adamjax.cautious(adamjax.scale_by_adam(), scale="count"),
    "align_sign_with_gradient": lambda: adamjax.align_sign_with_gradient(adamjax.scale_by_yogi()),
    "mars": lambda: optax.chain(adamjax.mars(), adamjax.scale_by_sgd(0.9)),
    "grokfast": lambda: optax.chain(adamjax.grokfast(), adamjax.scale_by_rmsprop()),
    "grokfast_window": lambda: optax.chain(adamjax.grokfast_window(2), adamjax.scale_by_adam()),
    "gradient_centralization": lambda: adamjax.gradient_centralization(),
    "trust_ratio": lambda: optax.chain(adamjax.scale_by_adam(), adamjax.trust_ratio()),
    "projection": lambda: adamjax.projection(adamjax.scale_by_sgd(0.9)),
    "clip_by_rms": lambda: optax.chain(adamjax.scale_by_adam(), adamjax.clip_by_rms(0.5)),
    "adagc": lambda: optax.chain(adamjax.adagc(warmup_steps=1), adamjax.scale_by_adam()),
    "orthogonalize": lambda: adamjax.orthogonalize(scale="aspect"),
    "eigenbasis": lambda: adamjax.eigenbasis(adamjax.scale_by_adam(), every=1),
    "partition_matrices": lambda: adamjax.partition_matrices(
        adamjax.scale_by_lion(), adamjax.scale_by_adam()
    ),
}
NEED_PARAMS = {"trust_ratio", "projection"}
# The checks that reach the branches of a modifier, which are those on shapes and sizes.
SHAPES_AND_SIZES = ("scalar_leaves", "empty_leaves", "huge_gradients", "nonfinite_gradients")


@pytest.mark.parametrize("name", MODIFIED)
def test_any_shape_and_size(name):
    tx = adamjax.optimizer(MODIFIED[name](), 0.01)  # in which float16 does not overflow
    subject = Subject(tx, sample_params(), name in NEED_PARAMS, leafwise=name != "adagc")
    for each in SHAPES_AND_SIZES:
        CHECKS[each](subject)


@pytest.mark.wide
@pytest.mark.usefixtures("compiled_quickly")
@pytest.mark.parametrize("name", MODIFIED)
def test_conformance(name):
    # The oldest `flax.nnx.Optimizer` cannot keep the state of a partition.
    skip = [*SHAPES_AND_SIZES, *(["nnx_optimizer"] if name == "partition_matrices" else [])]
    needs, leafwise = name in NEED_PARAMS, name != "adagc"
    tx = adamjax.optimizer(MODIFIED[name](), 0.01)
    check(tx, needs_params=needs, leafwise=leafwise, skip=skip)


@pytest.mark.parametrize("name", MODIFIED)
def test_low_precision_is_computed_in_float32(name):
    """The directions of bfloat16 gradients are those of the same in float32, rounded once."""
    params = jax.tree.map(lambda p: p.astype(jnp.bfloat16), sample_params())
    low = sample_gradients(params, steps=3)
    wide = [jax.tree.map(lambda g: g.astype(jnp.float32), gradient) for gradient in low]
    tx = MODIFIED[name]()
    results = []
    for gradients in (low, wide):
        state = tx.init(params)
        for gradient in gradients:
            directions, state = tx.update(gradient, state, params)
        results.append(directions)
    for a, b in zip(*map(jax.tree.leaves, results), strict=True):
        assert a.dtype == jnp.bfloat16
        size = float(jnp.abs(b).max())
        np.testing.assert_allclose(a.astype(jnp.float32), b, rtol=2**-6, atol=2**-6 * size)


def test_missing_parameters_are_named():
    for name in sorted(NEED_PARAMS):
        tx = MODIFIED[name]()
        with pytest.raises(ValueError, match=r"params: .*call update"):
            tx.update(START, tx.init(START))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: adamjax.cautious(optax.identity(), scale="men"), "unknown scale 'men'"),
        (lambda: adamjax.mars(gamma=-1.0), "gamma must not be negative"),
        (lambda: adamjax.grokfast_window(0), "window must be a whole number from 1"),
        (lambda: adamjax.grokfast(alpha=1.0), "alpha must be at least 0 and below 1"),
        (lambda: adamjax.clip_by_rms(0.0), "threshold must be positive"),
        (lambda: adamjax.projection(optax.identity(), -1.0), "delta must not be negative"),
        (lambda: adamjax.projection(optax.identity(), eps=-1.0), "eps must not be negative"),
        (lambda: adamjax.trust_ratio(-1.0), "coefficient must not be negative"),
        (lambda: adamjax.trust_ratio(eps=-1.0), "eps must not be negative"),
        (lambda: adamjax.trust_ratio(norm_cap=-1.0), "norm_cap must not be negative"),
        (lambda: adamjax.orthogonalize(scale="rows"), "unknown scale 'rows'"),
        (lambda: adamjax.orthogonalize("jordon"), "unknown coefficients 'jordon'"),
        (lambda: adamjax.orthogonalize(steps=0), "steps must be a whole number"),
        (lambda: adamjax.orthogonalize(eps=-1.0), "eps must not be negative"),
        (lambda: adamjax.eigenbasis(optax.identity(), every=0), "every must be a whole number"),
        (lambda: adamjax.eigenbasis(optax.identity(), 1.0), "decay must be at least 0"),
        (lambda: adamjax.eigenbasis(optax.identity(), max_size=0), "max_size must be a whole"),
        (lambda: adamjax.adagc(decay=1.0), "decay must be at least 0 and below 1"),
        (lambda: adamjax.adagc(threshold=0.0), "threshold must be positive"),
        (lambda: adamjax.adagc(warmup_steps=-1), "warmup_steps must not be negative"),
        (lambda: adamjax.adagc(warmup_norm=0.0), "warmup_norm must be positive"),
    ],
)
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --- identities


def test_cautious_moves_nothing_against_its_gradient():
    plain = steps(adamjax.scale_by_adam())
    by_mean = steps(adamjax.cautious(optax.scale_by_adam()))
    by_count = steps(adamjax.cautious(optax.scale_by_adam(), scale="count"))
    for g, u, mean, count in zip(GRADIENTS, plain, by_mean, by_count, strict=True):
        agrees = g * u > 0
        assert (mean[~agrees] == 0).all()
        np.testing.assert_allclose(mean[agrees], u[agrees] / agrees.mean(), rtol=1e-4)
        np.testing.assert_allclose(count, u * agrees * (24 / (agrees.sum() + 1)), rtol=1e-4)


def test_cautious_moves_no_element_more_than_a_thousand_times_as_far():
    g = jnp.ones(2000)
    turned = optax.stateless(lambda u, params: -u.at[0].set(-1.0))  # all but the first
    tx = adamjax.cautious(turned)
    np.testing.assert_allclose(tx.update(g, tx.init(g))[0][0], 1000.0, rtol=1e-6)


def test_mars_corrects_by_the_change_of_the_gradient():
    """c = g + γ b₁/(1-b₁) (g - g'), with a norm of at most 1. The first g' is 0 or g."""
    for g, c in zip(GRADIENTS, steps(adamjax.mars(gamma=0.0)), strict=True):
        np.testing.assert_allclose(c, g / max(1, np.linalg.norm(g)), rtol=1e-6)
    short = [g / 20 for g in GRADIENTS]
    for first_difference in (True, False):
        tx = adamjax.mars(0.8, 0.1, first_difference=first_difference)
        before = [0 * short[0] if first_difference else short[0], *short]
        expected = [g + 0.4 * (g - old) for g, old in zip(short, before, strict=False)]
        np.testing.assert_allclose(steps(tx, short), expected, rtol=1e-4, atol=1e-7)


def test_a_constant_gradient_is_all_slow():
    same = [GRADIENTS[0]] * 6
    for tx in (adamjax.grokfast(0.9, 2.0), adamjax.grokfast_window(1, 2.0)):
        np.testing.assert_allclose(steps(tx, same), 3 * np.stack(same), rtol=1e-6)
    late = steps(adamjax.grokfast_window(4, 2.0), same)
    np.testing.assert_allclose(late[:3], np.stack(same[:3]))
    np.testing.assert_allclose(late[3:], 3 * np.stack(same[3:]), rtol=1e-6)


def test_grokfast_adds_an_average_of_the_gradients():
    window = steps(adamjax.grokfast_window(3, 2.0))
    for t in range(2, 8):
        expected = GRADIENTS[t] + 2 * np.mean(GRADIENTS[t - 2 : t + 1], axis=0)
        np.testing.assert_allclose(window[t], expected, rtol=1e-4, atol=1e-6)
    for from_zero in (False, True):
        slow = 0 * GRADIENTS[0] if from_zero else GRADIENTS[0]
        updates = steps(adamjax.grokfast(0.9, 2.0, from_zero=from_zero))
        for g, u in zip(GRADIENTS, updates, strict=True):
            slow = 0.9 * slow + 0.1 * g
            np.testing.assert_allclose(u, g + 2 * slow, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("out_axis", "inputs"), [(-1, 0), (0, 1)])
def test_centralized_gradients_have_no_mean(out_axis, inputs):
    tx = adamjax.gradient_centralization(out_axis)
    expected = [g - g.mean(axis=inputs, keepdims=True) for g in GRADIENTS]
    np.testing.assert_allclose(steps(tx), expected, atol=1e-6)
    vector = jnp.arange(3.0)
    np.testing.assert_array_equal(tx.update(vector, tx.init(vector))[0], vector)


def test_trust_ratio_is_the_one_of_optax():
    ours, theirs = steps(adamjax.trust_ratio()), steps(optax.scale_by_trust_ratio())
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    zero = jnp.zeros((6, 4))
    np.testing.assert_array_equal(steps(adamjax.trust_ratio(), params=zero), np.stack(GRADIENTS))
    np.testing.assert_array_equal(steps(adamjax.trust_ratio(), [zero]), [zero])
    lars = steps(adamjax.trust_ratio(0.5, eps=2.0, norm_cap=1.5))
    lengths = np.linalg.norm(GRADIENTS, axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(lars, 0.5 * 1.5 * np.stack(GRADIENTS) / (lengths + 2), rtol=1e-5)


def test_clip_by_rms_is_the_one_of_optax():
    ours, theirs = steps(adamjax.clip_by_rms(0.5)), steps(optax.clip_by_block_rms(0.5))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    np.testing.assert_array_equal(steps(adamjax.clip_by_rms(100.0)), np.stack(GRADIENTS))


@pytest.mark.parametrize(("out_axis", "inputs"), [(-1, 0), (0, 1)])
def test_projected_directions_are_across_the_weights(out_axis, inputs):
    always = steps(adamjax.projection(optax.identity(), delta=1e9, out_axis=out_axis))
    np.testing.assert_allclose((always * START).sum(axis=1 + inputs), 0, atol=1e-5)
    never = steps(adamjax.projection(optax.identity(), delta=0.0, out_axis=out_axis))
    np.testing.assert_array_equal(never, np.stack(GRADIENTS))


def test_projection_of_the_leaf_as_one_vector():
    """The columns lie along their weights, in opposite directions: the leaf lies across."""
    p = jnp.array([[1.0, 1.0], [1.0, 1.0]])
    g = jnp.array([[1.0, -1.0], [1.0, -1.0]])
    u = jnp.array([[3.0, 1.0], [1.0, 3.0]])
    tx = adamjax.projection(optax.stateless(lambda updates, params: u), delta=0.1)
    np.testing.assert_allclose(tx.update(g, tx.init(p), p)[0], u - 2, atol=1e-6)
    # The limit is δ / √n, 0.05 for the leaf.
    for tilt, expected in ((0.04, u - 2), (0.06, u)):
        updates, _ = tx.update(g + tilt * p, tx.init(p), p)
        np.testing.assert_allclose(updates, expected, atol=1e-6)


def test_adagc_holds_down_gradients_that_jump():
    quiet = [GRADIENTS[0] / np.linalg.norm(GRADIENTS[0]) / 2] * 5
    clipped = steps(adamjax.adagc(2.0, 0.5, warmup_steps=2), [*quiet, 100 * quiet[0], quiet[0]])
    np.testing.assert_allclose(np.linalg.norm(clipped, axis=(1, 2)), [0.5] * 5 + [1.0, 0.5], 1e-5)
    whole = adamjax.adagc(warmup_steps=1, warmup_norm=1.0)
    both = {"a": jnp.full(4, 3.0), "b": jnp.full(4, 4.0)}
    updates, state = whole.update(both, whole.init(both))
    np.testing.assert_allclose(updates["a"], 0.3, rtol=1e-6)
    np.testing.assert_allclose(updates["b"], 0.4, rtol=1e-6)
    np.testing.assert_allclose(state.norm["b"], 0.8, rtol=1e-6)
    _, state = whole.update({"a": both["a"] / 100, "b": both["b"] / 100}, state)
    np.testing.assert_allclose(state.norm["b"], 0.98 * 0.8 + 0.02 * 0.08, rtol=1e-6)
    # In the warmup γ is the smallest norm so far.
    tx = adamjax.adagc(warmup_steps=3)
    state = tx.init(START)
    for scale in (1.0, 0.5, 1.0):
        _, state = tx.update(scale * quiet[0], state)
    np.testing.assert_allclose(state.norm, 0.25, rtol=1e-6)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 5, 5)])
def test_orthogonalized_matrices_have_singular_values_near_one(shape):
    u = jnp.asarray(RANDOM.normal(size=shape), jnp.float32)
    tx = adamjax.orthogonalize(layouts="stack in out -> stack out in" if u.ndim == 3 else None)
    updates, _ = tx.update(u, tx.init(u))
    values = np.linalg.svd(updates, compute_uv=False)
    assert values.min() > 0.6
    assert values.max() < 1.25
    rotation = np.matmul(*(np.linalg.svd(u, full_matrices=False)[i] for i in (0, 2)))
    cosine = np.sum(updates * rotation) / np.linalg.norm(updates) / np.linalg.norm(rotation)
    assert cosine > 0.97


def test_orthogonalize_takes_the_steps_of_its_polynomial():
    """Each singular value becomes a s + b s³ + c s⁵ from s = σ / (‖u‖ + ε), then is scaled."""
    u = jnp.zeros((3, 2)).at[0, 0].set(4.0).at[1, 1].set(3.0)
    for scale, layout, factor in (
        ("none", None, 1.0),
        ("aspect", None, 1.0),
        ("aspect", "out in -> out in", 1.5**0.5),
        ("rms", None, 0.2 * 3**0.5),
    ):
        s = np.array([4.0, 3.0]) / 6
        for _ in range(2):
            s = 3.4445 * s - 4.775 * s**3 + 2.0315 * s**5
        tx = adamjax.orthogonalize(steps=2, eps=1.0, scale=scale, layouts=layout)
        updates, _ = tx.update(u, tx.init(u))
        np.testing.assert_allclose(np.diag(updates[:2]), factor * s, rtol=1e-5)


def test_orthogonalize_takes_large_matrices_in_turn(monkeypatch):
    """Of five, two at a time, and zeros beside the last."""
    tree = jnp.asarray(np.random.default_rng(0).normal(size=(5, 3, 2)), jnp.float32)
    tx = adamjax.orthogonalize(layouts="stack out in -> stack out in")
    together, _ = tx.update(tree, optax.EmptyState())
    monkeypatch.setattr("adamjax.modifiers.orthogonalize.TOGETHER", 2 * 3 * 2 * 4)
    in_turn, _ = tx.update(tree, optax.EmptyState())
    np.testing.assert_allclose(in_turn, together, atol=1e-5)


def test_matrices_are_those_of_the_layouts():
    tree = {"embedding": jnp.ones((2, 2)), "kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}
    tree["stack"] = jnp.ones((2, 2, 2))
    stack = {"stack": "stack in out -> stack out in"}
    for layouts, matrices in ((stack, {"kernel", "stack"}), ({"*": "other"}, set())):
        tx = adamjax.partition_matrices(optax.scale(2.0), optax.scale(3.0), layouts)
        updates, _ = tx.update(tree, tx.init(tree))
        assert {name for name, x in updates.items() if x.ravel()[0] == 2} == matrices
        assert {name for name, x in updates.items() if x.ravel()[0] == 3} == {*tree} - matrices
    with pytest.raises(ValueError, match="layouts: 'stack' of shape"):
        adamjax.muon().init(tree)


def test_matrices_take_the_layouts_of_their_partition():
    tree = {"weight": jnp.ones((3, 2))}
    polar = partial(adamjax.orthogonalize, scale="rms_to_rms")
    inner = adamjax.partition_matrices(polar(), optax.identity())
    for matrices in (polar(), polar(layouts="torch"), inner):
        tx = adamjax.partition_matrices(matrices, optax.identity(), "torch")
        updates, _ = tx.update(tree, tx.init(tree))
        expected, _ = polar(layouts="torch").update(tree, optax.EmptyState())
        np.testing.assert_array_equal(updates["weight"], expected["weight"])
