"""Compare four optimizers on logistic regression with sparse gradients.

Each review is the set of its words and pairs of words among the 10,000 most frequent ones. Training
drops half of them at random. A rare feature has a gradient in few steps. Adam and AdaGrad adapt the
step size of each weight and must reach a lower training loss than SGD with Nesterov momentum, as in
section 6.1 of the Adam paper. Each optimizer uses the best learning rate of one grid, constant or
proportional to 1 / sqrt(step).

Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980.
"""

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import adamjax
from examples import console, data, loop, pictures

OPTIMIZERS = {
    "Adam": adamjax.scale_by_adam,
    "AdaGrad": adamjax.scale_by_adagrad,
    "RMSProp": adamjax.scale_by_rmsprop,
    "Nesterov SGD": partial(adamjax.scale_by_sgd, 0.9, nesterov=True),
}
GRID = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
VOCABULARY = 10_000
PADDING = VOCABULARY


class Rate(NamedTuple):
    """The learning rate `first / (step + 1) ** power`."""

    first: float
    power: float

    def __str__(self) -> str:
        return f"{self.first:g}" + (" / √step" if self.power else "")


class Regressions(nnx.Module):
    """Bags of features [batch, width], filled up with PADDING, to log odds [batch, count].

    There is one regression for each learning rate: as these optimizers treat each weight alone,
    a single training tries them all.
    """

    def __init__(self, count: int, rngs: nnx.Rngs):
        zeros = nnx.initializers.zeros
        self.weights = nnx.Embed(VOCABULARY + 1, count, embedding_init=zeros, rngs=rngs)
        self.bias = nnx.Param(jnp.zeros(count))
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, bags: jax.Array, training: bool = False) -> jax.Array:
        present = (bags != PADDING).astype(jnp.float32)
        present = self.dropout(present, deterministic=not training)
        return jnp.einsum("bw,bwc->bc", present, self.weights(bags)) + self.bias[...]


class Trial(NamedTuple):
    """The results of an optimizer by learning rate.

    Attributes:
      losses: training loss [epoch, learning rate], the mean of each epoch.
      accuracies: on held-out reviews [learning rate], at the end.
    """

    losses: np.ndarray
    accuracies: np.ndarray

    @property
    def best(self) -> int:
        """Return the index of the lowest final training loss, without NaN."""
        return int(np.nanargmin(self.losses[-1]))


def loss(model: Regressions, bags: jax.Array, labels: jax.Array) -> jax.Array:
    logits = model(bags, training=True)
    return optax.sigmoid_binary_cross_entropy(logits, labels[:, None]).mean(axis=0)


def bags_of_features(texts: data.Labelled) -> data.Labelled:
    """The same reviews, each as the indices of its features, filled up with PADDING."""
    text = data.package("sklearn.feature_extraction.text")
    counter = text.CountVectorizer(ngram_range=(1, 2), max_features=VOCABULARY)
    tables = counter.fit_transform(texts.train[0]), counter.transform(texts.test[0])
    width = max(int(np.diff(table.indptr).max()) for table in tables)

    def bags(table) -> np.ndarray:
        result = np.full((table.shape[0], width), PADDING, np.int32)
        for bag, start, stop in zip(result, table.indptr, table.indptr[1:], strict=False):
            bag[: stop - start] = table.indices[start:stop]
        return result

    train, test = map(bags, tables)
    return texts._replace(train=(train, texts.train[1]), test=(test, texts.test[1]))


def train(
    direction: optax.GradientTransformation,
    rates: Sequence[Rate],
    reviews: data.Labelled,
    options: Namespace,
    advance: Callable[[str], None],
) -> Trial:
    """Trains once for all learning rates."""
    first, power = np.transpose(rates)

    def step_sizes(step: jax.typing.ArrayLike) -> jax.Array:
        return -first / (jnp.asarray(step) + 1.0) ** power

    trainer = loop.Trainer(
        Regressions(len(rates), nnx.Rngs(options.seed)),
        optax.chain(direction, optax.scale_by_schedule(step_sizes)),
        loss,
        reviews.train,
        batch_size=options.batch_size,
        seed=options.seed,
    )
    losses = []
    for _ in range(options.epochs):
        losses.append(trainer.epoch())
        advance(f"training loss {np.nanmin(losses[-1]):.4f}")
    bags, labels = reviews.test
    right = (loop.predict(trainer.model, bags) > 0) == labels[:, None]
    return Trial(np.stack(losses), right.mean(axis=0))


def draw(file: Path, title: str, trials: Mapping[str, Trial], rates: Sequence[Rate]) -> None:
    """Draw the best training curve of each optimizer, and the final loss by learning rate."""
    first, power = np.transpose(rates)
    figure, panels = pictures.axes([["curves", "grid"]], (11, 4.2))
    left, right = panels.values()
    figure.suptitle(title)
    for color, (name, trial) in zip(pictures.COLORS, trials.items(), strict=False):
        losses, best = trial.losses, trial.best
        label = f"{name}, learning rate {rates[best]}"
        left.plot(np.arange(1, len(losses) + 1), losses[:, best], color=color, label=label)
        for kind, line in ((0.0, "-"), (0.5, ":")):
            ends = losses[-1, power == kind]
            right.plot(first[power == kind], ends, line, color=color, marker="o", markersize=3)
    left.set(xlabel="epoch", ylabel="training loss [nats]")
    left.legend(frameon=False)
    right.set(xlabel="learning rate (dotted: falling with 1 / √step)", xscale="log")
    right.set_ylabel("training loss of the last epoch [nats]")
    pictures.whole_numbers(left.xaxis)
    pictures.logarithmic(left.yaxis)
    pictures.logarithmic(right.yaxis)
    pictures.save(figure, file)


def run(options: Namespace) -> console.Outcome:
    reviews = bags_of_features(data.reviews(options.data))
    rates = [Rate(first, power) for power in (0.0, 0.5) for first in options.grid]
    trials = {}
    with console.progress(dict.fromkeys(OPTIMIZERS, options.epochs)) as advance:
        for name, direction in OPTIMIZERS.items():
            trials[name] = train(direction(), rates, reviews, options, partial(advance, name))
    draw(options.runs / "sparse_logistic.png", reviews.name, trials, rates)
    details = {
        name: {
            "learning rate": str(rates[trial.best]),
            "training loss": round(float(trial.losses[-1, trial.best]), 4),
            "validation accuracy": round(float(trial.accuracies[trial.best]), 4),
        }
        for name, trial in trials.items()
    }
    for name, numbers in details.items():
        print(f"{name}:", ", ".join(f"{key} {value}" for key, value in numbers.items()))
    final = {name: numbers["training loss"] for name, numbers in details.items()}
    lead = final["Nesterov SGD"] - max(final["Adam"], final["AdaGrad"])
    measure = "lead of Adam and AdaGrad over SGD [nats]"
    return console.Outcome(measure, lead, 0.0, reviews.name, details)


def main(argv: Sequence[str] | None = None) -> None:
    parser = console.parser(
        "sparse_logistic",
        __doc__,
        epochs=20,
        batch_size=128,
        full="the 50,000 film reviews of IMDB",
    )
    rates = " ".join(f"{rate:g}" for rate in GRID)
    parser.add_argument(
        "--grid", type=float, nargs="+", default=GRID, help=f"learning rates to try ({rates})"
    )
    console.main(run, parser, argv)


if __name__ == "__main__":
    main()
