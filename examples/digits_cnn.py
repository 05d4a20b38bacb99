"""Train a convolutional network on small images.

By default it classifies the 8 x 8 digits of scikit-learn, of which a fifth is held out. The
accuracy must be at least 0.985. The learning rate decays to 0 along a cosine.

`--data full --batch-size 128` uses CIFAR-10 without whitening, and the network of section 6.3 of
the Adam paper: three stages of convolution and pooling with 64, 64 and 128 channels, then 1,000
units, with dropout on the input and on the last layer.

Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980.
"""

from argparse import Namespace
from collections.abc import Sequence
from typing import NamedTuple

import jax
import optax
from flax import nnx

from examples import console, data, loop, pictures


class Size(NamedTuple):
    """A convolution, and how much the pooling after it shrinks the sides."""

    channels: int
    kernel: int
    pool: int


class Architecture(NamedTuple):
    stages: tuple[Size, ...]
    units: int
    input_dropout: float
    dropout: float


DIGITS = Architecture((Size(32, 3, 2), Size(32, 3, 1)), 128, 0.0, 0.5)
CIFAR = Architecture((Size(64, 5, 2), Size(64, 5, 2), Size(128, 5, 2)), 1000, 0.2, 0.5)


class Stage(nnx.Module):
    def __init__(self, channels: int, size: Size, rngs: nnx.Rngs):
        kernel = (size.kernel, size.kernel)
        self.convolution = nnx.Conv(channels, size.channels, kernel, rngs=rngs)
        self.pool = size.pool

    def __call__(self, images: jax.Array) -> jax.Array:
        images = nnx.relu(self.convolution(images))
        if self.pool == 1:
            return images
        return nnx.max_pool(images, (3, 3), strides=(self.pool, self.pool), padding="SAME")


class ConvNet(nnx.Module):
    def __init__(self, shape: Architecture, side: int, channels: int, classes: int, rngs: nnx.Rngs):
        stages = []
        for size in shape.stages:
            stages.append(Stage(channels, size, rngs))
            side, channels = -(-side // size.pool), size.channels
        self.stages = nnx.Sequential(*stages)
        self.input_dropout = nnx.Dropout(shape.input_dropout, rngs=rngs)
        self.hidden = nnx.Linear(side * side * channels, shape.units, rngs=rngs)
        self.dropout = nnx.Dropout(shape.dropout, rngs=rngs)
        self.output = nnx.Linear(shape.units, classes, rngs=rngs)

    def __call__(self, images: jax.Array, training: bool = False) -> jax.Array:
        images = self.input_dropout(images, deterministic=not training)
        features = self.stages(images).reshape(len(images), -1)
        hidden = nnx.relu(self.hidden(features))
        return self.output(self.dropout(hidden, deterministic=not training))


def loss(model: ConvNet, images: jax.Array, labels: jax.Array) -> jax.Array:
    logits = model(images, training=True)
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def run(options: Namespace) -> console.Outcome:
    pictured = data.images(options.data)
    _, side, _, channels = pictured.train[0].shape
    shape, target = (DIGITS, 0.985) if side == 8 else (CIFAR, None)
    steps = options.epochs * (len(pictured.train[1]) // options.batch_size)
    trainer = loop.Trainer(
        ConvNet(shape, side, channels, pictured.classes, nnx.Rngs(options.seed)),
        console.optimizer(options, falling=steps),
        loss,
        pictured.train,
        batch_size=options.batch_size,
        seed=options.seed,
    )
    scores = loop.fit(trainer, options.epochs, lambda model: loop.accuracy(model, pictured.test))
    file = options.runs / "digits_cnn.png"
    pictures.learning(file, pictured.name, trainer.losses, scores, target)
    return console.Outcome("validation accuracy", scores[-1], target, pictured.name)


def main(argv: Sequence[str] | None = None) -> None:
    parser = console.parser(
        "digits_cnn",
        __doc__,
        epochs=30,
        batch_size=32,
        learning_rate=2e-3,
        full="CIFAR-10",
    )
    console.main(run, parser, argv)


if __name__ == "__main__":
    main()
