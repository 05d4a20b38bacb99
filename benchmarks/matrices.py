"""Muon beside `optax.contrib.muon`: programs compiled for TPU v5e, collectives, and step times.

    python -m benchmarks.matrices               compiles for TPU, and steps on this device
    python -m benchmarks.matrices --only steps  steps alone, as on a machine with a GPU

"program" is the step of an unrolled GPT-2 with 124M parameters. Times to compile are CPU seconds of
the process, as other processes slow a shared machine. "collectives" are those of 8 leaves 512x2048
in one step on 8 devices of a TPU v5e. "steps" are times of a step on this device, in turn. On a GPU
they are of GPT-2, with SOAP and, where it is installed, `torch.optim.Muon`; on a CPU of 12 matrices
768x3072.
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
from examples import console, pictures

WIDTH, DEPTH = 768, 12
BASELINE = "optax.contrib.muon"
SECTIONS = ("program", "collectives", "steps")
SPECS = {"rows": ("x",), "columns": (None, "x"), "2-D": ("y", "z")}
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
    rows = {}
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
            rows[f"{name}, {device}"] = {
                "compile_cpu_seconds": round(seconds, 2),
                "temporary_bytes": memory.temp_size_in_bytes,
                "program_bytes": memory.generated_code_size_in_bytes,
            }
    return rows


def collectives() -> dict[str, Any]:
    """Count what 8 devices send in a step on 8 leaves 512x2048, by the sharding of the leaves."""
    described = topologies.get_topology_desc(platform="tpu", topology_name="v5e:2x4")
    devices = np.array(described.devices)
    meshes = [(devices, ("x",)), (devices.reshape(2, 4), ("y", "z"))]
    leaf = jax.ShapeDtypeStruct((512, 2048), jnp.float32)
    params = {f"{i}/kernel": leaf for i in range(8)}
    rows = {}
    for name, tx in optimizers().items():
        state = jax.eval_shape(tx.init, params)
        for kind, spec in SPECS.items():
            each, names = meshes[kind == "2-D"]
            mesh = Mesh(each, names, axis_types=(AxisType.Auto,) * len(names))

            def place(x: Any, mesh: Any = mesh, spec: Any = spec) -> Any:
                at = NamedSharding(mesh, PartitionSpec(*spec if x.ndim == 2 else ()))
                return jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=at)

            placed = jax.tree.map(place, (params, params, state))
            with jax.set_mesh(mesh):
                text = jax.jit(step(tx), donate_argnums=(1, 2)).lower(*placed).compile().as_text()
            rows[f"{name}, {kind}"] = sent(text or "")
    return rows


def sent(text: str) -> dict[str, Any]:
    """Return the number of collectives in a program, and the bytes of their results.

    >>> sent("%r = (f32[4,2]{1,0}, f32[]) all-reduce(%a, %b), to_apply=%add")
    {'collectives': 1, 'bytes': 36}
    """
    found = _COLLECTIVE.findall(text)
    arrays = [array for kind, _ in found for array in _ARRAY.findall(kind)]
    size = {"f32": 4, "bf16": 2}
    sizes = [size[d] * math.prod(map(int, filter(None, shape.split(",")))) for d, shape in arrays]
    return {"collectives": len(found), "bytes": sum(sizes)}


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
    for _ in range(rounds + 1):
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
    keys = jax.random.split(jax.random.key(0), len(shapes))
    pairs = zip(shapes.items(), keys, strict=True)
    gradients = {name: jax.random.normal(key, x.shape) for (name, x), key in pairs}
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


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Draw a panel for each measure, relative to Optax where it is a time."""
    panels_of = {
        ("program", "compile_cpu_seconds"): ("CPU seconds to compile", 1),
        ("program", "temporary_bytes"): ("temporaries, GB", 1e9),
        ("collectives", "collectives"): ("collectives in a step", 1),
        ("collectives", "bytes"): ("MB of their results", 1e6),
        ("steps", "ratio"): ("time of a step / Optax's", 1),
    }
    shown = {key: text for key, text in panels_of.items() if key[0] in report}
    mosaic = [[" ".join(key)] for key in shown]
    figure, panels = pictures.axes(mosaic, (9, 0.6 + 2.1 * len(shown)))
    for (section, measure), (label, unit) in shown.items():
        panel, rows = panels[f"{section} {measure}"], report[section]
        raw = [row[measure] for row in rows.values()]
        values = [(x[1] if isinstance(x, list) else x) / unit for x in raw]
        colors = [pictures.COLORS[6 * name.startswith("optax")] for name in rows]
        panel.barh(list(rows), values, color=colors)
        for place, value in enumerate(values):
            panel.annotate(f" {value:.3g}", (value, place), va="center", fontsize=8)
        panel.set(xlabel=label)
        panel.tick_params(axis="y", labelsize=8)
        panel.margins(x=0.12)
        panel.grid(axis="y", visible=False)
        panel.invert_yaxis()
    pictures.save(figure, file)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print and write the results."""
    options = record.parser("matrices", __doc__)
    options.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    given: argparse.Namespace = record.parse(options, argv)
    if {"program", "collectives"} & {*given.only}:
        targets.restart_for("tpu")
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "program": lambda: program(gpt2(32, 2) if given.quick else gpt2()),
        "collectives": collectives,
        "steps": partial(steps, quick=given.quick, rounds=2 if given.quick else 9),
    }
    measured = {}
    for name in given.only:
        measured[name] = rows = measures[name]()
        columns = list(next(iter(rows.values())))
        console.table((name, *columns), [(k, *map(str, row.values())) for k, row in rows.items()])
    record.write("matrices", given, {"sections": given.only}, measured)


if __name__ == "__main__":
    main()
