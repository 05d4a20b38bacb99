"""Fine-tune all layers, a frozen backbone or with layer decay, by `adamjax.groups`.

A network with two hidden layers learns the digits 0 to 4. It then learns 5 to 9 from 200 images.
"""

import argparse
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import adamjax
from examples import console, data, loop


class Classifier(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.layers = nnx.List([nnx.Linear(n, 64, rngs=rngs) for n in (784, 64)])
        self.head = nnx.Linear(64, 10, rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        for layer in self.layers:
            images = nnx.relu(layer(images))
        return self.head(images)


def loss(model: Classifier, images: jax.Array, labels: jax.Array) -> jax.Array:
    return optax.softmax_cross_entropy_with_integer_labels(model(images), labels).mean()


def optimizers(learning_rate: float) -> dict[str, optax.GradientTransformation]:
    """What differs is the settings of the groups."""
    default = {"learning_rate": learning_rate}
    return {
        "all layers": adamjax.groups(adamjax.adamw, {}, default=default),
        "frozen backbone": adamjax.groups(adamjax.adamw, {"layers/*": "frozen"}, default=default),
        "layer decay 0.5": adamjax.groups(adamjax.adamw, {}, default=default, layer_decay=0.5),
    }


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.fine_tune", description=__doc__)
    parser.add_argument("--epochs", type=int, default=10, help="default: 10")
    options = parser.parse_args(argv)
    digits = data.mnist()

    def part(pair: tuple[np.ndarray, np.ndarray], old: bool) -> tuple[np.ndarray, np.ndarray]:
        chosen = (pair[1] < 5) == old
        return pair[0][chosen], pair[1][chosen]

    def train(model: Classifier, tx: Any, pair: Any) -> loop.Trainer:
        trainer = loop.Trainer(model, tx, loss, pair, batch_size=20)
        for _ in range(options.epochs):
            trainer.epoch()
        return trainer

    before = train(Classifier(nnx.Rngs(0)), adamjax.adamw(1e-3), part(digits.train, old=True)).model
    few = tuple(array[:200] for array in part(digits.train, old=False))
    rows = []
    for name, tx in optimizers(1e-3).items():
        graph, state = nnx.split(before)
        copy = nnx.merge(graph, jax.tree.map(jnp.copy, state))  # a step donates its arrays
        trainer = train(copy, tx, few)
        accuracy = loop.accuracy(trainer.model, part(digits.test, old=False))
        rows.append([name, f"{accuracy:.3f}", f"{trainer.state_bytes_per_parameter:.2f}"])
    console.table(["trained", "accuracy on new digits", "state bytes per parameter"], rows)


if __name__ == "__main__":
    main()
