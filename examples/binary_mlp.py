"""A yes or no from a table: is a tumour benign?

30 measurements, a hidden layer of tanh, one sigmoid. Five networks are trained, each without
another fifth of the 569 patients, so that each patient is told by a network that has not seen
them. At least 0.96 of them must be told right.
"""

from argparse import Namespace
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from examples import console, data, loop, pictures

TARGET = 0.96


class Classifier(nnx.Module):
    """Return the log-odds of label 1. `nnx.sigmoid` converts it to a probability."""

    def __init__(self, rngs: nnx.Rngs):
        self.hidden = nnx.Linear(30, 16, rngs=rngs)
        self.output = nnx.Linear(16, 1, rngs=rngs)

    def __call__(self, measurements: jax.Array) -> jax.Array:
        return self.output(jnp.tanh(self.hidden(measurements)))[..., 0]


def loss(model: Classifier, measurements: jax.Array, labels: jax.Array) -> jax.Array:
    return optax.sigmoid_binary_cross_entropy(model(measurements), labels).mean()


def accuracy(model: Classifier, part: tuple[np.ndarray, np.ndarray]) -> float:
    measurements, labels = part
    probability = nnx.sigmoid(loop.predict(model, measurements))
    return float(np.mean((probability > 0.5) == labels))


def run(options: Namespace) -> console.Outcome:
    folds = data.breast_cancer()
    losses, scores = [], []
    for number, fold in enumerate(folds, start=1):
        trainer = loop.Trainer(
            Classifier(nnx.Rngs(options.seed)),
            console.optimizer(options),
            loss,
            fold.train,
            batch_size=options.batch_size,
            seed=options.seed,
        )
        score = partial(accuracy, part=fold.test)
        scores.append(loop.fit(trainer, options.epochs, score, f"fold {number}"))
        losses.append(trainer.losses)
    patients = [len(fold.test[1]) for fold in folds]
    accuracies = np.average(scores, axis=0, weights=patients)
    name = folds[0].name
    file = options.runs / "binary_mlp.png"
    mean_losses = np.mean(list(zip(*losses, strict=False)), axis=1)
    pictures.learning(file, name, mean_losses, accuracies, TARGET)
    return console.Outcome("validation accuracy", float(accuracies[-1]), TARGET, name)


def main(argv: Sequence[str] | None = None) -> None:
    parser = console.parser("binary_mlp", __doc__, epochs=50, batch_size=32, learning_rate=1e-3)
    console.main(run, parser, argv)


if __name__ == "__main__":
    main()
