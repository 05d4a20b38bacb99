"""The one-dimensional losses on which Adam goes to the wrong end, and AMSGrad does not."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import adamjax
from benchmarks.papers.paper import Experiment, Finding, Report
from examples import pictures

EXPERIMENT = Experiment(
    variant="amsgrad",
    title="AMSGrad: a synthetic divergence of Adam",
    where="section 5, figure 1",
    claim="On f(x) = 1010x at one step of 101 and -10x at the others (in turn, or at random with "
    "probability 0.01), x in [-1, 1], Adam ends at x = 1, the worst point, and AMSGrad at x = -1, "
    "the best one. With slopes in turn, AMSGrad's mean regret goes to 0, and Adam's does not.",
    run="The same losses and number of steps, b1 = 0.9, b2 = 0.99, step sizes η/√t with three η, "
    "from x = 0. An end counts as reached beyond half of the way, because the smallest η is slow. "
    "A quantity that goes to 0 like 1/√t falls to a third within ten times the steps. Less than "
    "half counts as going to 0.",
)
RARE, COMMON, PERIOD, PROBABILITY = 1010.0, -10.0, 101, 0.01


class Settings(NamedTuple):
    steps: int = 5_000_000
    kept: int = 200  # points of a curve
    learning_rates: tuple[float, ...] = (0.1, 0.3, 1.0)
    seed: int = 0


QUICK = Settings(steps=20_000, kept=50, learning_rates=(1.0,))


def gradient(kind: str, t: jax.Array, key: jax.Array) -> jax.Array:
    """Of the loss of step t, which has the same slope everywhere."""
    if kind == "in turn":
        rare = t % PERIOD == 1
    else:
        rare = jax.random.uniform(jax.random.fold_in(key, t)) < PROBABILITY
    return jnp.where(rare, RARE, COMMON)


def descent(make: Any, kind: str, settings: Settings) -> Any:
    """A function from η to x at the end of each of `kept` stretches, and the regret in it."""
    every = settings.steps // settings.kept
    key = jax.random.key(settings.seed)

    def run(rate: jax.Array) -> Any:
        tx = make(learning_rate=lambda count: rate / jnp.sqrt(count + 1.0), b1=0.9, b2=0.99)
        start = jnp.zeros(())

        def step(carry: Any, t: jax.Array) -> Any:
            x, state, regret = carry
            slope = gradient(kind, t, key)
            # Against x = -1, which is best for the sum of the losses.
            regret += slope * (x + 1)
            updates, state = tx.update(slope, state, x)
            x = jnp.clip(x + updates, -1, 1)
            return (x, state, regret), None

        def stretch(carry: Any, first: jax.Array) -> Any:
            # From 0 in each stretch: a sum of millions of numbers is beyond float32.
            numbers = first + jnp.arange(every)
            (x, state, regret), _ = jax.lax.scan(step, (*carry, jnp.zeros(())), numbers)
            return (x, state), (x, regret)

        firsts = 1 + every * jnp.arange(settings.kept)
        return jax.lax.scan(stretch, (start, tx.init(start)), firsts)[1]

    return run


def measure(settings: Settings) -> dict[str, Any]:
    """Curves by kind of loss and optimizer, a row for each learning rate."""
    optimizers = {"adam": adamjax.adam, "amsgrad": adamjax.amsgrad}
    rates = jnp.array(settings.learning_rates)
    every = settings.steps // settings.kept
    steps = every * np.arange(1, settings.kept + 1)
    curves: dict[str, dict[str, Any]] = {}
    for kind in ("in turn", "at random"):
        curves[kind] = {}
        for name, make in optimizers.items():
            x, regret = jax.jit(jax.vmap(descent(make, kind, settings)))(rates)
            mean_regret = np.cumsum(np.asarray(regret, np.float64), axis=1) / steps
            rows = {"x": x, "mean_regret": mean_regret}
            curves[kind][name] = {
                key: np.asarray(row).round(5).tolist() for key, row in rows.items()
            }
    return {"steps": steps.tolist(), "curves": curves}


def ends(rows: Mapping[str, Any]) -> list[float]:
    """Where each run is, as the mean of its last tenth."""
    return [float(np.mean(row[-max(1, len(row) // 10) :])) for row in rows["x"]]


def findings(report: Report) -> list[Finding]:
    found = []
    for kind, by_name in report["curves"].items():
        for name, criterion, holds in (
            ("adam", "goes to the worst end (x > 0.5)", lambda x: x > 0.5),
            ("amsgrad", "goes to the best end (x < -0.5)", lambda x: x < -0.5),
        ):
            reached = ends(by_name[name])
            text = ", ".join(
                f"{x:.3f} with η = {rate:g}"
                for x, rate in zip(reached, report["settings"]["learning_rates"], strict=True)
            )
            statement = f"rare slopes {kind}: {name} {criterion}, with every η"
            found.append(Finding(statement, text, all(map(holds, reached))))
    return found + about_regret(report)


def about_regret(report: Report) -> list[Finding]:
    """The slopes of the paper, in turn."""
    by_name = report["curves"]["in turn"]
    tenth = max(1, len(report["steps"]) // 10) - 1
    early, last = (
        {name: [row[at] for row in rows["mean_regret"]] for name, rows in by_name.items()}
        for at in (tenth, -1)
    )
    worst = 2 * (RARE + (PERIOD - 1) * COMMON) / PERIOD
    texts = {
        name: ", ".join(
            f"{before:.4f}, then {after:.4f} with η = {rate:g}"
            for before, after, rate in zip(
                early[name], last[name], report["settings"]["learning_rates"], strict=True
            )
        )
        for name in by_name
    }
    return [
        Finding(
            "rare slopes in turn: adam's mean regret does not go to 0 and ends above half of that "
            f"of x = 1, which is {worst:.3f}, with every η",
            texts["adam"],
            min(last["adam"]) > worst / 2,
        ),
        Finding(
            "rare slopes in turn: amsgrad's mean regret goes to 0: it falls to less than half "
            "from a tenth of the steps to all of them, with every η",
            texts["amsgrad"],
            all(b < a / 2 for a, b in zip(early["amsgrad"], last["amsgrad"], strict=True)),
        ),
    ]


def draw(report: Report, file: Path) -> None:
    """x and the mean regret over the steps, a column for each kind of loss."""
    kinds: Sequence[str] = list(report["curves"])
    mosaic = [[f"{kind} {panel}" for kind in kinds] for panel in ("x", "mean_regret")]
    figure, panels = pictures.axes(mosaic, (11, 6.5), sharex=True)
    dashes = ("-", "--", ":")  # by η
    for kind in kinds:
        for color, (name, rows) in zip(
            pictures.COLORS, report["curves"][kind].items(), strict=False
        ):
            for panel, label in (("x", "x"), ("mean_regret", "mean regret")):
                axes = panels[f"{kind} {panel}"]
                for dash, rate, row in zip(
                    dashes, report["settings"]["learning_rates"], rows[panel], strict=False
                ):
                    look = {"color": color, "linestyle": dash, "label": f"{name}, η = {rate:g}"}
                    axes.plot(report["steps"], row, **look)
                axes.set(ylabel=label if kind == kinds[0] else "", xscale="log")
        panels[f"{kind} x"].set(title=f"rare slope {kind}", ylim=(-1.1, 1.1))
        panels[f"{kind} mean_regret"].set(xlabel="step")
    lines, labels = panels[f"{kinds[0]} x"].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside lower center", ncols=2, frameon=False)
    pictures.save(figure, file)
