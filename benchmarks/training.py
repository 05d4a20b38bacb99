"""One small training at many points of a grid, for several seeds, compiled as one program.

A point of the grid is a learning rate, or a tuple or dict of several such numbers. All
points of a seed, and all optimizers, start from the same weights and see the same batches.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.papers.paper import spread
from examples import pictures

Params = Any
Batch = tuple[Any, ...]


class Problem(NamedTuple):
    """A training problem.

    Attributes:
      init: random parameters from a key.
      loss: the mean loss [nats] of a batch. The key is for dropout and other noise.
      train: arrays with an example in each row.
      batch_size: examples of a step.
    """

    init: Callable[[jax.Array], Params]
    loss: Callable[[Params, Batch, jax.Array], jax.Array]
    train: Batch
    batch_size: int

    @property
    def steps(self) -> int:
        """Batches of an epoch. Other examples are left over each time."""
        return len(self.train[0]) // self.batch_size


Watch = Callable[[Params, Any], dict[str, Any]]


def train(
    problem: Problem,
    make: Callable[[Any], optax.GradientTransformation],
    points: Any,
    *,
    seeds: int | range,
    epochs: int,
    watch: Watch | None = None,
    together: bool = False,
) -> dict[str, np.ndarray]:
    """Trains at each point, for each seed.

    Args:
      problem: the training problem.
      make: from a point to an optimizer. The numbers of the point are traced.
      points: an array, or a tuple or dict of arrays, [points].
      seeds: the seeds, or how many from 0 on.
      epochs: how many.
      watch: from the parameters and the optimizer's state to numbers, after each epoch.
      together: whether the points advance together (`vmap`), which is faster for linear models, or
        one after the other (`lax.map`), which is for all others.

    Returns:
      Arrays [seeds, points, epochs]: "training", the mean loss of each epoch during its steps, and
      the results of `watch`.
    """
    one = _one(problem, make, epochs, watch)
    seeds = range(seeds) if isinstance(seeds, int) else seeds
    # Outside of the program, as random weights take long to compile and all methods share them.
    keys = [jax.random.split(jax.random.key(seed)) for seed in seeds]
    starts = [problem.init(weights_key) for weights_key, _ in keys]
    stacked = jax.tree.map(lambda *each: jnp.stack(each), *starts), jnp.stack(keys)[:, 1]

    def all_points(start: Params, key: jax.Array, data: Batch) -> Any:
        at = lambda point: one(start, key, point, data)  # noqa: E731
        return jax.vmap(at)(points) if together else jax.lax.map(at, points)

    def all_seeds(data: Batch) -> Any:
        return jax.lax.map(lambda seed: all_points(seed[0], seed[1], data), stacked)

    points = jax.tree.map(jnp.asarray, points)
    return jax.tree.map(np.asarray, jax.jit(all_seeds)(problem.train))


def stepper(problem: Problem, tx: optax.GradientTransformation, data: Batch) -> Callable[..., Any]:
    """A step for `lax.scan`: carries (params, state), takes (rows, key), gives the loss."""

    def step(carry: Any, at: tuple[jax.Array, jax.Array]) -> Any:
        params, state = carry
        rows, key = at
        batch = tuple(part[rows] for part in data)
        loss, gradients = jax.value_and_grad(problem.loss)(params, batch, key)
        updates, state = tx.update(gradients, state, params)
        return (optax.apply_updates(params, updates), state), loss

    return step


def _one(
    problem: Problem,
    make: Callable[[Any], optax.GradientTransformation],
    epochs: int,
    watch: Watch | None,
) -> Callable[[Params, jax.Array, Any, Batch], dict[str, Any]]:
    """A training from these weights with the random numbers of this key, at one point."""

    def one(params: Params, key: jax.Array, point: Any, data: Batch) -> dict[str, Any]:
        tx = make(point)

        step = stepper(problem, tx, data)

        def epoch(carry: Any, key: jax.Array) -> Any:
            order_key, noise_key = jax.random.split(key)
            count = problem.steps * problem.batch_size
            order = jax.random.permutation(order_key, len(data[0]))[:count]
            rows = order.reshape(problem.steps, problem.batch_size)
            carry, losses = jax.lax.scan(
                step, carry, (rows, jax.random.split(noise_key, problem.steps))
            )
            seen = {} if watch is None else watch(*carry)
            return carry, {"training": losses.mean(), **seen}

        return jax.lax.scan(epoch, (params, tx.init(params)), jax.random.split(key, epochs))[1]

    return one


def layers(key: jax.Array, widths: Sequence[int]) -> list[dict[str, jax.Array]]:
    """Dense layers with He's scale, and no bias yet."""
    keys = jax.random.split(key, len(widths) - 1)
    return [
        {
            "kernel": jnp.sqrt(2 / inputs) * jax.random.normal(key, (inputs, outputs)),
            "bias": jnp.zeros(outputs),
        }
        for key, inputs, outputs in zip(keys, widths[:-1], widths[1:], strict=True)
    ]


