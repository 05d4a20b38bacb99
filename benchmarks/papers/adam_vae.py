"""A variational autoencoder with Adam's bias correction and without, over the hyperparameters."""

from itertools import product
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
    title="Adam: the effect of bias correction",
    where="section 6.4, figure 4",
    claim="Without bias correction, Adam is RMSProp with momentum. Training a variational "
    "autoencoder is then unstable for b2 close to 1, most of all in the first epochs. The best "
    "results have the correction and a small 1 - b2. Whatever the hyperparameters, the corrected "
    "form is at least as good.",
    run="The grid of b1 and b2 is that of the paper, with learning rates of 10⁻⁵ to 10⁻¹ half a "
    "decade apart, three seeds, and losses after 10 and 100 epochs. The digits have 8 by 8 pixels "
    "(the paper: 28 by 28), with 100 hidden units (500) and 10 latent ones (50), and 22 steps of "
    "64 images per epoch. A loss above that of the untrained weights is replaced by it.",
)
# The styles of `adamjax.adam`.
VARIANTS: dict[str, Any] = {"corrected": "torch", "not corrected": "mlx"}
TOLERANCE = 1.01  # of "as good as", as a factor


class Settings(NamedTuple):
    hidden: int = 100
    latent: int = 10
    batch_size: int = 64
    epochs: tuple[int, ...] = (10, 100)
    seeds: int = 3
    b1s: tuple[float, ...] = (0.0, 0.9)
    b2s: tuple[float, ...] = (0.99, 0.999, 0.9999)
    exponents: tuple[float, ...] = (-5, -4.5, -4, -3.5, -3, -2.5, -2, -1.5, -1)


QUICK = Settings(epochs=(1, 2), seeds=2, exponents=(-3, -2))


def autoencoder(settings: Settings) -> training.Problem:
    """Its loss is the negative lower bound on the log likelihood of an image."""
    images = data.images().train[0]
    images = images.reshape(len(images), -1)
    pixels, hidden, latent = images.shape[1], settings.hidden, settings.latent

    def init(key: jax.Array) -> Any:
        keys = jax.random.split(key)
        return {
            "encoder": training.layers(keys[0], (pixels, hidden, 2 * latent)),
            "decoder": training.layers(keys[1], (latent, hidden, pixels)),
        }

    def network(layers: Any, x: jax.Array) -> jax.Array:
        return training.dense(layers[1], jax.nn.softplus(training.dense(layers[0], x)))

    def loss(params: Any, batch: training.Batch, key: jax.Array) -> jax.Array:
        mean, log_variance = jnp.split(network(params["encoder"], batch[0]), 2, axis=1)
        noise = jax.random.normal(key, mean.shape)
        logits = network(params["decoder"], mean + jnp.exp(log_variance / 2) * noise)
        reconstruction = optax.losses.sigmoid_binary_cross_entropy(logits, batch[0]).sum(axis=1)
        divergence = (jnp.exp(log_variance) + mean**2 - 1 - log_variance).sum(axis=1) / 2
        return (reconstruction + divergence).mean()

    return training.Problem(init, loss, (images,), settings.batch_size)


def untrained(problem: training.Problem, seeds: int) -> float:
    """The loss before the first step, the mean of the seeds."""

    def loss(seed: jax.Array) -> jax.Array:
        keys = jax.random.split(jax.random.key(seed))
        return problem.loss(problem.init(keys[0]), problem.train, keys[1])

    return float(jax.jit(jax.vmap(loss))(jnp.arange(seeds)).mean())


def measure(settings: Settings) -> dict[str, Any]:
    """Losses by variant: [epochs, b1, b2, learning rate, seed], None where it diverged."""
    problem = autoencoder(settings)
    rates = 10.0 ** np.array(settings.exponents)
    grid = np.meshgrid(settings.b1s, settings.b2s, rates, indexing="ij")
    points = dict(zip(("b1", "b2", "learning_rate"), map(np.ravel, grid), strict=True))
    losses = {}
    for name, style in VARIANTS.items():
        found = training.train(
            problem,
            lambda point, style=style: adamjax.adam(**point, style=style),
            points,
            seeds=settings.seeds,
            epochs=max(settings.epochs),
        )["training"][:, :, np.array(settings.epochs) - 1]
        losses[name] = training.rounded(found.T.reshape(len(settings.epochs), *grid[0].shape, -1))
    return {"losses": losses, "untrained": training.rounded(untrained(problem, settings.seeds))}


def capped(report: Report, name: str) -> np.ndarray:
    """The losses, none above that of the untrained weights."""
    worst = report["untrained"]
    return np.minimum(np.nan_to_num(np.array(report["losses"][name], float), nan=worst), worst)


