"""From an update rule to a ready-made optimizer: weight decay and the learning rate.

Weight decay is decoupled by default, or coupled as the authors of a variant couple it. "l2", a term
of the gradient, is never the default, even where the authors' code has no other.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative, is_zero, lookup_or_suggest, refuse_state
from adamjax.matrices.layers import Stack, over_layers, stacks_of
from adamjax.moments import Array, common_dtype, increment
from adamjax.rule import ScalarOrSchedule, at_least_float32, cast, is_complex, value_at
from adamjax.storage.rounding import with_param_rounding
from adamjax.storage.state_moments import steps_done, without_format
from adamjax.storage.store import store
from adamjax.trees import (
    Mask,
    PyTree,
    check_patterns,
    check_same_tree,
    find_nodes,
    flatten_floating,
    like_updates,
    map_columns,
    require_params,
    resolve_mask,
)


class LearningRateState(NamedTuple):
    """State of the last stage of an optimizer.

    Attributes:
      step: number of steps done (int32), or None if the state of the rule counts them.
      last_learning_rate: learning rate of the last step (float32), a record for tracking. To change
        the rate, pass a schedule or use `optax.inject_hyperparams`.
    """

    step: Any
    last_learning_rate: Array


class DecayMode(NamedTuple):
    """A way to couple weight decay with a step.

    Attributes:
      name: the value of `decay_mode`.
      formula: the step in readable Unicode, p <- ... .
      couple: `(d, p, λ, lr)` to the subtrahend of p, where d = lr u. None if the gradient has the
        decay ("l2"), or the rule of a variant.
    """

    name: str
    formula: str
    couple: Callable[[Array, Array, Array, Array], Array] | None = None


def _where_signs_agree(p: Array, u: Array) -> Array:
    """Return p, and 0 where u has the other sign."""
    if is_complex(p):
        parts = ((x(p), x(u)) for x in (jnp.real, jnp.imag))
        return jax.lax.complex(*(_where_signs_agree(*part) for part in parts))
    return p * (jnp.sign(u) * jnp.sign(p) >= 0).astype(p.dtype)


DECAY_MODES = {
    mode.name: mode
    for mode in (
        DecayMode("decoupled", "p <- p - lr (u + λ p)", lambda d, p, wd, lr: d + lr * wd * p),
        DecayMode("independent", "p <- p - lr u - λ p", lambda d, p, wd, lr: d + wd * p),
        DecayMode("l2", "g <- g + λ p, before anything else"),
        DecayMode(
            "proximal",
            "p <- (p - lr u) / (1 + lr λ)",
            lambda d, p, wd, lr: (d + lr * wd * p) / (1 + lr * wd),
        ),
        DecayMode(
            "decoupled_after",
            "p <- (p - lr u) (1 - lr λ)",
            lambda d, p, wd, lr: d + lr * wd * (p - d),
        ),
        DecayMode(
            "independent_after", "p <- (p - lr u) (1 - λ)", lambda d, p, wd, lr: d + wd * (p - d)
        ),
        DecayMode(
            "cautious",
            "p <- p - lr (u + λ p [u p >= 0])",
            lambda d, p, wd, lr: d + lr * wd * _where_signs_agree(p, d),
        ),
        DecayMode("lr_squared", "p <- p - lr u - lr² λ p", lambda d, p, wd, lr: d + lr**2 * wd * p),
    )
}


def optimizer(
    scale_by: optax.GradientTransformation,
    learning_rate: ScalarOrSchedule,
    *,
    weight_decay: ScalarOrSchedule = 0.0,
    decay_mode: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    decay_scale: Callable[[Array, Array], Array] | None = None,
    includes_learning_rate: bool = False,
    step_size: Callable[[Any], Array] | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Turn an update rule into an optimizer with weight decay and a learning rate.

    With u the update, p the parameter, lr the learning rate and λ the weight decay of this step:

        "decoupled"           p <- p - lr (u + λ p)
        "independent"         p <- p - lr u - λ p
        "l2"                  g <- g + λ p, before anything else
        "proximal"            p <- (p - lr u) / (1 + lr λ)
        "decoupled_after"     p <- (p - lr u) (1 - lr λ)
        "independent_after"   p <- (p - lr u) (1 - λ)
        "cautious"            p <- p - lr (u + λ p [u p >= 0])
        "lr_squared"          p <- p - lr u - lr² λ p

    "cautious" (Chen et al., 2025, arXiv:2510.12402) decays the elements that the update moves
    towards 0. The corrected decay of AdamC (arXiv:2506.02285) is "lr_squared" with the weight decay
    λ / max(lr).

    All arithmetic is float32 (float64 for float64 gradients), and is rounded once at the end.

    Args:
      scale_by: a transformation from gradients to updates, such as `adamjax.scale_by_adam()`.
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay couples with the step, one of the names above.
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.
      decay_scale: from a parameter and its gradient to a factor of λ, or None.
      includes_learning_rate: whether the updates are multiplied by the learning rate already.
      step_size: from the state of `scale_by` to a factor of the learning rate, or None.

    Returns:
      A transformation with the state `(state of scale_by, LearningRateState)`. Its updates have the
      gradients' dtype, or the parameters' where that is wider, or float32 for float16 and bfloat16.
      With `param_rounding` it is chained with `adamjax.round_params`, and the updates of
      low-precision parameters are float32.

    Raises:
      ValueError: for negative numbers or an unknown `decay_mode`; in `init`, if `scale_by` is an
        optimizer with a learning rate; in `update`, if there is weight decay and the parameters are
        missing or do not fit.

    >>> from adamjax import scale_by_adam
    >>> tx = optimizer(scale_by_adam(), 0.1, weight_decay=0.5)
    >>> params = {"w": jnp.float32(1.0)}
    >>> updates, _ = tx.update({"w": jnp.float32(3.0)}, tx.init(params), params)
    >>> round(float(updates["w"]), 6)
    -0.15
    """
    weight_decay = 0.0 if weight_decay is None else weight_decay
    check_not_negative("learning_rate", learning_rate)
    check_not_negative("weight_decay", weight_decay)
    mode = lookup_or_suggest("decay_mode", decay_mode, DECAY_MODES)
    decays = not is_zero(weight_decay)
    scale_by = store(scale_by if includes_learning_rate else as_rule("scale_by", scale_by), storage)

    def init(params: PyTree) -> Any:
        check_patterns("mask", mask, params)
        rule_state = scale_by.init(params)
        step = jnp.zeros([], jnp.int32) if steps_done(rule_state) is None else None
        return rule_state, LearningRateState(step, jnp.zeros([], jnp.float32))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        rule_state, last = _own(state)
        params = like_updates(updates, params)
        count = steps_done(rule_state) if last.step is None else last.step
        lr, wd = value_at(learning_rate, count), value_at(weight_decay, count)
        leaves, treedef = flat = flatten_floating("updates", updates)
        seen = leaves
        if decays:
            require_params(params, "weight_decay")
        if params is not None:
            seen = check_same_tree("updates", updates, "params", params, flat=flat)
        masked = resolve_mask(mask, params) if decays else [False] * len(leaves)
        l2 = [on and mode.couple is None for on in masked]
        wide = [_widen(g, p, on, wd) for g, p, on in zip(leaves, seen, l2, strict=True)]
        new, rule_state = scale_by.update(treedef.unflatten(wide), rule_state, params, **extra_args)
        lr = lr * step_size(without_format(rule_state)) if step_size else lr

        def change(u: Array, g: Array, p: Array, on: Any, stack: Stack) -> Array:
            rate = cast(lr, u.dtype)
            step = u if includes_learning_rate else rate * u
            if mode.couple is not None and on is not None:
                wide_p = jnp.asarray(p, u.dtype)
                scale = _scale(decay_scale, stack, wide_p, jnp.asarray(g, u.dtype))
                step = mode.couple(step, wide_p, cast(wd, u.dtype) * scale, rate)
            return (-step).astype(common_dtype(g, p))

        marks = [() if on else None for on in masked]  # static under jit, unlike a bool
        columns = (treedef.flatten_up_to(new), leaves, seen, marks, stacks_of(updates))
        step = None if last.step is None else increment(last.step)
        state = rule_state, LearningRateState(step, jnp.asarray(lr, jnp.float32))
        return treedef.unflatten(map_columns(change, *columns)), state

    tx = optax.GradientTransformationExtraArgs(init, update)
    return with_param_rounding(tx, param_rounding=param_rounding)


