"""Compare several optimizers on handwritten digits.

A network with one hidden layer learns MNIST images. Each optimizer starts from the same weights,
sees the images in the same order and uses its usual learning rate. The picture shows the losses,
and the effective learning rates and norms of one optimizer.
"""

import argparse
from collections.abc import Mapping, Sequence
from inspect import signature
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optax
from flax import nnx

import adamjax
from examples import console, data, loop, pictures
from examples.mnist_mlp import Classifier, loss

VARIANTS = ("sgd", "adagrad", "rmsprop", "adam", "adamw", "nadam", "radam", "adafactor")
# Settings that suit this network better than the variant's defaults.
LEARNING_RATES = {"sgd": 0.1, "rmsprop": 1e-3}


class Result(NamedTuple):
    """The result of an optimizer: loss [nats] and accuracy on held-out images by epoch."""

    trainer: loop.Trainer
    losses: list[float]
    accuracies: list[float]


def make(name: str, tracked: str) -> optax.GradientTransformation:
    rate = {"learning_rate": LEARNING_RATES[name]} if name in LEARNING_RATES else {}
    optimizer = adamjax.create(name, **rate)
    if name != tracked:
        return optimizer
    arguments = signature(adamjax.get_variant(name).optimizer).parameters
    # Those with both rates are the ones that divide by the v without its bias to 0.
    b2 = arguments["b2"].default if {"b1", "b2"} <= set(arguments) else None
    return adamjax.track(optimizer, b2=b2)


def train(digits: data.Labelled, options: argparse.Namespace) -> dict[str, Result]:
    """Trains all variants, an epoch of each in turn."""
    results = {}
    for name in options.variants:
        trainer = loop.Trainer(
            Classifier(nnx.Rngs(options.seed)),
            make(name, options.tracked),
            loss,
            digits.train,
            batch_size=options.batch_size,
            seed=options.seed,
            observe=adamjax.metrics if name == options.tracked else lambda opt_state: {},
        )
        results[name] = Result(trainer, [], [])
    with console.progress(dict.fromkeys(results, options.epochs)) as advance:
        for _ in range(options.epochs):
            for name, (trainer, losses, accuracies) in results.items():
                losses.append(float(trainer.epoch()))
                accuracies.append(loop.accuracy(trainer.model, digits.test))
                advance(name, f"loss {losses[-1]:.4f}, held out {accuracies[-1]:.4f}")
    return results


def record(trainer: loop.Trainer, file: Path) -> adamjax.Recorder:
    """Everything that was tracked, in memory and in a file of one line for each step."""
    file.unlink(missing_ok=True)
    recorder = adamjax.Recorder(file)
    names = list(trainer.observed)
    for step, values in enumerate(zip(*trainer.observed.values(), strict=True), start=1):
        recorder.record(step, dict(zip(names, values, strict=True)))
    recorder.close()
    print(f"tracked: {file}")
    return recorder


def draw(
    file: Path, title: str, results: Mapping[str, Result], tracked: str, history: Mapping[str, Any]
) -> None:
    """All variants on the left, the tracked one on the right."""
    mosaic = [["loss", "rate"], ["loss", "gradient"], ["accuracy", "update"]]
    figure, panels = pictures.axes(mosaic, (12, 8), width_ratios=(1.25, 1))
    figure.suptitle(title)
    colors = dict(zip(results, cycle(pictures.COLORS), strict=False))
    for name in sorted(results, key=lambda name: results[name].losses[-1], reverse=True):
        trainer, _, accuracies = results[name]
        look = {"color": colors[name], "linewidth": 2.4 if name == tracked else 1.3}
        panels["loss"].plot(*pictures.smooth(trainer.losses, 50), label=name, **look)
        panels["accuracy"].plot(np.arange(1, len(accuracies) + 1), accuracies, **look)
    panels["loss"].set(xlabel="step", ylabel="training loss, mean of 50 steps [nats]")
    pictures.logarithmic(panels["loss"].yaxis)
    panels["loss"].legend(frameon=False, ncols=2)
    panels["accuracy"].set(xlabel="epoch", ylabel="accuracy on held-out data")
    pictures.whole_numbers(panels["accuracy"].xaxis)
    draw_tracked(panels, tracked, colors[tracked], history)
    pictures.save(figure, file)


