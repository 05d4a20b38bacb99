"""Hyperball optimization, 2026. arXiv:2606.16899.

Each matrix keeps the Frobenius norm that it has at the start. It replaces weight decay: the
learning rate alone determines by which angle a matrix turns.
"""

import math
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_constants, check_not_negative, check_positive, refuse_state, warn
from adamjax.matrices.layout import Layout, reduce_matrices
from adamjax.matrices.resolve import Layouts, resolve_layouts
from adamjax.modifiers.map_updates import auto_sharded
from adamjax.moments import Array, Scalar, clamp, divide, increment, mean, norm, positive_part, root
from adamjax.optimizer import as_rule, optimizer
from adamjax.rule import (
    ScalarOrSchedule,
    at_least_float32,
    cast,
    explicit_sharding,
    sharding_beside,
    value_at,
)
from adamjax.trees import (
    PyTree,
    check_same_tree,
    flatten_floating,
    leaf_names,
    require_params,
    unbox,
)

_LEAST = 1e-12  # The squares of a smaller root mean square are lost in float32.


class HyperballState(NamedTuple):
    """State of `hyperball`.

    Attributes:
      count: number of steps done.
      rms: root mean square of each matrix, in a shape that broadcasts to the parameter. It is
        float32, and 0 for other parameters.
      inner_state: state of the direction.
    """

    count: Array
    rms: PyTree
    inner_state: Any


