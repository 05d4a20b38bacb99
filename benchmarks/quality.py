"""Whether models learn as well with few bits of state: final losses of several seeds each.

Every format starts from the weights of float32 and sees its batches. A format is judged by the
distance of its mean final loss from float32's, in standard errors of the latter over the seeds. The
row "nudged" is float32 from weights changed by a millionth. Differences of its size are chance.

Compared are AdamW on four tasks, b2 of 0.95, 0.999 and 0.9999 on one, every variant of adamjax that
has the formats on the cheapest, and 1 byte for a parameter: Adafactor with 8 bits of momentum.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import adamjax
from adamjax.storage.state_moments import split_moments
from benchmarks import record, streams, tasks, training
from examples import console, pictures

STORAGES = ("float32", "bfloat16", "8bit_v16", "8bit")
NUDGE = 1e-6
MEASURES = ("held_out", "training")
FARTHEST = 6  # standard errors in the picture


class Settings(NamedTuple):
    seeds: int = 5
    steps: int | None = None  # as many as the task says
    tasks: tuple[str, ...] = tuple(tasks.TASKS)
    b2s: tuple[float, ...] = (0.95, 0.999, 0.9999)
    variants: tuple[str, ...] = ()  # all


QUICK = Settings(seeds=2, steps=4, tasks=("MNIST MLP",), b2s=(), variants=("sgd", "amsgrad"))


class Comparison(NamedTuple):
    """An optimizer on a task: `make(steps)`, and the formats of its state."""

    task: str
    optimizer: str
    make: Callable[[int], optax.GradientTransformation]
    storages: tuple[str, ...] = STORAGES


def rising_and_falling(peak: float, steps: int) -> optax.Schedule:
    return optax.schedules.warmup_cosine_decay_schedule(0.0, peak, max(1, steps // 10), steps)


def adamw(task: tasks.Task, b2: float) -> Callable[[int], optax.GradientTransformation]:
    return lambda steps: adamjax.adamw(rising_and_falling(task.learning_rate, steps), b2=b2)


def variant(name: str) -> Callable[[int], optax.GradientTransformation]:
    """A variant at its defaults. Gradient descent gets a momentum, or it has no state."""
    arguments: dict[str, Any] = {"momentum": 0.9} if name == "sgd" else {}
    rate = signature(adamjax.get_variant(name).optimizer).parameters["learning_rate"]
    if rate.default is rate.empty:
        arguments["learning_rate"] = 1e-3
    return lambda steps: adamjax.create(name, **arguments)


def comparisons(settings: Settings, made: Mapping[str, tasks.Task]) -> list[Comparison]:
    found = [
        Comparison(name, "adamw, b2 = 0.999", adamw(task, 0.999)) for name, task in made.items()
    ]
    for b2 in settings.b2s:
        if b2 != 0.999:
            label = f"adamw, b2 = {b2:g}"
            found.append(Comparison("transformer", label, adamw(made["transformer"], b2)))
    if "transformer" in made:
        factored = lambda steps: adamjax.adafactor(  # noqa: E731
            rising_and_falling(2e-2, steps), momentum=0.9
        )
        name = "adafactor, momentum = 0.9"
        found.append(Comparison("transformer", name, factored, ("float32", "8bit")))
    for name in settings.variants or adamjax.list_variants():
        stores = "storage" in signature(adamjax.get_variant(name).optimizer).parameters
        if stores and has_moments(variant(name)(1)):
            found.append(Comparison("MNIST MLP", name, variant(name)))
    return found


def has_moments(tx: optax.GradientTransformation) -> bool:
    """Return whether the state has moments. `schedule_free_sgd` has none without a momentum."""
    parts, _ = split_moments(jax.eval_shape(tx.init, {"w": jnp.zeros((2, 2))}), {})
    return bool(parts)


def make_train(task: tasks.Task, tx: optax.GradientTransformation, steps: int) -> Any:
    """A function of (seeds, nudges): the losses of a training for each."""
    problem, watch = streams.of_task(task, steps)

    def one(each: tuple[jax.Array, jax.Array], data: training.Batch) -> dict[str, jax.Array]:
        seed, nudge = each
        weights_key, rows_key, noise_key = jax.random.split(jax.random.key(seed), 3)
        params = jax.tree.map(lambda w: w * (1 + nudge), problem.init(weights_key))
        rows = jax.random.randint(rows_key, (steps, task.batch_size), 0, len(data[1]))
        keys = jax.random.split(noise_key, steps)
        step = training.stepper(problem, tx, data)
        reached, losses = jax.lax.scan(step, (params, tx.init(params)), (rows, keys))
        return {**watch(*reached), "training": losses[-max(1, steps // 10) :].mean()}

    def train(seeds: jax.Array, nudges: jax.Array, data: training.Batch) -> Any:
        return jax.lax.map(lambda each: one(each, data), (seeds, nudges))

    return lambda seeds, nudges: jax.jit(train)(seeds, nudges, task.train)


def state_bytes(task: tasks.Task, tx: optax.GradientTransformation) -> float:
    """Of the optimizer's state, for each parameter."""
    params = nnx.state(nnx.eval_shape(lambda: task.make(nnx.Rngs(0))), nnx.Param)
    leaves = jax.tree.leaves(jax.eval_shape(tx.init, params))
    total = sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)
    return total / sum(leaf.size for leaf in jax.tree.leaves(params))


