"""The tables of docs/storage.md, from the benchmarks' results."""

from collections.abc import Iterable, Mapping
from typing import Any

from adamjax.storage.store import MIN_SIZE
from scripts.comparison import markdown

Report = Mapping[str, Any]
Rows = Iterable[Mapping[str, Any]]

FORMATS = ("float32", "bfloat16", "8bit_v16", "8bit")
FLOAT32_PARAMETERS = {
    "optax.adamw": "Optax's AdamW",
    **{f"adamw {name}": f'`storage="{name}"`' for name in FORMATS},
    "store(optax.adamw) 8bit": "Optax's AdamW in `store`, 8bit",
    "clip + optax.adamw": "Optax's, behind `clip_by_global_norm`",
    "clip + adamw 8bit": "8bit, behind `clip_by_global_norm`",
    "optax.lion": "Optax's Lion",
    "store(optax.lion) 8bit": "Optax's Lion in `store`, 8bit",
    "blocks of 256 in rows": "int8 in blocks of 256, each with a scale",
    "blocks of 32 in rows": "int8 in blocks of 32",
}
BFLOAT16_PARAMETERS = {
    "optax.adamw, bf16": "Optax's AdamW: moments in bfloat16, nearest",
    "adamw 8bit, bf16": "8bit, nearest",
    "adamw 8bit, bf16 stochastic": '8bit, `"stochastic"`',
    "adamw 8bit, bf16 residual8": '8bit, `"residual8"`',
    "adamw 8bit, bf16 kahan": '8bit, `"kahan"`',
}
CYCLES = {
    **{name: FLOAT32_PARAMETERS[name] for name in list(FLOAT32_PARAMETERS)[1:5]},
    **{name: f"bfloat16 parameters: {label}" for name, label in BFLOAT16_PARAMETERS.items()},
}
PEAK = {
    **{name: FLOAT32_PARAMETERS[name] for name in list(FLOAT32_PARAMETERS)[:5]},
    "optax.adamw, bf16": "bfloat16 parameters: Optax's AdamW",
    "adamw 8bit, bf16 stochastic": 'bfloat16 parameters: 8bit, `"stochastic"`',
    "adamw 8bit, bf16 residual8": 'bfloat16 parameters: 8bit, `"residual8"`',
}
TIMES = ("adamw float32", "adamw bfloat16", "adamw 8bit_v16", "adamw 8bit")
QUALITY = {"adamw, b2 = 0.95", "adamw, b2 = 0.999", "adamw, b2 = 0.9999"}


def bytes_table(reports: Iterable[Report], wanted: Mapping[str, str]) -> str:
    """Bytes that a compiled step moves for each parameter on each device, beside the least."""
    rows = [row for report in reports for row in report["rows"]]
    found = {(row["row"], row["device"]): row for row in rows}
    devices = list(dict.fromkeys(row["device"] for row in rows))
    lines = []
    for name, label in wanted.items():
        of = [found[name, device] for device in devices]
        moved = [f"{row['bytes_per_parameter']:.1f}" for row in of]
        state = f"{of[0]['state_bytes_per_parameter']:.3g}"
        lines.append([label, state, f"{of[0]['least']:.1f}", *moved])
    return markdown(["", "bytes of state", "least", *devices], lines)


def cycles_table(report: Report) -> str:
    """Estimated cycles of a compiled step, and its bytes, relative to those of Optax's AdamW."""
    rows = {(row["row"], row["device"]): row for row in report["rows"]}
    devices = list(dict.fromkeys(device for _, device in rows))

    def relative(name: str, device: str, field: str) -> str:
        return f"{rows[name, device][field] / rows['optax.adamw', device][field]:.2f}"

    lines = [
        [
            label,
            relative(name, devices[0], "least"),
            *(relative(name, device, "estimated_cycles_per_parameter") for device in devices),
        ]
        for name, label in CYCLES.items()
    ]
    return markdown(["", "least bytes", *(f"cycles on {device}" for device in devices)], lines)


def peak_table(reports: Iterable[Report]) -> str:
    """The memory that a whole training step needs at its peak, by device."""
    rows = [row for report in reports for row in report["rows"]]
    peaks = {(row["row"], row["device"]): row["peak_bytes"] / 1e9 for row in rows}
    states = {row["row"]: row["state_bytes"] / 1e9 for row in rows}
    devices = list(dict.fromkeys(row["device"] for row in rows))
    lines = [
        [label, f"{states[name]:.2f}", *(f"{peaks[name, device]:.2f}" for device in devices)]
        for name, label in PEAK.items()
    ]
    return markdown(["", "state, GB", *(f"peak on {device}, GB" for device in devices)], lines)


