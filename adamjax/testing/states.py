"""Checks of the state, and of the containers that hold parameters."""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adamjax.testing.subject import (
    Subject,
    cast,
    conformance,
    expect,
    expect_finite,
    expect_same,
    expect_same_layout,
    floats,
    only_first,
    sample_gradients,
)
from adamjax.trees import PyTree


class Pair(NamedTuple):
    """A node that is neither a dict, a list nor a plain tuple."""

    first: PyTree
    second: PyTree


def step_from_start(subject: Subject, params: PyTree) -> tuple[PyTree, Any]:
    """Return updates and state of a first step, and check their layout."""
    (gradient,) = sample_gradients(params, steps=1)
    state = subject.tx.init(params)
    updates, after = subject.tx.update(gradient, state, params)
    expect_same_layout("the updates", updates, gradient)
    expect_same_layout("the state after a step", after, state)
    return updates, after


def dtype_pairs(subject: Subject) -> Iterator[tuple[str, PyTree, PyTree]]:
    """Yield a label, parameters and a gradient for each pair of dtypes."""
    for wide, narrow in itertools.product(floats(), floats()):
        name = f"for {jnp.dtype(wide)} parameters and {jnp.dtype(narrow)} gradients"
        yield name, cast(subject.params, wide), cast(subject.params, narrow)


@conformance
def state_is_stable(subject: Subject) -> None:
    """The state keeps its tree, shapes and dtypes, for every dtype of parameter and gradient."""
    for pair, params, gradient in dtype_pairs(subject):
        before = jax.eval_shape(subject.tx.init, params)
        _, after = jax.eval_shape(subject.tx.update, gradient, before, params)
        expect_same_layout(f"{pair}, the state after a step", after, before)


@conformance
def updates_fit(subject: Subject) -> None:
    """Updates have the gradient's tree and shapes, and the dtype of gradient or parameter."""
    for pair, params, gradient in dtype_pairs(subject):
        state = jax.eval_shape(subject.tx.init, params)
        updates, _ = jax.eval_shape(subject.tx.update, gradient, state, params)
        shapes = [jax.tree.map(jnp.shape, tree) for tree in (updates, gradient)]
        expect(shapes[0] == shapes[1], f"{pair}, the updates are {shapes[0]}, not {shapes[1]}")
        wide, narrow = (jnp.result_type(jax.tree.leaves(tree)[0]) for tree in (params, gradient))
        dtypes = {jnp.result_type(leaf) for leaf in jax.tree.leaves(updates)}
        expect(
            dtypes <= {wide, narrow, jnp.promote_types(wide, narrow)},
            f"{pair}, the updates are {' and '.join(map(str, dtypes))}",
        )


@conformance
def state_is_arrays(subject: Subject) -> None:
    """Every leaf of the state is a `jax.Array`, so that it can be saved, sharded and donated."""
    for leaf in jax.tree.leaves(subject.tx.init(subject.params)):
        expect(isinstance(leaf, jax.Array), f"the state holds {leaf!r}, a {type(leaf).__name__}")


@conformance
def init_takes_shapes(subject: Subject) -> None:
    """`init` needs only shapes: under `jax.eval_shape`, and for `jax.ShapeDtypeStruct` leaves."""
    expected = subject.tx.init(subject.params)
    shapes = jax.tree.map(
        lambda p: jax.ShapeDtypeStruct(jnp.shape(p), jnp.result_type(p)), subject.params
    )
    actual = jax.eval_shape(subject.tx.init, shapes)
    expect_same_layout("the state under jax.eval_shape", actual, expected)
    expect_same_layout("the state of jax.ShapeDtypeStruct", subject.tx.init(shapes), expected)


@conformance
def none_leaves(subject: Subject) -> None:
    """A None leaf stays None and does not affect the other leaves."""
    updates, _ = step_from_start(subject, subject.params)
    wider, _ = step_from_start(subject, {"kept": subject.params, "none": None})
    expect_same("beside None, the updates", wider["kept"], updates)
    step_from_start(subject, only_first(subject.params))


@conformance
def containers(subject: Subject) -> None:
    """Lists, tuples and NamedTuples hold parameters like a dict."""
    leaves = jax.tree.leaves(subject.params)
    updates, _ = step_from_start(subject, dict(enumerate(leaves)))
    expected = list(updates.values())
    for nested in (leaves, tuple(leaves), Pair(leaves[0], [tuple(leaves[1:])])):
        updates, _ = step_from_start(subject, nested)
        label = f"in a {type(nested).__name__}, the updates"
        expect_same(label, jax.tree.leaves(updates), expected)


@conformance
def scalar_leaves(subject: Subject) -> None:
    """A leaf may have no axes, and a single leaf may be the whole tree."""
    (scalar, _) = step_from_start(subject, jnp.float32(0.5))
    expect_finite("for a scalar, the update", scalar)
    in_dict, _ = step_from_start(subject, {"scale": jnp.float32(0.5)})
    expect_same("for a scalar in a dict, the update", in_dict["scale"], scalar)


@conformance
def empty_leaves(subject: Subject) -> None:
    """A leaf may have no elements. With `leafwise`, it does not affect the other leaves."""
    updates, _ = step_from_start(subject, subject.params)
    empty = {"axis": jnp.zeros((2, 0), jnp.float32), "vector": jnp.zeros((0,), jnp.float32)}
    wider, _ = step_from_start(subject, {"empty": empty, "kept": subject.params})
    if subject.leafwise:
        expect_same("beside empty leaves, the updates", wider["kept"], updates)


@conformance
def empty_tree(subject: Subject) -> None:
    """A tree may have no leaves, for example if all parameters are frozen."""
    for tree in ({}, (), {"nothing": None}):
        step_from_start(subject, tree)
