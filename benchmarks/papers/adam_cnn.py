"""A convolutional network, where the paper finds the second moment to tell little."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from benchmarks import training
from benchmarks.papers.paper import Experiment, Finding, Report, spread
from examples import data, pictures

EXPERIMENT = Experiment(
    variant="adam",
    title="Adam: a convolutional network",
    where="section 6.3, figure 3",
    claim="At first, Adam and AdaGrad lower the cost fast. In the end, Adam and SGD with Nesterov "
    "momentum are far below AdaGrad, and Adam is slightly ahead of SGD. After a few epochs, v is "
    "close to zero and ε dominates the denominator.",
    run="Digits of 8 by 8 pixels and two stages of 3 by 3 convolutions with 16 and 32 channels "
    "before 128 rectified units. The paper has CIFAR-10 with whitened inputs, three stages of 5 "
    "by 5 convolutions with 64, 64 and 128 channels, and 1,000 units. Pooling is that of the "
    "paper. Half of the units are dropped, but no inputs. A first run also dropped a fifth of the "
    "pixels and had 64 units. It met none of the criteria: too little was left of such small "
    "images, and all methods ended at the same high loss. 30 epochs (the paper: 45) of 44 steps "
    "with 32 images (390 steps with 128 images), three seeds. Each method has the best of seven "
    "constant learning rates, half a decade apart, by the loss of the last epoch.",
)
# With the power of ten that its grid of learning rates begins with.
METHODS: dict[str, tuple[Callable[..., optax.GradientTransformation], float]] = {
    "Adam": (adamjax.adam, -4.5),
    "AdaGrad": (adamjax.adagrad, -3.5),
    "SGD Nesterov": (lambda rate: adamjax.sgd(rate, 0.9, nesterov=True), -3),
}
B2, EPS = 0.999, 1e-8  # of Adam, in the paper and by default
EARLY = 3  # epochs, as in the figure's left half


class Settings(NamedTuple):
    channels: tuple[int, int] = (16, 32)
    hidden: int = 128
    images: int = 1437
    epochs: int = 30
    seeds: int = 3
    rates: int = 7
    batch_size: int = 32
    dropped: float = 0.5  # of the dense layer's units


QUICK = Settings(channels=(4, 4), hidden=8, images=128, epochs=4, seeds=2, rates=2)


def neighbours(x: jax.Array, outside: float) -> jax.Array:
    """Of images [batch, height, width, channels], the 3 by 3 pixels around each: […, 9, channels].

    Convolutions that are made of them take a fraction of the time of XLA's own on a CPU.
    """
    height, width = x.shape[1:3]
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=outside)
    shifted = [padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return jnp.stack(shifted, axis=3)


def convolution(layer: Any, x: jax.Array) -> jax.Array:
    """Rectified, and the largest of 3 by 3 pixels around every other one."""
    around = neighbours(x, 0)
    x = jax.nn.relu(training.dense(layer, around.reshape(*around.shape[:3], -1)))
    return neighbours(x, -jnp.inf)[:, ::2, ::2].max(axis=3)


def problem(settings: Settings) -> training.Problem:
    digits = data.images()
    images = tuple(part[: settings.images] for part in digits.train)
    side, inputs = images[0].shape[2:]
    first, second = settings.channels
    flat = (side // 4) ** 2 * second

    def init(key: jax.Array) -> Any:
        keys = jax.random.split(key, 3)
        stages = [(9 * inputs, first), (9 * first, second)]
        return {
            "convolutions": [training.layers(*each)[0] for each in zip(keys, stages, strict=False)],
            "dense": training.layers(keys[2], (flat, settings.hidden, digits.classes)),
        }

    def loss(params: Any, batch: training.Batch, key: jax.Array) -> jax.Array:
        x = batch[0]
        for layer in params["convolutions"]:
            x = convolution(layer, x)
        hidden, output = params["dense"]
        x = jax.nn.relu(training.dense(hidden, x.reshape(len(x), -1)))
        x = training.dropout(key, x, settings.dropped)
        return training.cross_entropy(training.dense(output, x), batch[1])

    return training.Problem(init, loss, images, settings.batch_size)


def second_moment(params: Any, state: Any) -> dict[str, jax.Array]:
    """Of the convolutions' √v̂: the median, and the share below ε."""
    adam: Any = state[0]  # an `optax.ScaleByAdamState`
    leaves = jax.tree.leaves(adam.nu["convolutions"])
    nu = jnp.concatenate([jnp.ravel(leaf) for leaf in leaves])
    root = jnp.sqrt(nu / (1 - B2**adam.count))
    return {"median": jnp.median(root), "share": (root < EPS).mean()}


