"""All checks, and the one call that runs them."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import optax

from adamjax.checks import lookup_or_suggest
from adamjax.testing import calls, frameworks, numerics, states, wrappers
from adamjax.testing.subject import NotApplicable, Subject, sample_params
from adamjax.trees import PyTree

# In these modules only the checks are wrapped, by `conformance`.
CHECKS: dict[str, Callable[[Subject], None]] = {
    name: value
    for module in (states, numerics, calls, wrappers, frameworks)
    for name, value in vars(module).items()
    if hasattr(value, "__wrapped__")
}


class Report(NamedTuple):
    """The result of `check`.

    Attributes:
      ran: the names of the checks that ran and passed.
      not_run: the reason for each check that did not run.
    """

    ran: tuple[str, ...]
    not_run: dict[str, str]


def check(
    tx: optax.GradientTransformation,
    *,
    params: PyTree = None,
    needs_params: bool = False,
    leafwise: bool = True,
    factory: Callable[..., Any] | None = None,
    static_args: Sequence[str] = (),
    skip: Sequence[str] = (),
) -> Report:
    """Check that a gradient transformation keeps the promises that Optax users rely on.

    `CHECKS` holds the names and the promises, one sentence each:
    `for name, check in CHECKS.items(): print(name, check.__doc__)`.

    Args:
      tx: any transformation or ready-made optimizer.
      params: parameters that it accepts. The default is a matrix, a vector and a scalar. Checks of
        scalars, empty leaves and frameworks use their own.
      needs_params: whether `update` requires the parameters.
      leafwise: whether each leaf is updated independently. False for a clip by the global norm.
      factory: the function that makes `tx`, for `optax.inject_hyperparams`. Every argument needs a
        default, which `functools.partial` can set.
      static_args: the arguments of `factory` that `optax.inject_hyperparams` must not inject.
      skip: names of checks to leave out.

    Returns:
      The names of the checks that ran, and the reason for each that did not: skipped, a library is
      not installed, no factory.

    Raises:
      AssertionError: for the first broken promise, with its name and the evidence.
      ValueError: for an unknown name in `skip`.

    >>> report = check(optax.sgd(0.1), skip=["nnx_optimizer", "train_state", "equinox_module"])
    >>> len(report.ran) + len(report.not_run) == len(CHECKS)
    True
    >>> report.not_run["train_state"], report.not_run["inject_hyperparams"]
    ('left out by the caller', 'no factory was given')
    >>> check(optax.adam(1e-3))
    Traceback (most recent call last):
    AssertionError: state_is_stable: for bfloat16 parameters and float32 gradients, the state \
after a step [0/mu/dense/bias] is float32[3], not bfloat16[3]
    """
    for name in skip:
        lookup_or_suggest("check", name, CHECKS)
    params = sample_params() if params is None else params
    subject = Subject(tx, params, needs_params, leafwise, factory, tuple(static_args))
    ran, not_run = [], dict.fromkeys(skip, "left out by the caller")
    for name, run in CHECKS.items():
        if name in not_run:
            continue
        try:
            run(subject)
        except NotApplicable as reason:
            not_run[name] = str(reason)
        else:
            ran.append(name)
    return Report(tuple(ran), not_run)
