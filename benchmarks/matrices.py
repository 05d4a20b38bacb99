"""Muon beside `optax.contrib.muon`: programs compiled for TPU v5e, sharding, and step times.

    python -m benchmarks.matrices               compiles for TPU, and steps on this device
    python -m benchmarks.matrices --only steps  steps alone, as on a machine with a GPU

"program" is the step of an unrolled GPT-2 with 124M parameters. Its compile times are CPU seconds,
which other processes on the machine hardly change. "sharding" is a step on 8 leaves
512x2048 on 8 devices. The collectives are counted for TPU v5e. The multiplications are counted for
8 CPU devices. The difference is between their update and that of one device, relative to the
largest element. "steps" has the times of a step on this device, in turns. A GPU steps GPT-2, also
with SOAP and with `torch.optim.Muon` if it is installed. A CPU steps 12 matrices 768x3072.
"""

import argparse
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.experimental import topologies
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

import adamjax
from benchmarks import record, targets
from benchmarks.compiled import step
from benchmarks.timing import quartiles
from examples import pictures

WIDTH, DEPTH = 768, 12
BASELINE = "optax.contrib.muon"
SPECS = {"rows": ("x",), "columns": (None, "x"), "2-D": ("y", "z")}
MEASURES = {  # by section: label and unit
    "program": {
        "compile_cpu_seconds": ("CPU seconds to compile", 1),
        "compile_ratio": ("CPU seconds / Optax's", 1),
        "temporary_bytes": ("temporaries [MB]", 1e6),
        "program_bytes": ("program [MB]", 1e6),
    },
    "sharding": {
        "collectives": ("collectives", 1),
        "bytes": ("results of collectives [MB]", 1e6),
        "multiplications": ("multiplications / an eighth", 1),
        "difference": ("difference to one device", 1),
    },
    "steps": {
        "milliseconds": ("time of a step [ms]", 1),
        "ratio": ("time / Optax's", 1),
    },
}
_COLLECTIVE = re.compile(
    r" = (\(.*?\)|\S+) (all-gather|all-reduce|reduce-scatter|all-to-all|collective-permute)"
    r"(?:-start)?\("
)
_ARRAY = re.compile(r"(f32|bf16)\[([\d,]*)\]")