def draw_tracked(
    panels: Mapping[str, Any], name: str, color: str, history: Mapping[str, Any]
) -> None:
    steps, rate = history["step"], panels["rate"]
    if "effective_lr_p50" in history:
        low, median, high = (history[f"effective_lr_{rank}"] for rank in ("p05", "p50", "p95"))
        label = "5 to 95 % of the weights"
        rate.fill_between(steps, low, high, color=color, alpha=0.2, linewidth=0, label=label)
        rate.plot(steps, median, color=color, label="median")
        rate.set(ylabel="η / √v", yscale="log")
    else:
        rate.plot(steps, history["learning_rate"], color=color, label="η (there is no v)")
        rate.set(ylabel="η")
    rate.legend(frameon=False)
    rate.set(title=f"{name}: effective learning rate")
    for panel, key in (("gradient", "gradient_norm"), ("update", "update_norm")):
        panels[panel].plot(steps, history[key], color=color, alpha=0.25, linewidth=0.6)
        panels[panel].plot(*pictures.smooth(history[key], 50), color=color)
        pictures.logarithmic(panels[panel].yaxis)
    panels["gradient"].set(title=f"{name}: norm of the gradient", ylabel="‖g‖")
    panels["update"].set(title=f"{name}: norm of the update", ylabel="‖Δθ‖", xlabel="step")


def tell(results: Mapping[str, Result], tracked: str) -> None:
    """The table, best held-out accuracy first."""
    rows = [
        (
            f"{name} (tracked)" if name == tracked else name,
            f"{accuracies[-1]:.4f}",
            f"{losses[-1]:.4f}",
            f"{trainer.steps_per_second:.0f}",
            f"{trainer.state_bytes_per_parameter:.2f}",
        )
        for name, (trainer, losses, accuracies) in results.items()
    ]
    rows.sort(key=lambda row: row[1], reverse=True)
    headings = (
        "variant",
        "validation accuracy",
        "final loss",
        "steps/s",
        "state bytes per parameter",
    )
    console.table(headings, rows)


def variants(patterns: Sequence[str], tracked: str) -> list[str]:
    """The names that the patterns stand for and the tracked one, each once."""
    try:
        names = [
            name
            for pattern in patterns
            for name in adamjax.list_variants(pattern) or [adamjax.get_variant(pattern).name]
        ]
        names.append(adamjax.get_variant(tracked).name)
    except ValueError as error:
        raise console.OptionError(str(error)) from error
    return list(dict.fromkeys(names))


def main(argv: Sequence[str] | None = None) -> None:
    parser = console.parser("demo", __doc__, epochs=12, batch_size=32, full="all of MNIST")
    parser.add_argument(
        "--variants",
        nargs="+",
        default=VARIANTS,
        metavar="NAME",
        help=f"names or patterns such as 'ada*' ({' '.join(VARIANTS)})",
    )
    parser.add_argument(
        "--tracked", default="adamw", metavar="NAME", help="variant to look into (%(default)s)"
    )
    options = parser.parse_args(argv)
    with console.one_line_errors(parser):
        console.make_folders(options.runs)
        options.variants = variants(options.variants, options.tracked)
        digits = data.mnist(options.data)
        print(f"Training {len(options.variants)} variants on {digits.name}.")
        results = train(digits, options)
    tell(results, options.tracked)
    tracked = results[options.tracked].trainer
    recorder = record(tracked, options.runs / f"demo_{options.tracked}.jsonl")
    title = f"Dense 128, dropout 0.2, dense 10 on {digits.name}"
    draw(options.runs / "demo.png", title, results, options.tracked, recorder.history)


if __name__ == "__main__":
    main()