def hyperball(
    direction: optax.GradientTransformation,
    learning_rate: ScalarOrSchedule,
    *,
    radius: Scalar | None = None,
    layouts: Layouts = None,
    storage: str = "float32",
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Turn an update rule into an optimizer that keeps the norm R of each matrix.

        q = p - lr R u / ‖u‖
        p = R q / ‖q‖

    With `scale_by_adam` it is AdamH, with `scale_by_muon` MuonH. Each matrix of a stack has a norm.
    Other parameters take the step p - lr u, or another optimizer with
    `adamjax.partition_matrices`. Weight decay would only enlarge the angle, so there is none.

    Args:
      direction: a transformation from gradients to updates u, such as `adamjax.scale_by_adam()`.
        The updates of a complete optimizer, such as `optax.adamw`, have the opposite sign.
      learning_rate: lr, a number, an array or a schedule: the angle in radians, if it is small and
        u is orthogonal to p.
      radius: R, the Frobenius norm of every matrix. None is the norm that each has in `init`.
      layouts: the axes of each parameter that form matrices, see `adamjax.matrix_layouts`.
      storage: format of the moments, see `adamjax.optimizer`.
      param_rounding: how low-precision parameters take small updates, see `adamjax.optimizer`.

    Returns:
      An optimizer, see `adamjax.optimizer`. The state of its rule is a `HyperballState`. After you
      replace parameters, call `init` again.

    Raises:
      ValueError: for a negative learning rate or a radius that is not positive; in `init`, for a
        parameter of zeros without `radius` (not under jit; with a warning if only some of its
        matrices are 0), a parameter with three or more axes and no layout, a layout that does not
        fit, or a complete optimizer of adamjax; in `update`, if the parameters are missing.

    >>> tx = hyperball(optax.identity(), 0.75)
    >>> p, u = jnp.array([[5.0, 0.0]]), jnp.array([[0.0, -0.1]])
    >>> jnp.round(p + tx.update(u, tx.init(p), p)[0]).tolist()
    [[4.0, 3.0]]
    """
    check_constants(radius=radius)
    check_not_negative("learning_rate", learning_rate)
    if radius is not None:
        check_positive("radius", radius)
    direction = as_rule("direction", direction)

    def init(params: PyTree) -> HyperballState:
        leaves, _ = flatten_floating("params", params, real=True)
        chosen = resolve_layouts(params, layouts)
        sizes = [_rms_at_start(p, at, radius) for p, at in zip(leaves, chosen, strict=True)]
        _refuse_zeros(params, sizes, chosen)
        rms = jax.tree.structure(unbox(params)).unflatten(sizes)
        return HyperballState(jnp.zeros([], jnp.int32), rms, direction.init(params))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        if not isinstance(state, HyperballState):
            refuse_state(state)
        require_params(params, "hyperball")
        new, inner_state = direction.update(updates, state.inner_state, params, **extra_args)
        leaves, treedef = jax.tree.flatten(new)
        chosen = resolve_layouts(updates, layouts)
        shapes = [_shape(u, layout) for u, layout in zip(leaves, chosen, strict=True)]
        sizes = check_same_tree(
            "updates", unbox(updates), "the state's rms", state.rms, shapes=shapes
        )
        lr = value_at(learning_rate, state.count)
        rows = zip(leaves, treedef.flatten_up_to(params), sizes, chosen, strict=True)
        steps = [
            auto_sharded(partial(_turn, layout=layout), u, p, rms, cast(lr, u.dtype))
            if layout
            else cast(lr, u.dtype) * u
            for u, p, rms, layout in rows
        ]
        rule_state = HyperballState(increment(state.count), state.rms, inner_state)
        return treedef.unflatten(steps), rule_state

    return optimizer(
        optax.GradientTransformationExtraArgs(init, update),
        learning_rate,
        storage=storage,
        param_rounding=param_rounding,
        includes_learning_rate=True,
    )


def _turn(u: Array, p: Array, rms: Array, lr: Scalar, *, layout: Layout) -> Array:
    """Return p - R q / ‖q‖. One pass finds all norms, and that of q from the angle of p and u."""

    def mean_product(a: Array, b: Array) -> Array:
        return reduce_matrices(lambda m: mean(m, -2, -1), a * b, layout)

    u, p = clamp(u), p.astype(u.dtype)
    x = divide(p, rms)
    size = root(mean_product(u, u))
    rate = lr / jnp.maximum(size, _LEAST)
    square = mean_product(x, x) - 2 * rate * mean_product(x, u) + (rate * size) ** 2
    return p - rms * divide(x - rate * u, root(positive_part(square)))


def _shape(p: Any, layout: Layout | None) -> tuple[int, ...]:
    return layout.per_matrix(jnp.shape(p)) if layout else (1,) * jnp.ndim(p)


def _rms_at_start(p: Any, layout: Layout | None, radius: Scalar | None) -> Array:
    """Return the root mean square of each matrix. `jax.ShapeDtypeStruct` leaves have 0."""
    shape, dtype = _shape(p, layout), at_least_float32(jnp.result_type(p))
    if layout is None or isinstance(p, jax.ShapeDtypeStruct):
        return jnp.zeros(shape, dtype)

    def rms(block: Array) -> Array:
        length = norm(block, (-2, -1))
        length = length if radius is None else jnp.full_like(length, radius)
        return length / math.sqrt(math.prod(block.shape[-2:]))

    reduce: Any = partial(reduce_matrices, rms, layout=layout)
    if sharding := explicit_sharding(p):
        sharding = sharding_beside(shape, p.shape, sharding)
        reduce = jax.sharding.auto_axes(reduce, out_sharding=sharding)
    return reduce(jnp.asarray(p, dtype))


def _refuse_zeros(params: PyTree, sizes: list[Any], layouts: list[Layout | None]) -> None:
    """Raise ValueError for a leaf of zeros, and warn of single matrices. Traced ones pass."""
    rows = zip(jax.tree.leaves(params), sizes, layouts, strict=True)
    for i, (p, rms, layout) in enumerate(rows):
        unknown = isinstance(p, jax.ShapeDtypeStruct) or isinstance(rms, jax.core.Tracer)
        if layout is None or unknown or not rms.is_fully_addressable or rms.all():
            continue
        name = leaf_names(params)[i]
        advice = (
            "0 and would stay so, since hyperball keeps norms; initialize it at random, give a "
            f"radius, or exclude it, layouts={{{name!r}: 'other'}}"
        )
        if not rms.any():
            raise ValueError(f"params[{name!r}] is {advice}")
        warn(f"params[{name!r}] has a matrix that is {advice}")
