"""An optimizer on a mesh, on paper: bytes of each device, bytes on the wire, time of a step."""

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.sharding import AbstractMesh, AxisType, NamedSharding, PartitionSpec

from adamjax.cli.choices import Choice
from adamjax.cli.machines import Machine, get_machine, levels, overhead
from adamjax.cli.memory import by_storage, one_of_each, times_of
from adamjax.sharding import placements, state_shardings
from adamjax.sharding.specs import MIN_SIZE, axes_of, spread

TENSOR = "model"
"""The axis that divides columns unless another is named."""


class Plan(NamedTuple):
    """Which axis of a mesh divides what.

    Attributes:
      mesh: sizes of the axes by name; neighbours on the last one are neighbours in the machine.
      machine: of which the devices are.
      zero: the axis that divides the state, and the gradients once they are reduced.
      fsdp: the axis that divides the parameters as well.
      tensor: the axis that divides columns, over which no gradient is reduced.
    """

    mesh: dict[str, int]
    machine: Machine
    zero: str | None
    fsdp: str | None
    tensor: str | None


class Send(NamedTuple):
    """A kind of collective in a step.

    Attributes:
      op: its name, as in a compiled program.
      axes: of the mesh, over which it goes.
      bytes: that each device sends.
      seconds: at peak bandwidth.
    """

    op: str
    axes: tuple[str, ...]
    bytes: float
    seconds: float


class Share(NamedTuple):
    """What each device has and moves.

    Attributes:
      parameter_bytes, gradient_bytes, state_bytes: that it keeps.
      moved_bytes: that the update reads and writes in its memory.
      measured: whether they are what AdamW's compiled step moves; else they are the least.
    """

    parameter_bytes: int
    gradient_bytes: int
    state_bytes: int
    moved_bytes: float
    measured: bool

    @property
    def total_bytes(self) -> int:
        """All that it keeps."""
        return self.parameter_bytes + self.gradient_bytes + self.state_bytes


def parse_mesh(text: str) -> dict[str, int]:
    """A mesh such as data=8,model=4.

    Raises:
      ValueError: if it is none, an axis is there twice or a size is below 1.

    >>> parse_mesh("data=8,model=4")
    {'data': 8, 'model': 4}
    """
    mesh = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*([A-Za-z_]\w*)=([1-9]\d{0,8})\s*", part, flags=re.ASCII)
        if match is None or match[1] in mesh:
            raise ValueError(
                "must be different axes with sizes of at least 1 (below 1e9) such as "
                f"data=8,model=4, got {text!r}"
            )
        mesh[match[1]] = int(match[2])
    return mesh


def make_plan(
    mesh: dict[str, int],
    machine: Machine | None = None,
    *,
    zero: str | None = None,
    fsdp: str | None = None,
    tensor: str | None = None,
) -> Plan:
    """A plan; an axis "model" divides columns unless it, or another, is said to do something else.

    Raises:
      ValueError: for an axis that the mesh does not have or that has two things to do, and for more
        devices than are known to be joined.

    >>> make_plan({"data": 8, "model": 4}, zero="data").tensor
    'model'
    """
    if tensor is None and TENSOR in mesh and TENSOR not in (zero, fsdp):
        tensor = TENSOR
    for name, axis in {"zero": zero, "fsdp": fsdp, "tensor": tensor}.items():
        if axis is not None and axis not in mesh:
            raise ValueError(f"{name}: the mesh has no axis {axis!r}; it has {', '.join(mesh)}")
    if tensor is not None and tensor in (zero, fsdp):
        raise ValueError(f"tensor: axis {tensor!r} can divide either columns or what they hold")
    plan = Plan(mesh, machine or get_machine("H100"), zero, fsdp, tensor)
    for axis in mesh:
        _levels(plan, axis)
    return plan


class Layout(NamedTuple):
    """How parameters lie, a `NamedSharding` for each.

    Attributes:
      whole: as a layer computes with them, divided by columns alone.
      kept: between steps, divided by `fsdp` too.
      part: what a device updates, divided by `zero` too.
    """

    whole: dict[str, NamedSharding]
    kept: dict[str, NamedSharding]
    part: dict[str, NamedSharding]


def shard_params(params: dict[str, jax.ShapeDtypeStruct], plan: Plan) -> Layout:
    """Where parameters lie by a plan. An array that an axis does not divide stays whole in it.

    >>> plan = make_plan({"data": 8, "model": 4}, fsdp="data")
    >>> found = shard_params(one_of_each({(256, 128): 1}), plan).kept
    >>> found["256x128"].spec == PartitionSpec("data", "model")
    True
    """
    types = (AxisType.Auto,) * len(plan.mesh)
    mesh: Any = AbstractMesh(tuple(plan.mesh.values()), tuple(plan.mesh), axis_types=types)
    layout = Layout({}, {}, {})
    for name, param in params.items():
        shape = param.shape
        fits = plan.tensor is not None and shape[-1] % plan.mesh[plan.tensor] == 0
        columns = [*[None] * (len(shape) - 1), plan.tensor if fits else None]
        whole = NamedSharding(mesh, PartitionSpec(*columns))
        layout.whole[name] = whole
        layout.kept[name] = kept = spread(shape, whole, plan.fsdp, MIN_SIZE)
        layout.part[name] = spread(shape, kept, plan.zero, MIN_SIZE)
    return layout


