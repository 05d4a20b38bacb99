"""Checks of the ways in which `init` and `update` are called."""

from typing import Any

import optax

from adamjax.testing.subject import (
    NotApplicable,
    Subject,
    conformance,
    expect,
    expect_same,
    sample_gradients,
)


def first_step(subject: Subject) -> tuple[Any, Any, Any]:
    """A gradient, the state before it, and what `update` makes of them, called by position."""
    (gradient,) = sample_gradients(subject.params, steps=1)
    state = subject.tx.init(subject.params)
    return gradient, state, subject.tx.update(gradient, state, subject.params)


@conformance
def call_by_keyword(subject: Subject) -> None:
    """`init(params=)` and `update(updates=, state=, params=)` do the same as by position."""
    gradient, _, wanted = first_step(subject)
    state = subject.tx.init(params=subject.params)
    seen = subject.tx.update(updates=gradient, state=state, params=subject.params)
    expect_same("called by keywords, the result", seen, wanted)


@conformance
def extra_keywords(subject: Subject) -> None:
    """A transformation that takes extra keywords ignores those that it does not know."""
    if not isinstance(subject.tx, optax.GradientTransformationExtraArgs):
        raise NotApplicable("a plain GradientTransformation takes no extra keywords")
    gradient, state, wanted = first_step(subject)
    seen = subject.tx.update(gradient, state, subject.params, keyword_that_nobody_knows=1.0)
    expect_same("with an unknown keyword, the result", seen, wanted)


@conformance
def missing_params(subject: Subject) -> None:
    """`update` without params does the same, or raises ValueError where they are needed."""
    gradient, state, wanted = first_step(subject)
    try:
        seen = subject.tx.update(gradient, state)
    except ValueError as error:
        expect(
            subject.needs_params,
            f"update without params raised {error!r}; give needs_params=True if it needs them",
        )
        return
    expect(not subject.needs_params, "update without params raised no ValueError")
    expect_same("without params, the result", seen, wanted)


@conformance
def update_is_pure(subject: Subject) -> None:
    """`init` and `update` give the same again for the same arguments, which they leave alone."""
    gradient, state, wanted = first_step(subject)
    again = subject.tx.update(gradient, state, subject.params)
    expect_same("the second time, the result", again, wanted)
    expect_same("the second time, the state", subject.tx.init(subject.params), state)
