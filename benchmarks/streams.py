"""Problems with more examples than a run sees, watched every so many steps.

An epoch of `training.train` is a stretch of such a run: a number of steps on newly drawn examples.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from adamjax.wrappers.evaluation import evaluated
from benchmarks import tasks, training
from benchmarks.training import Batch, Params, Problem, Watch
from examples import data

BEFORE = 8


def stream(problem: Problem, stretch: int) -> Problem:
    """The same problem, in stretches of so many steps."""

    class Stream(Problem):
        @property
        def steps(self) -> int:
            return stretch

    return Stream(*problem)


def some(arrays: Batch, examples: int, seed: int = 0) -> Batch:
    """At most so many examples, always the same of a seed."""
    rows = np.random.default_rng(seed).permutation(len(arrays[0]))[:examples]
    return tuple(np.asarray(array)[rows] for array in arrays)


def of_task(task: tasks.Task, stretch: int, held_out: int = 2**16) -> tuple[Problem, Watch]:
    """A task of `benchmarks.tasks`, and its loss on so many held-out examples.

    The loss is that of the parameters that count: `adamjax.eval_params` where they are others.
    """

    def loss(params: Params, batch: Batch, key: jax.Array, training: bool = True) -> jax.Array:
        # Made again for the key of its dropout. The compiler removes the unused part.
        model = task.make(nnx.Rngs(key))
        nnx.update(model, params)
        inputs, labels = map(jnp.asarray, batch)
        return task.loss(model, inputs, labels, training)

    def init(key: jax.Array) -> Params:
        return nnx.to_pure_dict(nnx.state(task.make(nnx.Rngs(key)), nnx.Param))

    others = some(task.held_out, held_out)

    def watch(params: Params, state: Any) -> dict[str, jax.Array]:
        return {"held_out": loss(evaluated(state, params), others, jax.random.key(0), False)}

    problem = Problem(init, loss, some(task.train, 2**16), task.batch_size)
    return stream(problem, stretch), watch


def bytes_network(stretch: int, batch_size: int = 32) -> tuple[Problem, Watch]:
    """Tells a byte of Python's source from the eight before it: an embedding, a hidden layer."""
    embedding, hidden, kinds = 16, 128, 256

    def init(key: jax.Array) -> Params:
        table_key, layers_key = jax.random.split(key)
        table = jax.random.normal(table_key, (kinds, embedding))
        return table, training.layers(layers_key, (BEFORE * embedding, hidden, kinds))

    def loss(params: Params, batch: Batch, key: jax.Array) -> jax.Array:
        table, layers = params
        inputs, labels = (part.astype(jnp.int32) for part in batch)
        x = table[inputs].reshape(len(inputs), -1)
        return training.cross_entropy(training.network(layers, x), labels)

    others = tuple(map(jnp.asarray, bytes_held_out(2**12)))

    def watch(params: Params, state: Any) -> dict[str, jax.Array]:
        return {"held_out": loss(evaluated(state, params), others, jax.random.key(0))}

    train = _bytes(tasks.source().train, 2**18, seed=0)
    return stream(Problem(init, loss, train, batch_size), stretch), watch


def by_rate(
    learnt: tuple[Problem, Watch],
    make: Callable[[Any], optax.GradientTransformation],
    steps: int,
    settings: Any,
) -> dict[str, Any]:
    """Summary by `training.chosen` of the held-out losses of a stream, for each learning rate.

    Args:
      learnt: a stream, and its watch.
      make: from a learning rate to an optimizer.
      steps: how many.
      settings: those of an experiment, with `rates`, `seeds` and the `stretch` of the stream.
    """
    problem, watch = learnt
    losses = training.train(
        problem,
        make,
        np.array(settings.rates),
        seeds=settings.seeds,
        epochs=steps // settings.stretch,
        watch=watch,
        together=True,
    )["held_out"]
    return training.chosen(losses, settings.rates)


def bytes_held_out(examples: int, seed: int = 0) -> Batch:
    """Of `bytes_network`: eight bytes each, and the one after them."""
    return _bytes(tasks.source().held_out, examples, seed)


def _bytes(text: np.ndarray, examples: int, seed: int) -> Batch:
    inputs, following = data.stretches(text, BEFORE)
    return some((inputs, following[:, -1]), examples, seed)
