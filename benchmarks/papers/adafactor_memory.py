"""Size of Adafactor's state on the paper's transformers, and its cost in quality."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from benchmarks import streams, tasks, training
from benchmarks.papers.paper import Experiment, Finding, Report, spread
from benchmarks.quality import rising_and_falling
from examples import pictures

EXPERIMENT = Experiment(
    variant="adafactor",
    title="Adafactor: memory that grows with n and m",
    where="sections 3, 4 and 9",
    claim="Row and column sums of the second moment take n + m numbers for an n × m matrix, where "
    "Adam takes 2nm. Without momentum, the optimizer of a Transformer needs very little memory, "
    "with results comparable to Adam's. Momentum adds nm numbers.",
    run="Memory: the states of this library and of Optax for the base and big Transformer of "
    "Vaswani et al. 2017 (one embedding of 37,000 tokens for encoder, decoder and output) and for "
    "n × 4n matrices, counted without allocating them. Quality: a byte-level language model of "
    "two narrow blocks on Python source instead of WMT translation, 300 steps with 16 texts of 32 "
    "bytes, three seeds. The learning rate rises for a tenth of the steps and then falls to 0. "
    "Each optimizer has the best of six peaks, half a decade apart, by mean held-out loss. "
    "Adafactor's rates are larger because they are multiples of each parameter's RMS.",
)
Make = Callable[..., optax.GradientTransformation]
OPTIMIZERS: Mapping[str, Make] = {
    "adam": adamjax.adam,
    "adafactor, momentum": lambda rate: adamjax.adafactor(rate, momentum=0.9),
    "adafactor": adamjax.adafactor,
}
BESIDE: Mapping[str, Make] = {
    "optax.adam": optax.adam,
    # Optax factors no matrix below 128 by default. The paper factors all.
    "optax.adafactor, momentum": lambda rate: optax.adafactor(
        rate, min_dim_size_to_factor=1, momentum=0.9
    ),
    "optax.adafactor": lambda rate: optax.adafactor(rate, min_dim_size_to_factor=1),
}


class Size(NamedTuple):
    """A transformer of Vaswani et al. 2017, table 3: layers on each side, widths, vocabulary."""

    layers: int
    width: int
    dense: int
    vocabulary: int = 37_000


TRANSFORMERS = {"base": Size(6, 512, 2048), "big": Size(6, 1024, 4096)}


class Settings(NamedTuple):
    sides: tuple[int, ...] = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
    adam: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
    adafactor: tuple[float, ...] = (3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
    seeds: int = 3
    steps: int = 300
    stretch: int = 100
    comparable: float = 0.02  # of Adam's loss


QUICK = Settings(
    sides=(64, 256, 1024), adam=(1e-2,), adafactor=(1e-1,), seeds=2, steps=4, stretch=2
)


def shapes(size: Size) -> Any:
    """Of the parameters, as they are counted there."""

    def array(*shape: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(shape, jnp.float32)

    def layer(attentions: int) -> Any:
        square, norm = array(size.width, size.width), [array(size.width)] * 2
        dense = [array(size.width, size.dense), array(size.dense)]
        narrow = [array(size.dense, size.width), array(size.width)]
        return [[[square] * 4, norm] * attentions, dense, narrow, norm]

    return {
        "embedding": array(size.vocabulary, size.width),
        "encoder": [layer(1)] * size.layers,
        "decoder": [layer(2)] * size.layers,
    }


def numbers(tree: Any) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def state(make: Make, params: Any) -> dict[str, int]:
    """Bytes of the state for parameters of these shapes, without allocation."""
    found = jax.eval_shape(make(1e-3).init, params)
    size = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(found))
    return {"numbers": numbers(found), "bytes": size}


def memory(settings: Settings) -> dict[str, Any]:
    every = {**OPTIMIZERS, **BESIDE}
    sized = {name: shapes(size) for name, size in TRANSFORMERS.items()}
    matrices = [jax.ShapeDtypeStruct((n, 4 * n), jnp.float32) for n in settings.sides]
    return {
        "transformers": {
            name: {
                "parameters": numbers(params),
                "states": {optimizer: state(make, params) for optimizer, make in every.items()},
            }
            for name, params in sized.items()
        },
        "matrices": {
            "parameters": [matrix.size for matrix in matrices],
            "numbers": {
                optimizer: [state(make, matrix)["numbers"] for matrix in matrices]
                for optimizer, make in every.items()
            },
        },
    }


def quality(settings: Settings) -> dict[str, Any]:
    """By optimizer: final held-out losses [rates, seeds]."""
    task = tasks.transformer()
    problem, watch = streams.of_task(task, settings.stretch, held_out=256)
    shape = rising_and_falling(1.0, settings.steps)
    losses = {}
    for name, make in OPTIMIZERS.items():
        found = training.train(
            problem,
            lambda rate, make=make: make(lambda count: rate * shape(count)),
            np.array(settings.adam if name == "adam" else settings.adafactor),
            seeds=settings.seeds,
            epochs=settings.steps // problem.steps,
            watch=watch,
        )
        losses[name] = training.rounded(found["held_out"][..., -1].T)
    params = jax.eval_shape(problem.init, jax.random.key(0))
    return {"data": task.data, "parameters": numbers(params), "held_out": losses}


def measure(settings: Settings) -> dict[str, Any]:
    return {"memory": memory(settings), "quality": quality(settings)}


def growth(parameters: list[int], states: list[int]) -> float:
    """The power of the number of parameters that the state grows with."""
    return float(np.polyfit(np.log(parameters), np.log(states), 1)[0])


def about_memory(report: Report) -> list[Finding]:
    found = []
    for name, each in report["memory"]["transformers"].items():
        shares = {
            optimizer: kept["bytes"] / each["states"]["adam"]["bytes"]
            for optimizer, kept in each["states"].items()
        }
        text = ", ".join(
            f"{optimizer} {each['states'][optimizer]['bytes'] / 2**20:,.1f} MiB"
            for optimizer in shares
        )
        small = f"Transformer {name}: adafactor keeps less than 1% of Adam's state"
        found.append(Finding(small, text, shares["adafactor"] < 0.01))
        half = f"Transformer {name}: with momentum it keeps half of Adam's, within 1%"
        came_out = f"{shares['adafactor, momentum']:.4f}"
        found.append(Finding(half, came_out, abs(shares["adafactor, momentum"] - 0.5) < 0.005))
    matrices = report["memory"]["matrices"]
    powers = {
        name: growth(matrices["parameters"], each) for name, each in matrices["numbers"].items()
    }
    return [
        *found,
        Finding(
            "n × 4n matrices: adafactor's state grows as the square root of the parameters, Adam's "
            "in proportion (powers within 0.01)",
            f"adafactor {powers['adafactor']:.4f}, adam {powers['adam']:.4f}",
            abs(powers["adafactor"] - 0.5) < 0.01 and abs(powers["adam"] - 1) < 0.01,
        ),
    ]


def about_quality(report: Report) -> list[Finding]:
    settings, held_out = report["settings"], report["quality"]["held_out"]
    comparable = settings["comparable"]
    best = {name: training.best(np.array(losses, float).T) for name, losses in held_out.items()}
    reached = {name: held_out[name][point] for name, point in best.items()}
    limit = (1 + comparable) * np.mean(reached["adam"])

    def text(name: str) -> str:
        rates = settings["adam" if name == "adam" else "adafactor"]
        edge = ", at the edge of the grid" if training.at_edge(best[name], rates) else ""
        return f"{name} {spread(reached[name], 4)} nats with {rates[best[name]]:g}{edge}"

    return [
        Finding(
            f"{name} comes within {comparable:.0%} of Adam's held-out loss, or below it",
            f"{text(name)}; {text('adam')}",
            bool(np.mean(reached[name]) <= limit),
        )
        for name in ("adafactor", "adafactor, momentum")
    ]


def findings(report: Report) -> list[Finding]:
    return about_memory(report) + about_quality(report)


def draw(report: Report, file: Path) -> None:
    """State for each parameter, how it grows, and the losses over the learning rates."""
    figure, panels = pictures.axes([["state", "growth", "loss"]], (15, 4.4))
    memory, settings = report["memory"], report["settings"]
    colors = dict(zip(OPTIMIZERS, pictures.COLORS, strict=False))
    for i, each in enumerate(memory["transformers"].values()):
        for j, optimizer in enumerate(OPTIMIZERS):
            size = each["states"][optimizer]["bytes"]
            at = i + 0.27 * (j - 1)
            share = size / each["parameters"]
            panels["state"].bar(at, share, 0.25, color=colors[optimizer])
            amount = f"{size / 2**20:,.1f}\nMiB"
            panels["state"].text(at, share * 1.1, amount, ha="center", va="bottom", fontsize=8)
    counts = [each["parameters"] / 1e6 for each in memory["transformers"].values()]
    labels = [f"{name}, {n:.0f}M" for name, n in zip(TRANSFORMERS, counts, strict=True)]
    panels["state"].set_xticks(range(len(labels)), labels)
    panels["state"].set(
        title="Transformer",
        ylabel="state [bytes for each parameter]",
        yscale="log",
        ylim=(5e-3, 50),
    )
    matrices = memory["matrices"]
    for optimizer, kept in matrices["numbers"].items():
        known = optimizer in OPTIMIZERS
        color = colors[optimizer.removeprefix("optax.")]
        look = {"marker": "o", "label": optimizer} if known else {"marker": "x", "linestyle": ""}
        above = {} if known else {"zorder": 3, "color": "#000000"}
        panels["growth"].loglog(
            matrices["parameters"], kept, **{"color": color, "markersize": 5, **look, **above}
        )
    panels["growth"].plot([], [], "kx", label="the same of Optax")
    panels["growth"].set(
        title="matrices n × 4n", xlabel="parameters", ylabel="numbers in the state"
    )
    panels["growth"].legend(frameon=False)
    for optimizer, losses in report["quality"]["held_out"].items():
        values = np.array(losses, float)
        rates = settings["adam" if optimizer == "adam" else "adafactor"]
        look = {"color": colors[optimizer], "marker": "o", "markersize": 4}
        mean = values.mean(axis=1)
        spreads = [mean - values.min(axis=1), values.max(axis=1) - mean]
        panels["loss"].errorbar(rates, mean, spreads, **look)
    panels["loss"].set(
        title="small transformer", xscale="log", xlabel="peak learning rate (Adafactor's: × RMS(p))"
    )
    panels["loss"].set(ylabel="held-out loss [nats per byte]")
    pictures.save(figure, file)
