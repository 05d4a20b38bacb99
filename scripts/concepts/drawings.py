"""Pictures of storage formats, rounding, matrix layouts and shardings, drawn from adamjax itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import adamjax
from adamjax.matrices.layout import parse_layout, to_matrices
from adamjax.sharding import state_shardings
from adamjax.storage.codes import decode_log_magnitude, decode_ratio
from adamjax.storage.formats import groups
from examples import pictures

BLUE, VERMILION, GREEN, PURPLE, GREY = (pictures.COLORS[i] for i in (0, 1, 2, 3, 6))


def storage(folder: Path) -> None:
    """Draw the bits of each format, and the distances between codes."""
    figure, panels = pictures.axes([["bits", "root", "ratio"]], (12, 3.4))
    ((_, code),) = groups("8bit", {"mu": "mean", "nu": "square"})
    ((_, code16),) = groups("8bit_v16", {"mu": "mean", "nu": "square"})
    formats = {
        "float32": (32, 32),
        "bfloat16": (16, 16),
        "8bit_v16": (code16.m_bits, code16.v_bits),
        "8bit": (code.m_bits, code.v_bits),
    }
    for row, (m, v) in enumerate(formats.values()):
        for left, bits, color, name in ((0, m, BLUE, "m"), (m, v, VERMILION, "v")):
            panels["bits"].barh(row, bits, left=left, color=color, edgecolor="white")
            place = (left + bits / 2, row)
            panels["bits"].annotate(name, place, ha="center", va="center", color="white")
    panels["bits"].set_yticks(range(len(formats)), list(formats))
    panels["bits"].invert_yaxis()
    panels["bits"].set_xticks([0, 16, 32, 48, 64])
    panels["bits"].set(title="Bits per parameter", xlabel="bits")
    for bits, color in ((code.v_bits, VERMILION), (code16.v_bits, GREEN)):
        values = np.asarray(decode_log_magnitude(jnp.arange(1, 2**bits), bits))
        panels["root"].plot(values[:-1], 100 * np.diff(values) / values[:-1], color=color)
        panels["root"].annotate(f"{bits} bits", (1e-4, 100 * np.diff(values)[len(values) // 2]
                                / values[len(values) // 2]), (0, 5), color=color,
                                textcoords="offset points")  # fmt: skip
    panels["root"].set(title="Codes of √v", xlabel="√v", ylabel="distance to the next code, %")
    panels["root"].set(xscale="log", yscale="log", ylim=(0.01, 100))
    limit = 2 ** (code.m_bits - 1) - 1
    ratios = np.asarray(decode_ratio(jnp.arange(-limit, limit + 1.0), jnp.float32(1), code.m_bits))
    panels["ratio"].vlines(ratios, 0, 1, color=BLUE, linewidth=1)
    panels["ratio"].set(title="Codes of m / √v", xlabel="m / √v", xlim=(-2, 2), yticks=[])
    panels["ratio"].grid(False)
    pictures.save(figure, folder / "storage.png")


def walk(rounding: str | None, steps: int) -> np.ndarray:
    """Move 256 bfloat16 weights from 1 by -0.0001 in each step: (steps + 1, 256)."""
    tx = adamjax.sgd(1e-4, param_rounding=rounding)
    params = {"w": jnp.ones(256, jnp.bfloat16)}

    def step(carry: Any, _: None) -> Any:
        params, state = carry
        updates, state = tx.update({"w": jnp.ones(256, jnp.bfloat16)}, state, params)
        params = optax.apply_updates(params, updates)
        return (params, state), params["w"].astype(jnp.float32)

    _, path = jax.lax.scan(step, (params, tx.init(params)), length=steps)
    return np.concatenate([np.ones((1, 256)), np.asarray(path)])


def rounding(folder: Path) -> None:
    """Draw weights between neighboring bfloat16 numbers, by rounding."""
    steps, shown = 400, {None: "to nearest", "stochastic": "stochastic", "residual8": "residual8"}
    figure, panels = pictures.axes([list(shown.values())], (12, 3.6), sharex=True, sharey=True)
    neighbors = np.unique(np.linspace(0.95, 1.01, 1000).astype(jnp.bfloat16).astype(float))
    for (setting, name), color in zip(shown.items(), (VERMILION, BLUE, GREEN), strict=True):
        axes, path = panels[name], walk(setting, steps)
        axes.grid(False)
        axes.hlines(neighbors, 0, steps, color="#CCCCCC", linewidth=0.8)
        exact = axes.plot([0, steps], [1, 1 - 1e-4 * steps], "--", color="black", linewidth=1)
        axes.plot(path[:, :4], color=color, alpha=0.5, linewidth=1)
        mean = axes.plot(path.mean(axis=1), color=color, linewidth=2.5)
        axes.set_title(f"{name}", loc="left", fontweight="bold")
        axes.set(xlabel="step", ylim=(0.952, 1.003), xlim=(0, steps))
        axes.legend([*exact, *mean], ["exact", "mean of 256 weights"], loc="lower left")
    panels["to nearest"].set_ylabel("weight (grey: bfloat16 numbers)")
    pictures.save(figure, folder / "rounding.png")


LAYOUTS = (
    ("embed heads dim -> (heads dim) embed", (6, 3, 4), 1),
    ("embed heads dim -> heads dim embed", (6, 3, 4), 1),
    ("in (qkv=3 out) -> qkv out in", (6, 12), 1),
    ("in (out gate=2) -> gate out in", (6, 8), 1),
)


def colored(layout: str, shape: Sequence[int]) -> np.ndarray:
    """Return a color for each element: hue by the last stack of columns, lightness by the input."""
    sizes = parse_layout(layout).sizes(shape)
    parts = [size for blocks in sizes for size in blocks]
    index = np.indices(parts).reshape(len(parts), -1)
    inputs, rest = index[0], index[1:]
    block = rest[-1] if "gate=" in layout else rest[0]
    hues = np.array([[0, 114, 178], [213, 94, 0], [0, 158, 115]]) / 255
    light = (inputs / inputs.max())[:, None] * 0.65
    return (hues[block] * (1 - light) + light).reshape(*shape, 3)
