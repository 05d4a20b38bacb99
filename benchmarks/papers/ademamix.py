"""Whether a second, much longer average of the gradients lowers the loss, and forgets slower."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from benchmarks import quality, streams, training
from benchmarks.papers.paper import Experiment, Finding, Report, difference, spread
from examples import pictures

EXPERIMENT = Experiment(
    variant="ademamix",
    title="AdEMAMix: lower losses in fewer steps, and less forgetting",
    where="figures 1 and 4",
    claim="Language models trained with AdEMAMix end lower than with AdamW after the same number "
    "of steps, and reach its loss after about half of them (101 billion tokens instead of 197 "
    "billion at 1.3 billion parameters). They forget a batch more slowly.",
    run="A network of 54,000 parameters predicts a byte of Python source from the eight before "
    "it, with batches of 32, for 4,000 steps. The paper's models have 110 million to 1.3 billion "
    "parameters and about 256,000 steps. Its b3 of 0.9999 averages over 10,000 of these, one in "
    "26. In proportion, that is 156 steps here, or b3 = 0.994. A first run had 0.999, which "
    "averages over a quarter of all steps. α is 5, both warm-ups take the whole run, and there is "
    "no weight decay. Both optimizers have the same six learning rates, and the best is chosen by "
    "the reported held-out loss. To measure forgetting, one step in the middle of the run uses a "
    "batch of held-out text, ten times as large as the others. Its loss is compared afterwards "
    "with that of the same run without this step, at the best learning rate of each optimizer.",
)
LONG, ALPHA = 0.994, 5.0


class Settings(NamedTuple):
    steps: int = 4000
    stretch: int = 50
    seeds: int = 3
    rates: tuple[float, ...] = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2)
    learnt: int = 320  # examples of the batch that may be forgotten


QUICK = Settings(16, 8, 2, (2e-3, 4e-3), 32)


def optimizer(name: str, steps: int) -> Callable[[Any], optax.GradientTransformation]:
    """From a learning rate that rises over a tenth of the steps, and falls along a cosine."""
    shape = quality.rising_and_falling(1.0, steps)

    def make(rate: Any) -> optax.GradientTransformation:
        if name == "adamw":
            return adamjax.adamw(lambda count: rate * shape(count), weight_decay=0.0)
        return adamjax.ademamix(
            lambda count: rate * shape(count),
            b3=LONG,
            alpha=ALPHA,
            b3_warmup=steps,
            alpha_warmup=steps,
        )

    return make


def taught(
    tx: optax.GradientTransformation, gradient: Callable[[Any], Any], step: Any
) -> optax.GradientTransformation:
    """The same optimizer, but at one step, counted from 0, it gets another gradient."""

    def init(params: Any) -> Any:
        return jnp.zeros([], jnp.int32), tx.init(params)

    def update(updates: Any, state: Any, params: Any = None) -> Any:
        count, inner = state
        seen = jax.lax.cond(count == step, lambda: gradient(params), lambda: updates)
        updates, inner = tx.update(seen, inner, params)
        return updates, (count + 1, inner)

    return optax.GradientTransformation(init, update)


def forget(
    name: str,
    problem: training.Problem,
    batch: training.Batch,
    rates: list[float],
    settings: Settings,
) -> np.ndarray:
    """How much lower the loss on the batch is for having seen it half-way [rate, seed, time]."""
    key = jax.random.key(0)
    gradient = jax.grad(lambda params: problem.loss(params, batch, key))
    make = optimizer(name, settings.steps)
    losses = training.train(
        problem,
        lambda point: taught(make(point["rate"]), gradient, point["step"]),
        {
            "rate": np.repeat(rates, 2),
            "step": np.tile([settings.steps // 2, -1], len(rates)),
        },
        seeds=settings.seeds,
        epochs=settings.steps // settings.stretch,
        watch=lambda params, state: {"batch": problem.loss(params, batch, key)},
    )["batch"].swapaxes(0, 1)
    return losses[1::2] - losses[::2]


def measure(settings: Settings) -> dict[str, Any]:
    """Final losses of all runs, the best curves, and the memory of a batch."""
    learnt = streams.bytes_network(settings.stretch)
    lengths = {"adamw": (settings.steps,), "ademamix": (settings.steps, settings.steps // 2)}
    runs: dict[str, Any] = {}
    for name, each in lengths.items():
        for steps in each:
            label = name if steps == settings.steps else f"{name}, half the steps"
            runs[label] = streams.by_rate(learnt, optimizer(name, steps), steps, settings)
    best = [settings.rates[training.best(np.array([runs[name]["last"]]))] for name in lengths]
    rates = sorted(set(best))  # one, if both like the same
    batch = streams.bytes_held_out(settings.learnt, seed=1)
    gains = {
        name: training.rounded(forget(name, learnt[0], batch, rates, settings)) for name in lengths
    }
    return {"runs": runs, "taught_rates": rates, "gains": gains}


def finals(report: Report, label: str) -> np.ndarray:
    """The last losses of the best learning rate, by seed."""
    return np.array(report["runs"][label]["curves"], float)[:, -1]


def left(report: Report, name: str, rate: int) -> list[float]:
    """The share of the largest gain that is left when an eighth of the run has passed, by seed."""
    settings = report["settings"]
    start = settings["steps"] // 2 // settings["stretch"]
    later = max(1, settings["steps"] // 8 // settings["stretch"])
    gains = np.array(report["gains"][name][rate], float)[:, start:]
    peak = gains.argmax(axis=1)
    at = np.minimum(peak + later, gains.shape[1] - 1)
    rows = np.arange(len(gains))
    return (gains[rows, at] / gains[rows, peak]).tolist()


def findings(report: Report) -> list[Finding]:
    found = []
    adamw = finals(report, "adamw")
    for label, statement in (
        ("ademamix", "AdEMAMix ends lower than AdamW, by two standard errors or more"),
        (
            "ademamix, half the steps",
            "with half the steps, AdEMAMix ends no higher than AdamW, but for two standard errors",
        ),
    ):
        other = finals(report, label)
        gain, error = difference(adamw, other)
        rates = [report["runs"][each] for each in ("adamw", label)]
        edge = any(each["at_edge"] for each in rates)
        text = (
            f"AdamW {adamw.mean():.4f}, AdEMAMix {other.mean():.4f} nats, ± {error:.4f} for the "
            f"difference, with learning rates {rates[0]['best']:g} and {rates[1]['best']:g}"
            f"{', one at an edge of the grid' * edge}"
        )
        bound = 2 * error if label == "ademamix" else -2 * error
        found.append(Finding(statement, text, gain >= bound))
    return [*found, about_forgetting(report)]


def about_forgetting(report: Report) -> Finding:
    texts, holds = [], []
    for i, rate in enumerate(report["taught_rates"]):
        shares = {name: left(report, name, i) for name in report["gains"]}
        told = ", ".join(f"{name} {spread(values)}" for name, values in shares.items())
        texts.append(f"learning rate {rate:g}: {told}")
        holds.append(min(shares["ademamix"]) > max(shares["adamw"]))
    statement = "AdEMAMix keeps more of the gain of one step on a batch than AdamW after an "
    statement += "eighth of the run, with every seed, at the best learning rate of each"
    return Finding(statement, "; ".join(texts), all(holds))


COLORS: Mapping[str, str] = {
    "adamw": pictures.COLORS[6],
    "ademamix": pictures.COLORS[0],
    "ademamix, half the steps": pictures.COLORS[5],
}


def draw(report: Report, file: Path) -> None:
    """Held-out losses over the steps, and the memory of a batch over time."""
    settings = report["settings"]
    figure, panels = pictures.axes([["loss", "rates", "batch"]], (15, 4.4))
    for label, run in report["runs"].items():
        curves = np.array(run["curves"], float)
        steps = settings["stretch"] * np.arange(1, curves.shape[1] + 1)
        look = {"color": COLORS[label], "label": label}
        panels["loss"].plot(steps, curves.mean(0), **look)
        panels["rates"].plot(run["rates"], run["last"], "o-", **look)
    last = report["runs"]["adamw"]["last"]
    low, high = min(min(r["last"]) for r in report["runs"].values()), max(last)
    panels["loss"].axhline(finals(report, "adamw").mean(), color=COLORS["adamw"], linestyle=":")
    panels["loss"].set(title="at the best learning rate", xlabel="step", ylim=(low - 0.03, high))
    panels["rates"].set(title="at the end", xlabel="learning rate")
    pictures.logarithmic(panels["rates"].xaxis)
    for name in ("loss", "rates"):
        panels[name].set_ylabel("held-out loss [nats]")
    start = settings["steps"] // 2 // settings["stretch"]
    for name, by_rate in report["gains"].items():
        for line, rate, rows in zip("-:", report["taught_rates"], by_rate, strict=False):
            gains = np.array(rows, float)[:, start:]
            since = settings["stretch"] * np.arange(1, gains.shape[1] + 1)
            label = f"{name}, learning rate {rate:g}"
            look = {"color": COLORS[name], "linestyle": line, "label": label}
            panels["batch"].plot(since, gains.mean(0), **look)
            panels["batch"].fill_between(
                since, gains.min(0), gains.max(0), color=COLORS[name], alpha=0.15, lw=0
            )
    panels["batch"].legend(frameon=False)
    panels["batch"].set(title="one step on a batch, half-way", xlabel="steps since then")
    panels["batch"].set_ylabel("how much lower the loss on it is [nats]")
    panels["loss"].legend(frameon=False)
    pictures.save(figure, file)