def gpt2(width: int = WIDTH, depth: int = DEPTH) -> dict[str, Any]:
    """Return the shapes of GPT-2's parameters, each block apart."""
    shapes: dict[str, tuple[int, ...]] = {"wte": (50257 * width // WIDTH, width)}
    shapes["wpe"] = (1024, width)
    for i in range(depth):
        block = {"attn": (width, 3 * width), "proj": (width, width), "fc": (width, 4 * width)}
        block |= {"out": (4 * width, width)}
        shapes |= {f"h{i}/{name}/kernel": shape for name, shape in block.items()}
        shapes |= {f"h{i}/{name}/scale": (width,) for name in ("ln1", "ln2")}
    return {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in shapes.items()}


def _kernels(params: Any) -> Any:
    """Return Optax's form of layouts: matrices are the kernels."""
    numbers = optax.contrib.MuonDimensionNumbers()
    return {name: numbers if name.endswith("kernel") else None for name in params}


def optimizers() -> dict[str, optax.GradientTransformation]:
    """Return all that is compared."""
    return {
        BASELINE: optax.contrib.muon(0.02, muon_weight_dimension_numbers=_kernels),
        "adamjax.muon": adamjax.muon(0.02),
        "adamjax.muon, bfloat16": adamjax.muon(0.02, ns_dtype="bfloat16", wire_dtype="bfloat16"),
    }


def program(params: Mapping[str, Any]) -> dict[str, Any]:
    """Measure the compiled step of each optimizer on TPU v5e and here."""
    rows: dict[str, Any] = {}
    for name, tx in optimizers().items():
        state = jax.eval_shape(tx.init, params)
        for device in ("TPU v5e", "CPU"):
            prepare: Callable[..., Any] = targets.compile_here
            if device != "CPU":
                prepare = partial(targets.compile_for, "tpu", device)
            jax.clear_caches()
            start = time.process_time()
            compiled = prepare(step(tx), params, params, state, donate=(1, 2))
            seconds, memory = time.process_time() - start, compiled.memory_analysis()
            first = rows.get(f"{BASELINE}, {device}", {"compile_cpu_seconds": seconds})
            rows[f"{name}, {device}"] = {
                "compile_cpu_seconds": round(seconds, 2),
                "compile_ratio": round(seconds / first["compile_cpu_seconds"], 3),
                "temporary_bytes": memory.temp_size_in_bytes,
                "program_bytes": memory.generated_code_size_in_bytes,
            }
            print(f"compiled {name} for {device}", flush=True)
    return rows


def sharding() -> dict[str, Any]:
    """Measure a step of 8 devices on 8 leaves 512x2048, by the sharding of the leaves."""
    chips = topologies.get_topology_desc(platform="tpu", topology_name="v5e:2x4").devices
    shapes = {f"{i}/kernel": jax.ShapeDtypeStruct((512, 2048), jnp.float32) for i in range(8)}
    grads = _random(shapes)
    params = jax.tree.map(jnp.zeros_like, grads)  # so that new parameters are updates
    rows = {}
    for name, tx in optimizers().items():
        arguments = (grads, params, tx.init(params))
        alone = targets.compile_here(step(tx), *arguments)
        share, expected = multiplications(alone.as_text()) / 8, alone(*arguments)[0]
        scale = max(float(jnp.max(jnp.abs(x))) for x in expected.values())
        for kind, spec in SPECS.items():
            on_tpu, _ = _compile_sharded(tx, arguments, chips, spec)
            here, placed = _compile_sharded(tx, arguments, jax.devices(), spec)
            gaps = jax.tree.map(_gap, here(*placed)[0], expected)
            rows[f"{name}, {kind}"] = sent(on_tpu.as_text()) | {
                "multiplications": round(multiplications(here.as_text()) / share, 3),
                "difference": float(f"{max(gaps.values()) / scale:.2g}"),
            }
            print(f"compiled {name} for {kind} on 8 devices", flush=True)
    return rows


def _random(shapes: Mapping[str, Any]) -> dict[str, jax.Array]:
    keys = jax.random.split(jax.random.key(0), len(shapes))
    pairs = zip(shapes.items(), keys, strict=True)
    return {name: jax.random.normal(key, x.shape) for (name, x), key in pairs}


def _gap(x: jax.Array, y: jax.Array) -> float:
    return float(np.max(np.abs(np.asarray(x) - np.asarray(y))))


def _compile_sharded(
    tx: optax.GradientTransformation, arguments: Any, devices: Sequence[Any], spec: Any
) -> tuple[Any, Any]:
    """Return the step on 8 devices, and its arguments, as shapes for devices that are absent."""
    one = len(spec) < 2 or spec[0] is None
    shape, names = ((8,), ("x",)) if one else ((2, 4), ("y", "z"))
    kinds = (AxisType.Auto,) * len(names)
    mesh = Mesh(np.array(devices[:8]).reshape(shape), names, axis_types=kinds)
    at = jax.tree.map(
        lambda x: NamedSharding(mesh, PartitionSpec(*spec if x.ndim == 2 else ())), arguments
    )
    if devices == jax.devices():
        placed = jax.device_put(arguments, at)
    else:
        shape_of = lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s)  # noqa: E731
        placed = jax.tree.map(shape_of, arguments, at)
    with jax.set_mesh(mesh):
        return jax.jit(step(tx), out_shardings=at[1:]).lower(*placed).compile(), placed


def _executions(text: str) -> list[tuple[int, str]]:
    """Return the lines of a compiled program, each with the number of times that it runs."""
    lines: dict[str, list[str]] = {}
    name = entry = ""
    for line in text.splitlines():
        if head := re.match(r"(ENTRY )?%([\w.\-]+) .*\{$", line):
            name = head[2]
            lines[name], entry = [], name if head[1] else entry
        elif name:
            lines[name].append(line)

    def run(name: str, times: int) -> list[tuple[int, str]]:
        found = []
        for line in lines[name]:
            found.append((times, line))
            count = re.search(r'"known_trip_count":\{"n":"(\d+)"', line)
            for called in re.findall(r"(?:body|calls|to_apply)=%([\w.\-]+)", line):
                found += run(called, times * int(count[1]) if count else times)
        return found

    return run(entry, 1)


def multiplications(text: str) -> int:
    """Return the multiplications in the matrix products of a program for CPU.

    >>> lines = ["ENTRY %main () -> f32[2,5] {", "  %a = f32[2,3]{1,0} parameter(0)"]
    >>> lines += ["  ROOT %c = f32[2,5]{1,0} dot(%a, %b), lhs_contracting_dims={1}, ..."]
    >>> multiplications("\\n".join(lines))
    30
    """
    shapes = {
        name: [int(size) for size in sizes.split(",") if size]
        for name, sizes in re.findall(r"%([\w.\-]+) = \w+\[([\d,]*)\]", text)
    }
    dot = re.compile(r"%([\w.\-]+) = .* dot\(%([\w.\-]+), .*lhs_contracting_dims=\{([\d,]+)\}")
    total = 0
    for times, line in _executions(text):
        if found := dot.search(line):
            summed = [shapes[found[2]][int(i)] for i in found[3].split(",")]
            total += times * math.prod(shapes[found[1]] + summed)
    return total


def sent(text: str) -> dict[str, Any]:
    """Return the number of collectives in a program, and the bytes of their results.

    >>> line = "%r = (f32[4,2]{1,0}, f32[]) all-reduce(%a, %b), to_apply=%add"
    >>> sent("ENTRY %main () -> f32[] {\\n" + line.replace(", to_apply=%add", ""))
    {'collectives': 1, 'bytes': 36}
    """
    count, size = 0, 0
    for times, line in _executions(text):
        if found := _COLLECTIVE.search(line):
            count += times
            for dtype, shape in _ARRAY.findall(found[1]):
                elements = math.prod(map(int, filter(None, shape.split(","))))
                size += times * elements * {"f32": 4, "bf16": 2}[dtype]
    return {"collectives": count, "bytes": size}


def steps(*, quick: bool, rounds: int) -> dict[str, Any]:
    """Return quartiles of milliseconds, and of ratios to Optax's in the same round."""
    on_gpu = jax.default_backend() == "gpu"
    leaf = jax.ShapeDtypeStruct((32, 96) if quick else (WIDTH, 4 * WIDTH), jnp.float32)
    params = gpt2(32, 2) if quick and on_gpu else gpt2()
    params = params if on_gpu else {f"{i}/kernel": leaf for i in range(12)}
    compared = optimizers()
    if on_gpu:
        compared["adamjax.soap"] = adamjax.soap(3e-3, max_size=4 * WIDTH)
    turns = {name: _turn(tx, params) for name, tx in compared.items()}
    if on_gpu and find_spec("torch") is not None:
        turns["torch.optim.Muon"] = _torch_turn(params)
    times: dict[str, list[float]] = {name: [] for name in turns}
    for i in range(rounds + 1):
        print(f"round {i} of {rounds}", flush=True)
        for name, turn in turns.items():
            start = time.perf_counter()
            turn()
            times[name].append(1e3 * (time.perf_counter() - start))
    first = times[BASELINE][1:]
    return {
        name: {
            "milliseconds": quartiles(each[1:]),
            "ratio": quartiles([a / b for a, b in zip(each[1:], first, strict=True)]),
        }
        for name, each in times.items()
    }


def _turn(tx: optax.GradientTransformation, shapes: Mapping[str, Any]) -> Callable[[], None]:
    gradients = _random(shapes)
    carry = [{name: jnp.copy(g) for name, g in gradients.items()}, tx.init(gradients)]
    run = jax.jit(step(tx), donate_argnums=(1, 2))

    def turn() -> None:
        carry[:] = jax.block_until_ready(run(gradients, *carry))

    return turn


def _torch_turn(shapes: Mapping[str, Any]) -> Callable[[], None]:
    """Return a step of torch's Muon on the kernels alone."""
    torch: Any = import_module("torch")
    params = []
    for name, x in shapes.items():
        if name.endswith("kernel"):
            params.append(torch.randn(x.shape, device="cuda", requires_grad=True))
            params[-1].grad = torch.randn_like(params[-1])
    tx = torch.optim.Muon(params, lr=0.02)

    def turn() -> None:
        tx.step()
        torch.cuda.synchronize()

    return turn


def markdown(report: Mapping[str, Any], section: str) -> str:
    """Return the table of a section in Markdown."""
    measures = MEASURES[section]
    headings = [section, *(label for label, _ in measures.values())]
    lines = [headings, ["---"] * len(headings)]
    for name, row in report[section].items():
        lines.append([name, *(_text(row[key], unit) for key, (_, unit) in measures.items())])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(value: float | list[float], unit: float) -> str:
    """Return a number in a unit, or a median with its quartiles.

    >>> _text(2345678, 1000), _text([1.0, 2.0, 3.0], 1)
    ('2350', '2 (1 to 3)')
    """
    if isinstance(value, list):
        low, median, high = (_text(number, unit) for number in value)
        return f"{median} ({low} to {high})"
    return f"{float(f'{value / unit:.3g}'):g}"


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Draw a panel for each measure."""
    shown = [(s, key) for s, keys in MEASURES.items() if s in report for key in keys]
    shown += [("", "")] * (len(shown) % 2)
    mosaic = [
        [f"{s} {key}" if s else "." for s, key in pair]
        for pair in zip(shown[::2], shown[1::2], strict=True)
    ]
    figure, panels = pictures.axes(mosaic, (15, 0.6 + 2.3 * len(mosaic)))
    for section, measure in filter(all, shown):
        label, unit = MEASURES[section][measure]
        panel, rows = panels[f"{section} {measure}"], report[section]
        raw = [row[measure] for row in rows.values()]
        values = [(x[1] if isinstance(x, list) else x) / unit for x in raw]
        colors = [pictures.COLORS[6 * name.startswith("optax")] for name in rows]
        panel.barh(list(rows), values, color=colors)
        for place, value in enumerate(values):
            panel.annotate(f" {_text(value, 1)}", (value, place), va="center", fontsize=8)
        panel.set(xlabel=f"{section}: {label}")
        panel.tick_params(axis="y", labelsize=8)
        panel.margins(x=0.12)
        panel.grid(axis="y", visible=False)
        panel.invert_yaxis()
    pictures.save(figure, file)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print and write the results."""
    options = record.parser("matrices", __doc__)
    options.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES))
    given: argparse.Namespace = record.parse(options, argv)
    if {"program", "sharding"} & {*given.only}:
        targets.restart_for("tpu")
        jax.config.update("jax_num_cpu_devices", 8)
    functions: dict[str, Callable[[], dict[str, Any]]] = {
        "program": lambda: program(gpt2(32, 2) if given.quick else gpt2()),
        "sharding": sharding,
        "steps": partial(steps, quick=given.quick, rounds=2 if given.quick else 9),
    }
    measured: dict[str, Any] = {}
    for name in given.only:
        measured[name] = functions[name]()
        print(markdown(measured, name), flush=True)
    record.write("matrices", given, {"sections": given.only}, measured)


if __name__ == "__main__":
    main()
