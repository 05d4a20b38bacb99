"""Time of a sweep relative to single runs, and learning rates found relative to swept optima.

The first part trains a small network with 32 learning rates: by `adamjax.sweep`, by an ordinary
loop for each rate that calls a compiled step, and by one compiled run with the learning rate as an
argument. Times include compilation. The three take turns, in each round in another order.

The second part compares `adamjax.find_learning_rate` with the optimum of a sweep with other random
numbers, on the problems of `adamjax.problems` and the models of three examples. Problems with a
prescribed learning rate or with delays are left out. Noisy problems are swept with their mean loss,
which the finder does not see.
"""

import argparse
import random
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

import adamjax
from adamjax.problems import PROBLEMS, Problem, parameters
from adamjax.tuning.find_learning_rate import judge
from benchmarks import machine, record, streams, tasks, training
from benchmarks.timing import quartiles
from examples import console, data, pictures

SWEEP, LOOPS, SHARED = "sweep", "a loop for each rate", "a run compiled once, for each rate"
WITHIN = 2.0
"""A rate is right if it differs from the optimum by at most this factor."""
VERDICTS = {
    "within": ("within a factor 2", "#009E73"),
    "wrong": ("wrong", "#D55E00"),
    "none": ("no rate found", "#BBBBBB"),
}
Row = dict[str, Any]


class Settings(NamedTuple):
    """`tasks` are the models of examples and their steps, `shares` the parts of a run."""

    members: int = 32
    network_steps: int = 200
    rounds: int = 2
    problem_steps: int = 500
    problems: tuple[str, ...] = tuple(PROBLEMS)
    tasks: tuple[tuple[str, int], ...] = (
        ("transformer", 50),
        ("MNIST MLP", 100),
        ("digits CNN", 50),
    )
    optimizers: tuple[str, ...] = ("adamw", "lion")
    per_decade: int = 8
    per_decade_of_models: int = 4
    shares: tuple[float, ...] = (1.0, 0.5)


QUICK = Settings(
    members=3,
    network_steps=4,
    rounds=2,
    problem_steps=100,
    problems=("beale", "noisy"),
    tasks=(("MNIST MLP", 25),),
    optimizers=("adamw",),
    per_decade=2,
    per_decade_of_models=2,
    shares=(1.0,),
)


def small_network(settings: Settings) -> tuple[Any, Callable[..., jax.Array], Any]:
    """Return parameters, loss and batches of a dense network on the digits of scikit-learn."""
    images, labels = data.images().train
    rows = np.random.default_rng(0).integers(0, len(labels), (settings.network_steps, 32))
    params = training.layers(jax.random.key(0), (64, 32, 10))

    def loss(params: Any, batch: Any) -> jax.Array:
        return training.cross_entropy(training.network(params, batch[0]), batch[1])

    return params, loss, (images.reshape(len(images), -1)[rows], labels[rows])


def single_run(params: Any, loss: Callable[..., jax.Array], rate: Any, batches: Any) -> jax.Array:
    """Return the losses of one run."""
    tx = optax.adamw(rate)

    def step(carry: Any, batch: Any) -> Any:
        params, state = carry
        value, gradients = jax.value_and_grad(loss)(params, batch)
        updates, state = tx.update(gradients, state, params)
        return (optax.apply_updates(params, updates), state), value

    return jax.lax.scan(step, (params, tx.init(params)), batches)[1]


def loop(params: Any, loss: Callable[..., jax.Array], rate: float, batches: Any) -> np.ndarray:
    """Return the losses of one run as it is usually written."""
    tx = optax.adamw(rate)

    @jax.jit
    def step(params: Any, state: Any, batch: Any) -> Any:
        value, gradients = jax.value_and_grad(loss)(params, batch)
        updates, state = tx.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, value

    state, losses = tx.init(params), []
    for batch in zip(*batches, strict=True):
        params, state, value = step(params, state, batch)
        losses.append(value)
    return np.asarray(jax.device_get(losses))


