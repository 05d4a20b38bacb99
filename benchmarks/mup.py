"""The best learning rate and the sizes of activations over widths, with and without `adamjax.mup`.

A transformer of one block on bytes and an MLP on digits train at several widths, each with a grid
of learning rates. The best rate is the minimum of a parabola through the mean held-out losses
within a factor of 2 of the lowest one, over the logarithm of the rate. A grid whose best rate is at
an end is extended once. Activations are compared
over the first steps, at the best rate of the smallest width. All models start with an output of 0.
Without `mup`, kernels have LeCun's variance, embeddings a constant one, and one rate for all.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

import adamjax
from benchmarks import quality, record, training
from examples import console, mup_coordinate_check, pictures
from examples.mup_coordinate_check import MODELS

HYPERBALL = "hyperball (adamh)"
OPTIMIZERS: dict[str, tuple[Any, str | None]] = {
    **{name: (name, None) for name in ("adamw", "lion")},
    # The rate of embeddings and the output is that of Adam: a fifth of the rate of matrices.
    "muon": (partial(adamjax.muon, adam_scale=0.2), None),
    HYPERBALL: (partial(adamjax.hyperball, adamjax.scale_by_adam()), "adamh"),
}
WAYS = ("with", "without")


class Settings(NamedTuple):
    """Widths by optimizer: steps of Muon take longest. Rates are powers of 2 times another rate."""

    seeds: int = 3
    steps: int = 30
    first: int = 10  # steps in which activations are compared
    widths: Mapping[str, Sequence[int]] = {
        **dict.fromkeys(OPTIMIZERS, (64, 128, 256, 512)),
        "muon": (32, 64, 128, 256),
    }
    middles: Mapping[str, Sequence[float]] = {  # for the MLP and the transformer
        "adamw": (1.2e-2, 3.2e-2),
        "lion": (8e-3, 2.4e-2),
        "muon": (1e-1, 1.6e-1),
        HYPERBALL: (3.6e-2, 5.6e-2),
    }
    at_base: Sequence[float] = tuple(np.arange(-2, 2.1, 0.5).tolist())  # times the middle
    # Times the best rate of the smallest width, for the largest width. Others have one rate.
    powers: Mapping[str, Sequence[float]] = {
        "with": (-1, -0.5, 0, 0.5, 1),
        "without": (1, 0, -1, -2, -3),
    }


QUICK = Settings(
    seeds=1,
    steps=4,
    first=4,
    widths=dict.fromkeys(OPTIMIZERS, (16, 32)),
    at_base=(-1, 0, 1),
    powers=dict.fromkeys(WAYS, (-1, 0, 1)),
)


def optimizer(name: str, way: str, params: Any, base: Any, rate: Any, steps: int) -> Any:
    """The optimizer with a schedule that rises for a tenth of the steps and falls to 0."""
    shape = quality.rising_and_falling(1.0, steps)
    schedule = lambda count: rate * shape(count)  # noqa: E731
    make, kind = OPTIMIZERS[name]
    if way == "with":
        return adamjax.mup(make, params, base, kind=kind, learning_rate=schedule)
    make = adamjax.get_variant(make).optimizer if isinstance(make, str) else make
    return make(learning_rate=schedule)


def run(
    model: Any, data: Any, name: str, way: str, widths: Sequence[int], rates: Any, settings: Any
) -> dict[str, Any]:
    """Held-out losses [seeds, rates] and activations [rates] of the last of the widths."""
    base, width = widths[0], widths[-1]
    train, held_out = data
    small = jax.eval_shape(lambda: model.init(jax.random.key(0), base))

    @jax.jit
    def of_rates(params: Any, taken: Any, rates: Any) -> Any:
        def of_rate(rate: Any) -> Any:
            tx = optimizer(name, way, params, small, rate, settings.steps)
            new, activations = mup_coordinate_check.train(model, tx, params, taken)
            first = {k: x[: settings.first] for k, x in activations.items()}
            return model.loss(new, *held_out)[0], first

        return jax.lax.map(of_rate, rates)

    found = []
    for seed in range(settings.seeds):
        params = mup_coordinate_check.start(model, width, base, seed, way == "with")
        taken = mup_coordinate_check.batches(model, train, settings.steps, seed)
        found.append(jax.tree.map(np.asarray, of_rates(params, taken, np.array(rates))))
    losses, activations = zip(*found, strict=True)
    means = {key: np.mean([each[key] for each in activations], 0) for key in activations[0]}
    return {"rates": list(rates), "losses": np.array(losses), "activations": means}


def extended(run_at: Callable[[Any], dict[str, Any]], row: dict[str, Any]) -> dict[str, Any]:
    """The row with two more rates, if the best is at an end of its grid."""
    rates = np.sort(row["rates"])
    at = int(np.argmin(abs(rates - row["rates"][training.best(row["losses"])])))
    if len(rates) == 1 or not training.at_edge(at, rates.tolist()):
        return row
    inner = rates[1] if at == 0 else rates[-2]
    more = run_at(rates[at] * (rates[at] / inner) ** np.array([1, 2]))
    joined = {key: np.concatenate([row[key], more[key]], -1) for key in ("rates", "losses")}
    activations = {
        k: np.concatenate([x, more["activations"][k]]) for k, x in row["activations"].items()
    }
    return {**joined, "activations": activations}


def best(rates: Sequence[float], losses: np.ndarray) -> float:
    """The rate at the minimum of the parabola, an end of the grid if the lowest loss is there.

    >>> rates = [0.25, 0.5, 1.0, 2.0, 4.0]
    >>> round(best(rates, np.array([(np.log2(rate) - 0.25) ** 2 for rate in rates])), 4)
    1.1892
    """
    order = np.argsort(rates)
    x, y = np.log2(np.array(rates)[order]), np.asarray(losses, float)[order]
    low = int(np.nanargmin(y))
    if training.at_edge(low, x.tolist()):
        return float(2 ** x[low])
    near = (abs(x - x[low]) < 1.01) & np.isfinite(y)
    a, b, _ = np.polyfit(x[near], y[near], 2)
    vertex = -b / (2 * a) if a > 0 else x[low]
    return float(2 ** np.clip(vertex, x[low] - 1, x[low] + 1))


def measure(model_name: str, name: str, settings: Settings) -> dict[str, Any]:
    """Of an optimizer on a model: for each way and width its rates, losses and activations."""
    model = MODELS[model_name]
    data = model.load()
    widths = settings.widths[name]
    middle = settings.middles[name][list(MODELS).index(model_name)]
    rates = middle * 2.0 ** np.array(settings.at_base)
    first = run(model, data, name, "with", widths[:1], rates, settings)
    start = rates[training.best(first["losses"])]
    found: dict[str, Any] = {way: {widths[0]: first} for way in WAYS}
    for way, powers in settings.powers.items():
        for width in widths[1:]:
            rates = start * 2.0 ** np.array(powers if width == widths[-1] else (0,))
            run_at = partial(run, model, data, name, way, (*widths[:1], width), settings=settings)
            found[way][width] = extended(run_at, run_at(rates))
    return {
        way: {str(w): summary(row, start) for w, row in rows.items()} for way, rows in found.items()
    }


def summary(row: Mapping[str, Any], start: float) -> dict[str, Any]:
    """For the result file: the losses, the best rate, and activations at the rate `start`."""
    rates, losses = row["rates"], row["losses"]
    at = int(np.argmin(abs(np.array(rates) - start)))
    return {
        "rates": training.rounded(rates),
        "losses": training.rounded(losses, 5),
        "best": training.rounded(best(rates, losses.mean(0)), 3),
        "best of seeds": training.rounded([best(rates, each) for each in losses], 3),
        "at_edge": training.at_edge(training.best(losses[:, np.argsort(rates)]), list(rates)),
        "activations": {key: training.rounded(x[at]) for key, x in row["activations"].items()},
    }


def spread(rows: Mapping[str, Any]) -> tuple[float, str]:
    """The largest ratio of an activation's sizes over widths at a step, and its name."""
    ratios = {}
    for name in next(iter(rows.values()))["activations"]:
        sizes = np.array([row["activations"][name] for row in rows.values()], float)
        sizes = np.where(np.isfinite(sizes), sizes, np.inf)[:, sizes.all(0)]  # logits start at 0
        ratios[name] = float(np.max(sizes.max(0) / sizes.min(0)))
    worst = max(ratios, key=ratios.__getitem__)
    return ratios[worst], worst


