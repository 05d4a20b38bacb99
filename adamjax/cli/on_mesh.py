"""`python -m adamjax memory --mesh`: estimate the memory and time of a step on a mesh."""

from collections.abc import Sequence
from typing import Any

from adamjax.cli.choices import Choice
from adamjax.cli.memory import leaves_of
from adamjax.cli.report import size, table, to_json
from adamjax.cli.scaling import Plan, Send, Share, communication, estimate, undivided

NOTES = (
    "estimate: peak figures of the manufacturers, without overlap, latency, activations and "
    "temporary buffers of the compiler",
    "update: the minimum memory traffic of a step, times the overhead of AdamW's compiled step (*: "
    "not compiled), divided by the memory bandwidth. Arithmetic and additional communication, such "
    "as muon's matrix products, are not included",
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
    """Print bytes per device, bytes sent and the time of a step for `count` parameters."""
    leaves = leaves_of(count, shape)
    shares = {choice.label: estimate(choice, leaves, plan, dtype) for choice in choices}
    sends = communication(leaves, plan, dtype)
    sent, seconds = sum(send.bytes for send in sends), sum(send.seconds for send in sends)
    whole = list(undivided(leaves, plan))
    axes = {name: getattr(plan, name) for name in ("zero", "fsdp", "tensor")}
    if as_json:
        return to_json(
            {
                "parameters": count,
                "dtype": dtype,
                "mesh": plan.mesh,
                **axes,
                "machine": plan.machine._asdict(),
                "undivided": [{"axis": axis, "leaves": name} for axis, name in whole],
                "variants": [
                    {
                        "variant": label,
                        "by_storage": {name: record(one, plan) for name, one in each.items()},
                    }
                    for label, each in shares.items()
                ],
                "wire": [send._asdict() for send in sends],
                "wire_bytes": sent,
                "wire_seconds": seconds,
            }
        )
    mesh = ", ".join(f"{axis}={n}" for axis, n in plan.mesh.items())
    uses = zip(("ZeRO", "FSDP", "columns"), axes.values(), strict=True)
    layout = ", ".join(f"{name} over {axis}" for name, axis in uses if axis is not None)
    title = (
        f"{count:,} parameters in {dtype} on {mesh} of {plan.machine.name}: "
        f"{layout or 'everything on every device'}\nbytes per device"
    )
    columns = ["variant", "storage", "parameters", "gradients", "state", "total"]
    columns += [f"of {size(plan.machine.memory)}", "update, ms"]
    rows = [
        [label if index == 0 else "", storage, *_row(one, plan)]
        for label, each in shares.items()
        for index, (storage, one) in enumerate(each.items())
    ]
    notes = [*(f"not divided by {axis}: {name}" for axis, name in whole), *NOTES]
    memory = table(columns, rows, title=title)
    sends.append(Send("all", (), sent, seconds))
    rows = [[s.op, " x ".join(s.axes), size(s.bytes), f"{1e3 * s.seconds:.3g}"] for s in sends]
    columns = ["collective", "over", "bytes", "ms"]
    traffic = table(columns, rows, title="sent by each device in a step")
    return "\n\n".join([memory, traffic, "\n".join(notes)])


def record(one: Share, plan: Plan) -> dict[str, Any]:
    """Convert a share to JSON types."""
    return {
        **one._asdict(),
        "total_bytes": one.total_bytes,
        "fits": one.total_bytes <= plan.machine.memory,
        "update_seconds": one.moved_bytes / plan.machine.bandwidth,
    }


def _row(one: Share, plan: Plan) -> list[str]:
    values = record(one, plan)
    sizes = one.parameter_bytes, one.gradient_bytes, one.state_bytes, one.total_bytes
    part = f"{one.total_bytes / plan.machine.memory:.0%}"
    return [
        *map(size, sizes),
        part if values["fits"] else f"{part}: too much",
        f"{1e3 * values['update_seconds']:.3g}{'' if one.measured else ' *'}",
    ]
