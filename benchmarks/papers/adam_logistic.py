"""Logistic regression, where the loss is convex: on images, and on sparse words with dropout."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from benchmarks import training
from benchmarks.papers.paper import Experiment, Finding, Report, spread
from examples import data, pictures, sparse_logistic

EXPERIMENT = Experiment(
    variant="adam",
    title="Adam: logistic regression",
    where="section 6.1, figure 1",
    claim="With step sizes α/√t, Adam converges on MNIST as fast as SGD with Nesterov momentum, "
    "and both converge faster than AdaGrad. On film reviews as bags of words with dropout, where "
    "gradients are sparse, AdaGrad is far ahead of SGD, and Adam is as fast as AdaGrad.",
    run="4,000 MNIST images (the paper: 60,000) with an L2 penalty, and 4,000 food reviews "
    "(25,000 film reviews) as the 10,000 most frequent words and pairs, half of which are dropped "
    "at random. Batches of 128 as in the paper, three seeds. Each method has the best of nine α, "
    "half a decade apart, by its mean training loss over all epochs. In one comparison all "
    "methods use α/√t. In the other, each uses the better of α and α/√t, because AdaGrad's own "
    "steps already fall like 1/√t. The first comparison was added after a first run, to include "
    "the conditions of the paper.",
)
POWERS = {"α": 0.0, "α/√t": 0.5}  # of the step, by which α is divided
IMAGES, TEXT = "MNIST images", "bags of words"
ADAM, NESTEROV, ADAGRAD, RMSPROP = "Adam", "SGD Nesterov", "AdaGrad", "RMSProp"


class Settings(NamedTuple):
    images: int = 4000
    reviews: int = 4000
    image_epochs: int = 45
    text_epochs: int = 12
    seeds: int = 3
    exponents: tuple[float, ...] = (-3.5, -3, -2.5, -2, -1.5, -1, -0.5, 0, 0.5)  # of α: 10ᵉ
    penalty: float = 1e-4
    dropped: float = 0.5
    batch_size: int = 128


QUICK = Settings(
    images=256, reviews=256, image_epochs=2, text_epochs=2, seeds=2, exponents=(-1.5, -1.0, -0.5)
)


# Directions, and by how many powers of ten their grid of α is shifted.
METHODS: dict[str, tuple[Callable[[], optax.GradientTransformation], float]] = {
    ADAM: (adamjax.scale_by_adam, 0),
    NESTEROV: (lambda: adamjax.scale_by_sgd(0.9, nesterov=True), 1),
    ADAGRAD: (adamjax.scale_by_adagrad, 0),
    RMSPROP: (adamjax.scale_by_rmsprop, 0),
}


def images(settings: Settings) -> training.Problem:
    """The pixels of a digit to one of ten classes."""
    inputs, labels = (part[: settings.images] for part in data.mnist().train)

    def loss(weights: Any, batch: training.Batch, key: jax.Array) -> jax.Array:
        logits = training.dense(weights, batch[0])
        penalty = settings.penalty / 2 * jnp.sum(weights["kernel"] ** 2)
        return training.cross_entropy(logits, batch[1]) + penalty

    start = {"kernel": jnp.zeros((inputs.shape[1], 10)), "bias": jnp.zeros(10)}
    return training.Problem(lambda key: start, loss, (inputs, labels), settings.batch_size)


def words(settings: Settings) -> training.Problem:
    """The words of a review to whether it is a good one."""
    reviews = sparse_logistic.bags_of_features(data.reviews())
    bags, labels = (part[: settings.reviews] for part in reviews.train)
    present = np.zeros((len(bags), sparse_logistic.VOCABULARY + 1), np.uint8)
    np.put_along_axis(present, bags, 1, axis=1)
    present = present[:, : sparse_logistic.PADDING]

    def loss(weights: Any, batch: training.Batch, key: jax.Array) -> jax.Array:
        kept = training.dropout(key, batch[0].astype(jnp.float32), settings.dropped)
        logits = kept @ weights["kernel"] + weights["bias"]
        return optax.losses.sigmoid_binary_cross_entropy(logits, batch[1]).mean()

    start = {"kernel": jnp.zeros(present.shape[1]), "bias": jnp.zeros(())}
    return training.Problem(lambda key: start, loss, (present, labels), settings.batch_size)


def trial(name: str, problem: training.Problem, epochs: int, settings: Settings) -> Any:
    """For α and α/√t: the mean training loss with each α, and the curves with the best one."""
    direction, shift = METHODS[name]
    alphas = (10 ** (np.array(settings.exponents) + shift)).tolist()

    powers = np.array(list(POWERS.values()))

    def make(point: dict[str, jax.Array]) -> optax.GradientTransformation:
        falling = lambda count: point["alpha"] / (count + 1.0) ** point["power"]  # noqa: E731
        return adamjax.optimizer(direction(), falling)

    losses = training.train(
        problem,
        make,
        {"power": np.repeat(powers, len(alphas)), "alpha": np.tile(alphas, len(powers))},
        seeds=settings.seeds,
        epochs=epochs,
        together=True,
    )["training"]

    def of_power(losses: np.ndarray) -> dict[str, Any]:
        means = losses.mean(axis=2)
        best = training.best(means)
        return {
            "means": training.rounded(means.mean(axis=0)),
            "best": training.rounded(alphas[best], 2),
            "at_edge": training.at_edge(best, alphas),
            "curves": training.rounded(losses[:, best]),
        }

    each = np.split(losses, len(powers), axis=1)
    schedules = {name: of_power(part) for name, part in zip(POWERS, each, strict=True)}
    return {"alphas": training.rounded(alphas), "schedules": schedules}


def measure(settings: Settings) -> dict[str, Any]:
    """Results of `trial` by kind of data and method."""
    tasks = {
        IMAGES: (images(settings), settings.image_epochs, (ADAM, NESTEROV, ADAGRAD)),
        TEXT: (words(settings), settings.text_epochs, tuple(METHODS)),
    }
    return {
        "trials": {
            task: {name: trial(name, problem, epochs, settings) for name in names}
            for task, (problem, epochs, names) in tasks.items()
        }
    }


# Of the mean losses over all epochs, an array [seeds] for each method.
CRITERIA: tuple[tuple[str, str, tuple[str, ...], Callable], ...] = (
    (
        IMAGES,
        "Adam and SGD Nesterov differ by at most 5 %",
        (ADAM, NESTEROV),
        lambda adam, sgd: abs(adam.mean() / sgd.mean() - 1) <= 0.05,
    ),
    (
        IMAGES,
        "Adam and SGD Nesterov are below AdaGrad, with every seed",
        (ADAM, NESTEROV, ADAGRAD),
        lambda adam, sgd, adagrad: np.maximum(adam, sgd) < adagrad,
    ),
    (
        TEXT,
        "AdaGrad is below SGD Nesterov by 10 % or more, with every seed",
        (ADAGRAD, NESTEROV),
        lambda adagrad, sgd: adagrad <= 0.9 * sgd,
    ),
    (
        TEXT,
        "Adam is at most 5 % above AdaGrad",
        (ADAM, ADAGRAD),
        lambda adam, adagrad: adam.mean() <= 1.05 * adagrad.mean(),
    ),
)


def findings(report: Report) -> list[Finding]:
    found = []
    # The second is ours: it lets a method's step not fall.
    for allowed, kinds, of_paper in (
        ("all with α/√t", ["α/√t"], True),
        ("each the better of both", list(POWERS), False),
    ):
        for task, statement, names, holds in CRITERIA:
            values, texts = [], []
            for name in names:
                schedules = report["trials"][task][name]["schedules"]
                kind = min(kinds, key=lambda kind: np.mean(schedules[kind]["curves"]))
                means = np.mean(schedules[kind]["curves"], axis=1)
                edge = " (at the edge)" if schedules[kind]["at_edge"] else ""
                rate = f"{schedules[kind]['best']:g}{kind[1:]}{edge}"
                values.append(means)
                texts.append(f"{name} {spread(means.tolist(), 4)} with {rate}")
            agrees = bool(np.all(holds(*values)))
            text = f"{task}, {allowed}: {statement}"
            found.append(Finding(text, ", ".join(texts), agrees, of_paper))
    return found


def draw(report: Report, file: Path) -> None:
    """Curves at the best α, and the loss at each α, a column for each kind of data."""
    tasks = report["trials"]
    mosaic = [[f"{task} {panel}" for task in tasks] for panel in ("curves", "grid")]
    figure, panels = pictures.axes(mosaic, (11, 7))
    for task, trials in tasks.items():
        curves, grid = panels[f"{task} curves"], panels[f"{task} grid"]
        lowest = np.inf
        for color, (name, trial) in zip(pictures.COLORS, trials.items(), strict=False):
            for line, (kind, each) in zip("-:", trial["schedules"].items(), strict=True):
                losses = np.array(each["curves"])
                lowest = min(lowest, losses.mean())
                epochs = np.arange(1, losses.shape[1] + 1)
                label = f"{name}, {each['best']:g}{kind[1:]}"
                look = {"color": color, "linestyle": line}
                curves.plot(epochs, losses.mean(axis=0), label=label, **look)
                curves.fill_between(
                    epochs, losses.min(axis=0), losses.max(axis=0), color=color, alpha=0.2
                )
                means = np.array(each["means"], float)
                grid.plot(trial["alphas"], means, marker="o", markersize=3, **look)
        curves.set(title=task, xlabel="epoch", ylabel="training loss [nats]")
        curves.legend(frameon=False, ncols=2, fontsize=8)
        pictures.whole_numbers(curves.xaxis)
        grid.set(xlabel="α (dotted: α/√t)", ylabel="mean over all epochs [nats]", xscale="log")
        pictures.logarithmic(curves.yaxis)
        pictures.logarithmic(grid.yaxis)
        grid.set_ylim(0.8 * lowest, 2)
    pictures.save(figure, file)
