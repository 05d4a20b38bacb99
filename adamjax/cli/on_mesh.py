"""What `python -m adamjax memory --mesh` answers, as text."""

from collections.abc import Sequence
from typing import Any

from adamjax.cli.choices import Choice
from adamjax.cli.memory import leaves_of
from adamjax.cli.report import size, table, to_json
from adamjax.cli.scaling import Plan, Send, Share, communication, estimate, undivided

NOTES = (
    "on paper: peak figures of the makers, nothing overlaps, no latency; activations and what the "
    "compiler needs besides are not counted",
    "update: the least that a step can move, times what AdamW's compiled step moves over that (*: "
    "not compiled), over the memory's bandwidth; what a variant computes with, and sends besides, "
    "such as muon's products of matrices, is not counted",
)


def report(
    choices: Sequence[Choice],
    count: int,
    plan: Plan,
    *,
    shape: Sequence[int] | None = None,
    dtype: str = "float32",
    as_json: bool = False,
) -> str:
    """Bytes of each device, bytes on the wire and time of a step, for `count` parameters.

    >>> from adamjax.cli.choices import parse_optimizer
    >>> from adamjax.cli.scaling import make_plan
    >>> plan = make_plan({"data": 8}, zero="data")
    >>> "ZeRO over data" in report([parse_optimizer("adam")], 1_000_000, plan)
    True
    """
    leaves = leaves_of(count, shape)
    found = {choice.label: estimate(choice, leaves, plan, dtype) for choice in choices}
    sends = communication(leaves, plan, dtype)
    whole = list(undivided(leaves, plan))
    machine = plan.machine
    if as_json:
        told = {
            "parameters": count,
            "dtype": dtype,
            "mesh": plan.mesh,
            **{name: getattr(plan, name) for name in ("zero", "fsdp", "tensor")},
            "machine": machine._asdict(),
            "undivided": [{"axis": axis, "leaves": name} for axis, name in whole],
            "variants": [
                {
                    "variant": label,
                    "by_storage": {key: record(one, plan) for key, one in shares.items()},
                }
                for label, shares in found.items()
            ],
            "wire": [send._asdict() for send in sends],
            "wire_bytes": sum(send.bytes for send in sends),
            "wire_seconds": sum(send.seconds for send in sends),
        }
        return to_json(told)
    columns = ["variant", "storage", "parameters", "gradients", "state", "total"]
    rows = [
        [label if index == 0 else "", storage, *_row(one, plan)]
        for label, shares in found.items()
        for index, (storage, one) in enumerate(shares.items())
    ]
    columns += [f"of {size(machine.memory)}", "update, ms"]
    parts = [table(columns, rows, title=f"{title(count, dtype, plan)}\nbytes per device")]
    parts.append(_wire_table(sends))
    notes = [f"not divided by {axis}: {name}" for axis, name in whole]
    return "\n\n".join([*parts, "\n".join([*notes, *NOTES])])


def title(count: int, dtype: str, plan: Plan) -> str:
    """What the tables are about.

    >>> from adamjax.cli.scaling import make_plan
    >>> title(10**9, "float32", make_plan({"data": 8}, fsdp="data"))
    '1,000,000,000 parameters in float32 on data=8 of H100 SXM: FSDP over data'
    """
    axes = ", ".join(f"{axis}={n}" for axis, n in plan.mesh.items())
    does = {"ZeRO": plan.zero, "FSDP": plan.fsdp, "columns": plan.tensor}
    how = ", ".join(f"{name} over {axis}" for name, axis in does.items() if axis is not None)
    what = f"{count:,} parameters in {dtype} on {axes} of {plan.machine.name}"
    return f"{what}: {how or 'everything on every device'}"


def record(one: Share, plan: Plan) -> dict[str, Any]:
    """A share as JSON has it.

    >>> from adamjax.cli.scaling import make_plan
    >>> record(Share(4, 4, 8, 28.0, True), make_plan({"data": 8}))["total_bytes"]
    16
    """
    return {
        **one._asdict(),
        "total_bytes": one.total_bytes,
        "fits": one.total_bytes <= plan.machine.memory,
        "update_seconds": one.moved_bytes / plan.machine.bandwidth,
    }


def _row(one: Share, plan: Plan) -> list[str]:
    told = record(one, plan)
    sizes = one.parameter_bytes, one.gradient_bytes, one.state_bytes, one.total_bytes
    part = f"{one.total_bytes / plan.machine.memory:.0%}"
    return [
        *map(size, sizes),
        part if told["fits"] else f"{part}: too much",
        f"{1e3 * told['update_seconds']:.3g}{'' if one.measured else ' *'}",
    ]


def _wire_table(sends: Sequence[Send]) -> str:
    rows = [
        [send.op, " x ".join(send.axes), size(send.bytes), f"{1e3 * send.seconds:.3g}"]
        for send in sends
    ]
    total, seconds = sum(s.bytes for s in sends), sum(s.seconds for s in sends)
    rows.append(["all", "", size(total), f"{1e3 * seconds:.3g}"])
    return table(["collective", "over", "bytes", "ms"], rows, title="sent by each device in a step")
