"""Checks under the transformations of JAX: jit, scan, vmap, donation."""

import warnings
from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.testing.subject import (
    Subject,
    conformance,
    expect,
    expect_close,
    sample_gradients,
    train,
)


@conformance
def jit_and_scan(subject: Subject) -> None:
    """Eagerly, jitted and in a scan the training is the same, up to the last places."""
    tx, params = subject.tx, subject.params
    gradients, state = sample_gradients(params), tx.init(params)
    wanted = train(tx.update, params, state, gradients)
    jitted = train(jax.jit(tx.update), params, state, gradients)
    expect_close("jitted, the training", jitted, wanted, (params, wanted[1]))

    def body(carry: Any, gradient: Any) -> tuple[Any, None]:
        updates, after = tx.update(gradient, carry[1], carry[0])
        return (optax.apply_updates(carry[0], updates), after), None

    stacked = jax.tree.map(lambda *steps: jnp.stack(steps), *gradients)
    scanned, _ = jax.lax.scan(body, (params, state), stacked)
    expect_close("in a scan, the training", scanned, wanted, (params, wanted[1]))


@conformance
def vmap(subject: Subject) -> None:
    """A batch of parameters and gradients is trained as its members are."""
    tx = subject.tx
    members = [subject.params, jax.tree.map(lambda p: 2 * p, subject.params)]
    gradients = sample_gradients(subject.params, steps=2)
    wanted = [tx.update(g, tx.init(p), p) for g, p in zip(gradients, members, strict=True)]
    params, batch, wanted = (
        jax.tree.map(lambda *each: jnp.stack(each), *those)
        for those in (members, gradients, wanted)
    )
    seen = jax.vmap(tx.update)(batch, jax.vmap(tx.init)(params), params)
    expect_close("under vmap, the result", seen, wanted)


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
    """Parameters and state can be donated: each in a buffer of its own, all of them reused."""

    def step(params: Any, state: Any, gradient: Any) -> Any:
        return train(subject.tx.update, params, state, [gradient])

    first, second = sample_gradients(subject.params, steps=2)
    params, init = jax.tree.map(jnp.copy, subject.params), subject.tx.init
    wanted = train(subject.tx.update, subject.params, init(subject.params), [first, second])
    donating = jax.jit(step, donate_argnums=(0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            seen = donating(*donating(params, init(params), first), second)
        except Warning as warning:
            raise AssertionError(str(warning)) from warning
    start = (subject.params, wanted[1])
    expect_close("with donated buffers, the training", seen, wanted, start)