def table(report: Mapping[str, Any]) -> str:
    """The table in Markdown."""
    parts = "best rate moves", "activations differ", "loss at the small model's rate"
    headings = [
        "model",
        "optimizer",
        "widths",
        *(f"{part}, {way}" for part in parts for way in WAYS),
    ]
    headings.append("lowest loss, without")
    lines = [f"| {' | '.join(headings)} |", "|---" * len(headings) + "|"]
    for model, of_model in report["results"].items():
        for name, ways in of_model.items():
            cells = [model, name, " to ".join(list(ways["with"])[:: len(ways["with"]) - 1])]
            cells += [moved(ways[way]) for way in WAYS]
            cells += ["{:.2f} ({})".format(*spread(ways[way])) for way in WAYS]
            small, *_, _ = ways["with"].values()
            start = small["rates"][training.best(small["losses"])]
            wide = {way: list(ways[way].values())[-1] for way in WAYS}
            cells += [f"{of_rates(wide[way])[start]:.3f}" for way in WAYS]
            cells.append(f"{min(of_rates(wide['without']).values()):.3f}")
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def moved(rows: Mapping[str, Any]) -> str:
    """The factor by which the best rate of the largest width differs."""
    small, *_, wide = rows.values()
    ratio = wide["best"] / small["best"]
    bound = "at least " * wide["at_edge"]
    return f"{bound}{max(ratio, 1 / ratio):.2f} {'up' if ratio > 1 else 'down'}"


