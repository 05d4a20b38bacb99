"""Pictures of storage formats, rounding, matrix layouts and shardings, drawn by adamjax."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import adamjax
from adamjax.matrices.layout import from_matrices, parse_layout, to_matrices
from adamjax.sharding import state_shardings
from adamjax.storage.codes import decode_log_magnitude, decode_ratio
from adamjax.storage.formats import groups
from examples import pictures

BLUE, VERMILION, GREEN = pictures.COLORS[:3]


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
        distances = 100 * np.diff(values) / values[:-1]
        panels["root"].plot(values[:-1], distances, color=color)
        label = (1e-4, 1.3 * distances[len(distances) // 2])
        panels["root"].annotate(f"{bits} bits", label, color=color)
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
    params = jnp.ones(256, jnp.bfloat16)

    def step(carry: Any, _: None) -> Any:
        w, state = carry
        updates, state = tx.update(jnp.ones_like(w), state, w)
        w = optax.apply_updates(w, updates)
        return (w, state), w

    _, path = jax.lax.scan(step, (params, tx.init(params)), length=steps)
    return np.concatenate([np.ones((1, 256)), np.asarray(path, np.float32)])


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


HEADS, QKV = "embed heads dim -> heads dim embed", "in (qkv=3 out) -> qkv out in"
GATED = "in (out gate=2) -> gate out in"
# A parameter, its layout, and the layout whose matrices have a color each.
LAYOUTS = (
    ((6, 3, 4), "embed heads dim -> (heads dim) embed", HEADS),
    ((6, 3, 4), HEADS, HEADS),
    ((6, 12), QKV, QKV),
    ((6, 8), GATED, GATED),
)


def layouts(folder: Path) -> None:
    """Draw parameters and the matrices of their layouts, in the colors of the matrices."""
    columns = [name for i in range(len(LAYOUTS)) for name in (f"from {i}", f"to {i}")]
    figure, panels = pictures.axes([columns[:4], columns[4:]], (11, 6.8))
    for i, (shape, layout, by) in enumerate(LAYOUTS):
        colors = colored(shape, by)
        draw_array(panels[f"from {i}"], colors.reshape(shape[0], -1, 3))
        moved = [
            to_matrices(jnp.asarray(c), parse_layout(layout)) for c in np.moveaxis(colors, -1, 0)
        ]
        (matrices,) = zip(*moved, strict=True)
        matrix = np.moveaxis(np.asarray(matrices), 0, -1)
        stack = matrix.reshape(-1, *matrix.shape[-3:])
        gap = np.full((1, stack.shape[2], 3), np.nan)
        parts = [part for each in stack for part in (each, gap)]
        draw_array(panels[f"to {i}"], np.concatenate(parts[:-1]))
        before, _, after = layout.partition(" -> ")
        panels[f"from {i}"].set_title(
            f"{before}\n{' × '.join(map(str, shape))}", fontsize=10, loc="left"
        )
        shown = " × ".join(map(str, stack.shape[1:3]))
        many = f"{len(stack)} matrices of {shown}" if len(stack) > 1 else f"one matrix, {shown}"
        panels[f"to {i}"].set_title(f"→ {after}\n{many}", fontsize=10, loc="left")
    pictures.save(figure, folder / "layouts.png")


def colored(shape: tuple[int, ...], by: str) -> np.ndarray:
    """Color a parameter: a hue for each matrix of a layout, paler from column to column."""
    layout = parse_layout(by)
    (matrices,) = to_matrices(jnp.zeros(shape), layout)
    hues = np.array([[0, 114, 178], [213, 94, 0], [0, 158, 115]])[: len(matrices)] / 255
    pale = np.linspace(0, 0.7, matrices.shape[-1])
    channels = hues[:, None, None, :] * (1 - pale)[:, None] + pale[:, None]
    full = np.broadcast_to(channels, (*matrices.shape, 3))
    return np.stack(
        [from_matrices([jnp.asarray(full[..., c])], layout, shape) for c in range(3)], axis=-1
    )


def draw_array(axes: Any, colors: np.ndarray) -> None:
    """Draw the elements of an array as squares. NaN is a gap."""
    axes.imshow(np.nan_to_num(colors, nan=1.0), extent=(0, colors.shape[1], colors.shape[0], 0))
    axes.set_xticks(range(13), [])
    axes.set_yticks(range(15), [])
    axes.grid(color="white", linewidth=1.5)
    axes.set_axisbelow(False)
    axes.set(xlim=(0, 12), ylim=(14, 0))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def sharding(folder: Path) -> None:
    """Draw which devices hold which part of a kernel and of its moment."""
    auto = (AxisType.Auto, AxisType.Auto)
    mesh = jax.make_mesh((4, 2), ("data", "model"), axis_types=auto)
    kernel = jax.ShapeDtypeStruct(
        (512, 256), jnp.float32, sharding=NamedSharding(mesh, PartitionSpec(None, "model"))
    )
    tx = adamjax.adamw(1e-3)
    plain, zero = (state_shardings(tx, {"k": kernel}, zero=axis) for axis in (None, "data"))
    places = {
        "parameter": kernel.sharding,
        "moment": plain[0].mu["k"],
        'moment, zero="data"': zero[0].mu["k"],
    }
    figure, panels = pictures.axes([list(places)], (11, 4.2))
    for name, place in places.items():
        draw_blocks(panels[name], kernel.shape, place)
        panels[name].set_title(name, loc="left", fontweight="bold")
    pictures.save(figure, folder / "sharding.png")


def draw_blocks(axes: Any, shape: tuple[int, int], place: Any) -> None:
    """Draw the blocks of an array, with the numbers of their devices."""
    blocks: dict[Any, list[int]] = {}
    for device, slices in place.devices_indices_map(shape).items():
        bounds = tuple(s.indices(size)[:2] for s, size in zip(slices, shape, strict=True))
        blocks.setdefault(bounds, []).append(device.id)
    for index, (((top, bottom), (left, right)), devices) in enumerate(blocks.items()):
        box = ([left, right], [top, top], [bottom, bottom])
        axes.fill_between(*box, color=(BLUE, VERMILION)[index % 2], linewidth=0)
        text = f"device {devices[0]}" if len(devices) == 1 else f"devices {devices}"
        middle = ((left + right) / 2, (top + bottom) / 2)
        axes.annotate(text, middle, ha="center", va="center", color="white", fontsize=10)
        axes.hlines([top, bottom], left, right, color="white", linewidth=2)
    share = 1 / len(blocks)
    axes.set(xlim=(0, shape[1]), ylim=(shape[0], 0), xlabel=f"each device holds {share:.1%}")
    axes.set_xticks([0, shape[1] // 2, shape[1]])
    axes.set_yticks([0, shape[0] // 2, shape[0]])
    axes.grid(False)
    axes.spines[:].set_visible(False)
