"""Factors of the steps of layers, smaller from the last to the first: layer-wise decay.

ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators. Clark et al., 2020.
"""

import math
import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax.checks import check_constants, check_positive, is_number
from adamjax.moments import Array
from adamjax.storage.bits import in_part
from adamjax.storage.rounding import RoundParamsState
from adamjax.trees import PyTree, Stacked, find_nodes, leaf_names, stack_axes
from adamjax.wrappers.accumulate import AccumulateState
from adamjax.wrappers.hyperball import HyperballState
from adamjax.wrappers.lookahead import LookaheadState

_NUMBER = re.compile(r"(?i)(?:^|[/.])(?:[^/.]*(?:layer|block)s?|h)[_/.]?(\d+)(?=[/.]|$)")
_FIRST = re.compile(
    r"(?i)(?<!un)(?<!un_)emb(?!\w*_out(?:[/.]|$))|patch|stem|token|wte|wpe"
    r"|(?<![a-z])pos(ition)?(?![a-z])"
)


def decay_layers(
    tx: optax.GradientTransformationExtraArgs, decay: float, stacked: Stacked
) -> optax.GradientTransformationExtraArgs:
    """Multiply the steps of an optimizer by `layer_factors`, in at least float32."""
    check_constants(layer_decay=decay)
    check_positive("layer_decay", decay)
    if is_number(decay) and decay > 1:
        raise ValueError(f"layer_decay must be at most 1, got {decay}; write 0.9 for instance")

    def init(params: PyTree) -> Any:
        if in_part():
            raise ValueError(
                "layer_decay: release updates a layer without knowing the number of others; give "
                "groups of layers learning rates in settings, or use the ordinary step"
            )
        layer_factors(params, decay, stacked)
        state = tx.init(params)
        _check_scalable(state)
        return state

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        steps, state = tx.update(updates, state, params, **extra_args)
        leaves, treedef = jax.tree.flatten(steps)
        factors = layer_factors(steps, decay, stacked)
        return treedef.unflatten(map(_scale, leaves, factors)), state

    return optax.GradientTransformationExtraArgs(init, update)


def _scale(step: Array, factor: Any) -> Array:
    if not isinstance(factor, jax.Array) and np.all(np.equal(factor, 1)):
        return step
    wide = jnp.promote_types(step.dtype, jnp.float32)
    # As a constant, each layer would have kernels of its own to compile.
    factor = jax.lax.optimization_barrier(jnp.asarray(factor, wide))
    return (step.astype(wide) * factor).astype(step.dtype)


def layer_factors(params: PyTree, decay: float, stacked: Stacked) -> list[Any]:
    """Return the factor of each leaf, an array that broadcasts to it for stacked layers.

    Raises:
      ValueError: if no path has a layer, or stacks have different sizes.

    >>> params = {"embedding": 0.0, "layers_0": 0.0, "layers_1": 0.0, "norm": 0.0}
    >>> layer_factors(params, 0.5, {})
    [0.125, 0.25, 0.5, 1.0]
    """
    names, shapes = leaf_names(params), [np.shape(x) for x in jax.tree.leaves(params)]
    axes = dict(zip(names, stack_axes("stacked", stacked, params), strict=True))
    rows = zip(names, shapes, strict=True)
    stacks = {name: math.prod(shape[i] for i in axes[name]) for name, shape in rows if axes[name]}
    found = {name: _NUMBER.search(name) for name in names if name not in stacks}
    numbers = {name: int(match[1]) for name, match in found.items() if match}
    count = max([*(number + 1 for number in numbers.values()), *stacks.values()], default=0)
    if names and not count:
        raise ValueError(
            "layer_decay: no path has a layer, such as layers_3, block12 or h/3, and none is "
            "stacked. Write the axis of stacked layers, such as stacked={'layers/*': 0}; the paths "
            f"are {names[:3]}{' and others' * (len(names) > 3)}"
        )
    few = min(stacks, key=stacks.__getitem__, default="")
    if stacks and stacks[few] < count:
        raise ValueError(
            f"stacked: {few!r} stacks {stacks[few]} layers, but other leaves have {count}; give "
            "the axis of the layers"
        )
    factors: list[Any] = []
    for name, shape in zip(names, shapes, strict=True):
        if name in stacks:
            each = decay ** np.arange(count, 0, -1, dtype=np.float64)
            sizes = [size if i in axes[name] else 1 for i, size in enumerate(shape)]
            factors.append(each.reshape(sizes))
        elif name in numbers:
            factors.append(decay ** (count - numbers[name]))
        else:
            factors.append(decay ** (count + 1) if _FIRST.search(name) else 1.0)
    return factors


def _check_scalable(state: Any) -> None:
    """Raise ValueError if steps of an optimizer with this state must not be multiplied."""
    kinds = (HyperballState, LookaheadState, RoundParamsState, optax.contrib.ScheduleFreeState)
    bad = lambda node: isinstance(node, kinds) or hasattr(node, "eval_params")  # noqa: E731
    sums = lambda node: isinstance(node, AccumulateState)  # noqa: E731
    # `accumulate` rounds the mean of gradients, not the parameters.
    state = jax.tree.map(lambda x: x.inner_opt_state if sums(x) else x, state, is_leaf=sums)
    for node in find_nodes(state, bad):
        raise ValueError(
            "layer_decay: it cannot multiply the steps of an optimizer with a "
            f"{type(node).__name__}; give layers a learning rate in settings, such as "
            "{'layers_0/*': {'learning_rate': '0.5x'}}"
        )