def of_rates(row: Mapping[str, Any]) -> dict[float, float]:
    """The mean loss of each rate."""
    means = np.array(row["losses"], float).mean(0)
    return dict(zip(row["rates"], means.tolist(), strict=True))


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Losses over learning rates, for each width."""
    results = report["results"]
    names = list(dict.fromkeys(name for of_model in results.values() for name in of_model))
    rows = [(model, way) for model in results for way in WAYS]
    mosaic = [[f"{name}\n{model}, {way} mup" for name in names] for model, way in rows]
    figure, panels = pictures.axes(mosaic, (3.6 * len(names), 3 * len(rows)))
    for model, way in rows:
        for name in names:
            panel = panels[title := f"{name}\n{model}, {way} mup"]
            ways = results[model].get(name, {way: {}})
            for color, (width, row) in zip(pictures.COLORS, ways[way].items(), strict=False):
                order = np.argsort(row["rates"])
                losses = np.array(row["losses"], float).mean(0)[order]
                rates = np.array(row["rates"])[order]
                panel.plot(rates, losses, color=color, marker=".", label=width)
                if len(rates) > 1:
                    panel.axvline(row["best"], color=color, linestyle=":", linewidth=1)
            panel.set(title=title)
            pictures.logarithmic(panel.xaxis)
            if ways[way]:
                panel.legend(frameon=False, fontsize=8)
    figure.supxlabel("learning rate (dotted: the best of each width)")
    figure.supylabel("held-out loss [nats]")
    pictures.save(figure, file)
    for model, of_model in results.items():
        labels = {
            f"{name}, {way} mup": {int(w): r["activations"] for w, r in ways[way].items()}
            for name, ways in of_model.items()
            for way in WAYS
        }
        picture = file.with_name(file.name.replace("mup.", f"mup_{model}.", 1))
        mup_coordinate_check.draw(labels, picture, model)


def main(argv: Sequence[str] | None = None) -> None:
    options = record.parser("mup", __doc__)
    options.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    options.add_argument("--optimizers", nargs="+", choices=OPTIMIZERS, default=list(OPTIMIZERS))
    options.add_argument("--add", action="store_true", help="keep other rows of the last result")
    given = record.parse(options, argv)
    settings = QUICK if given.quick else Settings()
    pairs = [(model, name) for model in given.models for name in given.optimizers]
    report: dict[str, Any] = {"seconds": 0, "results": {}}
    with console.progress({"optimizers": len(pairs)}) as advance:
        for i, (model, name) in enumerate(pairs):
            start = time.perf_counter()
            found = measure(model, name, settings)
            earlier = list(record.find("mup", given.results).values()) if i or given.add else []
            report = record.read(earlier[0]) if earlier else report
            report["results"].setdefault(model, {})[name] = found
            measured = {
                "seconds": report["seconds"] + round(time.perf_counter() - start),
                "results": report["results"],
            }
            record.write("mup", given, settings._asdict(), measured)
            advance("optimizers", f"{model}, {name}")
            print(table(measured))


if __name__ == "__main__":
    main()
