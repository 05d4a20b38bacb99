"""Skip steps with a gradient or a loss that is not finite, and handle outliers of the norm."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax.checks import (
    check_constants,
    check_count,
    check_positive,
    is_number,
    lookup_or_suggest,
    refuse_state,
)
from adamjax.modifiers.map_updates import choose, map_leaves
from adamjax.moments import ZERO, Array, divide, increment, root
from adamjax.rule import as_real, at_least_float32, real
from adamjax.storage.bits import as_operands, in_part
from adamjax.trees import PyTree, find_nodes, map_columns, unbox
from adamjax.wrappers.state_leaves import map_state

# From the norm, its usual value and its limit to a factor of an outlier. 0 skips it.
ACTIONS = {
    "skip": lambda norm, usual, limit: jnp.zeros_like(norm),
    "clip": lambda norm, usual, limit: divide(usual, norm),
    "shrink": lambda norm, usual, limit: divide(limit, norm) ** 2,
}


class GuardState(NamedTuple):
    """State of `guard`. The first four are also in `adamjax.metrics`.

    Attributes:
      nonfinite_gradients: steps with a gradient that was not finite.
      nonfinite_values: steps with a `value` that was not finite.
      outliers: steps with a norm above the limit.
      skipped_in_row: skipped steps since the last one that was not.
      norms: the last norms, or a tree with those of each leaf. None without a limit.
      inner_state: the state of the optimizer.
    """

    nonfinite_gradients: Array
    nonfinite_values: Array
    outliers: Array
    skipped_in_row: Array
    norms: Any
    inner_state: Any

    @property
    def metrics(self) -> dict[str, Array]:
        """The counts by name."""
        return dict(zip(self._fields[:4], self[:4], strict=True))


def guard(
    inner: optax.GradientTransformation,
    *,
    max_zscore: float | None = None,
    max_ratio: float | None = None,
    action: str = "skip",
    per_leaf: bool = False,
    window: int = 128,
) -> optax.GradientTransformationExtraArgs:
    """Skip steps with a gradient or loss that is not finite, and handle outliers of the norm.

    A skipped step changes no bit of the parameters and of the state of `inner`: moments, counts,
    schedules, residuals, averages. Pass the loss as `update(..., value=loss)` to check it too.

    The norm ‖g‖ is an outlier above the mean + `max_zscore` standard deviations, or above
    `max_ratio` medians, of the last `window` norms. Checks start when the window is full. An
    outlier enters it with the norm of the limit, so the limit follows a lasting change.

    | action | an outlier |
    |---|---|
    | "skip" | is skipped |
    | "clip" | gets the usual norm, the mean or the median |
    | "shrink" | gets the norm limit² / ‖g‖, less than the limit |

    Put it around the complete optimizer and its wrappers, with `track` around it. Around `inner`
    of `optax.MultiSteps` or `accumulate` it judges the mean, and the loss of the last microbatch.
    Outside of them it skips microbatches.
    Compiled, it reads the gradient once more and keeps no copy of the state. Inside
    `jax.shard_map` the norm is that of the arrays on one device, so leaves must be whole.

    Args:
      inner: any optimizer.
      max_zscore: limit in standard deviations, of at least 1/64 of the mean. 6 is usual.
      max_ratio: limit in medians, in place of `max_zscore`. 10 is usual.
      action: the treatment of an outlier, "skip", "clip" or "shrink".
      per_leaf: whether each leaf has its own norm and is skipped alone, with its part of the state.
        State of the whole tree, such as a count, then takes a step with a gradient of 0 there, and
        keeps its bits only if the loss is not finite. The counts are of steps in which any leaf was
        affected. In `adamjax.release`, each layer of a stack is a leaf.
      window: the number of norms.

    Returns:
      A transformation with a `GuardState`. A norm above 1.8e19, whose square is beyond float32, is
      not finite.

    Raises:
      ValueError: for two limits, a limit that is not positive, a `max_ratio` below 1, a window
        below 2, an unknown action or one without a limit. With `per_leaf`, in `update`, if the
        state of `inner` has other trees in place of the parameters'.

    >>> tx = guard(optax.sgd(0.5))
    >>> p = jnp.float32(1.0)
    >>> updates, state = tx.update(jnp.float32(jnp.nan), tx.init(p), p)
    >>> float(p + updates), int(state.nonfinite_gradients)
    (1.0, 1)
    """
    check_constants(max_zscore=max_zscore, max_ratio=max_ratio)
    statistics = _statistics(max_zscore, max_ratio)
    factor = lookup_or_suggest("action", action, ACTIONS)
    check_count("window", window, 2)
    if statistics is None and action != "skip":
        raise ValueError(f"action: {action!r} is for outliers; give max_zscore or max_ratio")
    inner = optax.with_extra_args_support(inner)

    def init(params: PyTree) -> GuardState:
        one, two, three, in_row = (jnp.zeros([], jnp.int32) for _ in range(4))
        leaves = unbox(params) if per_leaf else 0
        norms = jax.tree.map(lambda _: jnp.zeros(window, float), leaves) if statistics else None
        return GuardState(one, two, three, in_row, norms, inner.init(params))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        if not isinstance(state, GuardState) or (state.norms is None) != (statistics is None):
            refuse_state(state)
        leaves, treedef = jax.tree.flatten(updates)
        value, squares = extra_args.get("value"), _squares(leaves, per_leaf=per_leaf)
        valued = jnp.isfinite(0.0 if value is None else value).all()
        windows, of_windows = jax.tree.flatten(state.norms)
        judge = partial(_judge, statistics, factor)
        columns = squares, [valued] * len(squares), windows or [None] * len(squares)
        finite, outliers, factors, windows = _for_each(judge, *columns)
        # Apart from the steps of the leaves: XLA would compute all factors in each of them.
        factors = list(jax.lax.optimization_barrier(tuple(factors)))
        scales = treedef.unflatten(factors if per_leaf else factors * len(leaves))
        on = jax.tree.map(lambda s: s > 0, scales)
        passed = map_leaves(lambda g, s: jnp.where(s > 0, g * s, ZERO), updates, scales)
        changes, after = inner.update(passed, state.inner_state, params, **extra_args)
        # -0 is the only number that leaves the bits of all parameters.
        changes = jax.tree.map(lambda u, on: choose(on, u, -jnp.zeros_like(u)), changes, on)
        together = valued if per_leaf else factors[0] > 0
        marks = jax.tree.map(lambda _: together, after)
        if per_leaf:
            marks = map_state(inner, lambda _, on: on, after, on, other=lambda _: together)
        after = jax.tree.map(choose, marks, after, state.inner_state)
        skipped = ~jnp.all(jnp.array(factors) > 0)
        events = ~jnp.all(jnp.array(finite)), ~valued, jnp.any(jnp.array(outliers))
        one, two, three = (
            jnp.where(x, increment(n), n) for x, n in zip(events, state, strict=False)
        )
        in_row = jnp.where(skipped, increment(state.skipped_in_row), 0)
        norms = of_windows.unflatten(list(windows)) if statistics else None
        return changes, GuardState(one, two, three, in_row, norms, after)

    return optax.GradientTransformationExtraArgs(init, update)


def check_guard(state: Any, max_skipped: int = 10) -> None:
    """Raise an error on the host if the last steps were all skipped.

    It waits for the step, so call it where the loop reads the loss, say every 100 steps.

    Args:
      state: the state of an optimizer with `guard` anywhere in it, or an object with the attribute
        `opt_state`, such as `flax.nnx.Optimizer`.
      max_skipped: the number of skipped steps in a row that is an error.

    Raises:
      FloatingPointError: if as many steps in a row were skipped.
      ValueError: if the state has no `guard`, or for a `max_skipped` below 1.

    >>> tx = guard(optax.sgd(0.5))
    >>> check_guard(tx.init(jnp.float32(1.0)))
    """
    check_count("max_skipped", max_skipped)
    guards = list(guards_in(unbox(getattr(state, "opt_state", state))))
    if not guards:
        raise ValueError("state: it has no adamjax.guard; put guard(...) around the optimizer")
    for node in guards:
        in_row = np.max(node.skipped_in_row)  # Of all members under vmap.
        if in_row >= max_skipped:
            counts = ", ".join(f"{name}={np.max(x)}" for name, x in node.metrics.items())
            raise FloatingPointError(
                f"{in_row} steps in a row were skipped ({counts}); restore a "
                "checkpoint and lower the learning rate, or skip the data of these steps"
            )


def guards_in(tree: Any) -> Iterator[GuardState]:
    """Yield the state of each guard, outer before inner."""
    for node in find_nodes(tree, lambda node: isinstance(node, GuardState)):
        yield node
        yield from guards_in(node.inner_state)


def _statistics(max_zscore: float | None, max_ratio: float | None) -> Any:
    """Return a function from the last norms to the usual one and the limit, or None."""
    if max_zscore is not None and max_ratio is not None:
        raise ValueError("max_zscore, max_ratio: give one of them")
    if max_ratio is not None:
        check_positive("max_ratio", max_ratio)
        if is_number(max_ratio) and max_ratio < 1:
            raise ValueError(f"max_ratio must be at least 1, got {max_ratio}")
        return lambda norms: (usual := jnp.median(norms), max_ratio * usual)
    if max_zscore is None:
        return None
    check_positive("max_zscore", max_zscore)

    def zscore(norms: Array) -> tuple[Array, Array]:
        usual = jnp.mean(norms)
        return usual, usual + max_zscore * jnp.maximum(root(jnp.var(norms)), usual / 64)

    return zscore


def _squares(leaves: Sequence[Any], *, per_leaf: bool) -> list[Array]:
    """Return the squared norm of each leaf, or that of all."""
    wide = [as_real(g, real(at_least_float32(jnp.result_type(g)))) for g in leaves]
    squares = [jnp.sum(jnp.square(g)).astype(float) for g in wide]
    return squares if per_leaf else [jnp.asarray(sum(squares), float)]


def _for_each(judge: Any, *columns: list[Any]) -> Iterator[Any]:
    """Return the results of `_judge` for all leaves, each as a list or as rows of an array."""
    if in_part() or len(columns[0]) < 2:
        # In a part of a tree, leaves stay apart, so that each depends only on its own norms.
        rows = map_columns(judge, *columns)
        return ([row[k] for row in rows] for k in range(4))
    # Small operations for each leaf would take longer to compile and to start. The barrier keeps
    # XLA from computing all rows for each of them.
    rows = jax.vmap(judge)(*(None if c[0] is None else jnp.stack(c) for c in columns))
    finite, outliers, *others = jax.lax.optimization_barrier(rows)
    return iter([finite, outliers, *(None if x is None else _rows(x) for x in others)])


def _rows(x: Array) -> list[Array]:
    """Return the rows of an array. XLA's CPU backend compiles one kernel for all of them."""
    indices = as_operands(np.arange(len(x), dtype=np.int32))
    return [jax.lax.dynamic_index_in_dim(x, i, keepdims=False) for i in indices]


def _judge(
    statistics: Any, factor: Any, square: Array, valued: Array, norms: Any
) -> tuple[Array, Array, Array, Any]:
    """Return whether a norm is finite, whether it is an outlier, the factor, and the last norms."""
    norm = root(square)
    finite = jnp.isfinite(norm)
    good, outlier, scale = finite & valued, jnp.zeros_like(finite), jnp.ones_like(norm)
    if statistics is not None:
        usual, limit = statistics(norms)
        # No limit before the window is full.
        limit = jnp.where(norms[0] > 0, limit, norm)
        outlier = good & (norm > limit)
        scale = jnp.where(outlier, factor(norm, usual, limit), scale)
        later = jnp.concatenate([norms[1:], jnp.minimum(norm, limit)[None]])
        norms = jnp.where(good & (norm > 0), later, norms)
    return finite, outlier, jnp.where(good, scale, 0.0), norms
