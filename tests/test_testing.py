"""The conformance kit itself: for every check, a transformation that fails it."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.testing import CHECKS, NotApplicable, Subject, check
from adamjax.testing.subject import library, sample_params


def each_leaf(direction):
    """A transformation of each leaf by itself, without a state."""

    def update(updates, state, params=None, **extra_args):
        return jax.tree.map(direction, updates), state

    return optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), update)


def keeping(start, step=lambda state, updates: state):
    """A transformation whose state is `start(params)`, then `step(state, updates)`."""

    def update(updates, state, params=None, **extra_args):
        return updates, step(state, updates)

    return optax.GradientTransformationExtraArgs(lambda params: start(params), update)


def plain(update):
    """A plain transformation without a state."""
    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)


def counting_calls():
    calls = []

    def update(updates, state, params=None):
        calls.append(1)
        return jax.tree.map(lambda g: g * len(calls), updates), state

    return plain(update)


def divided_by_a_callback(g):
    norm = jax.pure_callback(np.linalg.norm, jax.ShapeDtypeStruct((), g.dtype), g)
    return g / (1 + norm)


def split_at_pairs(updates, state, params=None):
    """Takes the first of every pair, its own or the caller's."""
    pairs = jax.tree.map(lambda g: (g, g * g), updates)
    firsts = jax.tree.map(
        lambda pair: pair[0], pairs, is_leaf=lambda x: isinstance(x, tuple) and len(x) == 2
    )
    return firsts, state


def negated(of):
    """Takes nodes of a type for leaves."""

    def update(updates, state, params=None):
        return jax.tree.map(jnp.negative, updates, is_leaf=lambda x: isinstance(x, of)), state

    return plain(update)


def added(updates, state, params=None):
    """Uses the parameters without a word on their absence."""
    return jax.tree.map(jnp.add, updates, params), state


def of_dicts(updates, state, params=None):
    return {name: updates[name] for name in sorted(updates)}, state


def with_a_value(updates, state, params=None, *, value=None):
    return updates, state


def with_a_needed_value(updates, state, params=None, *, value):
    return updates, state


def zeros_twice(params):
    zeros = jax.tree.map(jnp.zeros_like, params)
    return {"mu": zeros, "nu": zeros}


def flat_zeros(params):
    return jnp.zeros(sum(p.size for p in jax.tree.leaves(params)))


def deaf(learning_rate=0.1):
    """Hears of numbers only."""
    return optax.scale(-learning_rate if isinstance(learning_rate, float) else -0.1)


BROKEN = {
    "state_is_stable": keeping(
        lambda params: jax.tree.map(jnp.zeros_like, params),
        lambda mu, updates: jax.tree.map(jnp.add, mu, updates),
    ),
    "updates_fit": each_leaf(lambda g: g.astype(jnp.float32)),
    "state_is_arrays": keeping(lambda params: {"count": 0}),
    "init_takes_shapes": keeping(lambda params: jax.tree.map(lambda p: p * 0, params)),
    "none_leaves": negated(type(None)),
    "containers": plain(split_at_pairs),
    "scalar_leaves": each_leaf(lambda g: g / g.shape[0]),
    "empty_leaves": each_leaf(lambda g: g / jnp.max(jnp.abs(g))),
    "empty_tree": keeping(lambda params: jax.tree.leaves(params)[0]),
    "zero_gradients": each_leaf(lambda g: g / jnp.abs(g)),
    "denormal_gradients": each_leaf(lambda g: jnp.where(g == 0, 0, g / (g * g))),
    "huge_gradients": each_leaf(lambda g: g * g),
    "nonfinite_gradients": each_leaf(jnp.nan_to_num),
    "call_by_keyword": plain(lambda g, s, p=None: (g, s)),
    "extra_keywords": optax.GradientTransformationExtraArgs(
        lambda params: optax.EmptyState(), with_a_value
    ),
    "missing_params": plain(added),
    "update_is_pure": counting_calls(),
    "jit_and_scan": each_leaf(lambda g: g if jnp.sum(g) > 0 else -g),
    "vmap": each_leaf(divided_by_a_callback),
    "no_recompilation": keeping(
        lambda params: jnp.zeros([], jnp.float32), lambda state, updates: jnp.asarray(0.5)
    ),
    "donation": keeping(zeros_twice),
    "masked": negated(optax.MaskedNode),
    "partition": negated(optax.MaskedNode),
    "multi_steps": keeping(lambda params: (), lambda state, updates: (*state, 1.0)),
    "apply_if_finite": keeping(lambda params: (), lambda state, updates: (*state, 1.0)),
    "tree_map_params": keeping(flat_zeros),
    "inject_hyperparams": optax.adam,  # bfloat16 makes its b2 = 0.999 a 1
    "injected_learning_rate": deaf,
    "nnx_optimizer": plain(of_dicts),
    "train_state": plain(with_a_needed_value),
    "equinox_module": plain(of_dicts),
}


def broken_subject(name):
    made = BROKEN[name]
    if isinstance(made, optax.GradientTransformation):
        return Subject(made, sample_params())
    factory = functools.partial(made, learning_rate=0.1)
    return Subject(factory(), sample_params(), factory=factory)


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_fails(name):
    with pytest.raises(AssertionError, match=f"^{name}: .+"):
        CHECKS[name](broken_subject(name))


def test_infinite_gradients_in_coupled_leaves():
    """A clip by the global norm spreads an infinity, which only `leafwise` forbids."""
    clip = Subject(optax.clip_by_global_norm(1.0), sample_params())
    with pytest.raises(AssertionError, match="in the gradient of dense/bias alone"):
        CHECKS["nonfinite_gradients"](clip)
    CHECKS["nonfinite_gradients"](clip._replace(leafwise=False))


def test_needless_params_are_a_fault():
    with pytest.raises(AssertionError, match="raised no ValueError"):
        CHECKS["missing_params"](Subject(optax.sgd(0.1), sample_params(), needs_params=True))
    with pytest.raises(AssertionError, match="needs_params=True"):
        CHECKS["missing_params"](Subject(optax.adamw(0.1), sample_params()))


def test_report_says_what_did_not_run():
    cheap = ("state_is_stable", "state_is_arrays")
    report = check(adamjax.adam(), skip=[name for name in CHECKS if name not in cheap])
    assert report.ran == cheap
    assert set(report.not_run) == set(CHECKS) - set(cheap)
    assert set(report.not_run.values()) == {"left out by the caller"}


def test_unknown_check_to_skip():
    with pytest.raises(ValueError, match="'dontaion'; did you mean 'donation'"):
        check(adamjax.adam(), skip=["dontaion"])


def test_library_that_is_not_installed():
    with pytest.raises(NotApplicable, match="no_such_library is not installed"):
        library("no_such_library")
