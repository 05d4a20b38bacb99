"""Identities of the modifiers, and that each is usable around any transformation."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.testing import CHECKS, Subject
from adamjax.testing.subject import sample_gradients, sample_params
from tests.kit import run_check

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


# --- what they promise around any transformation

MODIFIED = {
    "cautious": lambda: adamjax.cautious(adamjax.scale_by_sgd(0.9)),
    "cautious_count": lambda: adamjax.cautious(adamjax.scale_by_adam(), scale="count"),
    "cautious_decay": lambda: optax.chain(adamjax.scale_by_lion(), adamjax.cautious_decay(0.1)),
    "align_sign_with_gradient": lambda: adamjax.align_sign_with_gradient(adamjax.scale_by_yogi()),
    "mars": lambda: optax.chain(adamjax.mars(), adamjax.scale_by_sgd(0.9)),
    "grokfast": lambda: optax.chain(adamjax.grokfast(), adamjax.scale_by_rmsprop()),
    "grokfast_window": lambda: optax.chain(adamjax.grokfast_window(2), adamjax.scale_by_adam()),
    "gradient_centralization": lambda: adamjax.gradient_centralization(),
    "trust_ratio": lambda: optax.chain(adamjax.scale_by_adam(), adamjax.trust_ratio()),
    "projection": lambda: adamjax.projection(adamjax.scale_by_sgd(0.9)),
    "clip_by_rms": lambda: optax.chain(adamjax.scale_by_adam(), adamjax.clip_by_rms(0.5)),
    "adagc": lambda: optax.chain(adamjax.adagc(warmup_steps=1), adamjax.scale_by_adam()),
    "orthogonalize": lambda: optax.chain(adamjax.scale_by_sgd(0.9), adamjax.orthogonalize()),
    "eigenbasis": lambda: adamjax.eigenbasis(adamjax.scale_by_adam(), every=1),
    "partition_matrices": lambda: adamjax.partition_matrices(
        adamjax.scale_by_lion(), adamjax.scale_by_adam()
    ),
}
NEED_PARAMS = {"cautious_decay", "trust_ratio", "projection"}


@pytest.mark.parametrize("check", [name for name in CHECKS if "inject" not in name])
@pytest.mark.parametrize("name", MODIFIED)
def test_conformance(name, check):
    needs = name in NEED_PARAMS
    tx = adamjax.optimizer(MODIFIED[name](), 0.01)  # in which float16 does not overflow
    run_check(name, check, Subject(tx, sample_params(), needs, leafwise=name != "adagc"))


@pytest.mark.parametrize("name", MODIFIED)
def test_low_precision_is_computed_in_float32(name):
    """The directions of bfloat16 gradients are those of the same in float32, rounded once."""
    params = jax.tree.map(lambda p: p.astype(jnp.bfloat16), sample_params())
    low = sample_gradients(params, steps=3)
    wide = [jax.tree.map(lambda g: g.astype(jnp.float32), gradient) for gradient in low]
    tx = MODIFIED[name]()
    results = []
    for gradients, start in ((low, params), (wide, params)):
        state = tx.init(start)
        for gradient in gradients:
            directions, state = tx.update(gradient, state, start)
        results.append(directions)
    for a, b in zip(*map(jax.tree.leaves, results), strict=True):
        assert a.dtype == jnp.bfloat16
        size = float(jnp.abs(b).max())
        np.testing.assert_allclose(a.astype(jnp.float32), b, rtol=2**-6, atol=2**-6 * size)


@pytest.mark.parametrize("name", sorted(NEED_PARAMS))
def test_missing_parameters_are_named(name):
    tx = MODIFIED[name]()
    with pytest.raises(ValueError, match=r"params: .*call update"):
        tx.update(START, tx.init(START))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: adamjax.cautious(optax.identity(), scale="men"), "unknown scale 'men'"),
        (lambda: adamjax.cautious_decay(-0.1), "weight_decay must not be negative"),
        (lambda: adamjax.mars(gamma=-1.0), "gamma must not be negative"),
        (lambda: adamjax.grokfast_window(0), "window must be a whole number from 1"),
        (lambda: adamjax.grokfast(alpha=1.0), "alpha must be at least 0 and below 1"),
        (lambda: adamjax.clip_by_rms(0.0), "threshold must be positive"),
        (lambda: adamjax.projection(optax.identity(), -1.0), "delta must not be negative"),
        (lambda: adamjax.orthogonalize(scale="rows"), "unknown scale 'rows'"),
        (lambda: adamjax.orthogonalize(out_axis=0), "out_axis must be -1 or -2"),
        (lambda: adamjax.eigenbasis(optax.identity(), every=0), "every must be a whole number"),
        (lambda: adamjax.adagc(decay=1.0), "decay must be at least 0 and below 1"),
    ],
)
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --- identities


def test_a_direction_along_the_gradient_needs_no_caution():
    plain = steps(adamjax.scale_by_sgd())
    np.testing.assert_array_equal(steps(adamjax.cautious(adamjax.scale_by_sgd())), plain)
    np.testing.assert_array_equal(
        steps(adamjax.align_sign_with_gradient(adamjax.scale_by_sgd())), plain
    )


def test_cautious_moves_nothing_against_its_gradient_and_as_much_in_all():
    plain, cautious = steps(adamjax.scale_by_adam()), steps(adamjax.cautious(optax.scale_by_adam()))
    for g, u, c in zip(GRADIENTS, plain, cautious, strict=True):
        agrees = g * u > 0
        assert (c[~agrees] == 0).all()
        np.testing.assert_allclose(c[agrees], u[agrees] / agrees.mean(), rtol=1e-4)


def test_cautious_moves_no_element_more_than_a_thousand_times_as_far():
    g = jnp.ones(2000)
    turned = optax.stateless(lambda u, params: -u.at[0].set(-1.0))  # all but the first
    tx = adamjax.cautious(turned)
    np.testing.assert_allclose(tx.update(g, tx.init(g))[0][0], 1000.0, rtol=1e-6)


def test_cautious_decay_leaves_out_what_the_direction_takes_away_from_zero():
    u, p = jnp.array([1.0, -1.0, 0.0, 2.0]), jnp.array([3.0, 3.0, 3.0, 0.0])
    tx = adamjax.cautious_decay(lambda count: 0.5 / (1 + count))
    updates, state = tx.update(u, tx.init(p), p)
    np.testing.assert_array_equal(updates, [2.5, -1.0, 1.5, 2.0])
    np.testing.assert_array_equal(tx.update(u, state, p)[0], [1.75, -1.0, 0.75, 2.0])
    masked = adamjax.cautious_decay(0.5, mask="a")
    both = {"a": p, "b": p}
    updates, _ = masked.update({"a": u, "b": u}, masked.init(both), both)
    np.testing.assert_array_equal(updates["b"], u)
    np.testing.assert_array_equal(updates["a"], [2.5, -1.0, 1.5, 2.0])


def test_grams_keeps_the_size_and_takes_the_sign():
    plain = steps(adamjax.scale_by_adam())
    signed = steps(adamjax.align_sign_with_gradient(adamjax.scale_by_adam()))
    np.testing.assert_array_equal(abs(signed), abs(plain))
    np.testing.assert_array_equal(np.sign(signed), np.sign(GRADIENTS))


def test_mars_without_a_share_clips_to_norm_one_alone():
    for g, c in zip(GRADIENTS, steps(adamjax.mars(gamma=0.0)), strict=True):
        np.testing.assert_allclose(c, g / max(1, np.linalg.norm(g)), rtol=1e-6)


def test_a_constant_gradient_is_all_slow():
    same = [GRADIENTS[0]] * 6
    for tx in (adamjax.grokfast(0.9, 2.0), adamjax.grokfast_window(1, 2.0)):
        np.testing.assert_allclose(steps(tx, same), 3 * np.stack(same), rtol=1e-6)
    late = steps(adamjax.grokfast_window(4, 2.0), same)
    np.testing.assert_allclose(late[:3], np.stack(same[:3]))
    np.testing.assert_allclose(late[3:], 3 * np.stack(same[3:]), rtol=1e-6)


@pytest.mark.parametrize(("out_axis", "inputs"), [(-1, 0), (0, 1)])
def test_centralized_gradients_have_no_mean(out_axis, inputs):
    centered = steps(adamjax.gradient_centralization(out_axis))
    np.testing.assert_allclose(centered.mean(axis=1 + inputs), 0, atol=1e-6)
    vector = jnp.arange(3.0)
    tx = adamjax.gradient_centralization(out_axis)
    np.testing.assert_array_equal(tx.update(vector, tx.init(vector))[0], vector)


def test_trust_ratio_is_the_one_of_optax():
    ours, theirs = steps(adamjax.trust_ratio()), steps(optax.scale_by_trust_ratio())
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    zero = jnp.zeros((6, 4))
    np.testing.assert_array_equal(steps(adamjax.trust_ratio(), params=zero), np.stack(GRADIENTS))


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


def test_adagc_holds_down_what_jumps():
    quiet = [GRADIENTS[0] / np.linalg.norm(GRADIENTS[0]) / 2] * 5
    clipped = steps(adamjax.adagc(2.0, 0.5, warmup_steps=2), [*quiet, 100 * quiet[0], quiet[0]])
    np.testing.assert_allclose(np.linalg.norm(clipped, axis=(1, 2)), [0.5] * 5 + [1.0, 0.5], 1e-5)
    whole = adamjax.adagc(warmup_steps=1, warmup_norm=1.0)
    both = {"a": jnp.full(4, 3.0), "b": jnp.full(4, 4.0)}
    updates, _ = whole.update(both, whole.init(both))
    np.testing.assert_allclose(updates["a"], 0.3, rtol=1e-6)
    np.testing.assert_allclose(updates["b"], 0.4, rtol=1e-6)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 5, 5)])
def test_orthogonalized_matrices_have_singular_values_near_one(shape):
    u = jnp.asarray(RANDOM.normal(size=shape), jnp.float32)
    tx = adamjax.orthogonalize()
    updates, _ = tx.update(u, tx.init(u))
    values = np.linalg.svd(updates, compute_uv=False)
    assert values.min() > 0.6
    assert values.max() < 1.25
    rotation = np.matmul(*(np.linalg.svd(u, full_matrices=False)[i] for i in (0, 2)))
    cosine = np.sum(updates * rotation) / np.linalg.norm(updates) / np.linalg.norm(rotation)
    assert cosine > 0.97


@pytest.mark.parametrize(
    ("scale", "out_axis", "factor"),
    [("aspect", -1, 1.0), ("aspect", -2, 1.5**0.5), ("rms", -1, 0.2 * 6**0.5)],
)
def test_scales_of_an_orthogonal_matrix(scale, out_axis, factor):
    plain = steps(adamjax.orthogonalize())
    scaled = steps(adamjax.orthogonalize(scale=scale, out_axis=out_axis))
    np.testing.assert_allclose(scaled, factor * plain, rtol=1e-6)


def test_eigenbasis_does_not_matter_to_what_has_no_axes_of_its_own():
    """A rotated gradient is rotated back: but for the first step, gradient descent stays itself."""
    seen = steps(adamjax.eigenbasis(adamjax.scale_by_sgd(0.9), every=2))
    wanted = steps(adamjax.scale_by_sgd(0.9), GRADIENTS[1:])
    np.testing.assert_array_equal(seen[0], 0)
    np.testing.assert_allclose(seen[1:], wanted, atol=1e-5)


def test_eigenbasis_follows_a_rotation_of_the_parameters():
    """SOAP of Q G is Q times SOAP of G; Adam's is not."""
    q = np.linalg.qr(RANDOM.normal(size=(4, 4)))[0].astype("f")
    square = [g[:4] for g in GRADIENTS]
    for make, same in (
        (lambda: adamjax.scale_by_soap(precondition_frequency=2), True),
        (adamjax.scale_by_adam, False),
    ):
        plain, turned = (steps(make(), gs, START[:4]) for gs in (square, [q @ g for g in square]))
        assert np.allclose(turned, q @ plain, atol=1e-3) == same


def test_sides_that_are_too_large_are_not_turned():
    tx = adamjax.eigenbasis(adamjax.scale_by_adam(), max_size=5)
    state = tx.init(START)
    assert state.left.shape == (1, 1)
    assert state.right.shape == (4, 4)


def test_by_matrix_takes_masks():
    tree = {"embedding": jnp.ones((2, 2)), "kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}
    for mask, chosen in ((None, {"embedding", "kernel"}), ("*kernel", {"kernel"})):
        tx = adamjax.partition_matrices(optax.scale(2.0), optax.scale(3.0), mask)
        updates, _ = tx.update(tree, tx.init(tree))
        assert {name for name, x in updates.items() if x.ravel()[0] == 2} == chosen
    with pytest.raises(ValueError, match=r"mask: no parameter matches '\*kernels'"):
        adamjax.muon(matrices="*kernels").init(tree)