def per_device(
    tx: optax.GradientTransformation,
    leaves: dict[tuple[int, ...], int],
    plan: Plan,
    dtype: Any = jnp.float32,
    factor: float | None = None,
) -> Share:
    """What each device has of an optimizer for such leaves; nothing is allocated.

    Args:
      tx: the optimizer.
      leaves: how many parameters there are of each shape.
      plan: the mesh.
      dtype: of parameters and gradients.
      factor: what the update moves over the least it can, where that is known.

    >>> import adamjax
    >>> per_device(adamjax.adam(), {(256, 256): 8}, make_plan({"data": 8}, zero="data")).state_bytes
    524296
    """
    params = one_of_each(leaves, dtype)
    layout = shard_params(params, plan)
    kept = _bytes(params, layout.kept, leaves)
    part = _bytes(params, layout.part, leaves)
    places = state_shardings(tx, params, layout.kept, zero=plan.zero)
    state = _bytes(jax.eval_shape(tx.init, params), places, leaves)
    least = 2 * (part + state) + part
    return Share(kept, part, state, least * (factor or 1.0), factor is not None)


def communication(
    leaves: dict[tuple[int, ...], int], plan: Plan, dtype: Any = jnp.float32
) -> list[Send]:
    """What each device sends in a step, for gradients and parameters; nothing of activations.

        reduce-scatter of W bytes over n devices: (n - 1) / n W;  all-gather: the same
        all-reduce: 2 (n - 1) / n W

    >>> [(send.op, send.bytes) for send in communication({(256, 256): 1}, make_plan({"data": 4}))]
    [('all-reduce', 393216.0)]
    """
    params = one_of_each(leaves, dtype)
    layout = shard_params(params, plan)
    sent: dict[tuple[str, tuple[str, ...]], int] = {}
    for shape, name in zip(leaves, params, strict=True):
        one, only = {name: params[name]}, {shape: leaves[shape]}
        whole, kept, part = (_bytes(one, {name: at[name]}, only) for at in layout)
        steps: list[tuple[str, str | None, int]] = []
        if kept < whole:  # gathered for the way forward, and once more for the way back
            steps += [("reduce-scatter", plan.fsdp, whole), ("all-gather", plan.fsdp, 2 * whole)]
        if part < kept:
            steps += [("reduce-scatter", plan.zero, kept), ("all-gather", plan.zero, kept)]
        done = {plan.tensor, *(axis for _, axis, _ in steps)}
        rest = tuple(axis for axis, size in plan.mesh.items() if size > 1 and axis not in done)
        for op, axes, size in [
            *((op, (axis or "",), size) for op, axis, size in steps),
            *([("all-reduce", rest, part)] if rest else []),
        ]:
            sent[op, axes] = sent.get((op, axes), 0) + size
    return [Send(op, axes, *_ring(plan, op, axes, size)) for (op, axes), size in sent.items()]


def _ring(plan: Plan, op: str, axes: Sequence[str], size: float) -> tuple[float, float]:
    """Bytes and seconds: from the nearest devices to the farthest, each with what is left."""
    times, total, seconds = 2 if op == "all-reduce" else 1, 0.0, 0.0
    for n, bandwidth in itertools.chain(*(_levels(plan, axis) for axis in reversed(axes))):
        total += times * size * (n - 1) / n
        seconds += times * size * (n - 1) / n / bandwidth
        size /= n
    return total, seconds


def _levels(plan: Plan, axis: str) -> list[tuple[int, float]]:
    names = list(plan.mesh)
    after = names[names.index(axis) + 1 :]
    stride, whole = math.prod(plan.mesh[name] for name in after), math.prod(plan.mesh.values())
    return levels(plan.machine, plan.mesh[axis], stride, whole)


def _bytes(tree: Any, shardings: Any, leaves: dict[tuple[int, ...], int]) -> int:
    """Of each device."""
    paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(tree)]
    places = placements(tree, shardings)
    return sum(
        times_of(path, leaves) * place.bytes_per_device
        for path, place in zip(paths, places, strict=True)
    )


def undivided(leaves: dict[tuple[int, ...], int], plan: Plan) -> Iterator[tuple[str, str]]:
    """Axes and the larger leaves that they should divide and do not.

    >>> list(undivided({(250, 128): 1}, make_plan({"data": 3}, zero="data")))
    [('data', '1 of 250x128')]
    """
    layout = shard_params(one_of_each(leaves), plan)
    for shape, name in zip(leaves, layout.part, strict=True):
        used = {axis for entry in layout.part[name].spec for axis in axes_of(entry)}
        for axis in dict.fromkeys((plan.fsdp, plan.zero, plan.tensor)):
            if axis is not None and axis not in used and math.prod(shape) >= MIN_SIZE:
                yield axis, f"{leaves[shape]} of {name}"


def estimate(
    choice: Choice, leaves: dict[tuple[int, ...], int], plan: Plan, dtype: str = "float32"
) -> dict[str, Share]:
    """What each device has, by storage format; of a choice that names one, in that alone.

    >>> from adamjax.cli.choices import parse_optimizer
    >>> found = estimate(parse_optimizer("adam"), {(256, 256): 8}, make_plan({"data": 2}))
    >>> found["8bit"].state_bytes
    1048584
    """
    own = choice.arguments.get("storage")
    made = {own: choice.make()} if own else by_storage(choice.make, leaves, dtype)
    rounding = choice.arguments.get("param_rounding")
    return {
        storage: per_device(
            tx, leaves, plan, dtype, overhead(plan.machine, dtype, storage, rounding)
        )
        for storage, tx in made.items()
    }
