"""Loss after a change of the optimizer: a converted state beside a new one.

A byte-level transformer is trained by one optimizer. Another one goes on from its parameters, once
with the state of `adamjax.convert_optimizer` and once with that of `init`. Both runs have the same
examples. A seed draws the weights and the examples.

All learning rates are chosen on a seed that is not used again, from candidates that are each twice
the one before. Each start has its own rate, and its own choice between a ramp and none: those with
the lowest mean loss over the steps after the change. "adamw to adamw" goes on without a change.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import adamjax
from adamjax.cli.descent import evaluated
from benchmarks import matrix_optimizers, record, streams, training
from examples import console, pictures

LAYOUTS = matrix_optimizers.LAYOUTS
MIDDLES = {
    **dict.fromkeys(("adamw", "adamw 8bit", "soap"), 8e-3),
    **dict.fromkeys(("muon", "schedule_free_adamw"), 1.6e-2),
    "lion": 4e-3,
}
B2 = 0.99  # an average over fewer steps than were done
MAKERS: Mapping[str, Any] = {
    "adamw": lambda rate: adamjax.adamw(rate, b2=B2),
    "adamw 8bit": lambda rate: adamjax.store(adamjax.adamw(rate, b2=B2), "8bit", min_size=1024),
    "lion": adamjax.lion,
    # Adam's rate for the other leaves is AdamW's.
    "muon": lambda rate: adamjax.muon(rate, layouts=LAYOUTS, adam_scale=0.2),
    "soap": lambda rate: adamjax.soap(rate, layouts=LAYOUTS),
    "schedule_free_adamw": lambda rate: adamjax.schedule_free_adamw(rate, b2=B2),
}
STARTS = ("converted", "new")
OTHERS = ("muon", "soap", "lion", "adamw 8bit", "schedule_free_adamw")


class Settings(NamedTuple):
    seeds: int = 3
    candidates: int = 5
    before: int = 300
    after: int = 100
    ramp: int = 20  # steps
    ramp_start: float = 0.05
    window: int = 10  # steps, of the moving average of the losses
    width: int = 32
    depth: int = 1
    heads: int = 4
    length: int = 32
    batch_size: int = 8
    held_out: int = 256
    pairs: tuple[tuple[str, str], ...] = (
        ("adamw", "adamw"),
        *(("adamw", name) for name in OTHERS),
        *((name, "adamw") for name in OTHERS),
    )

    def points(self, name: str, *, after: bool) -> list[tuple[float, float]]:
        """The candidates: learning rates, lower after the change, and starts of a ramp."""
        rates = MIDDLES[name] * 2.0 ** (np.arange(self.candidates) - self.candidates // 2)
        if not after:
            return [(rate, 1.0) for rate in rates.tolist()]
        return [(rate / 4, low) for rate in rates.tolist() for low in (1.0, self.ramp_start)]


PAIRS = (("adamw", "muon"), ("schedule_free_adamw", "adamw"))
QUICK = Settings(2, 2, 8, 4, 2, 0.05, 2, 16, 1, 2, 16, 4, 8, PAIRS)


class Trainer:
    """Trainings on the examples of a seed. Each optimizer is compiled once."""

    def __init__(self, settings: Settings):
        names = ("width", "depth", "heads", "length", "batch_size", "held_out")
        sizes = {name: getattr(settings, name) for name in names}
        task = matrix_optimizers.task(matrix_optimizers.Settings(**sizes))
        self.settings, self.data = settings, task.data
        self.problem, self.watch = streams.of_task(task, 1)
        self.run = jax.jit(self._run, static_argnums=0)
        self.olds = list(dict.fromkeys(old for old, _ in settings.pairs))

    def optimizer(self, name: str, rate: Any, low: Any = 1.0, start: Any = 0) -> Any:
        """The optimizer with a learning rate that rises from `low` times it at step `start`."""

        def schedule(count: Any) -> Any:
            share = jnp.clip((count - start) / self.settings.ramp, 0, 1)
            return rate * (low + (1 - low) * share)

        return MAKERS[name](schedule)

    def rows(self, seed: int) -> list[np.ndarray]:
        """The examples of stretches of steps, the last one with the second optimizer."""
        settings, size = self.settings, self.problem.batch_size
        total = settings.before + settings.after
        order = np.random.default_rng(seed).permutation(len(self.problem.train[0]))
        return np.split(order[: total * size].reshape(total, size), total // settings.after)

    def _run(self, name: str, point: Any, params: Any, state: Any, rows: Any, data: Any) -> Any:
        """Train over rows of examples [steps, batch] with (rate, low, start)."""
        step = training.stepper(self.problem, self.optimizer(name, *point), data)
        keys = jax.random.split(jax.random.key(0), len(rows))
        (params, state), losses = jax.lax.scan(step, (params, state), (rows, keys))
        return params, state, losses, self.watch(params, state)["held_out"]

    def begin(self, old: str, point: Any, seed: int) -> tuple[np.ndarray, Any]:
        """Train with the first optimizer; return losses, and parameters to evaluate and state."""
        *stretches, _ = self.rows(seed)
        params, losses = self.problem.init(jax.random.key(seed)), np.zeros(0)
        state = self.optimizer(old, *point).init(params)
        for rows in stretches:
            params, state, losses, _ = self.run(
                old, (*point, 0), params, state, rows, self.problem.train
            )
        return losses, (evaluated(state, params), state)

    def starts(self, pair: tuple[str, str], params: Any, state: Any) -> dict[str, Any]:
        """The states to go on with, and the steps they count."""
        old, new = (self.optimizer(name, MIDDLES[name]) for name in pair)
        converted = adamjax.convert_optimizer(state, old, new, params)
        return {"converted": (converted, self.settings.before), "new": (new.init(params), 0)}

    def go_on(self, new: str, point: Any, params: Any, start: Any, seed: int) -> Any:
        """Train with the second optimizer; return the losses and the held-out loss."""
        (state, count), rows = start, self.rows(seed)[-1]
        *_, losses, held_out = self.run(
            new, (*point, count), params, state, rows, self.problem.train
        )
        return np.asarray(losses, float), float(held_out)

    def pairs_of(self, old: str) -> list[tuple[str, str]]:
        return [pair for pair in self.settings.pairs if pair[0] == old]

    def tune(self, advance: Any) -> tuple[dict[str, Any], dict[Any, Any]]:
        """The trials of the first optimizers by name, of the second ones by pair and start."""
        settings, seed = self.settings, self.settings.seeds
        first, second = {}, {}
        for old in self.olds:
            points = settings.points(old, after=False)
            trials = [self.begin(old, point, seed) for point in points]
            first[old] = trial(points, [losses for losses, _ in trials], settings.window)
            _, (params, state) = trials[first[old]["index"]]
            for pair in self.pairs_of(old):
                points = settings.points(pair[1], after=True)
                second[pair] = {}
                for kind, start in self.starts(pair, params, state).items():
                    runs = [self.go_on(pair[1], p, params, start, seed) for p in points]
                    second[pair][kind] = trial(points, [x for x, _ in runs], settings.after)
                advance("tuning", " to ".join(pair))
        return first, second

    def measure(self, seed: int, first: Any, second: Any, advance: Any) -> Any:
        """The losses [steps] and the final held-out loss by pair and start."""
        results: dict[Any, Any] = {}
        for old in self.olds:
            _, (params, state) = self.begin(old, first[old]["best"], seed)
            for pair in self.pairs_of(old):
                results[pair] = {
                    kind: self.go_on(pair[1], second[pair][kind]["best"], params, start, seed)
                    for kind, start in self.starts(pair, params, state).items()
                }
                advance("pairs", " to ".join(pair))
        return results


def trial(points: Sequence[tuple[float, float]], losses: Any, last: int) -> dict[str, Any]:
    """The candidates with the means of so many last losses, and the best, for a result file."""
    means, rates = (
        np.array([np.mean(each[-last:]) for each in losses]),
        [rate for rate, _ in points],
    )
    index = training.best(means[None])
    return {
        "points": training.rounded(points, 3),
        "losses": training.rounded(means, 5),
        "index": index,
        "best": points[index],
        "at_edge": rates[index] in (rates[0], rates[-1]),
    }


def judged(losses: Mapping[str, Any], window: int) -> dict[str, Any]:
    """The difference of a converted and a new start: means of each seed, and of moving averages.

    >>> judged({"converted": [[1.0, 2.0]], "new": [[2.0, 2.5]]}, 1)
    {'mean': -0.75, 'of_seeds': [-0.75], 'largest': -0.5}
    """
    converted, new = (np.asarray(losses[kind], float) for kind in STARTS)
    differences = converted - new
    largest = pictures.smooth(differences.mean(axis=0), window)[1].max()
    return {
        "mean": training.rounded(differences.mean(), 3),
        "of_seeds": training.rounded(differences.mean(axis=1), 3),
        "largest": training.rounded(largest, 3),
    }


def draw(report: Mapping[str, Any], file: Path) -> None:
    """A panel for each pair: the difference of both losses, mean and range of the seeds."""
    names, columns = list(report["results"]), 4
    cells = names + ["."] * (-len(names) % columns)
    mosaic = [cells[i : i + columns] for i in range(0, len(cells), columns)]
    figure, panels = pictures.axes(mosaic, (14, 3 * len(mosaic)), sharex=True, sharey=True)
    seeds, window = (report["settings"][key] for key in ("seeds", "window"))
    for name, panel in panels.items():
        result = report["results"][name]
        converted, new = (np.array(result[kind], float) for kind in STARTS)
        smooth = [pictures.smooth(curve, window) for curve in converted - new]
        steps, values = smooth[0][0], np.array([curve for _, curve in smooth])
        panel.plot(steps, values.mean(axis=0), color=pictures.COLORS[0])
        low, high = values.min(axis=0), values.max(axis=0)
        panel.fill_between(steps, low, high, color=pictures.COLORS[0], alpha=0.15, linewidth=0)
        panel.axhline(0, color="#999999", linestyle=":")
        chosen = [result["tuning"][kind]["best"] for kind in STARTS]
        rates = [f"{rate:.2g}{' with a ramp' * (low < 1)}" for rate, low in chosen]
        panel.set_title(f"{name}, rates {' and '.join(rates)}", fontsize=8)
        panel.set(xlabel="step after the change", ylabel="difference [nats per byte]")
    title = f"Loss of a converted minus a new state, means of {window} steps, {seeds} seeds"
    figure.suptitle(title)
    pictures.save(figure, file)


def main(argv: Sequence[str] | None = None) -> None:
    given: argparse.Namespace = record.parse(record.parser("convert", __doc__), argv)
    settings = QUICK if given.quick else Settings()
    trainer, start = Trainer(settings), time.perf_counter()
    pairs = len(settings.pairs)
    with console.progress({"tuning": pairs, "pairs": settings.seeds * pairs}) as advance:
        first, second = trainer.tune(advance)
        runs = [trainer.measure(i, first, second, advance) for i in range(settings.seeds)]
    results: dict[str, Any] = {}
    for pair in settings.pairs:
        of_pair = results[" to ".join(pair)] = {"tuning": second[pair]}
        for kind in STARTS:
            of_pair[kind] = [training.rounded(run[pair][kind][0], 5) for run in runs]
            of_pair[f"{kind}_held_out"] = [round(run[pair][kind][1], 5) for run in runs]
    table = {name: judged(losses, settings.window) for name, losses in results.items()}
    rows = [(name, f"{x['mean']:+.4f}", f"{x['largest']:+.4f}") for name, x in table.items()]
    console.table(("from, to", "mean difference", "largest difference"), rows)
    seconds = round(time.perf_counter() - start)
    measured = {"data": trainer.data, "seconds": seconds, "tuning": first}
    measured |= {"results": results, "judged": table}
    record.write("convert", given, settings._asdict(), measured)


if __name__ == "__main__":
    main()
