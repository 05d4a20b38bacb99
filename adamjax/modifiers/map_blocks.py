"""Rules on the matrices of a leaf, and second moments of orthogonalized updates."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.matrices.layout import Layout, Shape, from_matrices, to_matrices
from adamjax.matrices.resolve import Layouts, resolve_layouts
from adamjax.modifiers.orthogonalize import SCALES
from adamjax.moments import Array, clamp
from adamjax.rule import ScalarOrSchedule, Slot, explicit_sharding, lift, sharding_beside
from adamjax.trees import PyTree


class StepState(NamedTuple):
    """Step count."""

    step_count: Array


class MatrixMomentState(NamedTuple):
    """Step count, and second moment of an orthogonalized update."""

    step_count: Array
    nu: PyTree


def second_moment(
    normalize: Callable[..., tuple[Array, Array]],
    b2: ScalarOrSchedule,
    eps: ScalarOrSchedule,
    **slot: Any,
) -> Callable[[str], optax.GradientTransformationExtraArgs]:
    """Return a function from a scale to a stage that normalizes matrices.

    Args:
      normalize: `(scale, step, matrices, second moment)` to the last two, see `lift_matrices`.
      b2: decay rate of the second moment, `step.muon_b2`.
      eps: `step.muon_eps`.
      **slot: `dtype` and `shape` of the second moment, see `adamjax.Slot`.
    """

    def stage(scale: str) -> optax.GradientTransformationExtraArgs:
        function = partial(normalize, lookup_or_suggest("scale", scale, SCALES))
        settings = {"betas": {"muon_b2": b2}, "scalars": {"muon_eps": eps}}
        return lift_matrices(function, MatrixMomentState, {"nu": Slot(**slot)}, **settings)

    return stage


def lift_matrices(
    function: Callable[..., Sequence[Array]],
    state_type: Any = StepState,
    slots: Mapping[str, Slot] = {},
    *,
    inputs: Sequence[str] = (),
    layouts: Layouts = None,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Lift a function of the matrices of a leaf, as `adamjax.lift` does with a rule.

    Args:
      function: from the step, the updates, with `needs_params` the parameters, the inputs and the
        moments to new updates and moments, see `map_blocks`. A leaf that is no matrix is passed
        whole, and `step.layout` is None.
      state_type: see `adamjax.lift`.
      slots: see `adamjax.lift`.
      inputs: names of extra arguments of `update`, trees like the updates.
      layouts: the axes of each parameter that form matrices. None is those of the
        `partition_matrices` around it.
      **options: other arguments of `adamjax.lift`.
    """

    def rule(u, moments, step, *params):
        before = [getattr(moments, name) for name in slots]
        arrays = [u, *params, *(clamp(getattr(step, name)) for name in inputs), *before]
        if step.layout is None:
            u, *after = function(step, *arrays)
        else:
            u, *after = map_blocks(function, step, arrays, [x.shape for x in (u, *before)])
        return u, moments._replace(**dict(zip(slots, after, strict=True)))

    options |= {"uses_axes": True, "layouts_of": partial(resolve_layouts, layouts=layouts)}
    extra = lambda _, extra_args: {name: extra_args[name] for name in inputs}  # noqa: E731
    return lift(rule, state_type, slots, leaf_inputs=extra, **options)


def map_blocks(
    function: Callable[..., Sequence[Array]],
    step: Any,
    arrays: Sequence[Array],
    shapes: Sequence[Shape],
) -> list[Array]:
    """Apply a function to the matrices of a leaf, the blocks of its layout.

    Args:
      function: from the step and arrays (stack axes ..., rows, columns) to arrays that broadcast to
        this shape.
      step: the step of a rule with `layouts_of`.
      arrays: arrays that broadcast to the shape of the first one, that of the leaf.
      shapes: shapes of the results, in which an axis of size 1 holds equal numbers.

    >>> from adamjax.matrices.layout import parse_layout
    >>> total = lambda step, x: [jnp.sum(x, (-2, -1), keepdims=True)]
    >>> step = SimpleNamespace(layout=parse_layout("in out=2+1 -> out in"))
    >>> map_blocks(total, step, [jnp.array([[1.0, 2.0, 5.0]])], [(1, 3)])[0].tolist()
    [[3.0, 3.0, 5.0]]
    """
    leaf, layout = arrays[0].shape, step.layout

    def change(fields: dict[str, Any], *arrays: Array) -> list[Array]:
        columns = [to_matrices(jnp.broadcast_to(x, leaf), layout) for x in arrays]
        now = SimpleNamespace(**fields)
        rows = [function(now, *blocks) for blocks in zip(*columns, strict=True)]
        results = []
        for blocks, shape in zip(zip(*rows, strict=True), shapes, strict=True):
            whole = [jnp.broadcast_to(x, m.shape) for x, m in zip(blocks, columns[0], strict=True)]
            results.append(from_matrices(whole, layout, leaf)[tuple(map(slice, shape))])
        return results

    run: Any = change
    if sharding := explicit_sharding(arrays[0]):
        beside = [sharding_beside(shape, leaf, sharding) for shape in shapes]
        run = jax.sharding.auto_axes(change, out_sharding=beside)
    return run(vars(step), *arrays)  # on Explicit axes no array may come from outside


def mean_axis(rows: int, columns: int, shorter: bool = False) -> int:
    """Return the axis over which each row has one mean, or with `shorter` the shorter axis."""
    return -2 if shorter and columns > rows else -1


def means_shape(shape: Shape, layout: Layout, shorter: bool = False) -> Shape:
    """Return the shape of means along `mean_axis`, with size 1 where they are equal.

    >>> from adamjax.matrices.layout import parse_layout
    >>> means_shape((4, 6), parse_layout("in (heads=2 dim) -> heads dim in"))
    (1, 6)
    """
    axes = {mean_axis(*size[-2:], shorter=shorter) for size in layout.matrix_shapes(shape)}
    names = layout.matrix[axes.pop()] if len(axes) == 1 else ()
    return tuple(
        1 if all(a.name in names and len(a.sizes) < 2 for a in group) else size
        for group, size in zip(layout.axes, shape, strict=True)
    )
