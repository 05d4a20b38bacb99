"""Compare the updates of each storage format with those of float32 on the same gradients.

Adam trains a byte-level transformer in float32. Each format receives the gradients of that run. Its
updates are compared with those of float32 by direction, size, the largest element relative to its
theoretical bound, and the bias of log √v. "8bit" also receives the gradients times 1e-6 and 1e4. It
then scales eps by the same factor, so the exact update does not change.
"""

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from benchmarks import formats, record
from examples import char_lm, console, data, pictures

B1, EPS = 0.9, 1e-8
COLUMNS = ("cosine", "norm_ratio", "largest_update", "largest_over_bound", "log_bias", "lost")
TARGETS: dict[str, dict[str, Callable[[Mapping[str, float]], bool]]] = {
    "8bit": {
        "cosine >= 0.995": lambda row: row["cosine"] >= 0.995,
        "norm within 3%": lambda row: abs(row["norm_ratio"] - 1) <= 0.03,
        "no update above the bound": lambda row: row["largest_over_bound"] <= 1,
    },
    "8bit_v16": {"cosine >= 0.999": lambda row: row["cosine"] >= 0.999},
    "bfloat16": {"cosine >= 0.9999": lambda row: row["cosine"] >= 0.9999},
}


class Settings(NamedTuple):
    """Settings of the float32 run. The results are averages of its last `late` steps."""

    steps: int = 800
    late: int = 200
    width: int = 64
    depth: int = 2
    heads: int = 4
    length: int = 64
    batch_size: int = 16
    learning_rate: float = 2e-3
    warmup: int = 50
    b2s: tuple[float, ...] = (0.999, 0.95)
    seed: int = 0
    formats: tuple[str, ...] = ()  # all


QUICK = Settings(
    steps=4,
    late=2,
    width=16,
    depth=1,
    heads=2,
    length=8,
    batch_size=2,
    warmup=2,
    b2s=(0.95,),
    formats=("float32", "8bit", "blocks of 32, linear"),
)


class Follower(NamedTuple):
    """A format, and the factor of the gradients that it receives."""

    format: formats.Format
    scale: float = 1.0


def followers(names: Sequence[str]) -> dict[str, Follower]:
    """Return the formats of these names, or all."""
    every = formats.formats()
    scaled = {f"8bit, g · {s:g}": Follower(every["8bit"], s) for s in (1e-6, 1e4)}
    found = {name: Follower(each) for name, each in every.items()} | scaled
    return {name: follower for name, follower in found.items() if not names or name in names}


def bound(count: int, b2: float) -> float:
    """Return the upper bound of |m̂| / √v̂ in step `count`, by Cauchy-Schwarz."""
    q = B1**2 / b2
    sums = (1 - B1) ** 2 / (1 - b2) * (1 - q**count) / (1 - q)
    return math.sqrt(sums * (1 - b2**count)) / (1 - B1**count)


@jax.jit
def compare(mine: Any, kept: Any, updates: Any, nu: Any, limit: float) -> jax.Array:
    """Return the `COLUMNS` for an update and the v that is stored after it."""
    mine, kept, updates, nu = (
        jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(tree)])
        for tree in (mine, kept, updates, nu)
    )
    norm, reference = jnp.linalg.norm(mine), jnp.linalg.norm(updates)
    largest = jnp.abs(mine).max()
    alive = nu > 1e-20  # elsewhere eps determines the update
    lost = alive & (kept <= 0)
    followed = alive & ~lost
    bias = 0.5 * jnp.log(jnp.where(followed, kept / nu, 1)).sum() / followed.sum()
    cosine = mine @ updates / (norm * reference)
    return jnp.stack(
        [cosine, norm / reference, largest, largest / limit, bias, lost.sum() / alive.sum()]
    )


def make_follow(follower: Follower, b2: float) -> tuple[Any, Any]:
    """Return the function that makes the state, and that of a step, which returns update and v."""
    scale = follower.scale
    tx = follower.format.wrap(optax.scale_by_adam(B1, b2, EPS * scale))

    @partial(jax.jit, donate_argnums=0)
    def follow(state: Any, gradients: Any) -> tuple[Any, Any, Any]:
        mine, state = tx.update(jax.tree.map(lambda g: g * scale, gradients), state)
        kept = jax.tree.map(lambda v: v / scale**2, follower.format.decode(state).nu)
        return state, mine, kept

    return jax.jit(tx.init), follow


def make_reference(settings: Settings, b2: float, text: np.ndarray) -> tuple[Any, Any]:
    """Return the parameters of a training in float32, and the generator of its steps."""
    model = char_lm.Transformer(
        settings.width, settings.depth, settings.heads, settings.length, nnx.Rngs(settings.seed)
    )
    graph, params = nnx.split(model)
    rate = optax.schedules.linear_schedule(0.0, settings.learning_rate, settings.warmup)
    tx = optax.scale_by_adam(B1, b2, EPS)
    state: Any = tx.init(params)

    @jax.jit
    def step(params: Any, state: Any, tokens: jax.Array, following: jax.Array) -> Any:
        loss, gradients = jax.value_and_grad(
            lambda params: char_lm.loss(nnx.merge(graph, params), tokens, following)
        )(params)
        stepped: Any = tx.update(gradients, state)
        updates, after = stepped
        moved = jax.tree.map(lambda p, u: p - rate(after.count) * u, params, updates)
        return moved, after, loss, gradients, updates

    pieces = data.stretches(
        text, settings.length, settings.steps * settings.batch_size, settings.seed
    )

    def run() -> Any:
        moved, moments = params, state
        for i in range(settings.steps):
            rows = slice(i * settings.batch_size, (i + 1) * settings.batch_size)
            moved, moments, *rest = step(moved, moments, *(part[rows] for part in pieces))
            yield *rest, moments.nu

    return params, run


