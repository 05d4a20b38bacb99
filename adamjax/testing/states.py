"""Checks of the state, and of the trees that parameters come in."""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adamjax.testing.subject import (
    Subject,
    cast,
    conformance,
    dtype_of,
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
    """Updates and state of a first step on these parameters, their layout checked."""
    (gradient,) = sample_gradients(params, steps=1)
    state = subject.tx.init(params)
    updates, after = subject.tx.update(gradient, state, params)
    expect_same_layout("the updates", updates, gradient)
    expect_same_layout("the state after a step", after, state)
    return updates, after


def dtype_pairs(subject: Subject) -> Iterator[tuple[str, PyTree, PyTree]]:
    """For every dtype of parameter and gradient: their names, parameters, a gradient."""
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
    """Updates have the gradient's tree and shapes, and its dtype, the parameter's, or both's."""
    for pair, params, gradient in dtype_pairs(subject):
        state = jax.eval_shape(subject.tx.init, params)
        updates, _ = jax.eval_shape(subject.tx.update, gradient, state, params)
        shapes = [jax.tree.map(jnp.shape, tree) for tree in (updates, gradient)]
        expect(shapes[0] == shapes[1], f"{pair}, the updates are {shapes[0]}, not {shapes[1]}")
        wide, narrow = (dtype_of(jax.tree.leaves(tree)[0]) for tree in (params, gradient))
        seen = {dtype_of(leaf) for leaf in jax.tree.leaves(updates)}
        expect(
            seen <= {wide, narrow, jnp.promote_types(wide, narrow)},
            f"{pair}, the updates are {' and '.join(map(str, seen))}",
        )


@conformance
def state_is_arrays(subject: Subject) -> None:
    """Every leaf of the state is a `jax.Array`, so that it can be saved, sharded and donated."""
    for leaf in jax.tree.leaves(subject.tx.init(subject.params)):
        expect(isinstance(leaf, jax.Array), f"the state holds {leaf!r}, a {type(leaf).__name__}")


@conformance
def init_takes_shapes(subject: Subject) -> None:
    """`init` needs only shapes: under `jax.eval_shape`, and of `jax.ShapeDtypeStruct` leaves."""
    wanted = subject.tx.init(subject.params)
    shapes = jax.tree.map(lambda p: jax.ShapeDtypeStruct(jnp.shape(p), dtype_of(p)), subject.params)
    expect_same_layout(
        "the state under jax.eval_shape", jax.eval_shape(subject.tx.init, shapes), wanted
    )
    expect_same_layout("the state of jax.ShapeDtypeStruct", subject.tx.init(shapes), wanted)


@conformance
def none_leaves(subject: Subject) -> None:
    """None among the leaves stays None and changes nothing for the others."""
    updates, _ = step_from_start(subject, subject.params)
    wider, _ = step_from_start(subject, {"kept": subject.params, "none": None})
    expect_same("beside None, the updates", wider["kept"], updates)
    step_from_start(subject, only_first(subject.params))


@conformance
def containers(subject: Subject) -> None:
    """Lists, tuples and NamedTuples hold parameters as well as a dict does."""
    leaves = jax.tree.leaves(subject.params)
    updates, _ = step_from_start(subject, dict(enumerate(leaves)))
    wanted = list(updates.values())
    for nested in (leaves, tuple(leaves), Pair(leaves[0], [tuple(leaves[1:])])):
        updates, _ = step_from_start(subject, nested)
        expect_same(f"in a {type(nested).__name__}, the updates", jax.tree.leaves(updates), wanted)


@conformance
def scalar_leaves(subject: Subject) -> None:
    """A leaf may have no axis, and a single leaf may be the whole tree."""
    (scalar, _) = step_from_start(subject, jnp.float32(0.5))
    expect_finite("for a scalar, the update", scalar)
    in_dict, _ = step_from_start(subject, {"scale": jnp.float32(0.5)})
    expect_same("for a scalar in a dict, the update", in_dict["scale"], scalar)


@conformance
def empty_leaves(subject: Subject) -> None:
    """A leaf may have no element; with `leafwise` the others do not notice."""
    updates, _ = step_from_start(subject, subject.params)
    empty = {"axis": jnp.zeros((2, 0), jnp.float32), "vector": jnp.zeros((0,), jnp.float32)}
    wider, _ = step_from_start(subject, {"empty": empty, "kept": subject.params})
    if subject.leafwise:
        expect_same("beside empty leaves, the updates", wider["kept"], updates)


@conformance
def empty_tree(subject: Subject) -> None:
    """A tree may have no leaf: all parameters frozen, say."""
    for tree in ({}, (), {"nothing": None}):
        step_from_start(subject, tree)
