"""Where weight decay is best for each learning rate, by how the two are coupled."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from benchmarks import training
from benchmarks.papers.paper import Experiment, Finding, Report, difference
from examples import data, pictures

EXPERIMENT = Experiment(
    variant="adamw",
    title="AdamW: learning rate and weight decay, coupled or not",
    where="section 4, figures 1 and 2",
    claim="If weight decay is subtracted from the parameters, the best decay is the same for all "
    "good learning rates, so that the two can be tuned separately. With an L2 term in Adam's "
    "gradient it is not, and the lowest test error is higher.",
    run="A dense network with 64 hidden units learns 400 digits of scikit-learn for 40 epochs, "
    "with learning rates that fall along a cosine. The error is that on the other 1,397 digits. "
    "The paper has ResNets on CIFAR-10 for 100 epochs. Its decay is multiplied by the schedule, "
    'but not by the learning rate (`decay_mode="independent"`). The decay of torch, Optax and '
    'Keras is multiplied by both (`"decoupled"`, the default). It is added for comparison. Each '
    "point of a grid is the mean of eight seeds. A learning rate counts as good if its lowest "
    "error is within a fifth of the lowest of all. Unlike the paper's networks, this one has no "
    "normalization, so the size of its weights matters: steps of size α balance a decay by λ p at "
    "p of about α/λ.",
)
GOOD = 1.2
"""Times the lowest error: up to there, a learning rate counts as good."""
SEPARABLE = 0.25
"""Decades by which the best decay may move in a decade of learning rates."""


class Settings(NamedTuple):
    """Grids in powers of ten, each from the first to the second."""

    images: int = 400
    hidden: int = 64
    batch_size: int = 32
    epochs: int = 40
    seeds: int = 8
    rates: tuple[float, float] = (-3, -0.5)
    rates_per_decade: int = 4
    decays_per_decade: int = 2
    decays: tuple[tuple[str, float, float], ...] = (
        ("l2", -5, -1),
        ("independent", -5, -1),
        ("decoupled", -3, 1),
    )


QUICK = Settings(epochs=1, seeds=2, rates_per_decade=2)
NAMES: Mapping[str, str] = {
    "l2": "L2 in the gradient",
    "independent": "decoupled, as in the paper",
    "decoupled": "decoupled, times the learning rate",
}


def grid(low: float, high: float, per_decade: int) -> np.ndarray:
    return np.logspace(low, high, round(per_decade * (high - low)) + 1)


def digits(settings: Settings) -> tuple[training.Problem, training.Watch]:
    """A few images to learn from, and the error on all others."""
    both = data.images()
    inputs, labels = (np.concatenate(parts) for parts in zip(both.train, both.test, strict=True))
    inputs = inputs.reshape(len(inputs), -1)
    seen, rest = slice(settings.images), slice(settings.images, None)
    widths = (inputs.shape[1], settings.hidden, both.classes)
    problem = training.Problem(
        init=lambda key: training.layers(key, widths),
        loss=lambda params, batch, key: training.cross_entropy(
            training.network(params, batch[0]), batch[1]
        ),
        train=(inputs[seen], labels[seen]),
        batch_size=settings.batch_size,
    )

    def watch(params: Any, state: Any) -> dict[str, jax.Array]:
        told = training.network(params, jnp.asarray(inputs[rest])).argmax(axis=-1)
        return {"error": jnp.mean(told != labels[rest])}

    return problem, watch


def optimizer(decay_mode: Any, steps: int) -> Callable[[Any], optax.GradientTransformation]:
    """The optimizer of a learning rate and a weight decay. Both fall where the paper's do."""
    shape = optax.schedules.cosine_decay_schedule(1.0, steps)

    def make(point: Mapping[str, jax.Array]) -> optax.GradientTransformation:
        rate, weight_decay = point["rate"], point["weight_decay"]
        return adamjax.adamw(
            lambda count: rate * shape(count),
            # The factor of "decoupled" falls already, and L2 has no schedule.
            weight_decay=lambda count: (
                weight_decay * (shape(count) if decay_mode == "independent" else 1.0)
            ),
            decay_mode=decay_mode,
        )

    return make


def measure(settings: Settings) -> dict[str, Any]:
    """Final errors [rate, decay, seed] for each coupling."""
    problem, watch = digits(settings)
    rates = grid(*settings.rates, settings.rates_per_decade)
    found = {}
    for decay_mode, low, high in settings.decays:
        decays = grid(low, high, settings.decays_per_decade)
        points = [axis.ravel() for axis in np.meshgrid(rates, decays, indexing="ij")]
        losses = training.train(
            problem,
            optimizer(decay_mode, settings.epochs * problem.steps),
            dict(zip(("rate", "weight_decay"), points, strict=True)),
            seeds=settings.seeds,
            epochs=settings.epochs,
            watch=watch,
            together=True,
        )
        errors = losses["error"][:, :, -1].T.reshape(len(rates), len(decays), settings.seeds)
        found[decay_mode] = {"decays": training.rounded(decays), "errors": training.rounded(errors)}
    return {"rates": training.rounded(rates), "couplings": found}


