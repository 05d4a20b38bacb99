"""Time the tracing, lowering and compiling of a step with many leaves.

The step is `update` and `apply_updates` in one jit, prepared with empty caches of JAX. In each
round, the optimizers take turns in random order. The result is the ratio to `optax.adamw` in the
same round. Leaves of 64x64 are below the library's `min_size`, so they stay float32 with storage
"8bit". Leaves of 256x256 are stored in 8 bits. The results have the bytes of the state.
"""

import argparse
import gc
import itertools
import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

import adamjax
from benchmarks import record
from benchmarks.compiled import step
from benchmarks.timing import BASELINE, quartiles
from examples import console, pictures

STAGES = ("trace", "lower", "compile")

Round = Mapping[str, Mapping[str, float]]


class Settings(NamedTuple):
    """Settings of a run. `trees` has pairs of a number of leaves and their side."""

    trees: tuple[tuple[int, int], ...] = ((1000, 64), (100, 256))
    rounds: int = 5
    seed: int = 0


QUICK = Settings(trees=((12, 16), (2, 130)), rounds=2)


def optimizers() -> dict[str, optax.GradientTransformation]:
    """Return the baseline and the optimizers to compare with it."""
    settings: Any = {"learning_rate": 1e-3, "weight_decay": 0.1}
    return {
        BASELINE: optax.adamw(**settings),
        "adamw float32": adamjax.adamw(**settings),
        "adamw 8bit": adamjax.adamw(**settings, storage="8bit"),
        "store(optax.adamw) 8bit": adamjax.store(optax.adamw(**settings)),
    }


def label(number: int, side: int) -> str:
    """Return the label of a tree.

    >>> label(1000, 64)
    '1,000 leaves of 64x64'
    """
    return f"{number:,} leaves of {side}x{side}"


def leaves(number: int, side: int) -> dict[str, Any]:
    """Return parameters with a leaf for each layer."""
    leaf = jax.ShapeDtypeStruct((side, side), jnp.float32)
    return {f"layer {i}": {"kernel": leaf} for i in range(number)}


def prepare(tx: optax.GradientTransformation, params: Any, state: Any) -> dict[str, float]:
    """Return the seconds of each stage."""
    jax.clear_caches()
    gc.collect()  # so that it does not run during a stage
    times = [time.perf_counter()]
    traced = jax.jit(step(tx), donate_argnums=(1, 2)).trace(params, params, state)
    times.append(time.perf_counter())
    lowered = traced.lower()
    times.append(time.perf_counter())
    lowered.compile()
    times.append(time.perf_counter())
    return dict(zip(STAGES, (b - a for a, b in itertools.pairwise(times)), strict=True))


def measure(
    number: int,
    side: int,
    settings: Settings,
    advance: Callable[[str], None],
    compared: Mapping[str, optax.GradientTransformation] | None = None,
) -> dict[str, Any]:
    """Return quartiles of times and ratios of each stage by optimizer, and report each round."""
    params, compared = leaves(number, side), compared or optimizers()
    states = {name: jax.eval_shape(tx.init, params) for name, tx in compared.items()}
    few = leaves(1, 8)
    for tx in compared.values():  # imports and the start of the compiler count in no stage
        prepare(tx, few, jax.eval_shape(tx.init, few))
    shuffle = random.Random(settings.seed)
    rounds: list[Round] = []
    for _ in range(settings.rounds):
        order = shuffle.sample(list(compared), len(compared))
        rounds.append({name: prepare(compared[name], params, states[name]) for name in order})
        advance(f"{sum(sum(each.values()) for each in rounds[-1].values()):.1f} s")
    held = {
        name: sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(state)) / (number * side**2)
        for name, state in states.items()
    }
    rows = summary(rounds)
    return {name: {"state_bytes": held[name], **rows[name]} for name in compared}


def summary(rounds: Sequence[Round]) -> dict[str, dict[str, Any]]:
    """Return quartiles of seconds and ratios of each optimizer, by stage and for all stages."""
    parts = {**{stage: (stage,) for stage in STAGES}, "all": STAGES}

    def taken(times: Mapping[str, float], part: str) -> float:
        return sum(times[stage] for stage in parts[part])

    return {
        name: {
            part: {
                "seconds": quartiles([taken(each[name], part) for each in rounds]),
                "ratio": quartiles(
                    [taken(each[name], part) / taken(each[BASELINE], part) for each in rounds]
                ),
            }
            for part in parts
        }
        for name in rounds[0]
    }


def tell(label: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
    parts = (*STAGES, "all")
    table = []
    for name, row in rows.items():
        cells = [f"{row[p]['seconds'][1]:.3f} s ({row[p]['ratio'][1]:.2f})" for p in parts]
        table.append((name, *cells, f"{row['state_bytes']:.1f}"))
    console.table((label, *parts, "state bytes"), table)


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Draw a row for each tree, a panel for each stage, and a bar for each optimizer."""
    trees = report["trees"]
    mosaic = [[f"{label} {stage}" for stage in STAGES] for label in trees]
    figure, panels = pictures.axes(mosaic, (14, 2.4 * len(trees) + 0.6), sharey=True)
    figure.suptitle(f"medians and quartiles, and the ratio to {BASELINE} in the same round")
    for label, rows in trees.items():
        for stage, color in zip(STAGES, pictures.COLORS, strict=False):
            axis = panels[f"{label} {stage}"]
            for place, row in enumerate(rows.values()):
                low, middle, high = row[stage]["seconds"]
                error = {"xerr": [[middle - low], [high - middle]], "ecolor": "#7F7F7F"}
                axis.barh(place, middle, color=color, **error)
                text = f" {row[stage]['ratio'][1]:.2f}"
                axis.annotate(text, (high, place), va="center", fontsize=8)
            axis.set_yticks(range(len(rows)), list(rows))
            axis.set(title=f"{label}: {stage}", xlabel="seconds")
            axis.margins(x=0.15)
            axis.grid(axis="y", visible=False)
    next(iter(panels.values())).invert_yaxis()
    pictures.save(figure, file)


def main(argv: Sequence[str] | None = None) -> None:
    given: argparse.Namespace = record.parse(record.parser("many_leaves", __doc__), argv)
    settings = QUICK if given.quick else Settings()
    # A cache of earlier runs would leave out compilation.
    jax.config.update("jax_enable_compilation_cache", False)
    trees = {}
    for number, side in settings.trees:
        tree = label(number, side)
        with console.progress({tree: settings.rounds}) as advance:
            trees[tree] = measure(number, side, settings, partial(advance, tree))
        tell(tree, trees[tree])
    record.write("many_leaves", given, settings._asdict(), {"trees": trees})


if __name__ == "__main__":
    main()
