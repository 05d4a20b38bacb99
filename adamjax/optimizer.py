"""From a direction to a ready-made optimizer: weight decay and the learning rate.

Weight decay is decoupled, or as the authors of a variant decouple it, unless one asks for another:
"l2", a term of the gradient, is nowhere the default, also where the authors' code has no other.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative, is_zero, pick, refuse_state
from adamjax.moments import Array
from adamjax.rule import ScalarOrSchedule, at_least_float32, cast, traced_once, value_at
from adamjax.storage.rounding import round_params
from adamjax.storage.store import store
from adamjax.trees import Mask, PyTree, check_real, check_same_tree, resolve_mask


class LearningRateState(NamedTuple):
    """What the last stage of an optimizer keeps.

    Attributes:
      count: steps done (int32), or None if nothing is scheduled.
      learning_rate: the learning rate of the last step (float32), for tracking. It is a record:
        to change the rate, pass a schedule or use `optax.inject_hyperparams`.
    """

    count: Any
    learning_rate: Array


# What each decay does to the step d = lr u: (step, parameter, λ, lr) -> what is subtracted from p.
DECAYS = {
    "decoupled": lambda d, p, weight_decay, lr: d + lr * weight_decay * p,
    "independent": lambda d, p, weight_decay, lr: d + weight_decay * p,
    "decoupled_after": lambda d, p, weight_decay, lr: d + lr * weight_decay * (p - d),
    "independent_after": lambda d, p, weight_decay, lr: d + weight_decay * (p - d),
    "l2": lambda d, p, weight_decay, lr: d,
    "proximal": lambda d, p, weight_decay, lr: (
        (d + lr * weight_decay * p) / (1 + lr * weight_decay)
    ),
}


def optimizer(
    direction: optax.GradientTransformation,
    learning_rate: ScalarOrSchedule,
    *,
    weight_decay: ScalarOrSchedule = 0.0,
    decay: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    decay_scale: Callable[[Array, Array], Array] | None = None,
    includes_learning_rate: bool = False,
    step_size: Callable[[Any], Array] | None = None,
) -> optax.GradientTransformationExtraArgs:
    """A direction u, weight decay and the learning rate as one ready-made optimizer.

    With p the parameter, lr the learning rate and λ the weight decay of this step:

        "decoupled"    p <- p - lr (u + λ p)           Loshchilov & Hutter, torch, Optax, Keras
        "independent"  p <- p - lr u - λ p             the same, λ not multiplied by lr
        "l2"           g <- g + λ p before all else    torch.optim.Adam(weight_decay=λ)
        "proximal"     p <- (p - lr u) / (1 + lr λ)    Adan
        "decoupled_after", "independent_after"         after the step: SOAP; LaProp's authors

    All arithmetic is done in float32 (float64 for float64 gradients) and rounded once at the end.

    Args:
      direction: a transformation such as `adamjax.scale_by_adam()`.
      learning_rate: a number, array or schedule (a function of the number of steps done).
      weight_decay: λ, likewise. With "independent", pass a schedule to follow the learning rate's.
      decay: how the decay couples, one of the names above.
      mask: which leaves decay: None (all), a tree of bools or a function from the parameters to
        one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: how the direction's moments are kept between steps, see `adamjax.store`: "float32",
        "bfloat16", "8bit_v16" or "8bit".
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution, see
        `adamjax.round_params`: None (not at all), "stochastic", "kahan" or "residual8".
      decay_scale: from a parameter and its gradient to a factor of its λ.
      includes_learning_rate: whether the direction is multiplied by the learning rate already.
      step_size: from the direction's state to a factor of the learning rate, which it finds.

    Returns:
      A transformation of state `(direction's state, LearningRateState)`, whose updates have the
      gradients' dtype, or the parameters' where that is wider. With `param_rounding` it is chained
      with `adamjax.round_params`, and the updates of low-precision parameters are float32.

    Raises:
      ValueError: for negative numbers or an unknown `decay`; in `update`, if a decay is asked for
        and the parameters are missing or do not fit.

    >>> from adamjax import scale_by_adam
    >>> tx = optimizer(scale_by_adam(), 0.1, weight_decay=0.5)
    >>> params = {"w": jnp.float32(1.0)}
    >>> updates, _ = tx.update({"w": jnp.float32(3.0)}, tx.init(params), params)
    >>> round(float(updates["w"]), 6)
    -0.15
    """
    check_not_negative("learning_rate", learning_rate)
    check_not_negative("weight_decay", weight_decay)
    couple = pick("decay", decay, DECAYS)
    decays = not is_zero(weight_decay)
    scheduled = callable(learning_rate) or callable(weight_decay)
    direction = store(direction, storage)

    def init(params: PyTree) -> Any:
        count = jnp.zeros([], jnp.int32) if scheduled else None
        return direction.init(params), LearningRateState(count, jnp.zeros([], jnp.float32))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        _check_own(state, scheduled)
        direction_state, last = state
        lr, wd = value_at(learning_rate, last.count), value_at(weight_decay, last.count)
        leaves, treedef = jax.tree.flatten(updates)
        seen = _parameters(params, updates, needed=decays)
        decayed = resolve_mask(mask, params) if decays else [False] * len(leaves)

        wide = []
        for g, p, on in zip(leaves, seen, decayed, strict=True):
            dtype = at_least_float32(jnp.result_type(g, p))
            g = jnp.asarray(g, dtype)
            wide.append(g + cast(wd, dtype) * jnp.asarray(p, dtype) if on and decay == "l2" else g)
        directions, direction_state = direction.update(
            treedef.unflatten(wide), direction_state, params, **extra_args
        )
        lr = lr * step_size(direction_state) if step_size else lr

        def change(u: Array, g: Array, p: Array, on: bool) -> Array:
            rate = cast(lr, u.dtype)
            step = u if includes_learning_rate else rate * u
            if on:
                wide_p = jnp.asarray(p, u.dtype)
                scale = decay_scale(wide_p, jnp.asarray(g, u.dtype)) if decay_scale else 1.0
                step = couple(step, wide_p, cast(wd, u.dtype) * scale, rate)
            return (-step).astype(jnp.result_type(g, p) if param_rounding is None else u.dtype)

        change = traced_once(change, leaves, static_argnums=3)
        directions = treedef.flatten_up_to(directions)
        changes = [change(*each) for each in zip(directions, leaves, seen, decayed, strict=True)]
        count = None if last.count is None else optax.safe_increment(last.count)
        state = direction_state, LearningRateState(count, jnp.asarray(lr, jnp.float32))
        return treedef.unflatten(changes), state

    tx = optax.GradientTransformationExtraArgs(init, update)
    return tx if param_rounding is None else optax.chain(tx, round_params(param_rounding))


def inside_or_not(weight_decay: ScalarOrSchedule, decay: str) -> tuple[Any, dict[str, Any]]:
    """λ for a direction with decay inside, where `decay` says so, and the rest for `optimizer`.

    >>> inside_or_not(0.1, "inside")
    (0.1, {'weight_decay': 0.0, 'decay': 'decoupled'})
    >>> inside_or_not(0.1, "l2")
    (0.0, {'weight_decay': 0.1, 'decay': 'l2'})
    """
    if decay == "inside":
        return weight_decay, {"weight_decay": 0.0, "decay": "decoupled"}
    return 0.0, {"weight_decay": weight_decay, "decay": decay}


def decaying_only(
    direction: optax.GradientTransformationExtraArgs, mask: Mask
) -> optax.GradientTransformationExtraArgs:
    """A direction with decay inside, and for nothing else does it look at the parameters.

    Those of the leaves that do not decay are zeros to it.

    >>> tx = decaying_only(optax.add_decayed_weights(0.5), "w")
    >>> tree = {"b": jnp.ones(1), "w": jnp.ones(1)}
    >>> tx.update(tree, tx.init(tree), tree)[0]["b"].tolist()
    [1.0]
    """
    if mask is None:
        return direction

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        if params is not None:
            leaves, treedef = jax.tree.flatten(params)
            on = resolve_mask(mask, params)
            leaves = [p if keep else jnp.zeros_like(p) for p, keep in zip(leaves, on, strict=True)]
            params = treedef.unflatten(leaves)
        return direction.update(updates, state, params, **extra_args)

    return optax.GradientTransformationExtraArgs(direction.init, update)


def _check_own(state: Any, scheduled: bool) -> None:
    last = state[1] if isinstance(state, tuple) and len(state) == 2 else None
    if not isinstance(last, LearningRateState) or (last.count is not None) != scheduled:
        refuse_state(state)


def _parameters(params: PyTree, updates: PyTree, *, needed: bool) -> list[Any]:
    """The parameters in the order of the updates, which stand in for them if not needed."""
    check_real("updates", updates)
    if params is not None:
        check_same_tree("params", params, "updates", updates)
        return jax.tree.leaves(params)
    if needed:
        raise ValueError(
            "params: weight_decay needs the parameters; call update(updates, state, params), or if "
            "there is none, give optax.inject_hyperparams static_args='weight_decay'"
        )
    return jax.tree.leaves(updates)
