"""`release`: update each layer in the backward pass, so that its gradient can be freed.

Full Parameter Fine-tuning for Large Language Models with Limited Resources. Lv et al., 2023.
arXiv:2306.09782. There it is SGD, and here any optimizer that needs one layer at a time.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.stages.parts import Named, Part, Plan, make_plan
from adamjax.stages.reach import refuse_tree_wide
from adamjax.trees import PyTree, flatten_floating

Stage = Callable[[Any, Any, Any], Any]


class Scan(NamedTuple):
    """A stage that is applied once for each layer, to parameters stacked along their first axis.

    Attributes:
      layer: `(params, x, batch) -> x`, with the parameters of one layer. x keeps its shapes and
        dtypes.
    """

    layer: Stage


class Released(NamedTuple):
    """A training step and the initialization of its optimizer state.

    Attributes:
      init: `(params) -> state`.
      step: `(params, state, batch) -> (params, state, loss)`, to be jitted with
        `donate_argnums=(0, 1)`.
    """

    init: Callable[[PyTree], Any]
    step: Callable[[PyTree, Any, Any], tuple[PyTree, Any, jax.Array]]


def release(stages: Mapping[str, Stage | Scan], tx: optax.GradientTransformation) -> Released:
    """Make a training step that updates each layer as soon as its gradient is known.

    The gradients of all layers never exist together, and parameters and state change in place. The
    forward pass keeps the input of each layer, and the backward pass computes the layer again.

        ordinary:  weights + state + gradients of all layers
        released:  weights + state + gradients of one layer

    With element-wise optimizers, any storage and rounding, parameters and state are those of the
    ordinary step with `tx`, which gets the loss as `value`. Rules with norms or means over a leaf
    (`lamb`, `adagc`, `adafactor`, `guard(per_leaf=True)`) act on one layer of a stacked leaf at a
    time, which has a first axis of size 1.

    Args:
      stages: the model in the order of its forward pass. For each key of the parameters, a function
        `(params[key], x, batch) -> x`, or a `Scan`. x is a tree of floating-point arrays, None for
        the first stage. The last stage returns the loss. A parameter belongs to one stage, so the
        weights of an embedding and an output layer cannot be tied.
      tx: the optimizer.

    Returns:
      A `Released`. The state is that of `tx.init(params)`, but with one number for each layer where
      that has one for a whole leaf.

    Raises:
      TypeError: in `step`, for layers that change shapes or dtypes of x.
      ValueError: in `init` and `step`, for parameters that do not fit the stages; in `step`, for a
        `tx` that needs all gradients together: `optax.clip_by_global_norm` (use
        `adamjax.clip_by_previous_norm`), `optax.apply_if_finite` and `guard` (use
        `guard(per_leaf=True)`), `prodigy`, `track`.

    >>> import adamjax
    >>> params = {"layers": jnp.full((3, 2, 2), 0.5), "head": jnp.ones(2)}
    >>> stages = {
    ...     "embed": lambda p, x, batch: batch,
    ...     "layers": Scan(lambda p, x, batch: jnp.tanh(x @ p)),
    ...     "head": lambda p, x, batch: jnp.mean((x * p) ** 2),
    ... }
    >>> init, step = release(stages, adamjax.adamw(0.1))
    >>> params, state, loss = step(params, init(params), jnp.ones((4, 2)))
    >>> state[0].mu["layers"].shape
    (3, 2, 2)
    """
    tx = optax.with_extra_args_support(tx)
    layered = {name: isinstance(stage, Scan) for name, stage in stages.items()}

    def init(params: PyTree) -> Any:
        return make_plan(tx, params, layered).init(params)

    def step(params: PyTree, state: Any, batch: Any) -> tuple[PyTree, Any, jax.Array]:
        plan = make_plan(tx, params, layered)
        refuse_tree_wide(plan, params)
        arrays, shared = plan.split(params, state)
        x: Any = None
        inputs = {}
        for part in plan.parts:
            apply = _applied(stages[part.name], part, batch)
            inputs[part.name], x = _forward(apply, part, arrays[part.name], x)
        if jnp.shape(x) != ():
            raise ValueError(
                f"stages: the last one, {plan.parts[-1].name!r}, must return the loss, a scalar, "
                f"but it returns the shape {jnp.shape(x)}"
            )
        given = partial(plan.tx.update, value=x)
        plan = plan._replace(tx=optax.GradientTransformation(plan.tx.init, given))
        after = plan.update_shared(shared)
        carry = jnp.ones_like(x), {path: after[path] for path in plan.reductions}
        for part in reversed(plan.parts):
            apply = _applied(stages[part.name], part, batch)
            backward = partial(_backward, apply, plan, part, (shared, after))
            arrays[part.name], carry = backward(arrays[part.name], carry, inputs[part.name])
        return *plan.join(state, arrays, after | carry[1]), x

    return Released(init, step)


def _applied(stage: Any, part: Part, batch: Any) -> Callable[[list[Any], Any], Any]:
    """Return the function from weights and input to the output of a stage, or of one layer."""

    def apply(weights: list[Any], x: Any) -> Any:
        if part.layers is None:
            x = stage(part.treedef.unflatten(weights), x, batch)
        else:
            x = stage.layer(part.treedef.unflatten([w[0] for w in weights]), x, batch)
        flatten_floating(f"stages: the output of {part.name!r}, x", x)
        return x

    return apply


def _forward(apply: Any, part: Part, arrays: list[Any], x: Any) -> tuple[Any, Any]:
    """Return the input of a stage, or those of its layers, and its output."""
    if part.layers is None:
        return x, apply(part.weights(arrays), x)

    def layer(x: Any, i: jax.Array) -> tuple[Any, Any]:
        # For a mere slice, XLA casts the weights of all layers before the loop.
        known = jax.lax.optimization_barrier(i) < part.layers
        weights = part.weights(part.slice(arrays, i))
        y = apply([jnp.where(known, w, -w) for w in weights], x)
        before, after = (jax.tree.map(lambda a: f"{a.dtype}{[*a.shape]}", t) for t in (x, y))
        if before != after:
            raise TypeError(
                f"stages: a layer of {part.name!r} must keep the shapes and dtypes of x, but from "
                f"{before} it makes {after}; cast x in it, or in the stage before"
            )
        return y, x

    x, inputs = jax.lax.scan(layer, x, jnp.arange(part.layers))
    return inputs, x


def _backward(
    apply: Any,
    plan: Plan,
    part: Part,
    shared: tuple[Named, Named],
    arrays: list[Any],
    carry: Any,
    inputs: Any,
) -> tuple[list[Any], Any]:
    """Update a stage, and carry the cotangent and the totals through it."""

    def update(state: Any, x: Any, i: Any) -> Any:
        arrays, (cotangent, totals) = state
        layer = part.slice(arrays, i)
        weights = [_apart(w) for w in part.weights(layer)]
        gradients, cotangent = jax.vjp(apply, weights, x)[1](cotangent)
        layer = weights + layer[len(weights) :]
        layer, totals = plan.update(part, i, layer, gradients, shared, totals)
        return part.put(arrays, _narrow(layer), i), (cotangent, totals)

    if part.layers is None:
        return update((arrays, carry), inputs, 0)
    layers = inputs, jnp.arange(part.layers)
    body = lambda state, layer: (update(state, *layer), None)  # noqa: E731
    return jax.lax.scan(body, (arrays, carry), layers, reverse=True)[0]


def _apart(x: Any) -> Any:
    """Keep XLA from fusing the slice of a low-precision array with its readers.

    Several kernels read such a parameter, and XLA would copy the array of all layers for those that
    run after its update. A float32 array has one reader, and a slice of it would cost memory.
    """
    return jax.lax.optimization_barrier(x) if x.dtype.itemsize < 4 else x


def _narrow(layer: list[Any]) -> list[Any]:
    """Keep XLA from fusing the conversion to low precision with the update of all layers.

    XLA's GPU backend has a kernel of its own for the latter, which would read codes in float32.
    """
    if all(x.dtype.itemsize >= 4 for x in layer):
        return layer
    apart = partial(jax.tree.map, jax.lax.optimization_barrier)
    return jax.lax.platform_dependent(layer, tpu=lambda layer: layer, default=apart)