def released_table(reports: Iterable[Report]) -> str:
    """Peak bytes per parameter of the ordinary and of the released training step."""
    rows = [row for report in reports for row in report["rows"]]
    peaks = {(r["row"], r["device"], r["step"]): r["peak_bytes_per_parameter"] for r in rows}
    columns = list(dict.fromkeys((row["device"], row["step"]) for row in rows))
    lines = [
        [f"AdamW, {name}", *(f"{peaks[name, *column]:.2f}" for column in columns)]
        for name in dict.fromkeys(row["row"] for row in rows)
    ]
    return markdown(["", *(f"{device}, {step}" for device, step in columns)], lines)


def tracking_table(report: Report, b2: str = "0.999") -> str:
    """Each format's update beside float32's, late in a training."""
    lines = []
    for name, row in report["by_b2"][b2].items():
        if "g ·" in name:  # the same format under gradients of another size
            continue
        state = f"{report['formats'][name]['state_bytes']:.3g}"
        sizes = _short(row["norm_ratio"]), _short(row["largest_update"])
        bias = f"{_rounded(row['log_bias'], 4):+.4f}"
        lines.append([_label(name), state, f"{row['cosine']:.5f}", *sizes, bias])
    headings = ["", "bytes of state", "cosine", "norm", "largest update", "bias of log √v"]
    return markdown(headings, lines)


def long_tail_table(report: Report) -> str:
    """Where updates have come to when the gradients have shrunk."""
    lines = []
    for name in report["summary"]["power"]:
        cells = []
        for fall in ("power", "exponential"):
            row = report["summary"][fall][name]
            cells += [_short(row["late_norm_ratio"]), f"{_rounded(row['late_log_bias'], 3):+.3f}"]
        lines.append([_label(name), *cells])
    headings = ["", "slowly: norm", "bias of log √v", "evenly: norm", "bias of log √v"]
    return markdown(headings, lines)


def quality_table(report: Report) -> str:
    """Held-out losses of AdamW by task and format, and the other optimizers that learn worse."""
    lines, worse, distances = [], [], []
    for comparison in report["comparisons"]:
        formats, name = comparison["formats"], comparison["optimizer"]
        reference, *ours = (formats[each]["held_out"] for each in FORMATS if each in formats)
        away = [row["difference_in_standard_errors"] for row in ours]
        distances += away
        first = f"{reference['mean']:.4f} ± {reference['standard_error']:.4f}"
        if name in QUALITY:
            task = f"{comparison['task']}, {name.removeprefix('adamw, ')}"
            differences = (f"{_rounded(row['difference'], 4):+.4f}" for row in ours)
            lines.append([task, first, *differences])
        elif max(away) > 1:
            worse.append([name, first, *(f"{_rounded(each, 1):+.1f}" for each in away)])
    formats = [f'`"{each}"`' for each in FORMATS]
    better = sum(d < -1 for d in distances)
    told = (
        f"Of all {len(distances)} comparisons, {sum(d > 1 for d in distances)} are worse than "
        f"float32 by more than its standard error and {better} better. The optimizers with a "
        "worse one, and the differences in standard errors:"
    )
    tables = markdown(["task", *formats], lines), markdown(["optimizer", *formats], worse)
    return f"{tables[0]}\n\n{told}\n\n{tables[1]}"


def times_table(report: Report) -> str:
    """Time of a step as a multiple of Optax's, by size. Many leaves only if stored."""
    columns = {
        f"10{_power(len(size) - 1)} parameters" + f" in {leaves} leaves" * (leaves != "1"): rows
        for leaves, sizes in report["layouts"].items()
        for size, rows in sizes.items()
        if leaves == "1" or int(size) >= MIN_SIZE * int(leaves)
    }
    lines = []
    for name in TIMES:
        ratios = (rows[name]["ratio"] for rows in columns.values())
        lines.append([name, *(f"{mid:.2f} ({low:.2f} to {high:.2f})" for low, mid, high in ratios)])
    return markdown(["", *columns], lines)


def compile_table(report: Report) -> str:
    """How long it takes to compile many leaves, as a multiple of Optax's."""
    lines = []
    for tree, subjects in report["trees"].items():
        for name, row in subjects.items():
            seconds = f"{row['compile']['seconds'][1]:.1f}"
            ratio = f"{row['compile']['ratio'][1]:.2f}"
            lines.append([tree, name, f"{row['state_bytes']:.3g}", seconds, ratio])
    headings = ["leaves", "", "bytes of state", "to compile, s", "of Optax's"]
    return markdown(headings, lines)


def _label(name: str) -> str:
    return f'`"{name}"`' if name in FORMATS else name


def _short(number: float) -> str:
    return f"{number:.3f}" if number < 10 else f"{number:,.0f}"


def _rounded(number: float, digits: int) -> float:
    return round(number, digits) + 0.0  # not -0.0


def _power(exponent: int) -> str:
    return "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(exponent))
