"""Count the bytes and kernels of an optimizer's step, compiled for devices that are absent.

    python -m benchmarks.compiled --backend tpu     TPU v5e, v6e and v4, with libtpu
    python -m benchmarks.compiled --backend cuda    H100 and H200, with jax's CUDA wheels

The step is `update` and `apply_updates` in one jit with donated parameters and state. Each kernel
of the compiled program reads its operands from main memory and writes its results to it. The bytes
of a step are the sum of both, with the padding of layouts. Arrays in on-chip memory do not count,
but copies to and from it do. A step reads and writes parameters and state and reads the gradient at
least once. The results call this minimum "least".
"""

import argparse
import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

import adamjax
from benchmarks import blockwise, record, targets
from examples import pictures

MATRIX = (8192, 4096)
QUICK_MATRIX = (512, 512)
LEAST_SHARE = 64  # kernels count if an array has at least 1 / LEAST_SHARE of a leaf's elements


class Row(NamedTuple):
    """A step to compile: an optimizer for leaves of one shape and dtype."""

    name: str
    tx: optax.GradientTransformation
    dtype: Any = jnp.float32
    shape: tuple[int, ...] = MATRIX
    leaves: int = 1


def rows(matrix: tuple[int, ...] = MATRIX) -> list[Row]:
    """Return all rows. `matrix` is the default shape of a leaf."""
    settings: Any = {"learning_rate": 1e-3, "weight_decay": 0.1}
    ours = partial(adamjax.adamw, **settings)
    theirs = optax.adamw(**settings)
    clip = partial(optax.chain, optax.clip_by_global_norm(1.0))
    storages = ("float32", "bfloat16", "8bit_v16", "8bit")
    blockwise_adamw = lambda n, down: blockwise.adamw(  # noqa: E731
        **settings, block=blockwise.Blocks(n, down)
    )
    low: Any = {"dtype": jnp.bfloat16}
    found = [
        Row("optax.adamw", theirs),
        *(Row(f"adamw {storage}", ours(storage=storage)) for storage in storages),
        Row("store(optax.adamw) 8bit", adamjax.store(theirs)),
        *(
            Row(f"blocks of {n} in {'columns' if down else 'rows'}", blockwise_adamw(n, down))
            for n, down in itertools.product((256, 32), (False, True))
        ),
        Row("clip + optax.adamw", clip(theirs)),
        Row("clip + adamw 8bit", clip(ours(storage="8bit"))),
        Row("guard + adamw float32", adamjax.guard(ours())),
        Row("guard + adamw 8bit", adamjax.guard(ours(storage="8bit"), max_zscore=6.0)),
        Row("optax.lion", optax.lion(**settings)),
        Row("store(optax.lion) 8bit", adamjax.store(optax.lion(**settings))),
        Row("optax.adamw, bf16", theirs, **low),
        Row("adamw 8bit, bf16", ours(storage="8bit"), **low),
        *(
            Row(f"adamw 8bit, bf16 {mode}", ours(storage="8bit", param_rounding=mode), **low)
            for mode in ("stochastic", "kahan", "residual8")
        ),
    ]
    rounded = ours(storage="8bit", param_rounding="stochastic")
    found.append(Row("guard + adamw 8bit, bf16 stochastic", adamjax.guard(rounded), **low))
    found = [row._replace(shape=matrix) for row in found]
    for shape in (1000, 777), (50257, 768), (8192,), (3, 3, 256, 512), (7, 7, 3, 64):
        size = "x".join(map(str, shape))
        found += [
            Row(f"optax.adamw, {size}", theirs, shape=shape),
            Row(f"adamw 8bit, {size}", ours(storage="8bit"), shape=shape),
        ]
    track = partial(adamjax.track, theirs, quantiles=())
    found += [
        Row("track(optax.adamw)", track(), shape=matrix),
        Row("track(per_layer)", track(per_layer={"*": 0}), shape=(32, 1024, 4096)),
    ]
    many: Any = {"shape": (2048, 1024), "leaves": 8}
    return [
        *found,
        Row("optax.adamw, 8 leaves", theirs, **many),
        Row("adamw 8bit, 8 leaves", ours(storage="8bit"), **many),
    ]


def step(tx: optax.GradientTransformation) -> Callable[..., Any]:
    """Return a function from gradients, parameters and state to new parameters and state."""

    def run(grads: Any, params: Any, state: Any) -> tuple[Any, Any]:
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    return run


def arrays(row: Row) -> tuple[Any, Any]:
    """Return the shapes of parameters and state."""
    leaf = jax.ShapeDtypeStruct(row.shape, row.dtype)
    params = {f"w{i}": leaf for i in range(row.leaves)}
    return params, jax.eval_shape(row.tx.init, params)


def accessed(row: Row) -> float:
    """Return the bytes per parameter of a step on this device, as the compiler estimates."""
    params, state = arrays(row)
    program = targets.compile_here(step(row.tx), params, params, state, donate=(1, 2))
    return program.cost_analysis()["bytes accessed"] / (math.prod(row.shape) * row.leaves)


def nbytes(tree: Any) -> int:
    """Return the bytes of all arrays in a tree."""
    return sum(math.prod(x.shape) * x.dtype.itemsize for x in jax.tree.leaves(tree))


