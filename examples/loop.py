"""The training loop that all examples share: one compiled call trains an epoch."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from examples.console import OptionError, progress

Loss = Callable[..., jax.Array]


class Trainer:
    """A model, its optimizer and its data. Each call of `epoch` trains one epoch.

    An epoch is a `jax.lax.scan` over the steps inside a single `jax.jit`, because on small models a
    call costs more than a step. NNX modules are objects, so the scan carries their state, and each
    step creates the objects from it.

    Args:
      model: a Flax NNX module.
      tx: any Optax transformation.
      loss: `loss(model, inputs, labels)`, the mean over the batch: a scalar, or an array of the
        losses of independent models, whose sum is minimized.
      data: (inputs, labels), arrays [count, ...] of equal count.
      batch_size: examples per step. An epoch omits an incomplete last batch.
      seed: seed of the order of the examples.
      observe: function from the optimizer state to the record of a step. None records nothing.
    """

    def __init__(
        self,
        model: nnx.Module,
        tx: optax.GradientTransformation,
        loss: Loss,
        data: tuple[np.ndarray, np.ndarray],
        *,
        batch_size: int,
        seed: int = 0,
        observe: Callable[[Any], Mapping[str, Any]] = lambda opt_state: {},
    ):
        count = len(data[1])
        if batch_size > count:
            raise OptionError(f"batch size: {batch_size} is more than the {count} examples")
        optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
        self._graph, self._state = nnx.split((model, optimizer))
        self._data = jax.device_put(data)
        self._key = jax.random.key(seed)
        self._loss, self._observe = loss, observe
        self._batch_size, self.steps_per_epoch = batch_size, count // batch_size
        self._compiled: Any = None
        self.losses: list[np.ndarray] = []
        self.observed: dict[str, list[float]] = {}
        self.seconds = 0.0

    def epoch(self) -> np.ndarray:
        """Train on every example once in a new order, and return the mean loss."""
        self._key, key = jax.random.split(self._key)
        if self._compiled is None:
            jitted = jax.jit(self._epoch, donate_argnums=0)
            self._compiled = jitted.lower(self._state, self._data, key).compile()
        start = time.perf_counter()
        self._state, (losses, observed) = jax.block_until_ready(
            self._compiled(self._state, self._data, key)
        )
        self.seconds += time.perf_counter() - start
        losses = np.asarray(losses)
        self.losses.extend(losses)
        for name, values in observed.items():
            self.observed.setdefault(name, []).extend(np.asarray(values).tolist())
        return losses.mean(axis=0)

    @property
    def model(self) -> Any:
        """Return the present model. The next epoch donates its arrays."""
        return nnx.merge(self._graph, self._state)[0]

    @property
    def steps_per_second(self) -> float:
        """Speed of the steps so far, compilation left out."""
        return len(self.losses) / self.seconds if self.seconds else 0.0

    @property
    def temporary_bytes(self) -> int:
        """How much a step needs beside parameters and state, gradients among it."""
        return self._compiled.memory_analysis().temp_size_in_bytes if self._compiled else 0

    @property
    def state_bytes_per_parameter(self) -> float:
        """How much the optimizer keeps between steps."""
        model, optimizer = nnx.merge(self._graph, self._state)
        parameters = sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))
        leaves = jax.tree.leaves(nnx.state(optimizer, nnx.optimizer.OptState))
        return sum(leaf.nbytes for leaf in leaves) / parameters

    def _epoch(self, state: Any, data: Any, key: jax.Array) -> tuple[Any, Any]:
        count = len(data[1])
        rows = jax.random.permutation(key, count)[: self.steps_per_epoch * self._batch_size]

        def total(*arguments: Any) -> tuple[jax.Array, jax.Array]:
            loss = self._loss(*arguments)
            return loss.sum(), loss

        def step(state: Any, rows: jax.Array) -> tuple[Any, Any]:
            model, optimizer = nnx.merge(self._graph, state)
            inputs, labels = jax.tree.map(lambda array: array[rows], data)
            gradients, loss = nnx.grad(total, has_aux=True)(model, inputs, labels)
            optimizer.update(model, gradients)
            observed = self._observe(optimizer.opt_state)
            return nnx.state((model, optimizer)), (loss, observed)

        return jax.lax.scan(step, state, rows.reshape(self.steps_per_epoch, self._batch_size))


def fit(
    trainer: Trainer, epochs: int, score: Callable[[Any], float], name: str = "epoch"
) -> list[float]:
    """Train for some epochs with a progress bar, and call `score(model)` after each."""
    scores = []
    with progress({name: epochs}) as advance:
        for _ in range(epochs):
            loss = trainer.epoch()
            scores.append(score(trainer.model))
            advance(name, f"loss {loss:.4f}, held out {scores[-1]:.4f}")
    return scores


@nnx.jit
def _apply(model: Any, inputs: jax.Array) -> jax.Array:
    return model(inputs)


def predict(model: Any, inputs: np.ndarray, batch_size: int = 1000) -> np.ndarray:
    """Return the outputs of the model for inputs [count, ...], in evaluation mode."""
    parts = [inputs[i : i + batch_size] for i in range(0, len(inputs), batch_size)]
    return np.concatenate([np.asarray(_apply(model, jnp.asarray(part))) for part in parts])


def accuracy(model: Any, part: tuple[np.ndarray, np.ndarray]) -> float:
    """Share of the inputs whose largest output [classes] is at the label."""
    inputs, labels = part
    return float(np.mean(predict(model, inputs).argmax(axis=-1) == labels))