def dense(layer: dict[str, jax.Array], x: jax.Array) -> jax.Array:
    return x @ layer["kernel"] + layer["bias"]


def network(params: Sequence[dict[str, jax.Array]], x: jax.Array) -> jax.Array:
    """Dense layers with ReLU between them."""
    for layer in params[:-1]:
        x = jax.nn.relu(dense(layer, x))
    return dense(params[-1], x)


def dropout(key: jax.Array, x: jax.Array, rate: float) -> jax.Array:
    """Each number is 0 with probability `rate` (in steps of 1/256), the others grow to make up."""
    kept = jax.random.bits(key, x.shape, jnp.uint8) >= round(256 * rate)
    return jnp.where(kept, x / (1 - rate), 0)


def cross_entropy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Mean over the batch [nats]."""
    return optax.losses.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def best(losses: Any) -> int:
    """The point with the lowest mean of losses [seeds, points] that has not diverged."""
    means = np.asarray(losses, float).mean(axis=0)
    return int(np.argmin(np.where(np.isfinite(means), means, np.inf)))


def at_edge(point: int, points: Sequence[Any]) -> bool:
    """Whether the best point is the first or last of its grid, so that it may not be the best."""
    return point in (0, len(points) - 1)


def rounded(values: Any, digits: int = 4) -> Any:
    """Nested lists for a result file, rounded to `digits`, None where a run diverged."""
    values = np.asarray(values, float)
    if values.ndim:
        return [rounded(value, digits) for value in values]
    return float(f"{values:.{digits}g}") if np.isfinite(values) else None


def chosen(losses: np.ndarray, rates: Sequence[float]) -> dict[str, Any]:
    """For a result file, of losses [seeds, rates, epochs]: the rate that ends with the lowest.

    "last" is the loss of the last epoch with each rate, the mean of the seeds. "curves" are those
    of the best rate [seeds, epochs].
    """
    last = losses[:, :, -1]
    point = best(last)
    return {
        "rates": rounded(rates, 3),
        "last": rounded(last.mean(axis=0)),
        "best": rounded(rates[point], 2),
        "at_edge": at_edge(point, rates),
        "curves": rounded(losses[:, point]),
    }


def told(name: str, trial: Any) -> str:
    """Sentence about the last losses in a result of `chosen`."""
    edge = " (at the edge of its grid)" if trial["at_edge"] else ""
    last = [curve[-1] for curve in trial["curves"]]
    return f"{name} {spread(last, 4)} with learning rate {trial['best']:g}{edge}"


def draw_trials(curves: Any, grid: Any, trials: Any) -> None:
    """Results of `chosen` for each method: the best curves, and the final loss at each rate."""
    for color, (name, trial) in zip(pictures.COLORS, trials.items(), strict=False):
        losses = np.array(trial["curves"], float)
        epochs = np.arange(1, losses.shape[1] + 1)
        curves.plot(epochs, losses.mean(axis=0), color=color, label=f"{name}, {trial['best']:g}")
        curves.fill_between(epochs, losses.min(axis=0), losses.max(axis=0), color=color, alpha=0.2)
        last = np.array(trial["last"], float)
        grid.plot(trial["rates"], last, color=color, marker="o", markersize=3, label=name)
    curves.set(xlabel="epoch", ylabel="training loss [nats]")
    curves.legend(frameon=False, title="best learning rate", fontsize=9)
    pictures.whole_numbers(curves.xaxis)
    grid.set(xlabel="learning rate", ylabel="training loss of the last epoch [nats]", xscale="log")
    for axes in (curves, grid):
        pictures.logarithmic(axes.yaxis)