def findings(report: Report) -> list[Finding]:
    settings = report["settings"]
    few, many = settings["epochs"]
    means = {name: capped(report, name).mean(axis=-1) for name in VARIANTS}
    found = []
    for (i, b1), (j, b2) in product(enumerate(settings["b1s"]), enumerate(settings["b2s"])):
        if b2 >= 0.999:
            rows = [each[0, i, j] for each in means.values()]
            # Where the loss has fallen at least half as far as at the best setting.
            half = (report["untrained"] + np.min(rows)) / 2
            highest = [max(np.flatnonzero(row <= half), default=-1) for row in rows]
            texts = [
                f"{name} up to {10 ** settings['exponents'][k]:.2g}" if k >= 0 else f"{name} never"
                for name, k in zip(VARIANTS, highest, strict=True)
            ]
            statement = f"b1 = {b1:g}, b2 = {b2:g}: the highest learning rate that reaches half "
            statement += f"of the possible gain in {few} epochs is lower without correction"
            found.append(Finding(statement, ", ".join(texts), bool(highest[1] < highest[0])))
    last = {name: mean[1] for name, mean in means.items()}
    found.append(best_setting(report, last))
    return found + equal_or_better(last, many)


def best_setting(report: Report, last: dict[str, np.ndarray]) -> Finding:
    """Of losses [b1, b2, learning rate] after the last epoch, the means of the seeds."""
    settings = report["settings"]
    texts, is_near_one = [], {}
    for name, losses in last.items():
        i, j, k = np.unravel_index(losses.argmin(), losses.shape)
        b1, b2, rate = settings["b1s"][i], settings["b2s"][j], 10 ** settings["exponents"][k]
        seeds = capped(report, name)[1, i, j, k].tolist()
        texts.append(f"{name} {spread(seeds, 4)} with b1 = {b1:g}, b2 = {b2:g}, rate {rate:.2g}")
        is_near_one[name] = b2 >= 0.999
    best = min(last, key=lambda name: last[name].min())
    statement = f"the best setting after {settings['epochs'][1]} epochs is corrected, b2 >= 0.999"
    return Finding(statement, ", ".join(texts), best == "corrected" and is_near_one[best])


def equal_or_better(last: dict[str, np.ndarray], epochs: int) -> list[Finding]:
    """Of losses [b1, b2, learning rate] after the last epoch."""
    corrected, plain = last.values()
    ratios = {
        "each b1 and b2, the best learning rate of each": corrected.min(2) / plain.min(2),
        "each b1, b2 and learning rate": corrected / plain,
    }
    return [
        Finding(
            f"after {epochs} epochs, for {what}: the corrected loss is at most 1 % higher",
            f"at {(ratio <= TOLERANCE).sum()} of {ratio.size} settings; corrected over not "
            f"corrected is {ratio.min():.4g} to {ratio.max():.4g}",
            bool(np.all(ratio <= TOLERANCE)),
        )
        for what, ratio in ratios.items()
    ]


def draw(report: Report, file: Path) -> None:
    """Loss against learning rate as in the paper: a column for each b2, rows for epochs and b1."""
    settings = report["settings"]
    axes = [range(len(settings[name])) for name in ("epochs", "b1s", "b2s")]
    mosaic = [[f"{e} {i} {j}" for j in axes[2]] for e, i in product(*axes[:2])]
    figure, panels = pictures.axes(mosaic, (10, 11), sharex=True, sharey=True)
    for e, i, j in product(*axes):
        panel = panels[f"{e} {i} {j}"]
        for color, name in zip(pictures.COLORS, VARIANTS, strict=False):
            losses = capped(report, name)[e, i, j]
            look = {"color": color, "marker": "o", "markersize": 3, "label": name}
            panel.plot(settings["exponents"], losses.mean(axis=1), **look)
            low, high = losses.min(axis=1), losses.max(axis=1)
            panel.fill_between(settings["exponents"], low, high, color=color, alpha=0.2)
        b1, b2, epochs = settings["b1s"][i], settings["b2s"][j], settings["epochs"][e]
        panel.set_title(f"b1 = {b1:g}, b2 = {b2:g}, {epochs} epochs", fontsize=9)
        panel.axhline(report["untrained"], color="#7F7F7F", linestyle=":", label="untrained")
        if j == 0:
            panel.set_ylabel("loss [nats per image]")
        if (e, i) == (axes[0][-1], axes[1][-1]):
            panel.set_xlabel("log₁₀ of the learning rate")
    panels["0 0 0"].legend(frameon=False)
    pictures.save(figure, file)
