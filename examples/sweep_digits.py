"""Choose the learning rate and the weight decay of a classifier with one sweep.

A network with one hidden layer learns the 8 x 8 digits of scikit-learn with each combination of
eight learning rates and three weight decays, in one compiled program. The loss on held-out digits
decides. The finder then looks for the learning rate with the training loss alone.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
from flax import nnx

import adamjax
from adamjax.tuning.find_learning_rate import LearningRate
from adamjax.tuning.results import Sweep
from examples import console, data


class Classifier(nnx.Module):
    def __init__(self, classes: int, rngs: nnx.Rngs):
        self.hidden = nnx.Linear(64, 128, rngs=rngs)
        self.output = nnx.Linear(128, classes, rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        return self.output(nnx.relu(self.hidden(images)))


def sweep(options: argparse.Namespace) -> tuple[Sweep, LearningRate]:
    """Return the sweep, with the held-out loss as its score, and the result of the finder."""
    digits = data.images()
    train, held_out = (
        (images.reshape(len(images), -1), labels) for images, labels in (digits.train, digits.test)
    )
    graph, params = nnx.split(Classifier(digits.classes, nnx.Rngs(options.seed)))

    def loss(params: Any, batch: Any) -> jax.Array:
        images, labels = batch
        logits = nnx.merge(graph, params)(images)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    count = len(train[1])
    size = (options.epochs * (count // options.batch_size), options.batch_size)
    rows = np.random.default_rng(options.seed).integers(0, count, size)
    batches = list(zip(*(part[rows] for part in train), strict=True))
    grid = {
        "learning_rate": np.geomspace(3e-4, 1.0, 8),
        "weight_decay": [0.0, 0.1, 1.0],
    }
    result = adamjax.sweep("adamw", grid, loss, params, batches, progress=options.progress)
    scores = jax.vmap(partial(loss, batch=held_out))(result.params)
    found = adamjax.find_learning_rate("adamw", loss, params, batches)
    return result._replace(scores=np.asarray(scores)), found


def main(argv: Sequence[str] | None = None) -> None:
    parser = console.parser("sweep_digits", __doc__, epochs=10, batch_size=32)
    parser.add_argument("--progress", action="store_true", help="show a progress bar")
    options = parser.parse_args(argv)
    with console.one_line_errors(parser):
        console.make_folders(options.runs)
        result, found = sweep(options)
    print(result)
    print("best:", ", ".join(f"{name} {value:.2g}" for name, value in (result.best or {}).items()))
    ranges = (f"{name} {low:.2g} to {high:.2g}" for name, (low, high) in result.basin().items())
    print("within 10%:", ", ".join(ranges))
    print("by the training loss:", found)
    file: Path = options.runs / "sweep_digits.png"
    result.plot(file)
    print(f"picture: {file}")


if __name__ == "__main__":
    main()
