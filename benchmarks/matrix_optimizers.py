"""Steps in which matrix optimizers reach AdamW's final loss on a byte-level transformer.

Each optimizer trains the kernels of the blocks. AdamW trains the rest (embeddings, biases,
normalizations and the output), for all of them at the rate that is best for AdamW alone. The
learning rate of the kernels is chosen from as many candidates as AdamW's, by the final held-out
loss of seeds that are not used again. It rises over a tenth of the steps and falls to 0 along a
cosine, which is not shortened for those that need fewer steps.

A difference is beyond noise if all seeds have its sign and the mean exceeds twice its standard
error. A seed draws the weights and the order of the examples, the same for all optimizers.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optax

import adamjax
from benchmarks import quality, record, streams, tasks, training
from benchmarks.papers.paper import difference
from examples import char_lm, console, data, pictures

REFERENCE = "adamw"
LAYOUTS: Mapping[str, Any] = {
    "output/*": "other",
    "*attention/kernel": "in (qkv=3 out) -> qkv out in",
}
WRONG = {
    # Query, key and value orthogonalized as one matrix.
    "muon, qkv as one matrix": {"output/*": "other"},
    # Heads in every kernel: stacks of narrow matrices.
    "muon, narrow matrices": {"output/*": "other", "*kernel": "in (n=8 out) -> n out in"},
}


class Settings(NamedTuple):
    seeds: int = 3
    tuning_seeds: int = 1
    candidates: int = 5  # each twice the one before
    steps: int = 600
    stretch: int = 20
    width: int = 48
    depth: int = 2
    heads: int = 4
    length: int = 48
    batch_size: int = 16
    held_out: int = 256
    optimizers: tuple[str, ...] = (
        *(REFERENCE, "muon", "normuon", "soap", "kl_soap", "muonh", "adamh"),
        *WRONG,
    )

    def rates(self, name: str) -> np.ndarray:
        """The candidates, around a rate that a trial with one seed found."""
        return MIDDLES[name] * 2.0 ** (np.arange(self.candidates) - self.candidates // 2)


QUICK = Settings(2, 1, 2, 8, 4, 16, 1, 2, 16, 4, 8, (REFERENCE, "muonh", *list(WRONG)[1:]))
MIDDLES = {
    REFERENCE: 8e-3,
    **dict.fromkeys(("soap", "kl_soap"), 8e-3),
    **dict.fromkeys(("muon", "normuon", "muonh", *WRONG), 3.2e-2),
    "adamh": 1.6e-2,
}
Make = Callable[[Any], optax.GradientTransformation]


def of_kernels(name: str, rate: Any) -> optax.GradientTransformation:
    """The optimizer of the kernels, of a learning rate or a schedule."""
    if name in ("adamh", "muonh"):
        rule = adamjax.scale_by_adam() if name == "adamh" else adamjax.scale_by_muon()
        return adamjax.hyperball(rule, rate)
    return adamjax.create(name.partition(",")[0], learning_rate=rate, layouts=WRONG.get(name))


def optimizer(name: str, steps: int, beside: float) -> Make:
    """A function from a learning rate to the optimizer, with AdamW's rate for the other leaves."""
    shape = quality.rising_and_falling(1.0, steps)

    def make(rate: Any) -> optax.GradientTransformation:
        schedule = lambda count: rate * shape(count)  # noqa: E731
        if name == REFERENCE:
            return adamjax.adamw(schedule)
        others = adamjax.adamw(lambda count: beside * shape(count))
        return adamjax.partition_matrices(of_kernels(name, schedule), others, LAYOUTS)

    return make


def task(settings: Settings) -> tasks.Task:
    text, sizes = tasks.source(), (settings.width, settings.depth, settings.heads, settings.length)
    return tasks.Task(
        text.name,
        lambda rngs: char_lm.Transformer(*sizes, rngs),
        lambda model, tokens, training: model(tokens),
        data.stretches(text.train, settings.length),
        data.stretches(text.held_out, settings.length, settings.held_out),
        settings.batch_size,
        settings.steps,
        MIDDLES[REFERENCE],
    )


def run(learnt: tuple[training.Problem, Any], make: Make, name: str, settings: Settings) -> Any:
    """The best rate of an optimizer, and its held-out losses [seeds, stretches]."""
    problem, watch = learnt
    epochs = settings.steps // settings.stretch

    def losses(rates: np.ndarray, seeds: range) -> np.ndarray:
        found = training.train(problem, make, rates, seeds=seeds, epochs=epochs, watch=watch)
        return found["held_out"].astype(float)

    rates = settings.rates(name)
    others = range(settings.seeds, settings.seeds + settings.tuning_seeds)
    trials = losses(rates, others)[..., -1]
    point = training.best(trials)
    curves = losses(rates[point : point + 1], range(settings.seeds))[:, 0]
    return {
        "rates": training.rounded(rates, 3),
        "tuning": training.rounded(trials.mean(axis=0), 5),
        "best": training.rounded(rates[point], 3),
        "at_edge": training.at_edge(point, rates.tolist()),
        "curves": training.rounded(curves, 5),
    }


