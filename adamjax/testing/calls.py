"""Checks of how `init` and `update` are called: arguments, jit, scan, vmap, donation."""

import warnings
from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.testing.subject import (
    NotApplicable,
    Subject,
    conformance,
    expect,
    expect_close,
    expect_same,
    sample_gradients,
    train,
)


def first_step(subject: Subject) -> tuple[Any, Any, Any]:
    """Return a gradient, the initial state, and the result of `update` for them."""
    (gradient,) = sample_gradients(subject.params, steps=1)
    state = subject.tx.init(subject.params)
    return gradient, state, subject.tx.update(gradient, state, subject.params)


@conformance
def call_by_keyword(subject: Subject) -> None:
    """`init(params=)` and `update(updates=, state=, params=)` equal the positional calls."""
    gradient, _, expected = first_step(subject)
    state = subject.tx.init(params=subject.params)
    actual = subject.tx.update(updates=gradient, state=state, params=subject.params)
    expect_same("called by keywords, the result", actual, expected)


@conformance
def extra_keywords(subject: Subject) -> None:
    """A transformation that takes extra keywords ignores unknown ones."""
    if not isinstance(subject.tx, optax.GradientTransformationExtraArgs):
        raise NotApplicable("a plain GradientTransformation takes no extra keywords")
    gradient, state, expected = first_step(subject)
    actual = subject.tx.update(gradient, state, subject.params, an_unknown_keyword=1.0)
    expect_same("with an unknown keyword, the result", actual, expected)


@conformance
def missing_params(subject: Subject) -> None:
    """`update` without params returns the same, or raises ValueError if it needs them."""
    gradient, state, expected = first_step(subject)
    try:
        actual = subject.tx.update(gradient, state)
    except ValueError as error:
        expect(
            subject.needs_params,
            f"update without params raised {error!r}; give needs_params=True if it needs them",
        )
        return
    expect(not subject.needs_params, "update without params raised no ValueError")
    expect_same("without params, the result", actual, expected)


@conformance
def update_is_pure(subject: Subject) -> None:
    """`init` and `update` repeat their results and do not change their arguments."""
    gradient, state, expected = first_step(subject)
    again = subject.tx.update(gradient, state, subject.params)
    expect_same("the second time, the result", again, expected)
    expect_same("the second time, the state", subject.tx.init(subject.params), state)


@conformance
def jit_and_scan(subject: Subject) -> None:
    """Training is the same eagerly, under jit and in a scan, up to the last places."""
    tx, params = subject.tx, subject.params
    gradients, state = sample_gradients(params), tx.init(params)
    expected = train(tx.update, params, state, gradients)
    jitted = train(jax.jit(tx.update), params, state, gradients)
    expect_close("jitted, the training", jitted, expected, (params, expected[1]))

    def body(carry: Any, gradient: Any) -> tuple[Any, None]:
        params, state = carry
        return train(tx.update, params, state, [gradient]), None

    stacked = jax.tree.map(lambda *steps: jnp.stack(steps), *gradients)
    scanned, _ = jax.lax.scan(body, (params, state), stacked)
    expect_close("in a scan, the training", scanned, expected, (params, expected[1]))


@conformance
def vmap(subject: Subject) -> None:
    """A batch of parameters and gradients is trained like its members."""
    tx = subject.tx
    members = [subject.params, jax.tree.map(lambda p: 2 * p, subject.params)]
    gradients = sample_gradients(subject.params, steps=2)
    results = [tx.update(g, tx.init(p), p) for g, p in zip(gradients, members, strict=True)]
    params, batch, expected = (
        jax.tree.map(lambda *each: jnp.stack(each), *trees)
        for trees in (members, gradients, results)
    )
    actual = jax.vmap(tx.update)(batch, jax.vmap(tx.init)(params), params)
    expect_close("under vmap, the result", actual, expected)


@conformance
def no_recompilation(subject: Subject) -> None:
    """A jitted step is traced once, however many steps follow."""
    traces = 0

    @jax.jit
    def update(gradient: Any, state: Any, params: Any) -> Any:
        nonlocal traces
        traces += 1
        return subject.tx.update(gradient, state, params)

    train(update, subject.params, subject.tx.init(subject.params), sample_gradients(subject.params))
    expect(traces == 1, f"3 steps were traced {traces} times")


@conformance
def donation(subject: Subject) -> None:
    """Parameters and state can be donated: they share no buffer, and all buffers are reused."""

    def step(params: Any, state: Any, gradient: Any) -> Any:
        return train(subject.tx.update, params, state, [gradient])

    first, second = sample_gradients(subject.params, steps=2)
    params, init = jax.tree.map(jnp.copy, subject.params), subject.tx.init
    expected = train(subject.tx.update, subject.params, init(subject.params), [first, second])
    donating = jax.jit(step, donate_argnums=(0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            actual = donating(*donating(params, init(params), first), second)
        except Warning as warning:
            raise AssertionError(str(warning)) from warning
    start = (subject.params, expected[1])
    expect_close("with donated buffers, the training", actual, expected, start)
