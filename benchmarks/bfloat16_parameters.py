"""Train a byte-level transformer with bfloat16 parameters, with and without stochastic rounding.

A learning rate of 1e-4 changes most weights by less than half the distance between neighboring
bfloat16 numbers, so rounding to nearest discards the updates. The forward pass is float32 in all
rows, to isolate the effect of the parameters' dtype.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from benchmarks import record, streams, tasks, training
from examples import console, pictures

LEARNING_RATE = 1e-4
ROWS = {
    "float32, optax.adamw": ("float32", optax.adamw),
    "bfloat16, optax.adamw": ("bfloat16", optax.adamw),
    "bfloat16, stochastic rounding": (
        "bfloat16",
        lambda rate: adamjax.adamw(rate, param_rounding="stochastic", weight_decay=1e-4),
    ),
    "bfloat16, stochastic rounding, 8bit": (
        "bfloat16",
        lambda rate: adamjax.store(
            adamjax.adamw(rate, param_rounding="stochastic", weight_decay=1e-4), "8bit", min_size=0
        ),
    ),
}


def train(dtype: str, tx: optax.GradientTransformation, seeds: int, steps: int) -> np.ndarray:
    """Return the training losses (seeds, steps)."""
    problem, _ = streams.of_task(tasks.transformer(), steps)

    def loss(params: Any, batch: Any, key: jax.Array) -> jax.Array:
        return problem.loss(jax.tree.map(lambda p: p.astype(jnp.float32), params), batch, key)

    def one(seed: jax.Array, data: training.Batch) -> jax.Array:
        weights_key, rows_key, noise_key = jax.random.split(jax.random.key(seed), 3)
        params = jax.tree.map(lambda p: p.astype(dtype), problem.init(weights_key))
        rows = jax.random.randint(rows_key, (steps, problem.batch_size), 0, len(data[1]))
        step = training.stepper(problem._replace(loss=loss), tx, data)
        keys = jax.random.split(noise_key, steps)
        return jax.lax.scan(step, (params, tx.init(params)), (rows, keys))[1]

    losses = jax.jit(lambda data: jax.lax.map(lambda s: one(s, data), jnp.arange(seeds)))
    return np.asarray(losses(problem.train))


def draw(report: Mapping[str, Any], file: Path) -> None:
    figure, panels = pictures.axes([["loss"]], (7, 4))
    axis = panels["loss"]
    looks = zip(
        pictures.COLORS, (4, 2, 2, 2), ("-", "-", "--", ":"), strict=False
    )  # three coincide
    for (name, row), (color, width, style) in zip(report["rows"].items(), looks, strict=True):
        steps, means = pictures.smooth(row["curve"], 20)
        axis.plot(steps, means, style, label=name, color=color, linewidth=width)
    axis.set(xlabel="step", ylabel="training loss [nats]", title=f"Learning rate {LEARNING_RATE}")
    axis.legend(frameon=False)
    pictures.save(figure, file)


def main(argv: Sequence[str] | None = None) -> None:
    given: argparse.Namespace = record.parse(record.parser("bfloat16_parameters", __doc__), argv)
    seeds, steps = (2, 4) if given.quick else (3, 1000)
    rows, printed = {}, []
    for name, (dtype, make) in ROWS.items():
        losses = train(dtype, make(LEARNING_RATE), seeds, steps)
        last = losses[:, -max(1, steps // 20) :].mean(axis=1)
        mean, error = float(last.mean()), float(last.std(ddof=1) / np.sqrt(seeds))
        rows[name] = {"loss": mean, "standard_error": error, "losses": last.tolist()}
        rows[name]["curve"] = np.round(losses.mean(axis=0), 4).tolist()
        printed.append((name, f"{mean:.3f} ± {error:.3f}"))
    console.table(("parameters, optimizer", "training loss"), printed)
    settings = {"seeds": seeds, "steps": steps, "learning_rate": LEARNING_RATE}
    record.write("bfloat16_parameters", given, settings, {"rows": rows})


if __name__ == "__main__":
    main()
