"""The small trainings of `benchmarks.quality`: a model, its data, and how long it learns."""

import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from examples import char_lm, data, digits_cnn, mnist_mlp

Pair = tuple[np.ndarray, np.ndarray]


class Task(NamedTuple):
    """A training.

    Attributes:
      data: in words.
      make: a model from its random numbers.
      logits: `logits(model, inputs, training)`. The loss is their cross entropy with the labels.
      train, held_out: (inputs, labels).
      batch_size, steps, learning_rate: the rate rises over a tenth of the steps, then falls to 0.
    """

    data: str
    make: Callable[[nnx.Rngs], nnx.Module]
    logits: Callable[[Any, jax.Array, bool], jax.Array]
    train: Pair
    held_out: Pair
    batch_size: int
    steps: int
    learning_rate: float

    def loss(self, model: Any, inputs: jax.Array, labels: jax.Array, training: bool) -> jax.Array:
        """Mean cross entropy [nats]."""
        logits = self.logits(model, inputs, training)
        cross_entropy = optax.losses.softmax_cross_entropy_with_integer_labels
        return cross_entropy(logits, labels.astype(jnp.int32)).mean()


class Neighbours(nnx.Module):
    """Tells a word from the mean of the embeddings of the words before it."""

    def __init__(self, words: int, width: int, classes: int, rngs: nnx.Rngs):
        self.words = nnx.Embed(words, width, rngs=rngs)
        self.output = nnx.Linear(width, classes, rngs=rngs)

    def __call__(self, inputs: jax.Array) -> jax.Array:
        return self.output(self.words(inputs).mean(axis=1))


@cache
def source() -> data.Text:
    return data.python_source()


def transformer() -> Task:
    """A byte-level transformer on the standard library's source."""
    width, depth, heads, length = 32, 2, 4, 32
    text = source()
    return Task(
        text.name,
        lambda rngs: char_lm.Transformer(width, depth, heads, length, rngs),
        lambda model, tokens, training: model(tokens),
        data.stretches(text.train, length),
        data.stretches(text.held_out, length, 512),
        batch_size=16,
        steps=300,
        learning_rate=4e-3,
    )


def mlp() -> Task:
    """The dense network of `examples.mnist_mlp`."""
    digits = data.mnist()
    return Task(
        digits.name,
        mnist_mlp.Classifier,
        lambda model, images, training: model(images, training=training),
        digits.train,
        digits.test,
        batch_size=32,
        steps=400,
        learning_rate=1e-3,
    )


def cnn() -> Task:
    """The convolutional network of `examples.digits_cnn`."""
    digits = data.images()
    return Task(
        digits.name,
        lambda rngs: digits_cnn.ConvNet(digits_cnn.DIGITS, 8, 1, digits.classes, rngs),
        lambda model, images, training: model(images, training=training),
        digits.train,
        digits.test,
        batch_size=32,
        steps=300,
        learning_rate=2e-3,
    )


def rare_words(words: int = 20_000, classes: int = 1000, before: int = 4) -> Task:
    """An identifier of the source from the four before it: most rows of the table are rare.

    The `words` most frequent identifiers have a row of the embedding each. The others share one.
    The labels are the `classes` most frequent ones.
    """
    text = source()
    found = [
        re.findall(r"[A-Za-z_]\w*", part.tobytes().decode("utf-8", "replace"))
        for part in (text.train, text.held_out)
    ]
    common = Counter(found[0]).most_common(words - 1)
    numbers = {word: i for i, (word, _) in enumerate(common)}

    def examples(part: list[str]) -> Pair:
        tokens = np.array([numbers.get(word, words - 1) for word in part], np.int32)
        windows = np.lib.stride_tricks.sliding_window_view(tokens, before + 1)
        windows = windows[windows[:, -1] < classes]
        return windows[:, :-1], windows[:, -1]

    held_out = examples(found[1])
    some = np.random.default_rng(0).permutation(len(held_out[1]))[:8192]
    return Task(
        f"{len(found[0]):,} identifiers in {text.name}",
        lambda rngs: Neighbours(words, 16, classes, rngs),
        lambda model, inputs, training: model(inputs),
        examples(found[0]),
        (held_out[0][some], held_out[1][some]),
        batch_size=256,
        steps=400,
        learning_rate=1e-2,
    )


TASKS: dict[str, Callable[[], Task]] = {
    "transformer": transformer,
    "MNIST MLP": mlp,
    "digits CNN": cnn,
    "rare words": rare_words,
}
