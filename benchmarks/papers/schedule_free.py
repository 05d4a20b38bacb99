"""Whether one run without a schedule keeps up with schedules made for each stopping time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from benchmarks import quality, streams
from benchmarks.papers.paper import Experiment, Finding, Report
from examples import pictures

EXPERIMENT = Experiment(
    variant="schedule_free_adamw",
    title="Schedule-Free AdamW: any stopping time",
    where="abstract and figure 1",
    claim="One run of Schedule-Free AdamW, without knowledge of the stopping time, is at every "
    "time about as good as AdamW with a cosine schedule for that time, or better.",
    run="A network of 54,000 parameters predicts a byte of Python source from the eight before "
    "it, with batches of 32. AdamW is trained for 1,000, 2,000 and 4,000 steps. Its learning rate "
    "rises over a tenth of them and falls to 0 along a cosine, and each length has its own best "
    "of six rates. Schedule-Free AdamW is trained once, for 4,000 steps, with a rise of 100 steps "
    "and one learning rate for all times, the best of the same six at the end. AdamW with such a "
    "rise and no fall is added for comparison. b1 is 0.9 for all, and there is no weight decay. "
    "The paper's figure shows larger models on images, translation and language.",
)
FREE, CONSTANT = "schedule-free", "constant rate"
TOLERANCE = 0.01


class Settings(NamedTuple):
    lengths: tuple[int, ...] = (1000, 2000, 4000)
    stretch: int = 50
    rise: int = 100
    seeds: int = 3
    rates: tuple[float, ...] = (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2)


QUICK = Settings((8, 16), 8, 2, 2, (4e-3, 8e-3))


def cosine(steps: int) -> Callable[[Any], optax.GradientTransformation]:
    shape = quality.rising_and_falling(1.0, steps)
    return lambda rate: adamjax.adamw(lambda count: rate * shape(count), weight_decay=0.0)


def constant(rise: int) -> Callable[[Any], optax.GradientTransformation]:
    def make(rate: Any) -> optax.GradientTransformation:
        risen = lambda count: rate * jnp.minimum(1.0, (count + 1) / rise)  # noqa: E731
        return adamjax.adamw(risen, weight_decay=0.0)

    return make


def measure(settings: Settings) -> dict[str, Any]:
    """The held-out losses of each kind of run, at its best learning rate."""
    learnt = streams.bytes_network(settings.stretch)
    longest = max(settings.lengths)
    kinds: dict[str, tuple[int, Callable[[Any], optax.GradientTransformation]]] = {
        FREE: (
            longest,
            lambda rate: adamjax.schedule_free_adamw(rate, warmup_steps=settings.rise),
        ),
        CONSTANT: (longest, constant(settings.rise)),
        **{f"cosine, {steps} steps": (steps, cosine(steps)) for steps in settings.lengths},
    }
    return {
        "runs": {
            name: streams.by_rate(learnt, make, steps, settings)
            for name, (steps, make) in kinds.items()
        }
    }


def at(report: Report, name: str, steps: int) -> np.ndarray:
    """The losses of a run after so many steps, by seed."""
    curves = np.array(report["runs"][name]["curves"], float)
    return curves[:, steps // report["settings"]["stretch"] - 1]


def findings(report: Report) -> list[Finding]:
    found = []
    lengths = report["settings"]["lengths"]
    for steps in lengths:
        other = f"cosine, {steps} steps"
        free, made = at(report, FREE, steps), at(report, other, steps)
        ratio = free.mean() / made.mean()
        rates = [report["runs"][name]["best"] for name in (FREE, other)]
        edge = any(report["runs"][name]["at_edge"] for name in (FREE, other))
        text = (
            f"Schedule-Free {free.mean():.4f}, cosine {made.mean():.4f} nats: {ratio - 1:+.1%}, "
            f"seeds {(free / made - 1).min():+.1%} to {(free / made - 1).max():+.1%}, "
            f"learning rates {rates[0]:g} and {rates[1]:g}{', one at an edge of the grid' * edge}"
        )
        statement = f"after {steps} steps, Schedule-Free is at most {TOLERANCE:.0%} above the "
        statement += "cosine made for them"
        found.append(Finding(statement, text, bool(ratio <= 1 + TOLERANCE)))
    longest = max(lengths)
    free, plain = at(report, FREE, longest), at(report, CONSTANT, longest)
    text = f"AdamW {plain.mean():.4f}, Schedule-Free {free.mean():.4f} nats, at {longest} steps"
    statement = "AdamW without a schedule is worse than Schedule-Free, with every seed"
    return [*found, Finding(statement, text, bool((plain > free).all()), of_paper=False)]


def draw(report: Report, file: Path) -> None:
    """Held-out losses over the steps, and at the end of each run for all learning rates."""
    figure, panels = pictures.axes([["loss", "rates"]], (12, 4.8), width_ratios=[1.6, 1])
    cosines = [name for name in report["runs"] if name not in (FREE, CONSTANT)]
    colors = {FREE: "#000000", CONSTANT: pictures.COLORS[6]}
    colors |= dict(zip(cosines, (*pictures.COLORS[5:6], *pictures.COLORS[:2]), strict=False))
    for name, run in report["runs"].items():
        curves = np.array(run["curves"], float)
        steps = report["settings"]["stretch"] * np.arange(1, curves.shape[1] + 1)
        look = {"color": colors[name], "linewidth": 2.2 if name == FREE else 1.4}
        zorder = 3 if name == FREE else 2
        label = f"{name} (rate {run['best']:g})"
        panels["loss"].plot(steps, curves.mean(0), label=label, zorder=zorder, **look)
        panels["loss"].fill_between(
            steps, curves.min(0), curves.max(0), color=colors[name], alpha=0.2, lw=0
        )
        if name in cosines:
            panels["loss"].plot(steps[-1], curves[:, -1].mean(), "o", color=colors[name])
        panels["rates"].plot(run["rates"], run["last"], "o-", markersize=4, **look)
    lowest = min(min(run["last"]) for run in report["runs"].values())
    top = np.mean(report["runs"][cosines[0]]["curves"], axis=0)[-1] + 0.4
    panels["loss"].set(xlabel="step", ylabel="held-out loss [nats]", ylim=(lowest - 0.05, top))
    panels["loss"].set_title("at the best learning rate (band: all seeds)")
    panels["loss"].legend(frameon=False)
    panels["rates"].set(xlabel="learning rate", ylim=(lowest - 0.05, top))
    pictures.logarithmic(panels["rates"].xaxis)
    panels["rates"].set_title("end of the run, at each learning rate")
    pictures.save(figure, file)
