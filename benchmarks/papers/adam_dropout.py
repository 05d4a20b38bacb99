"""A dense network with dropout, whose noise all methods see alike."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

import adamjax
from benchmarks import training
from benchmarks.papers.paper import Experiment, Finding, Report
from examples import data, pictures

EXPERIMENT = Experiment(
    variant="adam",
    title="Adam: a dense network with dropout",
    where="section 6.2, figure 2 (a)",
    claim="With two hidden layers of rectified units on MNIST and dropout, Adam reaches a lower "
    "training cost than AdaGrad, RMSProp, SGD with Nesterov momentum and AdaDelta.",
    run="200 hidden units in each layer (the paper: 1,000), 4,000 images (60,000) and 20 epochs "
    "(200), in batches of 128 as in the paper. A fifth of the inputs and half of the hidden units "
    "are dropped, three seeds. Each method has the best of seven constant learning rates, half a "
    "decade apart, by the training loss of the last epoch, dropout included.",
)
# With the power of ten that its grid of learning rates begins with.
METHODS: dict[str, tuple[Callable[..., optax.GradientTransformation], float]] = {
    "Adam": (adamjax.adam, -4.5),
    "AdaGrad": (adamjax.adagrad, -3.5),
    "RMSProp": (adamjax.rmsprop, -4.5),
    "SGD Nesterov": (lambda rate: adamjax.sgd(rate, 0.9, nesterov=True), -3),
    "AdaDelta": (lambda rate: adamjax.adadelta(rate, b2=0.95), -1),
}


class Settings(NamedTuple):
    hidden: int = 200
    images: int = 4000
    epochs: int = 20
    seeds: int = 3
    rates: int = 7
    batch_size: int = 128
    dropped: tuple[float, float] = (0.2, 0.5)  # of inputs, of hidden units


QUICK = Settings(hidden=16, images=256, epochs=2, seeds=2, rates=2)


def problem(settings: Settings) -> training.Problem:
    digits = data.mnist()
    of_inputs, of_units = settings.dropped
    widths = (digits.train[0].shape[1], settings.hidden, settings.hidden, digits.classes)

    def loss(layers: Any, batch: training.Batch, key: jax.Array) -> jax.Array:
        keys = jax.random.split(key, len(layers))
        x = training.dropout(keys[0], batch[0], of_inputs)
        for layer, key in zip(layers[:-1], keys[1:], strict=True):
            x = training.dropout(key, jax.nn.relu(training.dense(layer, x)), of_units)
        return training.cross_entropy(training.dense(layers[-1], x), batch[1])

    images = tuple(part[: settings.images] for part in digits.train)
    return training.Problem(
        lambda key: training.layers(key, widths), loss, images, settings.batch_size
    )


def measure(settings: Settings) -> dict[str, Any]:
    """By method: its losses with each learning rate, and its curves with the best."""
    task, trials = problem(settings), {}
    for name, (make, first) in METHODS.items():
        rates = 10 ** (first + np.arange(settings.rates) / 2)
        losses = training.train(task, make, rates, seeds=settings.seeds, epochs=settings.epochs)
        trials[name] = training.chosen(losses["training"], rates.tolist())
    return {"trials": trials}


def findings(report: Report) -> list[Finding]:
    trials = dict(report["trials"])
    ends = {name: np.array([c[-1] for c in trial["curves"]]) for name, trial in trials.items()}
    return [
        Finding(
            f"Adam ends with a lower training loss than {name}, with every seed",
            f"{training.told('Adam', trials['Adam'])}, {training.told(name, trial)}",
            bool(np.all(ends["Adam"] < ends[name])),
        )
        for name, trial in trials.items()
        if name != "Adam"
    ]


def draw(report: Report, file: Path) -> None:
    """Curves at the best learning rate, and the final loss at each learning rate."""
    figure, panels = pictures.axes([["curves", "grid"]], (11, 4.2))
    training.draw_trials(panels["curves"], panels["grid"], report["trials"])
    pictures.save(figure, file)