def times(settings: Settings) -> dict[str, dict[str, list[float]]]:
    """Return quartiles of seconds, and of ratios to the loops."""
    params, loss, batches = small_network(settings)
    each_step = list(zip(*batches, strict=True))
    rates = np.geomspace(1e-4, 1.0, settings.members).tolist()

    def loops() -> Any:
        return [loop(params, loss, rate, batches) for rate in rates]

    def shared() -> Any:
        run = jax.jit(partial(single_run, params, loss))
        return [np.asarray(run(rate, batches)) for rate in rates]

    def swept() -> Any:
        return adamjax.sweep(optax.adamw, {"learning_rate": rates}, loss, params, each_step).losses

    turns = {LOOPS: loops, SHARED: shared, SWEEP: swept}
    expected = shared()
    for name, turn in turns.items():  # They do the same work.
        np.testing.assert_allclose(turn()[0], expected[0], rtol=1e-4, err_msg=name)
    shuffle, rounds = random.Random(0), []
    for _ in range(settings.rounds):
        seconds = {}
        for name in shuffle.sample(list(turns), len(turns)):
            jax.clear_caches()
            start = time.perf_counter()
            turns[name]()
            seconds[name] = time.perf_counter() - start
        rounds.append(seconds)
    return {
        name: {
            "seconds": quartiles([each[name] for each in rounds]),
            "ratio": quartiles([each[name] / each[LOOPS] for each in rounds]),
        }
        for name in turns
    }


class Case(NamedTuple):
    """A training: parameters from a seed, a loss, batches from a seed, and the loss to judge by."""

    init: Callable[[int], Any]
    loss: Callable[[Any, Any], jax.Array]
    batches: Callable[[int], Iterable[Any]]
    true_loss: Callable[[Any, Any], jax.Array]
    per_decade: int
    chunk: int | None = None


def problem_case(problem: Problem, steps: int, per_decade: int) -> Case:
    """Return a problem as a training. A batch is a step and a seed."""

    def loss(x: Any, batch: Any) -> jax.Array:
        return problem.of_step(*batch)(x)

    def true_loss(x: Any, batch: Any) -> jax.Array:
        # The value is that of the mean loss, and the gradient that of the step.
        value = loss(x, batch)
        return value - jax.lax.stop_gradient(value - problem.loss(x))

    def batches(seed: int) -> Iterable[Any]:
        return ((step, seed) for step in range(1, steps + 1))

    return Case(lambda seed: parameters(problem.start), loss, batches, true_loss, per_decade)


def task_case(name: str, steps: int, per_decade: int) -> Case:
    """Return the model of an example as a training."""
    problem, _ = streams.of_task(tasks.TASKS[name](), 1)

    def loss(params: Any, batch: Any) -> jax.Array:
        return problem.loss(params, *batch)

    def batches(seed: int) -> Iterable[Any]:
        size = (steps, problem.batch_size)
        rows = np.random.default_rng(seed).integers(0, len(problem.train[0]), size)
        keys = jax.random.split(jax.random.key(seed), steps)
        arrays = (np.asarray(x)[rows] for x in problem.train)
        return zip(zip(*arrays, strict=True), keys, strict=True)

    return Case(lambda seed: problem.init(jax.random.key(seed)), loss, batches, loss, per_decade, 1)


def cases(settings: Settings, only: Collection[str]) -> dict[str, Case]:
    """Return the trainings by name."""
    chosen = {name: PROBLEMS[name] for name in settings.problems if name in only}
    found = {
        name: problem_case(problem, settings.problem_steps, settings.per_decade)
        for name, problem in chosen.items()
        if problem.learning_rate is None and not problem.delay
    }
    return found | {
        name: task_case(name, steps, settings.per_decade_of_models)
        for name, steps in settings.tasks
        if name in only
    }


