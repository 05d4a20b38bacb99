"""Loss after a change of the optimizer: a converted state beside a new one.

A byte-level transformer is trained by one optimizer. Another one goes on from its parameters, once
with the state of `adamjax.convert_optimizer` and once with that of `init`. Both runs have the same
examples and the same ramp of the learning rate. A seed draws the weights and the examples.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from adamjax.cli.descent import evaluated
from benchmarks import matrix_optimizers, record, streams, training
from examples import console, pictures

LAYOUTS = matrix_optimizers.LAYOUTS
RATES = {
    **dict.fromkeys(("adamw", "adamw 8bit", "soap", "schedule_free_adamw"), 4e-3),
    "lion": 5e-4,
    "muon": 2e-2,
}
MAKERS: Mapping[str, Any] = {
    "adamw": adamjax.adamw,
    "adamw 8bit": lambda rate: adamjax.store(adamjax.adamw(rate), "8bit", min_size=1024),
    "lion": adamjax.lion,
    # Adam's rate for the other leaves is AdamW's.
    "muon": lambda rate: adamjax.muon(rate, layouts=LAYOUTS, adam_scale=0.2),
    "soap": lambda rate: adamjax.soap(rate, layouts=LAYOUTS),
    "schedule_free_adamw": adamjax.schedule_free_adamw,
}
OTHERS = ("muon", "soap", "lion", "adamw 8bit", "schedule_free_adamw")


class Settings(NamedTuple):
    seeds: int = 3
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
        *(("adamw", name) for name in OTHERS),
        *((name, "adamw") for name in OTHERS),
    )


PAIRS = (("adamw", "muon"), ("schedule_free_adamw", "adamw"))
QUICK = Settings(2, 8, 4, 2, 0.05, 2, 16, 1, 2, 16, 4, 8, PAIRS)


def optimizer(name: str, start: Any, settings: Settings) -> optax.GradientTransformation:
    """The optimizer with a rate that rises from step `start` on, then stays."""
    low = settings.ramp_start

    def rate(count: Any) -> Any:
        share = jnp.clip((count - start) / settings.ramp, 0, 1)
        return RATES[name] * (low + (1 - low) * share)

    return MAKERS[name](rate)


class Trainer:
    """Trainings on the examples of a seed. Each optimizer is compiled once."""

    def __init__(self, settings: Settings):
        names = ("width", "depth", "heads", "length", "batch_size", "held_out")
        sizes = {name: getattr(settings, name) for name in names}
        task = matrix_optimizers.task(matrix_optimizers.Settings(**sizes))
        self.settings, self.data = settings, task.data
        self.problem, self.watch = streams.of_task(task, 1)
        self.run = jax.jit(self._run, static_argnums=0)
        self.made = {
            (name, start): optimizer(name, start, settings)
            for name in MAKERS
            for start in (0, settings.before)
        }

    def _run(self, name: str, start: Any, params: Any, state: Any, rows: Any, data: Any) -> Any:
        """Train over rows of examples [steps, batch]."""
        step = training.stepper(self.problem, optimizer(name, start, self.settings), data)
        keys = jax.random.split(jax.random.key(0), len(rows))
        (params, state), losses = jax.lax.scan(step, (params, state), (rows, keys))
        return params, state, losses, self.watch(params, state)["held_out"]

    def measure(self, seed: int, advance: Any) -> Any:
        """The losses [steps] and the final held-out loss by pair and start."""
        settings, problem = self.settings, self.problem
        total = settings.before + settings.after
        order = np.random.default_rng(seed).permutation(len(problem.train[0]))
        rows = order[: total * problem.batch_size].reshape(total, problem.batch_size)
        stretches, begun, results = np.split(rows, total // settings.after), {}, {}
        for old, new in settings.pairs:
            before = self.made[old, 0]
            if old not in begun:
                params = problem.init(jax.random.key(seed))
                state = before.init(params)
                for part in stretches[:-1]:
                    params, state, *_ = self.run(old, 0, params, state, part, problem.train)
                begun[old] = params, state
            params, state = begun[old]
            params = evaluated(state, params)
            after = self.made[new, settings.before]
            starts = {
                "converted": (
                    settings.before,
                    adamjax.convert_optimizer(state, before, after, params),
                ),
                "new": (0, after.init(params)),
            }
            results[old, new] = {}
            for kind, (start, given) in starts.items():
                *_, losses, held_out = self.run(
                    new, start, params, given, stretches[-1], problem.train
                )
                results[old, new][kind] = np.asarray(losses, float), float(held_out)
            advance("pairs", f"{old} to {new}")
        return results


def judged(losses: Mapping[str, Any], window: int) -> dict[str, Any]:
    """Differences of a converted and a new start, of moving averages over the steps.

    >>> judged({"converted": [[1.0, 2.0]], "new": [[2.0, 2.5]]}, 1)
    {'mean': -0.75, 'largest': -0.5}
    """
    pairs = [np.asarray(losses[start], float).mean(axis=0) for start in ("converted", "new")]
    first, second = (pictures.smooth(curve, window)[1] for curve in pairs)
    difference = first - second
    return {
        "mean": training.rounded(difference.mean(), 3),
        "largest": training.rounded(difference.max(), 3),
    }


def draw(report: Mapping[str, Any], file: Path) -> None:
    """A panel for each pair: the losses of both starts, mean and range of the seeds."""
    names, columns = list(report["results"]), 4
    cells = names + ["."] * (-len(names) % columns)
    mosaic = [cells[i : i + columns] for i in range(0, len(cells), columns)]
    figure, panels = pictures.axes(mosaic, (14, 3 * len(mosaic)), sharex=True)
    for name, panel in panels.items():
        for start, color in zip(("new", "converted"), pictures.COLORS[1::-1], strict=True):
            curves = np.array(report["results"][name][start], float)
            smooth = [pictures.smooth(curve, report["settings"]["window"]) for curve in curves]
            steps, values = smooth[0][0], np.array([curve for _, curve in smooth])
            panel.plot(steps, values.mean(axis=0), color=color, label=f"{start} state")
            low, high = values.min(axis=0), values.max(axis=0)
            panel.fill_between(steps, low, high, color=color, alpha=0.15, linewidth=0)
        panel.set_title(name, fontsize=9)
        panel.set(xlabel="step after the change", ylabel="training loss [nats per byte]")
    panels[names[0]].legend(frameon=False, fontsize=8)
    seeds, window = (report["settings"][key] for key in ("seeds", "window"))
    figure.suptitle(f"Change of the optimizer, means of {window} steps, range of {seeds} seeds")
    pictures.save(figure, file)


def main(argv: Sequence[str] | None = None) -> None:
    given: argparse.Namespace = record.parse(record.parser("convert", __doc__), argv)
    settings = QUICK if given.quick else Settings()
    trainer, start = Trainer(settings), time.perf_counter()
    with console.progress({"pairs": settings.seeds * len(settings.pairs)}) as advance:
        runs = [trainer.measure(i, advance) for i in range(settings.seeds)]
    results: dict[str, Any] = {}
    for pair in settings.pairs:
        of_pair = results[" to ".join(pair)] = {}
        for kind in ("converted", "new"):
            of_pair[kind] = [training.rounded(run[pair][kind][0], 5) for run in runs]
            of_pair[f"{kind}_held_out"] = [round(run[pair][kind][1], 5) for run in runs]
    table = {name: judged(losses, settings.window) for name, losses in results.items()}
    console.table(
        ("from, to", "mean difference", "largest difference"),
        [(name, f"{each['mean']:+.4f}", f"{each['largest']:+.4f}") for name, each in table.items()],
    )
    seconds = round(time.perf_counter() - start)
    measured = {"data": trainer.data, "seconds": seconds, "results": results, "judged": table}
    record.write("convert", given, settings._asdict(), measured)


if __name__ == "__main__":
    main()
