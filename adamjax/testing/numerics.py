"""Checks of the values: gradients at the ends of the range, and beyond it."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.testing.subject import (
    Subject,
    cast,
    conformance,
    expect,
    expect_finite,
    expect_same,
    floats,
    full,
    named_leaves,
    sample_gradients,
    values_of,
)


def stays_finite(subject: Subject, size_of: Callable[[Any], Any], signs: tuple[int, ...]) -> None:
    """Expect finite updates for constant gradients in each dtype, one step per sign."""
    update = jax.jit(subject.tx.update)
    for dtype in floats():
        size = float(size_of(jnp.finfo(dtype)))
        params = cast(subject.params, dtype)
        state = subject.tx.init(params)
        for step, sign in enumerate(signs, start=1):
            updates, state = update(full(params, sign * size), state, params)
            gradients = f"{size:.3g} times {signs[:step]} in {jnp.dtype(dtype)}"
            expect_finite(f"after gradients of {gradients}, the update", updates)


@conformance
def zero_gradients(subject: Subject) -> None:
    """Zero gradients from the first step on give finite updates."""
    stays_finite(subject, lambda _: 0.0, (1, 1, 1))


@conformance
def denormal_gradients(subject: Subject) -> None:
    """The smallest gradients of each dtype give finite updates, and so does a zero after them."""
    stays_finite(subject, lambda info: info.smallest_subnormal, (1, 1, -1, 0))
    stays_finite(subject, lambda info: info.tiny, (1, 1, -1, 0))


@conformance
def huge_gradients(subject: Subject) -> None:
    """The largest gradients of each dtype give finite updates, and so does a zero after them."""
    stays_finite(subject, lambda info: info.max, (1, 1, -1, 0, 0))


@conformance
def nonfinite_gradients(subject: Subject) -> None:
    """An infinity or NaN shows in the updates or the state, with `leafwise` only in its leaf."""
    (good,) = sample_gradients(subject.params, steps=1)
    (name, leaf), *others = named_leaves(good)
    treedef = jax.tree.structure(good)
    state = subject.tx.init(subject.params)
    expected = named_leaves(subject.tx.update(good, state, subject.params))
    for value in (np.inf, -np.inf, np.nan):
        where = f"{value} in the gradient of {name}"
        leaf = jnp.ravel(leaf).at[0].set(value).reshape(jnp.shape(leaf))
        bad = treedef.unflatten([leaf, *(other for _, other in others)])
        actual = named_leaves(subject.tx.update(bad, state, subject.params))
        hidden = all(np.all(np.isfinite(values_of(x))) for _, x in actual)
        expect(not hidden, f"{where} left no trace")
        if subject.leafwise and others:
            for (place, a), (_, b) in zip(actual, expected, strict=True):
                if not f"/{place}".endswith(f"/{name}"):
                    expect_same(f"after {where} alone, the result", {place: a}, {place: b})