def measure(settings: Settings) -> dict[str, Any]:
    """By method: its losses with each learning rate, and its curves with the best."""
    task, trials, moment = problem(settings), {}, {}
    for name, (make, first) in METHODS.items():
        rates = 10 ** (first + np.arange(settings.rates) / 2)
        watch = second_moment if name == "Adam" else None
        found = training.train(
            task, make, rates, seeds=settings.seeds, epochs=settings.epochs, watch=watch
        )
        losses = found.pop("training")
        trials[name] = training.chosen(losses, rates.tolist())
        best = training.best(losses[:, :, -1])
        moment |= {key: training.rounded(values[:, best]) for key, values in found.items()}
    return {"trials": trials, "second_moment": moment}


def findings(report: Report) -> list[Finding]:
    trials, moment = dict(report["trials"]), report["second_moment"]
    curves = {name: np.array(trial["curves"], float) for name, trial in trials.items()}
    adam, adagrad, sgd = (curves[name] for name in METHODS)
    texts = {name: training.told(name, trial) for name, trial in trials.items()}
    early = min(EARLY, adam.shape[1]) - 1
    at_start = ", ".join(
        f"{name} {spread(curve[:, early].tolist())}" for name, curve in curves.items()
    )
    ends = ", ".join(texts.values())
    medians, shares = np.array(moment["median"]), np.array(moment["share"])
    first, last = (spread(medians[:, at].tolist(), 2) for at in (0, -1))
    return [
        Finding(
            f"in epoch {EARLY}, the losses of Adam and AdaGrad are below SGD Nesterov's, "
            "with every seed",
            at_start,
            bool(np.all(np.maximum(adam, adagrad)[:, early] < sgd[:, early])),
        ),
        Finding(
            "Adam and SGD Nesterov end below AdaGrad by 10 % or more, with every seed",
            ends,
            bool(np.all(np.maximum(adam, sgd)[:, -1] <= 0.9 * adagrad[:, -1])),
        ),
        Finding(
            "Adam ends below SGD Nesterov, in the mean of the seeds",
            f"{texts['Adam']}, {texts['SGD Nesterov']}",
            bool(adam[:, -1].mean() < sgd[:, -1].mean()),
        ),
        Finding(
            "at the end, √v̂ < ε for at least half of the convolutions' weights, with every seed",
            f"{spread((100 * shares[:, -1]).tolist())} % of them, with ε = {EPS:g}",
            bool(np.all(shares[:, -1] >= 0.5)),
        ),
        Finding(
            "the median of their √v̂ falls to a tenth or less from the first epoch to the last, "
            "with every seed",
            f"{first} in the first epoch, {last} in the last",
            bool(np.all(medians[:, -1] <= 0.1 * medians[:, 0])),
        ),
    ]


def draw(report: Report, file: Path) -> None:
    """Curves at the best learning rate, the final loss at each rate, and v over time."""
    figure, panels = pictures.axes([["curves", "grid", "moment"]], (14, 4.2))
    training.draw_trials(panels["curves"], panels["grid"], report["trials"])
    axes = panels["moment"]
    medians = np.array(report["second_moment"]["median"], float)
    epochs, color = np.arange(1, medians.shape[1] + 1), pictures.COLORS[0]
    axes.plot(epochs, medians.mean(axis=0), color=color, label="median of √v̂, convolutions")
    axes.fill_between(epochs, medians.min(axis=0), medians.max(axis=0), color=color, alpha=0.2)
    axes.axhline(EPS, color="#7F7F7F", linestyle="--", label="ε")
    axes.set(xlabel="epoch", ylabel="√v̂ of Adam", yscale="log")
    axes.legend(frameon=False, loc="center right")
    pictures.whole_numbers(axes.xaxis)
    pictures.save(figure, file)
