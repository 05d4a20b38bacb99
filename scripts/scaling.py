"""The tables of docs/scaling.md, computed as `python -m adamjax memory --mesh` does."""

from functools import cache
from typing import NamedTuple

from adamjax.cli.choices import parse_optimizer
from adamjax.cli.machines import COMPILED, MACHINES, OVERHEAD, get_machine
from adamjax.cli.memory import leaves_of
from adamjax.cli.scaling import Plan, Share, communication, estimate, make_plan, parse_mesh
from scripts.comparison import markdown

SIZES = {"7B": 7_000_000_000, "70B": 70_000_000_000, "405B": 405_000_000_000}
STORAGES = ("float32", "bfloat16", "8bit")
WAYS = {"ZeRO": "zero", "FSDP": "fsdp"}


class Named(NamedTuple):
    """A mesh with a name: the number and kind of its devices, and their axes."""

    name: str
    machine: str
    mesh: str


MESHES = (
    Named("8 x H100", "H100", "data=8"),
    Named("64 x H100", "H100", "data=8,model=8"),
    Named("512 x H100", "H100", "data=64,model=8"),
    Named("TPU v5e 16x16", "v5e", "data=16,model=16"),
    Named("TPU v5p 8x8x16", "v5p", "data=128,model=8"),
)


@cache
def shares(count: int, plan_key: tuple[Named, str], dtype: str) -> dict[str, Share]:
    """AdamW's, in each format. bfloat16 parameters are rounded stochastically."""
    rounding = ":param_rounding=stochastic" if dtype == "bfloat16" else ""
    return estimate(parse_optimizer(f"adamw{rounding}"), leaves_of(count), plan(*plan_key), dtype)


def plan(named: Named, way: str) -> Plan:
    """With the state, or the parameters as well, divided over "data"."""
    axes = {WAYS[way]: "data"}
    return make_plan(parse_mesh(named.mesh), get_machine(named.machine), **axes)


def sizes_table(dtype: str) -> str:
    """For each size of model a table: gigabytes of a device and milliseconds, by mesh and way."""
    headings = ["mesh", "axes", "divided", "no state, GB"]
    headings += [f"{storage}, GB" for storage in STORAGES]
    headings += [f"{storage}, ms" for storage in STORAGES] + ["sent, GB", "sent, ms"]
    parts = []
    for name, count in SIZES.items():
        rows = [
            [named.name, f"`{named.mesh}`", way, *row(count, named, way, dtype)]
            for named in MESHES
            for way in WAYS
        ]
        parts.append(f"**{name}**\n\n{markdown(headings, rows)}")
    return "\n\n".join(parts)


def row(count: int, named: Named, way: str, dtype: str) -> list[str]:
    """The figures of a line. Figures above the device's memory are struck out."""
    at = plan(named, way)
    found = shares(count, (named, way), dtype)
    each = [found[storage] for storage in STORAGES]
    sends = communication(leaves_of(count), at, dtype)
    fixed = each[0].parameter_bytes + each[0].gradient_bytes
    totals = [
        digits(one.total_bytes / 1e9)
        if one.total_bytes <= at.machine.memory
        else f"~~{digits(one.total_bytes / 1e9)}~~"
        for one in each
    ]
    times = [
        f"{digits(1e3 * one.moved_bytes / at.machine.bandwidth)}{'' if one.measured else '*'}"
        for one in each
    ]
    sent = [sum(send.bytes for send in sends) / 1e9, 1e3 * sum(send.seconds for send in sends)]
    return [digits(fixed / 1e9), *totals, *times, *map(digits, sent)]


def digits(value: float) -> str:
    """Three digits, without an exponent.

    >>> digits(0.012345), digits(123456.0)
    ('0.0123', '123000')
    """
    return f"{float(f'{value:.3g}'):f}".rstrip("0").rstrip(".")


def fits_table() -> str:
    """For each size and mesh, the formats with which a device's memory suffices."""
    rows = []
    for name, count in SIZES.items():
        for dtype in ("float32", "bfloat16"):
            for way in WAYS:
                cells = [fitting(count, named, way, dtype) for named in MESHES]
                rows.append([name, dtype, way, *cells])
    return markdown(["model", "parameters", "divided", *(named.name for named in MESHES)], rows)


def fitting(count: int, named: Named, way: str, dtype: str) -> str:
    """The formats that fit: "all", "none" or those that do."""
    memory = get_machine(named.machine).memory
    found = shares(count, (named, way), dtype)
    those = [storage for storage in STORAGES if found[storage].total_bytes <= memory]
    return {0: "none", len(STORAGES): "all"}.get(len(those), ", ".join(those))


def machines_table() -> str:
    """The machines, with the source of their figures."""
    rows = []
    for name, machine in MACHINES.items():
        rows.append(
            [
                f"`{name}`",
                machine.name,
                digits(machine.memory / 1e9),
                f"{machine.bandwidth / 1e9:g}",
                machine.node,
                digits(machine.link / 1e9),
                "unknown" if machine.network is None else digits(machine.network / 1e9),
                machine.source,
            ]
        )
    headings = ["`--machine`", "device", "memory, GB", "memory, GB/s", "in a node or slice"]
    return markdown([*headings, "link, GB/s", "out of it, GB/s", "source"], rows)


def overhead_table() -> str:
    """Traffic of AdamW's compiled step beyond the least possible, by device."""
    headings = ["parameters", "`storage=`", "`param_rounding=`", *OVERHEAD]
    rows = [
        [dtype, f'`"{storage}"`', f"`{rounding!r}`".replace("'", '"')]
        + [f"{ratios[dtype, storage, rounding]:g}" for ratios in OVERHEAD.values()]
        for dtype, storage, rounding in COMPILED
    ]
    return markdown(headings, rows)
