"""AdaBound between Adam and gradient descent: its steps, its ends, and its own parameters."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from benchmarks import training
from benchmarks.papers import mnist
from benchmarks.papers.paper import (
    NO_WORSE,
    Experiment,
    Finding,
    Report,
    difference,
    no_worse,
    spread,
)
from examples import pictures

EXPERIMENT = Experiment(
    variant="adabound",
    title="AdaBound: fast as Adam, then like SGD",
    where="section 3, section 5, appendix on hyperparameters",
    claim="Late in training, Adam's step sizes differ between weights by many powers of ten. "
    "AdaBound bounds them ever more closely. It learns as fast as Adam at first, and ends at "
    "least as accurate as SGD with momentum and more accurate than Adam. Its own parameters "
    "matter little, whereas SGD depends on its learning rate.",
    run="A dense network with 64 hidden units on 4,000 MNIST images, 30 epochs in batches of 40, "
    "five seeds. The paper has 60,000 images, and CIFAR-10 with deep networks, where the "
    "differences are largest. Each method has the best of seven constant learning rates, half a "
    "decade apart, by the reported accuracy on the 1,000 held-out images. Unless they are varied, "
    "AdaBound's final_lr is 0.1 and its gamma 0.001, the defaults. Its momentum is an average and "
    "SGD's is a sum, so the equivalent of a learning rate of SGD is a ten times larger final_lr. "
    "A first run measured sensitivity as the range of the accuracies. All of them fall to chance "
    "at the largest values, so the values near the best are counted instead.",
)
ADAM, SGD, ADABOUND = "Adam", "SGD, momentum", "AdaBound"
FINAL, GAMMA = "AdaBound, final_lr", "AdaBound, gamma"
QUANTILES = (0.01, 0.5, 0.99)
B2 = 0.999

# Meaning of a number of the grid for each method.
METHODS: dict[str, Callable[[Any], optax.GradientTransformation]] = {
    ADAM: lambda rate: adamjax.adam(rate, b2=B2),
    SGD: lambda rate: adamjax.sgd(rate, 0.9),
    ADABOUND: adamjax.adabound,
    FINAL: lambda final_lr: adamjax.adabound(final_lr=final_lr),
    GAMMA: lambda gamma: adamjax.adabound(gamma=gamma),
}


class Settings(NamedTuple):
    hidden: int = 64
    epochs: int = 30
    seeds: int = 5
    batch_size: int = 40
    adam: tuple[float, ...] = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
    sgd: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
    final_lr: tuple[float, ...] = (1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0)
    gamma: tuple[float, ...] = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
    early: int = 3  # epochs
    as_fast: float = 0.1  # of Adam's loss
    little: float = 0.01  # accuracy


QUICK = Settings(
    hidden=8,
    epochs=2,
    seeds=2,
    adam=(1e-3, 1e-2),
    sgd=(1e-2, 1e-1),
    final_lr=(1e-1, 1.0),
    gamma=(1e-3, 1e-2),
    early=1,
)


def grids(settings: Any) -> dict[str, tuple[float, ...]]:
    rates = dict.fromkeys((ADAM, ADABOUND), settings["adam"])
    own = {SGD: settings["sgd"], FINAL: settings["final_lr"], GAMMA: settings["gamma"]}
    return {**rates, **own}


def step_sizes(params: Any, state: Any) -> dict[str, Any]:
    """Quantiles of 1 / √v̂ over the weights that had a gradient."""
    moments = state[0]
    flat = jnp.concatenate([v.ravel() for v in jax.tree.leaves(moments.nu)])
    v = flat / (1 - B2**moments.count)
    sizes = jnp.where(v > 0, 1 / jnp.sqrt(v), jnp.nan)
    return {"step_sizes": jnp.nanquantile(sizes, jnp.array(QUANTILES))}


def measure(settings: Settings) -> dict[str, Any]:
    """By method: accuracies [seeds, points], and the curves [seeds, epochs] of the best point."""
    problem = mnist.problem(settings.hidden, settings.batch_size)
    found: dict[str, Any] = {}
    for name, grid in grids(settings._asdict()).items():

        def watch(params: Any, state: Any, name: str = name) -> dict[str, Any]:
            more = step_sizes(params, state) if name == ADAM else {}
            return {"accuracy": mnist.accuracy(params), **more}

        run = training.train(
            problem,
            METHODS[name],
            np.array(grid),
            seeds=settings.seeds,
            epochs=settings.epochs,
            watch=watch,
        )
        last = run["accuracy"][..., -1]
        best = training.best(-last)
        found[name] = {
            "best": best,
            "accuracies": training.rounded(last),
            "training": training.rounded(run["training"][:, best]),
            "accuracy": training.rounded(run["accuracy"][:, best]),
        }
        if name == ADAM:
            sizes = grid[best] * run["step_sizes"][:, best].mean(axis=0)
            found[name]["step_sizes"] = training.rounded(sizes)  # [epochs, quantiles]
    return {"steps": problem.steps, "methods": found}


def ends(report: Report, name: str) -> np.ndarray:
    """Accuracies of the best point, by seed."""
    each = report["methods"][name]
    return np.array(each["accuracies"])[:, each["best"]]


def told(report: Report, name: str) -> str:
    grid, point = grids(report["settings"])[name], report["methods"][name]["best"]
    edge = " (edge of the grid)" if training.at_edge(point, grid) else ""
    return f"{name} {spread(ends(report, name).tolist(), 4)} with {grid[point]:g}{edge}"


def means(report: Report, name: str) -> np.ndarray:
    """Accuracies of each point."""
    return np.mean(report["methods"][name]["accuracies"], axis=0)


def near_best(report: Report, name: str) -> str:
    """The points whose accuracy is little below that of the best."""
    reached, little = means(report, name), report["settings"]["little"]
    grid = np.array(grids(report["settings"])[name])
    return ", ".join(f"{point:g}" for point in grid[reached >= reached.max() - little])


def findings(report: Report) -> list[Finding]:
    settings, methods = report["settings"], report["methods"]
    near = {name: near_best(report, name) for name in (FINAL, SGD)}
    by_gamma = float(np.ptp(means(report, GAMMA)))
    low, _, high = methods[ADAM]["step_sizes"][-1]
    early = {
        n: float(np.mean(m["training"], axis=0)[: settings["early"]].mean())
        for n, m in methods.items()
    }
    adam, sgd, adabound = (ends(report, name) for name in (ADAM, SGD, ADABOUND))
    errors = {name: difference(adabound, each)[1] for name, each in ((ADAM, adam), (SGD, sgd))}
    first = f"first {settings['early']} epochs"
    losses = ", ".join(f"{name} {early[name]:.4g}" for name in (ADABOUND, ADAM, SGD))
    return [
        Finding(
            "Adam's step sizes in the end: the 99th percentile is over 1,000 times the first",
            f"{low:.2g} to {high:.2g}",
            bool(high > 1000 * low),
        ),
        Finding(
            f"training loss of the {first}: AdaBound within {settings['as_fast']:.0%} of Adam, or "
            "below it",
            losses,
            early[ADABOUND] <= (1 + settings["as_fast"]) * early[ADAM],
        ),
        Finding(
            f"final accuracy: AdaBound beside Adam is {NO_WORSE}",
            f"{told(report, ADABOUND)}; {told(report, ADAM)}; ± {errors[ADAM]:.4f}",
            no_worse(adabound, adam),
        ),
        Finding(
            f"final accuracy: AdaBound beside SGD is {NO_WORSE}",
            f"{told(report, ADABOUND)}; {told(report, SGD)}; ± {errors[SGD]:.4f}; "
            f"{told(report, FINAL)}",
            no_worse(adabound, sgd),
        ),
        Finding(
            f"of seven final_lr, more come within {settings['little']:g} of AdaBound's best "
            "accuracy than of seven learning rates of SGD's",
            "; ".join(f"{name}: {points}" for name, points in near.items()),
            near[FINAL].count(",") > near[SGD].count(","),
        ),
        Finding(
            f"two decades of gamma change AdaBound's accuracy by less than {settings['little']:g}",
            f"{by_gamma:.4f}",
            by_gamma < settings["little"],
        ),
    ]


def draw(report: Report, file: Path) -> None:
    """Step sizes, training, accuracy, and how far each grid matters."""
    figure, panels = pictures.axes([["steps", "training"], ["accuracy", "grids"]], (12, 8.4))
    names = dict(zip(METHODS, pictures.COLORS, strict=False))
    methods, settings = report["methods"], report["settings"]
    low, middle, high = np.array(methods[ADAM]["step_sizes"]).T
    epochs = np.arange(1, len(low) + 1)
    panels["steps"].fill_between(epochs, low, high, color=names[ADAM], alpha=0.2)
    panels["steps"].plot(epochs, middle, color=names[ADAM], label="Adam: median, 1% to 99%")
    t = report["steps"] * epochs
    for bound in (1 - 1 / (1e-3 * t + 1), 1 + 1 / (1e-3 * t)):
        label = "AdaBound: its bounds" if bound[0] < 1 else None
        panels["steps"].plot(epochs, 0.1 * bound, "--", color=names[ADABOUND], label=label)
    panels["steps"].set(yscale="log", ylabel="step size for each weight", xlabel="epoch")
    for name in (ADAM, SGD, ADABOUND):
        for panel in ("training", "accuracy"):
            values = np.array(methods[name][panel], float)
            label = f"{name}, {grids(settings)[name][methods[name]['best']]:g}"
            panels[panel].plot(epochs, values.mean(axis=0), color=names[name], label=label)
            look = {"color": names[name], "alpha": 0.15, "linewidth": 0}
            panels[panel].fill_between(epochs, values.min(axis=0), values.max(axis=0), **look)
    panels["training"].set(yscale="log", ylabel="training loss [nats]", xlabel="epoch")
    # The first epochs would leave no room for the last.
    lowest = min(
        np.min(methods[name]["accuracy"], axis=0)[min(2, len(epochs) - 1)]
        for name in (ADAM, SGD, ADABOUND)
    )
    panels["accuracy"].set(
        ylabel="accuracy on held-out images", xlabel="epoch", ylim=(lowest - 0.005, None)
    )
    top = 0.0
    for name, grid in grids(settings).items():
        values = means(report, name)
        top = max(top, values.max())
        label = name if name in (FINAL, GAMMA) else f"{name}, learning rate"
        panels["grids"].plot(grid, values, "o-", markersize=4, color=names[name], label=label)
    # Runs that diverge lie far below.
    panels["grids"].set(xscale="log", ylim=(top - 0.14, top + 0.01))
    panels["grids"].set(
        xlabel="learning rate, final_lr, gamma", ylabel="accuracy, mean of the seeds"
    )
    for panel in panels.values():
        panel.legend(
            frameon=False, fontsize=9, loc="lower left" if panel is panels["grids"] else None
        )
    for panel in ("steps", "training", "accuracy"):
        pictures.whole_numbers(panels[panel].xaxis)
    pictures.save(figure, file)