def judged(results: Mapping[str, Any], stretch: int) -> dict[str, Any]:
    """The final losses beside AdamW's of the same seed, and the steps to reach those.

    >>> curves = {"adamw": [[3.0, 2.0], [3.0, 2.5]], "muon": [[1.5, 1.0], [4.0, 3.0]]}
    >>> judged({name: {"curves": each} for name, each in curves.items()}, 10)["muon"]["steps"]
    [10, None]
    """
    reference = np.array(results[REFERENCE]["curves"], float)[:, -1]
    found = {}
    for name, result in results.items():
        curves = np.array(result["curves"], float)
        last, reached = curves[:, -1], curves <= reference[:, None]
        mean, error = difference(last, reference)
        signs = np.sign(last - reference)
        found[name] = {
            "last": training.rounded(last, 5),
            "difference": training.rounded(mean, 3),
            "standard_error": training.rounded(error, 2),
            "beyond_noise": bool(abs(signs.sum()) == len(last) and abs(mean) > 2 * error),
            "steps": [stretch * (int(row.argmax()) + 1) if row.any() else None for row in reached],
        }
    return found


def table(report: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows, the lowest final loss first."""
    rate, steps = report["results"][REFERENCE]["best"], report["settings"]["steps"]
    rows = []
    for name, each in sorted(report["judged"].items(), key=lambda item: np.mean(item[1]["last"])):
        result = report["results"][name]
        taken = [s for s in each["steps"] if s is not None]
        missed = len(each["steps"]) - len(taken)
        to_reach = f"{np.mean(taken):.0f} ({min(taken)} to {max(taken)})" if taken else "-"
        rows.append(
            [
                name,
                f"{result['best']:g}{' (edge)' * result['at_edge']}",
                f"{result['best'] / rate:.2g}",
                f"{np.mean(each['last']):.4f}",
                f"{each['difference']:+.4f} ± {each['standard_error']:.4f}",
                "yes" if each["beyond_noise"] else "no",
                to_reach + f", {missed} seeds never" * bool(missed),
            ]
        )
    headings = ["optimizer of the kernels", "learning rate", "times AdamW's", "final loss"]
    headings += ["difference to AdamW", "beyond noise", f"steps to AdamW's loss after {steps}"]
    return headings, rows


def markdown(report: Mapping[str, Any]) -> str:
    """The table in Markdown."""
    headings, rows = table(report)
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Held-out losses over the steps, and final losses of the candidates."""
    figure, panels = pictures.axes([["loss", "rates"]], (13, 5), width_ratios=[1.5, 1])
    rate = report["results"][REFERENCE]["best"]
    colors = [*pictures.COLORS, "#999933"]
    for color, (name, result) in zip(colors, report["results"].items(), strict=False):
        curves = np.array(result["curves"], float)
        steps = report["settings"]["stretch"] * np.arange(1, curves.shape[1] + 1)
        label = f"{name} (rate {result['best']:g})"
        panels["loss"].plot(steps, curves.mean(axis=0), color=color, label=label)
        panels["loss"].fill_between(
            steps, curves.min(axis=0), curves.max(axis=0), color=color, alpha=0.15, linewidth=0
        )
        ratios = np.array(result["rates"]) / rate
        tuning = np.array(result["tuning"], float)
        panels["rates"].plot(ratios, tuning, color=color, marker="o", markersize=3)
    reference = np.mean([curve[-1] for curve in report["results"][REFERENCE]["curves"]])
    panels["loss"].axhline(reference, color="#999999", linestyle=":")
    panels["loss"].set(xlabel="step", ylabel="held-out loss [nats per byte]", ylim=(None, 3.2))
    panels["loss"].legend(frameon=False, fontsize=8)
    xlabel = "learning rate / best of AdamW"
    panels["rates"].set(xlabel=xlabel, ylabel="final loss, other seeds")
    pictures.logarithmic(panels["rates"].xaxis)
    seeds = report["settings"]["seeds"]
    figure.suptitle(f"Matrix optimizers on a byte-level transformer, range of {seeds} seeds")
    pictures.save(figure, file)


def main(argv: Sequence[str] | None = None) -> None:
    given: argparse.Namespace = record.parse(record.parser("matrix_optimizers", __doc__), argv)
    settings = QUICK if given.quick else Settings()
    made, start = task(settings), time.perf_counter()
    learnt = streams.of_task(made, settings.stretch)
    results: dict[str, Any] = {}
    with console.progress({"optimizers": len(settings.optimizers)}) as advance:
        for name in settings.optimizers:
            beside = results[REFERENCE]["best"] if results else 0.0
            make = optimizer(name, settings.steps, beside)
            results[name] = run(learnt, make, name, settings)
            advance("optimizers", name)
    measured = {
        "data": made.data,
        "seconds": round(time.perf_counter() - start),
        "results": results,
        "judged": judged(results, settings.stretch),
    }
    print(markdown({"settings": settings._asdict(), **measured}))
    record.write("matrix_optimizers", given, settings._asdict(), measured)


if __name__ == "__main__":
    main()
