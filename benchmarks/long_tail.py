"""Whether v follows gradients that shrink a million times: 20,000 steps of a noisy quadratic.

Each element has its own scale (they span a decade), and the gradients of all shrink together by 1e6
over the run: evenly, so that soon they shrink faster than v can forget, or in a long tail, as a
power of time.
Adam in float32 moves the parameters. Every format gets the same gradients, and its v is compared
with float32's all along.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks import formats, record
from examples import console, pictures

MEASURES = ("median_error", "p95_error", "log_bias", "norm_ratio", "largest_update")


class Settings(NamedTuple):
    """`shrink` is the factor over the run, `knee` where the power of time begins [steps]."""

    steps: int = 20_000
    every: int = 100
    elements: int = 4096
    shrink: float = 1e-6
    knee: int = 200
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-12
    learning_rate: float = 1e-3
    seed: int = 0


QUICK = Settings(steps=60, every=20, elements=512, knee=20)


def shrinking(settings: Settings) -> dict[str, Callable[[jax.Array], jax.Array]]:
    """From the step to the factor of the gradients, 1 at first and `shrink` at the end."""
    power = np.log(settings.shrink) / np.log1p(settings.steps / settings.knee)
    return {
        "exponential": lambda t: jnp.exp(np.log(settings.shrink) / settings.steps * t),
        "power": lambda t: jnp.exp(power * jnp.log1p(t / settings.knee)),
    }


def compare(mine: jax.Array, kept: jax.Array, updates: jax.Array, nu: jax.Array) -> jax.Array:
    """The `MEASURES` of an update and of the v that is kept after it, against float32's."""
    error = jnp.abs(kept / nu - 1)
    # A v of 0 has no logarithm. It counts as a millionth.
    bias = 0.5 * jnp.log(jnp.maximum(kept / nu, 1e-6)).mean()
    norm = jnp.linalg.norm(mine) / jnp.linalg.norm(updates)
    return jnp.stack(
        [jnp.median(error), jnp.percentile(error, 95), bias, norm, jnp.abs(mine).max()]
    )


def make_run(settings: Settings, shrink: Callable, compared: Mapping[str, formats.Format]) -> Any:
    """A function of nothing, the whole run: the measures of each format [time, measure]."""
    tx = optax.scale_by_adam(settings.b1, settings.b2, settings.eps)
    wrapped = {name: each.wrap(tx) for name, each in compared.items()}
    shape = (settings.elements,)
    key, start, scales = jax.random.split(jax.random.key(settings.seed), 3)
    scale = 10 ** jax.random.uniform(scales, shape, minval=-1.0, maxval=0.0)

    def step(carry: Any, t: jax.Array) -> tuple[Any, Any]:
        x, reference, states = carry
        noise = jax.random.normal(jax.random.fold_in(key, t), shape)
        g = shrink(t) * scale * (x + noise)
        stepped: Any = tx.update(g, reference)
        u, reference = stepped
        followed = {name: each.update(g, states[name]) for name, each in wrapped.items()}
        states = {name: state for name, (_, state) in followed.items()}
        mine = {name: update for name, (update, _) in followed.items()}
        return (x - settings.learning_rate * u, reference, states), (mine, u)

    def stretch(carry: Any, first: jax.Array) -> tuple[Any, Any]:
        carry, (mine, u) = jax.lax.scan(step, carry, first + jnp.arange(settings.every))
        _, reference, states = carry
        rows = {
            name: compare(mine[name][-1], each.decode(states[name]).nu, u[-1], reference.nu)
            for name, each in compared.items()
        }
        largest = {name: jnp.abs(updates).max() for name, updates in mine.items()}
        rows = {name: row.at[-1].set(largest[name]) for name, row in rows.items()}
        return carry, rows

    def run() -> dict[str, jax.Array]:
        x = jax.random.normal(start, shape)
        carry = x, tx.init(x), {name: each.init(x) for name, each in wrapped.items()}
        return jax.lax.scan(stretch, carry, jnp.arange(0, settings.steps, settings.every))[1]

    return jax.jit(run)


def summary(rows: np.ndarray) -> dict[str, float]:
    """The worst of the run, and the last tenth of it."""
    last = rows[-max(1, len(rows) // 10) :].mean(axis=0)
    columns = dict(zip(MEASURES, rows.T, strict=True))
    return {
        **{f"late_{name}": float(value) for name, value in zip(MEASURES, last, strict=True)},
        "worst_median_error": float(columns["median_error"].max()),
        "worst_log_bias": float(columns["log_bias"][np.abs(columns["log_bias"]).argmax()]),
        "largest_update": float(columns["largest_update"].max()),
    }


def draw(report: Mapping[str, Any], file: Path) -> None:
    """A row for each way of shrinking: error of v, bias of log √v and the norm of the update."""
    measured, settings = report["over_time"], report["settings"]
    mosaic = [[f"{way} {kind}" for kind in ("error", "bias", "norm")] for way in measured]
    figure, panels = pictures.axes(mosaic, (15, 7.6), sharex=True)
    count = f"{settings['steps']:,} steps, gradients shrink by {settings['shrink']:g}"
    figure.suptitle(f"{count}, b2 = {settings['b2']:g}: v of each format against float32's")
    for way, runs in measured.items():
        for (name, columns), color in zip(runs.items(), pictures.COLORS, strict=False):
            if name == "float32":
                continue
            steps = settings["every"] * np.arange(1, len(columns["log_bias"]) + 1)
            style = {"color": color, "linewidth": 1.2, "label": name}
            panels[f"{way} error"].plot(steps, columns["median_error"], **style)
            panels[f"{way} bias"].plot(steps, columns["log_bias"], **style)
            panels[f"{way} norm"].plot(steps, columns["norm_ratio"], **style)
        panels[f"{way} error"].set(ylabel=f"{way}\nmedian |v / v of float32 − 1|", yscale="log")
        panels[f"{way} bias"].set(ylabel="mean of log √(v / v of float32)")
        panels[f"{way} bias"].set_yscale("symlog", linthresh=0.1)
        panels[f"{way} norm"].set(ylabel="norm of the update / float32's", yscale="log")
    for panel in panels.values():
        panel.set_xlabel("step")
    first = next(iter(panels.values()))
    first.legend(frameon=False, fontsize=8)
    pictures.save(figure, file)


def main(argv: Sequence[str] | None = None) -> None:
    given: argparse.Namespace = record.parse(record.parser("long_tail", __doc__), argv)
    settings = QUICK if given.quick else Settings()
    compared = formats.formats()
    measured, rows = {}, {}
    for way, shrink in shrinking(settings).items():
        results = make_run(settings, shrink, compared)()
        measured[way] = {name: np.asarray(results[name]) for name in compared}
        rows[way] = {name: summary(each) for name, each in measured[way].items()}
        columns = list(next(iter(rows[way].values())))
        table = [(n, *(f"{value:.3g}" for value in row.values())) for n, row in rows[way].items()]
        console.table((way, *columns), table)
    over_time = {
        way: {
            name: dict(zip(MEASURES, np.asarray(each, float).round(6).T.tolist(), strict=True))
            for name, each in runs.items()
        }
        for way, runs in measured.items()
    }
    record.write("long_tail", given, settings._asdict(), {"summary": rows, "over_time": over_time})


if __name__ == "__main__":
    main()