class Valley(NamedTuple):
    """Where the best decays are: for each good learning rate, as indices of both.

    Attributes:
      rates, decays: the indices.
      slope: decades that the best decay moves in a decade of learning rates.
      lowest: the errors [seed] of the best point of all.
    """

    rates: np.ndarray
    decays: np.ndarray
    slope: float
    lowest: np.ndarray


def valley(report: Report, decay_mode: str) -> Valley:
    found = report["couplings"][decay_mode]
    errors = np.array(found["errors"], float)
    means = errors.mean(axis=2)
    good = np.flatnonzero(means.min(axis=1) <= GOOD * means.min())
    best = means[good].argmin(axis=1)
    x, y = np.log10(np.array(report["rates"])[good]), np.log10(np.array(found["decays"])[best])
    x, y = x - x.mean(), y - y.mean()
    lowest = errors.reshape(-1, errors.shape[2])[means.argmin()]
    return Valley(good, best, float((x * y).sum() / max((x * x).sum(), 1e-9)), lowest)


def findings(report: Report) -> list[Finding]:
    found = []
    valleys = {decay_mode: valley(report, decay_mode) for decay_mode in NAMES}
    statements = {
        "l2": "L2 in the gradient: the best decay moves by a quarter of a decade or more for each "
        "decade of good learning rates",
        "independent": "decoupled as in the paper: it moves by less",
        "decoupled": "decoupled and times the learning rate: it moves by less",
    }
    for decay_mode, statement in statements.items():
        each = valleys[decay_mode]
        rates = np.array(report["rates"])[each.rates]
        decays = np.array(report["couplings"][decay_mode]["decays"])[each.decays]
        last = len(report["couplings"][decay_mode]["decays"]) - 1
        edge = bool(np.isin(each.decays, (0, last)).any())
        text = (
            f"{each.slope:+.2f} decades a decade: from {decays[0]:.2g} at a learning rate of "
            f"{rates[0]:.2g} to {decays[-1]:.2g} at {rates[-1]:.2g}"
            f"{', some at an edge of the grid' * edge}"
        )
        moves = abs(each.slope) >= SEPARABLE
        enough = len(rates) >= 3  # or there is nothing to see it move over
        agrees = bool(enough and moves == (decay_mode == "l2"))
        found.append(Finding(statement, text, agrees, of_paper=decay_mode != "decoupled"))
    ours, other = valleys["independent"].lowest, valleys["l2"].lowest
    lower, error = difference(other, ours)
    text = f"decoupled {ours.mean():.2%}, L2 {other.mean():.2%}, ± {error:.2%} for the difference"
    statement = "the lowest error is lower decoupled than with L2, by two standard errors or more"
    return [*found, Finding(statement, text, lower >= 2 * error)]


def draw(report: Report, file: Path) -> None:
    """Heat maps of the error, and the best decay of each good learning rate."""
    figure, panels = pictures.axes([list(NAMES)], (13, 4.4), sharex=True)
    means = {k: np.mean(v["errors"], axis=2) for k, v in report["couplings"].items()}
    lowest = 100 * min(each.min() for each in means.values())
    shown = None
    for decay_mode, axes in panels.items():
        found, each = report["couplings"][decay_mode], valley(report, decay_mode)
        rates, decays = np.array(report["rates"]), np.array(found["decays"])
        # Everything above three times the lowest error is one colour: it is of no use.
        shown = axes.pcolormesh(
            rates,
            decays,
            100 * means[decay_mode].T,
            cmap="viridis_r",
            vmin=lowest,
            vmax=3 * lowest,
            shading="nearest",
        )
        axes.plot(rates[each.rates], decays[each.decays], "o-", color=pictures.COLORS[1])
        axes.set(title=f"{NAMES[decay_mode]}\nslope {each.slope:+.2f}", xscale="log", yscale="log")
        axes.set(xlabel="learning rate α", ylabel="weight decay λ")
        axes.grid(visible=False)
    figure.colorbar(shown, ax=list(panels.values()), label="test error [%]", extend="max")
    figure.suptitle("Test error by learning rate and weight decay (dots: the best of a good rate)")
    pictures.save(figure, file)
