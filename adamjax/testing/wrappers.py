"""Checks inside the wrappers of Optax."""

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax.testing.subject import (
    NotApplicable,
    Subject,
    cast,
    conformance,
    expect,
    expect_close,
    expect_finite,
    expect_same,
    expect_same_layout,
    full,
    only_first,
    sample_gradients,
    train,
)


def first_marked(params: Any, first: Any, rest: Any) -> Any:
    """Make a tree with one value at its first leaf and another at the rest."""
    leaves, treedef = jax.tree.flatten(params)
    return treedef.unflatten([first] + [rest] * (len(leaves) - 1))


def rest_beside_first(subject: Subject, wrapped: optax.GradientTransformation) -> tuple[Any, Any]:
    """Return the updates and gradients of a second step for the leaves hidden from `subject.tx`."""
    params, alone = subject.params, only_first(subject.params)
    first, second = sample_gradients(params, steps=2)
    start = wrapped.init(params)
    _, state = wrapped.update(first, start, params)
    updates, state = wrapped.update(second, state, params)
    expect_same_layout("the wrapper's state after a step", state, start)
    _, state = subject.tx.update(only_first(first), subject.tx.init(alone), alone)
    expected, _ = subject.tx.update(only_first(second), state, alone)
    expect_same("the update of the only leaf", only_first(updates), expected)
    return jax.tree.leaves(updates)[1:], jax.tree.leaves(second)[1:]


@conformance
def masked(subject: Subject) -> None:
    """`optax.masked` hides the masked leaves and passes their gradients through."""
    mask = first_marked(subject.params, True, False)
    for each in (mask, lambda params: mask):
        actual, gradients = rest_beside_first(subject, optax.masked(subject.tx, each))
        expect_same("the update of masked leaves", actual, gradients)


@conformance
def partition(subject: Subject) -> None:
    """`optax.partition` gives it only some of the leaves."""
    labels = first_marked(subject.params, "trained", "frozen")
    parts: dict[Any, Any] = {"trained": subject.tx, "frozen": optax.set_to_zero()}
    actual, gradients = rest_beside_first(subject, optax.partition(parts, labels))
    expect_same("the update of frozen leaves", actual, full(gradients, 0.0))


@conformance
def multi_steps(subject: Subject) -> None:
    """`optax.MultiSteps` turns two gradients into one step with their mean."""
    several = optax.MultiSteps(subject.tx, every_k_schedule=2)
    update = jax.jit(several.update)
    for params in (subject.params, cast(only_first(subject.params), jnp.bfloat16)):
        (mean,) = sample_gradients(params, steps=1)
        expected, _ = subject.tx.update(mean, subject.tx.init(params), params)
        # Twice the mean and zero: their mean is exact in every dtype.
        double = jax.tree.map(lambda g: 2 * g, mean)
        start = several.init(params)
        updates, state = update(double, start, params)
        in_dtype = f"in {jnp.result_type(jax.tree.leaves(params)[0])}, the"
        expect_same(f"{in_dtype} first update", updates, full(updates, 0.0))
        updates, state = update(full(mean, 0.0), state, params)
        expect_close(f"{in_dtype} second update", updates, expected)
        expect_same_layout(f"{in_dtype} state after it", state, start)


@conformance
def apply_if_finite(subject: Subject) -> None:
    """`optax.apply_if_finite` skips a bad step without an effect on the next one."""
    tx, params = optax.apply_if_finite(subject.tx, max_consecutive_errors=3), subject.params
    update = jax.jit(tx.update)
    first, second = sample_gradients(params, steps=2)
    expected = train(subject.tx.update, params, subject.tx.init(params), [first, second])
    trained, state = train(update, params, tx.init(params), [first])
    updates, after = update(full(params, np.nan), state, trained)
    expect_same("the update of a bad step", updates, full(updates, 0.0))
    expect_same("the state after a bad step", after.inner_state, state.inner_state)
    trained, after = train(update, trained, after, [second])
    actual = trained, after.inner_state
    expect_close("the training without the bad step", actual, expected, (params, expected[1]))


@conformance
def tree_map_params(subject: Subject) -> None:
    """`optax.tree_utils.tree_map_params` finds the parameter-like trees in the state."""
    state = subject.tx.init(subject.params)
    marked = optax.tree_utils.tree_map_params(
        subject.tx.init,
        lambda leaf, param: "like a parameter",
        state,
        subject.params,
        transform_non_params=lambda leaf: leaf,
        is_leaf=lambda node: isinstance(node, optax.MaskedNode),
    )
    rest = [leaf for leaf in jax.tree.leaves(marked) if isinstance(leaf, jax.Array)]
    # The mark of a storage format is int8, a parameter's leaf is floating.
    shapes = [jnp.shape(leaf) for leaf in rest if jnp.ndim(leaf) and leaf.dtype != jnp.int8]
    expect(not shapes, f"arrays of the shapes {shapes} are not recognised as parameters' trees")
    same = optax.tree_utils.tree_map_params(subject.tx.init, lambda leaf: leaf, state)
    expect_same("the state mapped by the identity", same, state)


def expect_same_moves(subject: Subject, injected: Any, state: Any, plain: Any) -> None:
    """Expect the same moves from the injected and the plain transformation."""
    params, gradients = subject.params, sample_gradients(subject.params)
    actual, _ = train(injected.update, params, state, gradients)
    expected, _ = train(plain.update, params, plain.init(params), gradients)
    moves = [
        jax.tree.leaves(jax.tree.map(jnp.subtract, after, params)) for after in (actual, expected)
    ]
    for a, b in zip(*moves, strict=True):
        # As a float32 array, b2 = 0.999 gives 1 - b2 an error of 1e-5.
        expect(np.allclose(a, b, rtol=1e-3, atol=1e-6), f"the parameters moved by {a}, not {b}")


@conformance
def inject_hyperparams(subject: Subject) -> None:
    """`optax.inject_hyperparams` gives the same updates, and finite ones in bfloat16."""
    if subject.factory is None:
        raise NotApplicable("no factory was given")
    tx = optax.inject_hyperparams(subject.factory, static_args=subject.static_args)()
    expect_same_moves(subject, tx, tx.init(subject.params), subject.factory())
    params = cast(subject.params, jnp.bfloat16)  # in which b2 = 0.999 becomes 1
    state = tx.init(params)
    for gradient in sample_gradients(params):
        updates, after = tx.update(gradient, state, params)
        expect_finite("with bfloat16 parameters, the update", updates)
        expect_same_layout("with bfloat16 parameters, the state", after, state)
        state = after


@conformance
def injected_learning_rate(subject: Subject) -> None:
    """Under `optax.inject_hyperparams`, a learning rate written into the state takes effect."""
    factory = subject.factory
    if factory is None or "learning_rate" not in inspect.signature(factory).parameters:
        raise NotApplicable("no factory with a learning_rate was given")
    tx = optax.inject_hyperparams(factory, static_args=subject.static_args)(learning_rate=0.5)
    state: Any = tx.init(subject.params)
    state.hyperparams["learning_rate"] = jnp.float32(0.125)
    expect_same_moves(subject, tx, state, factory(learning_rate=0.125))