def measure(settings: Settings, b2: float, text: np.ndarray) -> dict[str, Any]:
    """Return the measures of each format [step, column], and the losses of the run."""
    params, run = make_reference(settings, b2, text)
    following = {
        name: make_follow(follower, b2) for name, follower in followers(settings.formats).items()
    }
    states = {name: init(params) for name, (init, _) in following.items()}
    measures: dict[str, list] = {name: [] for name in following}
    losses = []
    with console.progress({f"b2 {b2:g}": settings.steps}) as advance:
        for count, (loss, gradients, updates, nu) in enumerate(run(), start=1):
            limit = bound(count, b2)
            for name, (_, follow) in following.items():
                states[name], mine, kept = follow(states[name], gradients)
                measures[name].append(compare(mine, kept, updates, nu, limit))
            losses.append(float(loss))
            advance(f"b2 {b2:g}", f"loss {losses[-1]:.3f}")
    return {"losses": losses, "steps": {n: np.asarray(jnp.stack(m)) for n, m in measures.items()}}


def summary(name: str, steps: np.ndarray, late: int) -> dict[str, Any]:
    """Return means over the late steps, maxima of the largest values, and the targets."""
    last = dict(zip(COLUMNS, steps[-late:].T, strict=True))
    row: dict[str, Any] = {
        column: float(values.max() if column.startswith("largest") else values.mean())
        for column, values in last.items()
    }
    row["lowest_cosine"] = float(last["cosine"].min())
    row["largest_over_bound_any_step"] = float(steps[:, COLUMNS.index("largest_over_bound")].max())
    row["targets"] = {target: met(row) for target, met in TARGETS.get(name, {}).items()}
    return row


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Draw a row for each format, a panel for each measure, and a mark for each b2."""
    # Each measure as a value that is 0 for float32, and its target for "8bit".
    panels: dict[str, tuple[Callable[[Mapping], float], float | None]] = {
        "1 − cosine": (lambda row: 1 - row["cosine"], 0.005),
        "|norm ratio − 1|": (lambda row: abs(row["norm_ratio"] - 1), 0.03),
        "|bias of log √v|": (lambda row: abs(row["log_bias"]), None),
        "largest update / bound": (lambda row: row["largest_over_bound"], 1.0),
    }
    figure, axes = pictures.axes([list(panels)], (15, 4.6), sharey=True)
    late, steps = (report["settings"][name] for name in ("late", "steps"))
    figure.suptitle(f"Updates beside those of float32 state, last {late} of {steps} steps")
    rows = report["by_b2"]
    names = [name for name in next(iter(rows.values())) if name != "float32"]
    for (label, (value, target)), axis in zip(panels.items(), axes.values(), strict=True):
        for (b2, of_b2), color, marker in zip(rows.items(), pictures.COLORS, "osD", strict=False):
            values = [max(value(of_b2[name]), 1e-6) for name in names]
            axis.plot(values, names, marker, color=color, label=f"b2 = {b2}", alpha=0.8)
        axis.set(xlabel=label, xscale="log")
        if target is not None:
            axis.axvline(target, color="#7F7F7F", linestyle="--", label='aim for "8bit"')
    first = next(iter(axes.values()))
    first.invert_yaxis()
    first.legend(frameon=False, loc="lower right", fontsize=8)
    pictures.save(figure, file)


def tell(rows: Mapping[str, Mapping[str, Any]]) -> None:
    for b2, of_b2 in rows.items():
        table = [(n, *(f"{row[c]:.5g}" for c in COLUMNS)) for n, row in of_b2.items()]
        console.table((f"b2 = {b2}", *COLUMNS), table)
        for name, row in of_b2.items():
            for target, met in row["targets"].items():
                print(f"{name}: {target}: {'reached' if met else 'NOT reached'}")


def main(argv: Sequence[str] | None = None) -> None:
    given: argparse.Namespace = record.parse(record.parser("tracking", __doc__), argv)
    settings = QUICK if given.quick else Settings()
    text = data.python_source()
    rows, losses = {}, {}
    for b2 in settings.b2s:
        measured = measure(settings, b2, text.train)
        late = {n: summary(n, steps, settings.late) for n, steps in measured["steps"].items()}
        rows[f"{b2:g}"] = late
        losses[f"{b2:g}"] = float(np.mean(measured["losses"][-settings.late :]))
    described = {
        name: {"state_bytes": each.format.state_bytes, "origin": each.format.origin}
        for name, each in followers(settings.formats).items()
    }
    record.write(
        "tracking",
        given,
        {**settings._asdict(), "b1": B1, "eps": EPS, "data": text.name},
        {"formats": described, "late_loss": losses, "by_b2": rows},
    )
    tell(rows)


if __name__ == "__main__":
    main()
