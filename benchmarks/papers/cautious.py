"""How many steps are saved by moving no element against its gradient."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optax

import adamjax
from benchmarks import quality, streams, tasks, training
from benchmarks.papers.paper import Experiment, Finding, Report, difference
from examples import pictures

EXPERIMENT = Experiment(
    variant="c_adamw",
    title="Cautious AdamW and Lion: steps to the same loss",
    where="abstract and the section on pre-training Llama",
    claim="With one changed line and the same hyperparameters, language models reach the losses "
    "of AdamW and Lion in fewer steps, up to 1.47 times as fast.",
    run="A byte-level transformer of 42,000 parameters learns Python source, 16 texts of 32 bytes "
    "per step. The learning rate rises over a tenth of the steps and falls along a cosine, as in "
    "the paper, whose models have 60 million parameters and more. Every optimizer has the same "
    "five learning rates for its family. b2 is 0.999 (Lion: 0.99), and there is no weight decay. "
    "The speed-up is the number of steps divided by the step at which the cautious run first "
    "reaches the other's final loss on held-out text, both at the other's best learning rate.",
)
PAIRS = {"adamw": "c_adamw", "lion": "c_lion"}


class Settings(NamedTuple):
    steps: int = 300
    stretch: int = 15
    held_out: int = 128
    seeds: int = 3
    rates: tuple[tuple[str, tuple[float, ...]], ...] = (
        ("adamw", (4e-3, 8e-3, 1.6e-2, 3.2e-2, 6.4e-2)),
        ("lion", (8e-4, 1.6e-3, 3.2e-3, 6.4e-3, 1.28e-2)),
    )


QUICK = Settings(4, 2, 16, 2, (("adamw", (4e-3,)),))


def optimizer(name: str, steps: int) -> Callable[[Any], optax.GradientTransformation]:
    make = adamjax.get_variant(name).optimizer
    shape = quality.rising_and_falling(1.0, steps)
    return lambda rate: make(lambda count: rate * shape(count), weight_decay=0.0)


def measure(settings: Settings) -> dict[str, Any]:
    """Held-out losses [seed, rate, time] of each optimizer."""
    problem, watch = streams.of_task(tasks.transformer(), settings.stretch, settings.held_out)
    found = {}
    for base, rates in settings.rates:
        for name in (base, PAIRS[base]):
            losses = training.train(
                problem,
                optimizer(name, settings.steps),
                np.array(rates),
                seeds=settings.seeds,
                epochs=settings.steps // settings.stretch,
                watch=watch,
            )
            found[name] = training.rounded(losses["held_out"])
    times = range(settings.stretch, settings.steps + 1, settings.stretch)
    return {"steps": list(times), "held_out": found}


class Duel(NamedTuple):
    """A cautious optimizer beside its base. Losses are [seed, time].

    Attributes:
      base, same: the losses at the base's best learning rate.
      own: those of the cautious one at its own best.
      rates: the two learning rates.
      at_edge: whether one of them is at an end of the grid.
    """

    base: np.ndarray
    same: np.ndarray
    own: np.ndarray
    rates: tuple[float, float]
    at_edge: bool

    @property
    def speed_ups(self) -> list[float]:
        """Speed-up by seed, below 1 where the base's final loss is never reached."""
        found = []
        for base, same in zip(self.base, self.same, strict=True):
            below = np.flatnonzero(same <= base[-1])
            if not len(below):
                found.append(float(same[-1] <= base[-1]))
                continue
            i = below[0]
            # The losses of a run are straight between two times at which they were measured.
            share = (same[i - 1] - base[-1]) / (same[i - 1] - same[i]) if i else 1.0
            found.append(len(base) / float(i + share))
        return found


def duel(report: Report, base: str) -> Duel:
    rates = dict(report["settings"]["rates"])[base]
    plain, cautious = (np.array(report["held_out"][n], float) for n in (base, PAIRS[base]))
    one, other = (training.best(losses[:, :, -1]) for losses in (plain, cautious))
    edge = training.at_edge(one, rates) or training.at_edge(other, rates)
    own = (rates[one], rates[other])
    return Duel(plain[:, one], cautious[:, one], cautious[:, other], own, edge)


def findings(report: Report) -> list[Finding]:
    found = []
    for base, _ in report["settings"]["rates"]:
        name, each = PAIRS[base], duel(report, base)
        speed_ups = each.speed_ups
        told = ", ".join(f"{value:.2f}" if value else "never reached" for value in speed_ups)
        statement = f"{name} reaches the final loss of {base} at least 1.2 times as fast, at its "
        statement += "best learning rate (median of the seeds)"
        text = f"{told} times, at {each.rates[0]:g}"
        found.append(Finding(statement, text, bool(np.median(speed_ups) >= 1.2)))
        gain, error = difference(each.base[:, -1], each.own[:, -1])
        text = (
            f"{each.base[:, -1].mean():.3f} at {each.rates[0]:g} and {each.own[:, -1].mean():.3f} "
            f"at {each.rates[1]:g}: {gain:+.3f} ± {error:.3f} nats"
            f"{'; a rate is at an edge of the grid' * each.at_edge}"
        )
        statement = f"{name} ends lower than {base}, each at its own best learning rate, by two "
        statement += "standard errors or more"
        found.append(Finding(statement, text, gain > 2 * error))
    return found


def draw(report: Report, file: Path) -> None:
    """Left: losses at the base's best learning rate. Right: final losses at all rates."""
    grids = dict(report["settings"]["rates"])
    mosaic = [[f"{base} {panel}" for panel in ("curve", "rates")] for base in grids]
    figure, panels = pictures.axes(mosaic, (11, 3.5 * len(mosaic)))
    for base, rates in grids.items():
        name, each = PAIRS[base], duel(report, base)
        left, right = panels[f"{base} curve"], panels[f"{base} rates"]
        finals: Mapping[str, Any] = {
            n: np.array(report["held_out"][n], float) for n in (base, name)
        }
        for label, curves, color in (
            (base, each.base, pictures.COLORS[6]),
            (name, each.same, pictures.COLORS[0]),
        ):
            left.plot(report["steps"], curves.mean(0), color=color, label=label)
            left.fill_between(
                report["steps"], curves.min(0), curves.max(0), color=color, alpha=0.25, lw=0
            )
            last = finals[label][:, :, -1]
            right.plot(rates, last.mean(0), "o-", color=color, label=label)
            right.fill_between(rates, last.min(0), last.max(0), color=color, alpha=0.25, lw=0)
        final = each.base[:, -1].mean()
        left.axhline(final, color=pictures.COLORS[6], linestyle=":", linewidth=1)
        left.set(ylabel="held-out loss [nats]", title=f"learning rate {each.rates[0]:g}")
        left.set_ylim(top=final + 1.5, bottom=min(final, each.same[:, -1].mean()) - 0.1)
        right.set(ylabel="final held-out loss [nats]", title="at each learning rate")
        pictures.logarithmic(right.xaxis)
        right.legend(frameon=False)
        left.set_xlabel("step")
        right.set_xlabel("learning rate")
    figure.suptitle("Cautious optimizers and their originals (band: all seeds)")
    pictures.save(figure, file)