def compare(case: Case, name: str, settings: Settings) -> Row:
    """Return the swept optimum and the rate that is found after each share of the run."""
    make = adamjax.get_variant(name).optimizer
    rates = np.geomspace(1e-5, 10.0, 6 * case.per_decade + 1)
    swept = adamjax.sweep(
        make, {"learning_rate": rates}, case.true_loss, case.init(1), case.batches(1),
        chunk=case.chunk,
    )  # fmt: skip
    best = int(np.argmin(swept.scores))
    found = adamjax.find_learning_rate(
        make, case.loss, case.init(0), case.batches(0), chunk=case.chunk
    )
    tried = np.array([member["learning_rate"] for member in found.sweep.members])
    row: Row = {"optimizer": name, "swept": rates[best], "shares": {}}
    for share in settings.shares:
        # The learning rate is constant, so a shorter run is the beginning of a longer one.
        losses = found.sweep.losses[:, : int(share * found.sweep.losses.shape[1])]
        rate, reason, _ = judge(tried, losses)
        ratio = None if rate is None else rate / rates[best]
        verdict = "none"
        if ratio is not None:  # the margin is for rounding
            verdict = "within" if abs(np.log(ratio)) <= np.log(WITHIN) + 1e-3 else "wrong"
        row["shares"][f"{share:g}"] = {
            "found": rate,
            "ratio": ratio,
            "reason": reason,
            "verdict": verdict,
        }
    return row


def summary(found: Mapping[str, Sequence[Row]], shares: Sequence[float]) -> dict[str, Any]:
    """Count verdicts by share of the run."""
    rows = [row["shares"] for each in found.values() for row in each]
    verdicts = {f"{share:g}": [row[f"{share:g}"]["verdict"] for row in rows] for share in shares}
    return {
        share: {kind: each.count(kind) for kind in VERDICTS} for share, each in verdicts.items()
    }


def tell(report: Mapping[str, Any]) -> None:
    """Print the tables."""
    cells = [
        (name, f"{row['seconds'][1]:.2f}", f"{row['ratio'][1]:.2f}")
        for name, row in report["times"].items()
    ]
    console.table(("learning rates of a small network", "seconds", "ratio"), cells)
    cells = []
    for name, rows in report["found"].items():
        for row in rows:
            first = next(iter(row["shares"].values()))
            rate, ratio = (f"{first[k]:.2g}" if first[k] else "-" for k in ("found", "ratio"))
            label = f"{name}, {row['optimizer']}"
            cells.append((label, f"{row['swept']:.2g}", rate, ratio, first["reason"]))
    console.table(("training", "swept optimum", "found", "ratio", "reason"), cells)
    cells = [
        (f"{float(share):.0%}", *map(str, each.values()))
        for share, each in report["summary"].items()
    ]
    console.table(("share of the run", *(label for label, _ in VERDICTS.values())), cells)