def measure(backend: str, target: str, row: Row) -> dict[str, Any]:
    """Return the bytes and kernels of a compiled step."""
    params, state = arrays(row)
    compiled = targets.compile_for(
        backend, target, step(row.tx), params, params, state, donate=(1, 2)
    )
    size = math.prod(row.shape)
    text = compiled.as_text()
    done = targets.kernels(text)
    cycles = sum(map(int, re.findall(r'"estimated_cycles":"(\d+)"', text)))
    large = [kernel for kernel in done if kernel.largest >= size / LEAST_SHARE]
    prefetches = [kernel for kernel in large if kernel.op in targets.PREFETCHES]
    each = lambda total: total / (size * row.leaves)  # noqa: E731
    return {
        "device": target,
        "row": row.name,
        "shape": list(row.shape),
        "leaves": row.leaves,
        "params": jnp.dtype(row.dtype).name,
        "bytes_per_parameter": each(sum(kernel.traffic for kernel in done)),
        "least": each(2 * nbytes((params, state)) + nbytes(params)),
        "state_bytes_per_parameter": each(nbytes(state)),
        "kernels_per_leaf": (len(large) - len(prefetches)) / row.leaves,
        "prefetches_per_leaf": len(prefetches) / row.leaves,
        "estimated_cycles_per_parameter": each(cycles) or None,  # by the compiler, TPU only
        "temporary_bytes": compiled.memory_analysis().temp_size_in_bytes,
        "traffic": {kernel.name.lstrip("%"): each(kernel.traffic) for kernel in large},
    }


def write(name: str, given: argparse.Namespace, **measured: Any) -> None:
    """Write the results of a backend's devices beside those of machines."""
    about = {"compiler": targets.version(given.backend)}
    settings = measured.pop("settings", {})
    record.write(name, given, settings, {**about, **measured}, on=given.backend)


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Draw bytes per parameter as bars, in a column for each device."""
    by_device: dict[str, list[dict[str, Any]]] = {}
    for row in report["rows"]:
        by_device.setdefault(row["device"], []).append(row)
    shown = list(by_device)
    longest = max(len(by_device[device]) for device in shown)
    figure, panels = pictures.axes(
        [shown], (1.5 + 4.5 * len(shown), 1 + 0.24 * longest), sharex=True, sharey=True
    )
    for device, axes in panels.items():
        drawn = by_device[device]
        for place, row in enumerate(drawn):
            moved, least = row["bytes_per_parameter"], row["least"]
            color = pictures.COLORS[0 if row["kernels_per_leaf"] <= 1 else 1]
            axes.barh(place, moved, color=color)
            axes.plot([least, least], [place - 0.4, place + 0.4], color="black", linewidth=1.5)
            axes.annotate(f" {moved:.1f}", (max(moved, least), place), va="center", fontsize=8)
        axes.set_yticks(range(len(drawn)), [row["row"] for row in drawn], fontsize=8)
        axes.set(title=device, xlabel="bytes moved per parameter and step")
        axes.margins(x=0.1, y=0.01)
        axes.grid(axis="y", visible=False)
    axes.invert_yaxis()
    figure.suptitle("blue: one kernel per leaf, orange: more, black line: the minimum")
    pictures.save(figure, file)


def options(name: str, purpose: str | None) -> argparse.ArgumentParser:
    """Return the parser of a command that compiles for absent devices."""
    parser = record.parser(name, purpose)
    add = parser.add_argument
    add("--backend", choices=list(targets.TARGETS), required=True, help="compile for its devices")
    add("--rows", nargs="*", metavar="PATTERN", help="rows by name, as '*8bit'")
    return parser


def chosen(names: Sequence[str], patterns: Sequence[str] | None) -> list[str]:
    """Return the names that match a pattern, or all without patterns."""
    found = [n for n in names if patterns is None or any(fnmatch(n, p) for p in patterns)]
    if not found:
        raise SystemExit(f"nothing matches {patterns}; there are {', '.join(names)}")
    return found


def main(argv: Sequence[str] | None = None) -> None:
    parser = options("compiled", __doc__)
    parser.add_argument("--devices", nargs="*", metavar="PATTERN", help="by name, as 'TPU v5e'")
    parser.add_argument("--matrix", default=MATRIX, type=shape_of, metavar="ROWSxCOLUMNS")
    given: argparse.Namespace = record.parse(parser, argv)
    targets.restart_for(given.backend)
    every = {row.name: row for row in rows(QUICK_MATRIX if given.quick else given.matrix)}
    measured = []
    for device in chosen(list(targets.TARGETS[given.backend]), given.devices):
        for name in chosen(list(every), given.rows):
            result = measure(given.backend, device, every[name])
            measured.append(result)
            print(
                f"{device:8} {name:28} {result['bytes_per_parameter']:6.2f} bytes"
                f" (least {result['least']:5.2f}), {result['kernels_per_leaf']:g} kernels"
                f" a leaf, {result['temporary_bytes']} bytes of temporaries",
                flush=True,
            )
    write("compiled", given, rows=measured)


def shape_of(text: str) -> tuple[int, ...]:
    """Parse a shape such as "8192x4096".

    >>> shape_of("8192x4096")
    (8192, 4096)
    """
    return tuple(map(int, text.split("x")))


if __name__ == "__main__":
    main()
