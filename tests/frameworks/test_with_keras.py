"""Keras on JAX: its own optimizer, and adamjax in a loop of stateless calls."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras

import adamjax
from tests.frameworks.suite import LEARNING_RATE, Training, recipe


def draw(t):
    return keras.random.normal((8, 160), seed=t), keras.ops.ones((8, 1))


class TestKeras(Training):
    own = None
    same = staticmethod(
        lambda rate: adamjax.from_keras_args("AdamW", learning_rate=rate, weight_decay=0.1)
    )

    @staticmethod
    def train(optimizer, steps, folder=None):
        names = recipe("Keras")
        model = names["make_model"]()
        if optimizer is None:
            own = keras.optimizers.AdamW(LEARNING_RATE, weight_decay=0.1)
            model.compile(optimizer=own, loss="mse")
            for t in range(steps):
                model.train_on_batch(*draw(t))
            return [v.value for v in model.trainable_variables], None
        state = names["fit"](model, optimizer(LEARNING_RATE), map(draw, range(steps)))
        return [v.value for v in model.trainable_variables], state
