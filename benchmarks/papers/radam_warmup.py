"""Why Adam needs a warm-up, and how RAdam does without: the variance of its first steps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import adamjax
from benchmarks import streams, tasks, training
from benchmarks.papers.paper import Experiment, Finding, Report, spread
from examples import char_lm, pictures

EXPERIMENT = Experiment(
    variant="radam",
    title="RAdam: the variance that warm-up hides",
    where="sections 3 to 5, figure 1",
    claim="The step size 1/√v̂ of Adam varies most in its first steps, and RAdam's factor keeps "
    "that variance constant. A transformer learns badly with Adam without warm-up. RAdam needs no "
    "warm-up to do as well as Adam with warm-up, and depends less on the learning rate than Adam.",
    run="Variance: the directions of both with b1 = 0 and b2 = 0.999 on gradients from a standard "
    "normal distribution. Training: a byte-level language model on Python source instead of "
    "translation, with four narrow blocks. LayerNorm follows each shortcut, as in the paper's "
    "Transformer. If it precedes them, warm-up matters less. 300 steps instead of 70,000, so b2 "
    "is 0.98 and the warm-up takes 50 steps. All learning rates fall linearly to 0. Each method "
    "has six of them, half a decade apart, and three seeds.",
)
ADAM, WARMED, RADAM = "Adam", "Adam with warm-up", "RAdam"
ROUNDING = 1e-9  # a variance below is that of a number that does not vary


class Settings(NamedTuple):
    draws: int = 20_000
    variance_steps: int = 2000
    learning_rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
    seeds: int = 3
    depth: int = 4
    steps: int = 300
    stretch: int = 20
    warmup: int = 50
    b2: float = 0.98
    as_good: float = 0.02  # of the loss
    tolerated: float = 0.1  # of the least loss of all


QUICK = Settings(
    draws=200,
    variance_steps=50,
    learning_rates=(1e-3, 1e-2),
    seeds=2,
    depth=1,
    steps=8,
    stretch=2,
    warmup=2,
)


class Block(char_lm.Block):
    """With LayerNorm after each shortcut, as Vaswani et al. have it."""

    def __call__(self, x: jax.Array) -> jax.Array:
        batch, length, width = x.shape
        qkv = self.attention(x).reshape(batch, length, 3, self.heads, -1)
        attended = jax.nn.dot_product_attention(*jnp.moveaxis(qkv, 2, 0), is_causal=True)
        x = self.before_attention(x + self.mix(attended.reshape(batch, length, width)))
        return self.before_dense(x + self.narrow(jax.nn.gelu(self.widen(x))))


class Transformer(char_lm.Transformer):
    """Of such blocks."""

    def __init__(self, width: int, depth: int, heads: int, length: int, rngs: nnx.Rngs):
        super().__init__(width, 0, heads, length, rngs)
        blocks = [Block(width, heads, dtype=jnp.float32, rngs=rngs) for _ in range(depth)]
        self.blocks = nnx.Sequential(*blocks)


def variances(make: Callable[..., optax.GradientTransformation], settings: Settings) -> np.ndarray:
    """Of the factor between gradient and direction, over the draws, for each step."""
    tx: Any = make(b1=0.0, b2=0.999)

    def step(state: Any, key: jax.Array) -> Any:
        gradient = jax.random.normal(key, (settings.draws,))
        direction, state = tx.update(gradient, state)
        return state, jnp.var(direction / gradient)

    keys = jax.random.split(jax.random.key(0), settings.variance_steps)
    start = tx.init(jnp.zeros(settings.draws))
    return np.asarray(jax.jit(lambda: jax.lax.scan(step, start, keys)[1])())


def methods(settings: Settings) -> dict[str, Callable[[Any], optax.GradientTransformation]]:
    def falling(rate: Any, warmup: int) -> optax.Schedule:
        def schedule(count: Any) -> jax.Array:
            rise = jnp.minimum(1, (count + 1) / warmup)
            return rate * rise * (1 - count / settings.steps)

        return schedule

    return {
        ADAM: lambda rate: adamjax.adam(falling(rate, 1), b2=settings.b2),
        WARMED: lambda rate: adamjax.adam(falling(rate, settings.warmup), b2=settings.b2),
        RADAM: lambda rate: adamjax.radam(falling(rate, 1), b2=settings.b2),
    }


def measure(settings: Settings) -> dict[str, Any]:
    shown = np.unique(np.geomspace(1, settings.variance_steps, 100).astype(int)) - 1
    directions = {ADAM: adamjax.scale_by_adam, RADAM: adamjax.scale_by_radam}
    varied = {name: variances(make, settings) for name, make in directions.items()}
    base = tasks.transformer()
    task = base._replace(make=lambda rngs: Transformer(32, settings.depth, 4, 32, rngs))
    problem, _ = streams.of_task(task, settings.stretch)
    losses = {
        name: training.train(
            problem,
            make,
            np.array(settings.learning_rates),
            seeds=settings.seeds,
            epochs=settings.steps // problem.steps,
        )["training"]
        for name, make in methods(settings).items()
    }
    return {
        "variance": {
            "step": (shown + 1).tolist(),
            **{name: training.rounded(each[shown], 5) for name, each in varied.items()},
        },
        "data": task.data,
        "steps_each": problem.steps,
        "training": {name: training.rounded(each) for name, each in losses.items()},
    }


def about_variance(report: Report) -> list[Finding]:
    steps = np.array(report["variance"]["step"])
    adam, radam = (np.array(report["variance"][name]) for name in (ADAM, RADAM))
    # Until RAdam rectifies, its direction is the gradient itself.
    rectified = np.flatnonzero(radam > ROUNDING)
    first = int(rectified[0])
    lowest, highest = (rectified[at(radam[rectified])] for at in (np.argmin, np.argmax))
    return [
        Finding(
            f"variance of Adam's step size: at step {steps[first]}, where RAdam's rectification "
            "begins, more than ten times that of the last step",
            f"{adam[first]:.2g} against {adam[-1]:.2g}",
            bool(adam[first] > 10 * adam[-1]),
        ),
        Finding(
            "RAdam's, from there on: the largest is at most twice the smallest",
            f"{radam[lowest]:#.3g} at step {steps[lowest]}, {radam[highest]:#.3g} at step "
            f"{steps[highest]}; the factor is an expansion that is good for many gradients",
            bool(radam[highest] <= 2 * radam[lowest]),
        ),
    ]


def last(report: Report) -> dict[str, np.ndarray]:
    """Mean losses of the last steps, [seeds, learning rates]."""
    return {name: np.array(each, float)[..., -1] for name, each in report["training"].items()}


def findings(report: Report) -> list[Finding]:
    settings, losses = report["settings"], last(report)
    rates = settings["learning_rates"]
    best = {name: training.best(each) for name, each in losses.items()}
    means = {name: each.mean(axis=0) for name, each in losses.items()}
    limit = (1 + settings["tolerated"]) * min(np.nanmin(each) for each in means.values())
    wide = {
        name: [r for r, m in zip(rates, each, strict=True) if m <= limit]
        for name, each in means.items()
    }
    at = best[WARMED]
    above = min(at + 1, len(rates) - 1)

    def text(name: str, point: int) -> str:
        edge = " (edge of the grid)" if training.at_edge(point, rates) else ""
        return f"{name} {spread(losses[name][:, point].tolist(), 4)} at {rates[point]:g}{edge}"

    good = f"{settings['as_good']:.0%}"
    return [
        *about_variance(report),
        Finding(
            "training: where Adam with warm-up is best, Adam without ends above it, all seeds",
            f"{text(ADAM, at)}; {text(WARMED, at)}; a learning rate further, {text(ADAM, above)}; "
            f"{text(WARMED, above)}",
            bool(np.all(~(losses[ADAM][:, at] <= losses[WARMED][:, at]))),
        ),
        Finding(
            f"training: RAdam at its best is within {good} of Adam with warm-up, or below it",
            f"{text(RADAM, best[RADAM])}; {text(WARMED, at)}; {text(ADAM, best[ADAM])}",
            bool(means[RADAM][best[RADAM]] <= (1 + settings["as_good"]) * means[WARMED][at]),
        ),
        Finding(
            f"more learning rates come within {settings['tolerated']:.0%} of the least loss of all "
            "with RAdam than with Adam without warm-up",
            "; ".join(
                f"{name}: {', '.join(f'{r:g}' for r in each) or 'none'}"
                for name, each in wide.items()
            ),
            len(wide[RADAM]) > len(wide[ADAM]),
        ),
    ]


def draw(report: Report, file: Path) -> None:
    """The variance by step, training at one learning rate, and the end over all of them."""
    figure, panels = pictures.axes([["variance", "training", "rates"]], (15, 4.4))
    colors = dict(zip((ADAM, WARMED, RADAM), pictures.COLORS, strict=False))
    losses, rates = last(report), report["settings"]["learning_rates"]
    at = training.best(losses[WARMED])
    for name in (ADAM, RADAM):
        values = np.array(report["variance"][name])
        shown = np.where(values > ROUNDING, values, np.nan)
        panels["variance"].loglog(report["variance"]["step"], shown, color=colors[name], label=name)
    panels["variance"].set(title="random gradients, b2 = 0.999", xlabel="step")
    panels["variance"].set(ylabel="variance of the step size")
    panels["variance"].legend(frameon=False)
    for i, (name, curves) in enumerate(report["training"].items()):
        each = np.array(curves, float)[:, at]
        steps = report["steps_each"] * np.arange(1, each.shape[1] + 1)
        panels["training"].plot(steps, each.mean(axis=0), color=colors[name], label=name)
        look = {"color": colors[name], "alpha": 0.15, "linewidth": 0}
        panels["training"].fill_between(steps, each.min(axis=0), each.max(axis=0), **look)
        end = losses[name]
        mean = end.mean(axis=0)
        away = [mean - end.min(axis=0), end.max(axis=0) - mean]
        # A little aside, where bars would lie on one another.
        aside = np.array(rates) * 1.06 ** (i - 1)
        panels["rates"].errorbar(aside, mean, away, color=colors[name], marker="o", markersize=4)
    panels["training"].set(title=f"transformer, learning rate {rates[at]:g}", xlabel="step")
    panels["training"].set(ylabel="training loss [nats per byte]")
    panels["training"].legend(frameon=False)
    panels["rates"].set(
        title="its end, over learning rates",
        xscale="log",
        xlabel="learning rate",
        ylabel="training loss of the last steps [nats per byte]",
    )
    pictures.save(figure, file)
