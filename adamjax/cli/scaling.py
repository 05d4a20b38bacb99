"""Estimates for an optimizer on a mesh: bytes per device, bytes sent, time of a step."""

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.sharding import AbstractMesh, AxisType, NamedSharding, PartitionSpec

from adamjax.cli.choices import Choice
from adamjax.cli.machines import Machine, get_machine, levels, overhead
from adamjax.cli.memory import Leaves, by_storage, one_of_each, times_of
from adamjax.sharding import placements, state_shardings
from adamjax.sharding.specs import MIN_SIZE, axes_of, spread

TENSOR = "model"
"""The default axis for columns."""


class Plan(NamedTuple):
    """The roles of a mesh's axes."""

    mesh: dict[str, int]  # neighbours on the last axis are neighbours in the machine
    machine: Machine
    zero: str | None  # divides the state and the reduced gradients
    fsdp: str | None  # divides the parameters as well
    tensor: str | None  # divides columns, and no gradient is reduced over it


class Send(NamedTuple):
    """One kind of collective in a step."""

    op: str  # its name in a compiled program
    axes: tuple[str, ...]
    bytes: float  # sent by each device
    seconds: float  # at peak bandwidth


class Share(NamedTuple):
    """The bytes in the memory of one device, and the bytes that its update reads and writes."""

    parameter_bytes: int
    gradient_bytes: int
    state_bytes: int
    moved_bytes: float
    measured: bool  # `moved_bytes` comes from AdamW's compiled step, and is not the least

    @property
    def total_bytes(self) -> int:
        """The sum of parameters, gradients and state."""
        return self.parameter_bytes + self.gradient_bytes + self.state_bytes


def parse_mesh(text: str) -> dict[str, int]:
    """Parse a mesh such as data=8,model=4, or raise ValueError."""
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
    """Make a plan, or raise ValueError. By default an unused axis "model" divides columns."""
    if tensor is None and TENSOR in mesh and TENSOR not in (zero, fsdp):
        tensor = TENSOR
    for name, axis in {"zero": zero, "fsdp": fsdp, "tensor": tensor}.items():
        if axis is not None and axis not in mesh:
            raise ValueError(f"{name}: the mesh has no axis {axis!r}; it has {', '.join(mesh)}")
    if tensor is not None and tensor in (zero, fsdp):
        raise ValueError(
            f"tensor: axis {tensor!r} cannot divide columns and also serve as zero or fsdp"
        )
    plan = Plan(mesh, machine or get_machine("H100"), zero, fsdp, tensor)
    for axis in mesh:
        _levels(plan, axis)
    return plan


class Layout(NamedTuple):
    """The shardings of parameters by name."""

    whole: dict[str, NamedSharding]  # inside a layer, divided by columns only
    kept: dict[str, NamedSharding]  # between steps, also divided by `fsdp`
    part: dict[str, NamedSharding]  # during the update, also divided by `zero`


def shard_params(params: dict[str, jax.ShapeDtypeStruct], plan: Plan) -> Layout:
    """Shard parameters by a plan. An axis that divides no dimension of an array is not used."""
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
    leaves: Leaves,
    plan: Plan,
    dtype: Any = jnp.float32,
    factor: float | None = None,
) -> Share:
    """Estimate the memory and traffic of one device. `factor` multiplies the least traffic."""
    params = one_of_each(leaves, dtype)
    layout = shard_params(params, plan)
    kept = _bytes(params, layout.kept, leaves)
    part = _bytes(params, layout.part, leaves)
    places = state_shardings(tx, params, layout.kept, zero=plan.zero)
    state = _bytes(jax.eval_shape(tx.init, params), places, leaves)
    least = 2 * (part + state) + part
    return Share(kept, part, state, least * (factor or 1.0), factor is not None)


def communication(leaves: Leaves, plan: Plan, dtype: Any = jnp.float32) -> list[Send]:
    """List the collectives of gradients and parameters in a step, without activations.

    reduce-scatter of W bytes over n devices: (n - 1) / n W;  all-gather: the same
    all-reduce: 2 (n - 1) / n W
    """
    params = one_of_each(leaves, dtype)
    layout = shard_params(params, plan)
    sent: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for shape, name in zip(leaves, params, strict=True):
        one, only = {name: params[name]}, {shape: leaves[shape]}
        whole, kept, part = (_bytes(one, {name: at[name]}, only) for at in layout)
        done = {plan.tensor}
        if plan.fsdp is not None and kept < whole:
            done.add(plan.fsdp)
            sent["reduce-scatter", (plan.fsdp,)] += whole
            sent["all-gather", (plan.fsdp,)] += 2 * whole  # in the forward and the backward pass
        if plan.zero is not None and part < kept:
            done.add(plan.zero)
            sent["reduce-scatter", (plan.zero,)] += kept
            sent["all-gather", (plan.zero,)] += kept
        rest = tuple(axis for axis, size in plan.mesh.items() if size > 1 and axis not in done)
        if rest:
            sent["all-reduce", rest] += part
    return [Send(op, axes, *_ring(plan, op, axes, size)) for (op, axes), size in sent.items()]


def _ring(plan: Plan, op: str, axes: Sequence[str], size: float) -> tuple[float, float]:
    """Return bytes and seconds of a reduction from the nearest devices to the farthest."""
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


def _bytes(tree: Any, shardings: Any, leaves: Leaves) -> int:
    """Return the bytes per device."""
    paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(tree)]
    places = placements(tree, shardings)
    return sum(
        times_of(path, leaves) * place.bytes_per_device
        for path, place in zip(paths, places, strict=True)
    )


def undivided(leaves: Leaves, plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the axes of a plan with the larger leaves that they do not divide."""
    layout = shard_params(one_of_each(leaves), plan)
    for shape, name in zip(leaves, layout.part, strict=True):
        used = {axis for entry in layout.part[name].spec for axis in axes_of(entry)}
        for axis in dict.fromkeys((plan.fsdp, plan.zero, plan.tensor)):
            if axis is not None and axis not in used and math.prod(shape) >= MIN_SIZE:
                yield axis, f"{leaves[shape]} of {name}"


def estimate(
    choice: Choice, leaves: Leaves, plan: Plan, dtype: str = "float32"
) -> dict[str, Share]:
    """Estimate the share of a device in each storage format, or only in the chosen one."""
    own = choice.arguments.get("storage")
    made = {own: choice.make()} if own else by_storage(choice.make, leaves, dtype)
    rounding = choice.arguments.get("param_rounding")
    shares = {}
    for storage, tx in made.items():
        factor = overhead(plan.machine, dtype, storage, rounding)
        shares[storage] = per_device(tx, leaves, plan, dtype, factor)
    return shares