def run(comparison: Comparison, task: tasks.Task, settings: Settings) -> dict[str, Any]:
    """The losses of all formats, by format and measure, one for each seed."""
    steps = settings.steps or task.steps
    seeds = np.arange(settings.seeds)
    plain = np.zeros(settings.seeds, np.float32)
    found: dict[str, Any] = {}
    for storage in comparison.storages:
        tx = adamjax.store(comparison.make(steps), storage, min_size=0)
        runs = [(seeds, plain)]
        if storage == "float32":
            runs.append((seeds, plain + np.float32(NUDGE)))
        columns = [np.concatenate(column) for column in zip(*runs, strict=True)]
        losses = make_train(task, tx, steps)(*columns)
        halves = {name: np.split(np.asarray(x, float), len(runs)) for name, x in losses.items()}
        for i, name in enumerate([storage, "nudged"][: len(runs)]):
            found[name] = {
                "state_bytes": round(state_bytes(task, tx), 3),
                **{measure: half[i].tolist() for measure, half in halves.items()},
            }
    return found


def standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def judge(found: Mapping[str, Any]) -> dict[str, Any]:
    """Means, standard errors, and how far each format is from float32."""
    judged: dict[str, Any] = {}
    for storage, losses in found.items():
        judged[storage] = {"state_bytes": losses["state_bytes"]}
        for measure in MEASURES:
            values, reference = np.array(losses[measure]), np.array(found["float32"][measure])
            difference = float(values.mean() - reference.mean())
            error = standard_error(reference)
            judged[storage][measure] = {
                "values": values.tolist(),
                "mean": float(values.mean()),
                "standard_error": standard_error(values),
                "difference": difference,
                "difference_in_standard_errors": difference / error,
                # Of the difference itself: the seeds are the same, so much of their spread cancels.
                "paired_standard_error": standard_error(values - reference),
                "within": abs(difference) <= error,
            }
    return judged


def tell(comparison: Comparison, judged: Mapping[str, Any], seconds: float) -> None:
    rows = []
    for storage, each in judged.items():
        held_out = each["held_out"]
        distances = [f"{each[m]['difference_in_standard_errors']:+.2f}" for m in MEASURES]
        mean = f"{held_out['mean']:.4f} ± {held_out['standard_error']:.4f}"
        rows.append((storage, f"{each['state_bytes']:.2f}", mean, *distances))
    heading = f"{comparison.task}, {comparison.optimizer} ({seconds:.0f} s)"
    columns = (heading, "bytes", "held-out loss", "Δ/SE", "Δ/SE in training")
    console.table(columns, rows)
    print(flush=True)


def draw(report: Mapping[str, Any], file: Path) -> None:
    """How far each format is from float32, with twice the paired standard error.

    A triangle at the right edge is farther than that.
    """
    results, seeds = report["comparisons"], report["settings"]["seeds"]
    panels = {
        "tasks": [r for r in results if "b2" in r["optimizer"] or "momentum" in r["optimizer"]],
        "variants": [r for r in results if r["optimizer"] in adamjax.list_variants()],
    }
    figure, axes = pictures.axes([list(panels)], (14, 2 + 0.24 * max(map(len, panels.values()))))
    figure.suptitle(f"Final held-out loss against float32 state, {seeds} seeds, same batches")
    names = ["nudged", *STORAGES[1:]]
    for (title, rows), axis in zip(panels.items(), axes.values(), strict=True):
        for i, row in enumerate(rows):
            for j, name in enumerate(names):
                if name not in row["formats"]:
                    continue
                each = row["formats"][name]["held_out"]
                unit = row["formats"]["float32"]["held_out"]["standard_error"]
                away = each["difference"] / unit
                axis.errorbar(
                    min(away, FARTHEST),
                    i + (j - 1.5) * 0.18,
                    xerr=2 * each["paired_standard_error"] / unit,
                    fmt="o" if away < FARTHEST else ">",
                    markersize=4,
                    linewidth=1,
                    color=("#999999", *pictures.COLORS)[j],
                    label=name if i == 0 else None,
                )
        labels = [
            r["optimizer"] if title == "variants" else f"{r['task']}\n{r['optimizer']}"
            for r in rows
        ]
        axis.axvspan(-1, 1, color="#EEEEEE", zorder=0)
        axis.set_yticks(range(len(rows)), labels, fontsize=8)
        axis.set_ylim(len(rows) - 0.5, -0.5)
        if title == "variants":
            axis.set_xlim(-FARTHEST - 0.2, FARTHEST + 0.2)
        axis.set(title=title, xlabel="difference / standard error of float32 over the seeds")
    next(iter(axes.values())).legend(frameon=False, fontsize=8)
    pictures.save(figure, file)


def main(argv: Sequence[str] | None = None) -> None:
    given: argparse.Namespace = record.parse(record.parser("quality", __doc__), argv)
    settings = QUICK if given.quick else Settings()
    made = {name: tasks.TASKS[name]() for name in settings.tasks}
    results: list[dict[str, Any]] = []
    for comparison in comparisons(settings, made):
        start = time.perf_counter()
        judged = judge(run(comparison, made[comparison.task], settings))
        tell(comparison, judged, time.perf_counter() - start)
        names = {"task": comparison.task, "optimizer": comparison.optimizer}
        results.append({**names, "formats": judged})
    beyond = [
        f"{r['task']}, {r['optimizer']}, {name}: {each['held_out'][column]:+.2f} standard errors"
        for r in results
        for name, each in r["formats"].items()
        for column in ["difference_in_standard_errors"]
        if name not in ("float32", "nudged") and not each["held_out"]["within"]
    ]
    print("Not within a standard error of float32:", *(beyond or ["none"]), sep="\n  ")
    described = {
        name: {
            "data": task.data,
            **{k: getattr(task, k) for k in ("batch_size", "steps", "learning_rate")},
        }
        for name, task in made.items()
    }
    record.write(
        "quality",
        given,
        {**settings._asdict(), "nudge": NUDGE, "tasks": described},
        {"not_within": beyond, "comparisons": results},
    )


if __name__ == "__main__":
    main()
