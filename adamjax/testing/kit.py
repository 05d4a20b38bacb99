"""All checks, and the one call that runs them."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import optax

from adamjax.checks import lookup_or_suggest
from adamjax.testing import calls, frameworks, numerics, states, transforms, wrappers
from adamjax.testing.subject import NotApplicable, Subject, sample_params
from adamjax.trees import PyTree

CHECKS: dict[str, Callable[[Subject], None]] = {
    each.__name__: each
    for each in (
        states.state_is_stable,
        states.updates_fit,
        states.state_is_arrays,
        states.init_takes_shapes,
        states.none_leaves,
        states.containers,
        states.scalar_leaves,
        states.empty_leaves,
        states.empty_tree,
        numerics.zero_gradients,
        numerics.denormal_gradients,
        numerics.huge_gradients,
        numerics.nonfinite_gradients,
        calls.call_by_keyword,
        calls.extra_keywords,
        calls.missing_params,
        calls.update_is_pure,
        transforms.jit_and_scan,
        transforms.vmap,
        transforms.no_recompilation,
        transforms.donation,
        wrappers.masked,
        wrappers.partition,
        wrappers.multi_steps,
        wrappers.apply_if_finite,
        wrappers.tree_map_params,
        wrappers.inject_hyperparams,
        wrappers.injected_learning_rate,
        frameworks.nnx_optimizer,
        frameworks.train_state,
        frameworks.equinox_module,
    )
}


class Report(NamedTuple):
    """What `check` did.

    Attributes:
      ran: the names of the checks that ran, and held.
      not_run: for each of the others, why.
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
    """Checks that a gradient transformation keeps the promises that Optax users rely on.

    The names and the promises, one sentence each, are in `CHECKS`:
    `for name, check in CHECKS.items(): print(name, check.__doc__)`.

    Args:
      tx: any transformation or ready-made optimizer.
      params: parameters that it accepts; by default a matrix, a vector and a scalar. Checks of
        scalars, empty leaves and frameworks bring their own.
      needs_params: whether `update` cannot do without the parameters.
      leafwise: whether each leaf is treated by itself; False for a clip by the global norm, say.
      factory: the function that makes it, all arguments having defaults (`functools.partial` sets
        others), for `optax.inject_hyperparams`.
      static_args: the arguments of `factory` that are not numbers or must not become arrays.
      skip: names of checks to leave out, for promises that are not made.

    Returns:
      The names of the checks that ran, and why the others did not: left out, a library that is not
      installed, no factory.

    Raises:
      AssertionError: for the first promise that is broken; names it and says what was seen.
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
    for name, each in CHECKS.items():
        if name in not_run:
            continue
        try:
            each(subject)
        except NotApplicable as reason:
            not_run[name] = str(reason)
        else:
            ran.append(name)
    return Report(tuple(ran), not_run)