def _widen(g: Array, p: Array, on: bool, wd: Any) -> Array:
    """Return the gradient in the dtype to compute in, with the term λ p if `on`."""
    dtype = at_least_float32(common_dtype(g, p))
    g = jnp.asarray(g, dtype)
    return g + cast(wd, dtype) * jnp.asarray(p, dtype) if on else g


def _scale(decay_scale: Any, stack: Stack, p: Array, g: Array) -> Any:
    """Return the factor of the weight decay, for each layer its own."""
    if decay_scale is None:
        return 1.0
    return over_layers(lambda p, g: decay_scale(p, g) * jnp.ones_like(p), stack, p, g)


def as_rule(name: str, tx: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
    """Refuse in `init` a complete optimizer, whose updates descend."""
    tx = optax.with_extra_args_support(tx)
    is_last = lambda node: isinstance(node, LearningRateState)  # noqa: E731

    def init(params: PyTree) -> Any:
        state = tx.init(params)
        if find_nodes(state, is_last):
            raise ValueError(
                f"{name}: it is an optimizer with a learning rate, so its updates descend already. "
                "Give the update rule, such as adamjax.scale_by_adam()"
            )
        return state

    return tx._replace(init=init)


def _own(state: Any) -> tuple[Any, LearningRateState]:
    last = state[1] if isinstance(state, tuple) and len(state) == 2 else None
    if not isinstance(last, LearningRateState):
        refuse_state(state)
    return state
