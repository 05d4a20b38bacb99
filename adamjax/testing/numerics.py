"""Checks of the values: gradients at the ends of the range, and beyond it."""

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


def stays_finite(subject: Subject, size_in: dict[str, float], signs: tuple[int, ...]) -> None:
    """Expects finite updates for constant gradients: a step for each sign, in each dtype."""
    update = jax.jit(subject.tx.update)
    for dtype in floats():
        params = cast(subject.params, dtype)
        state = subject.tx.init(params)
        size = size_in[jnp.dtype(dtype).name]
        for step, sign in enumerate(signs, start=1):
            updates, state = update(full(params, sign * size), state, params)
            expect_finite(
                f"after gradients of {size:.3g} times {signs[:step]} in {jnp.dtype(dtype)}, the "
                "update",
                updates,
            )


@conformance
def zero_gradients(subject: Subject) -> None:
    """Zero gradients, from the first step on, give finite updates."""
    stays_finite(subject, {jnp.dtype(d).name: 0.0 for d in floats()}, (1, 1, 1))


@conformance
def denormal_gradients(subject: Subject) -> None:
    """The smallest gradients of each dtype give finite updates; so does the zero after them."""
    sizes = {jnp.dtype(d).name: float(jnp.finfo(d).smallest_subnormal) for d in floats()}
    stays_finite(subject, sizes, (1, 1, -1, 0))
    sizes = {jnp.dtype(d).name: float(jnp.finfo(d).tiny) for d in floats()}
    stays_finite(subject, sizes, (1, 1, -1, 0))


@conformance
def huge_gradients(subject: Subject) -> None:
    """The largest gradients of each dtype give finite updates; so does the zero after them."""
    sizes = {jnp.dtype(d).name: float(jnp.finfo(d).max) for d in floats()}
    stays_finite(subject, sizes, (1, 1, -1, 0, 0))


@conformance
def nonfinite_gradients(subject: Subject) -> None:
    """An infinity or NaN is not swallowed, and with `leafwise` it stays within its leaf.

    Not swallowed: it shows in the updates or in the state, where a guard such as
    `optax.apply_if_finite` or a look at the loss finds it.
    """
    (good,) = sample_gradients(subject.params, steps=1)
    (name, leaf), *others = named_leaves(good)
    treedef = jax.tree.structure(good)
    state = subject.tx.init(subject.params)
    wanted = named_leaves(subject.tx.update(good, state, subject.params))
    for value in (np.inf, -np.inf, np.nan):
        where = f"{value} in the gradient of {name}"
        leaf = jnp.ravel(leaf).at[0].set(value).reshape(jnp.shape(leaf))
        bad = treedef.unflatten([leaf, *(other for _, other in others)])
        seen = named_leaves(subject.tx.update(bad, state, subject.params))
        hidden = all(np.all(np.isfinite(values_of(x))) for _, x in seen)
        expect(not hidden, f"{where} left no trace")
        if subject.leafwise and others:
            for (place, a), (_, b) in zip(seen, wanted, strict=True):
                if not f"/{place}".endswith(f"/{name}"):
                    expect_same(f"after {where} alone, the result", {place: a}, {place: b})
