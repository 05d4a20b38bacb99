"""Handwritten digits with a dense network: the classic first tutorial of Adam.

Dense 128, ReLU, dropout 0.2, Dense 10. By default it learns from 4,000 images. With
`--data full --epochs 3` it learns from 60,000 and must reach the validation accuracy of that
tutorial, 0.9725.
"""

from argparse import Namespace
from collections.abc import Sequence

import jax
import optax
from flax import nnx

from examples import console, data, loop, pictures


class Classifier(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        glorot = nnx.initializers.glorot_uniform()  # as in the tutorial
        self.hidden = nnx.Linear(784, 128, kernel_init=glorot, rngs=rngs)
        self.dropout = nnx.Dropout(0.2, rngs=rngs)
        self.output = nnx.Linear(128, 10, kernel_init=glorot, rngs=rngs)

    def __call__(self, images: jax.Array, training: bool = False) -> jax.Array:
        hidden = nnx.relu(self.hidden(images))
        return self.output(self.dropout(hidden, deterministic=not training))


def loss(model: Classifier, images: jax.Array, labels: jax.Array) -> jax.Array:
    logits = model(images, training=True)
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def run(options: Namespace) -> console.Outcome:
    digits = data.mnist(options.data)
    trainer = loop.Trainer(
        Classifier(nnx.Rngs(options.seed)),
        console.optimizer(options),
        loss,
        digits.train,
        batch_size=options.batch_size,
        seed=options.seed,
    )
    scores = loop.fit(trainer, options.epochs, lambda model: loop.accuracy(model, digits.test))
    target = 0.9725 if len(digits.train[1]) == 60_000 else None
    pictures.learning(options.runs / "mnist_mlp.png", digits.name, trainer.losses, scores, target)
    return console.Outcome("validation accuracy", scores[-1], target, digits.name)


def main(argv: Sequence[str] | None = None) -> None:
    parser = console.parser(
        "mnist_mlp",
        __doc__,
        epochs=20,
        batch_size=32,
        learning_rate=1e-3,
        full="all 70,000 MNIST images",
    )
    console.main(run, parser, argv)


if __name__ == "__main__":
    main()