def markdown(report: Mapping[str, Any]) -> str:
    """Return the times, the verdicts, and each swept optimum beside the rate that was found."""
    lines = ["| 32 learning rates of a small network | seconds | ratio |", "|---|---|---|"]
    for name, row in report["times"].items():
        lines.append(f"| {name} | {row['seconds'][1]:.1f} | {row['ratio'][1]:.2f} |")
    heads = [label for label, _ in VERDICTS.values()]
    lines += ["", f"| steps of the finder / steps of the run | {' | '.join(heads)} |"]
    lines.append("|---|---|---|---|")
    for share, counts in report["summary"].items():
        lines.append(f"| {float(share):.0%} | {' | '.join(map(str, counts.values()))} |")
    names = report["settings"]["optimizers"]
    heads = [f"{name}: optimum | found | ratio" for name in names]
    lines += ["", f"| training | {' | '.join(heads)} |", "|---|" + "---|---|---|" * len(names)]
    for training_name, rows in report["found"].items():
        cells = [training_name]
        for row in rows:
            shown = row["shares"]["1"]
            found = [f"{shown[k]:.2g}" if shown["found"] else "–" for k in ("found", "ratio")]
            cells += [f"{row['swept']:.2g}", *found]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Draw the times, the rates that were found against the swept optima, and the verdicts."""
    figure, panels = pictures.axes([["times", "found", "verdicts"]], (15, 4.6))
    draw_times(panels["times"], report["times"], report["settings"]["members"])
    draw_found(panels["found"], report)
    draw_verdicts(panels["verdicts"], report["summary"])
    pictures.save(figure, file)


def draw_times(axis: Any, rows: Mapping[str, Any], members: int) -> None:
    """Draw a bar for each way, with its ratio to the loops."""
    for place, row in enumerate(rows.values()):
        low, middle, high = row["seconds"]
        axis.barh(place, middle, color=pictures.COLORS[0], xerr=[[middle - low], [high - middle]])
        axis.annotate(f" {row['ratio'][1]:.2f}", (high, place), va="center")
    axis.set_yticks(range(len(rows)), [name.replace(", ", ",\n") for name in rows], fontsize=8)
    axis.set(xlabel="seconds with compilation, and ratio")
    axis.set_title(f"{members} learning rates")
    axis.margins(x=0.15)


def draw_found(axis: Any, report: Mapping[str, Any]) -> None:
    """Draw the rates that were found against the swept optima, squares for examples."""
    models = [name for name, _ in report["settings"]["tasks"]]
    colors = dict(zip(report["settings"]["optimizers"], pictures.COLORS, strict=False))
    for name, rows in report["found"].items():
        for row in rows:
            look = {"color": colors[row["optimizer"]], "marker": "s" if name in models else "o"}
            if rate := row["shares"]["1"]["found"]:
                axis.plot(row["swept"], rate, alpha=0.7, **look)
    for name, color in colors.items():
        axis.plot([], [], "o", color=color, label=name)
    axis.plot([], [], "s", color="#7F7F7F", label="models of examples")
    ends = np.array([1e-5, 10])
    axis.plot(ends, ends, color="#7F7F7F", linewidth=0.8)
    axis.fill_between(ends, ends / WITHIN, ends * WITHIN, color="#7F7F7F", alpha=0.2, linewidth=0)
    axis.set(xscale="log", yscale="log", xlabel="swept optimum", ylabel="found")
    axis.set_title("Learning rates (band: a factor 2)")
    axis.legend(frameon=False, fontsize=8)


def draw_verdicts(axis: Any, summary: Mapping[str, Mapping[str, int]]) -> None:
    """Draw the number of right and wrong rates by share of the run."""
    bottom = np.zeros(len(summary))
    for kind, (label, color) in VERDICTS.items():
        counts = np.array([each[kind] for each in summary.values()])
        axis.bar(range(len(counts)), counts, bottom=bottom, color=color, label=label)
        for place, count in enumerate(counts):
            axis.annotate(count, (place, bottom[place] + count / 2), ha="center", va="center")
        bottom += counts
    axis.set_xticks(range(len(bottom)), [f"{float(share):.0%}" for share in summary])
    axis.set(xlabel="steps of the finder / steps of the run", ylabel="trainings")
    axis.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print and write the results."""
    options = record.parser("sweep", __doc__)
    text = "measure only these: times, problems or models. The others stay as in the results"
    options.add_argument("--only", nargs="+", metavar="NAME", help=text)
    given: argparse.Namespace = record.parse(options, argv)
    settings = QUICK if given.quick else Settings()
    jax.config.update("jax_enable_compilation_cache", False)
    names = [*settings.problems, *(name for name, _ in settings.tasks)]
    only = given.only or ["times", *names]
    file = record.find("sweep", given.results).get(machine.name(machine.hardware()))
    before = record.read(file) if given.only and file else {}
    measured = {"times": times(settings) if "times" in only else before.get("times", {})}
    found: dict[str, list[Row]] = before.get("found", {})
    trainings = cases(settings, only)
    with console.progress({"trainings": len(trainings)}) as advance:
        for name, case in trainings.items():
            found[name] = [compare(case, each, settings) for each in settings.optimizers]
            advance("trainings", name)
    found = {name: found[name] for name in names if name in found}
    measured |= {"found": found, "summary": summary(found, settings.shares)}
    tell(measured)
    record.write("sweep", given, settings._asdict(), measured)


if __name__ == "__main__":
    main()
