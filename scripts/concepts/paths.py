"""Recorded paths of optimizers on surfaces, for the plot of docs/see-adam-work.md.

A file has one surface: a grid of log losses, and a path for each optimizer and learning rate. A
number is two characters, 12 bits of base 64. Coordinates cover the window and half of it on each
side, so that paths may leave the picture.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import adamjax
from adamjax.cli.compare import Run, draw_paths
from adamjax.cli.descent import descend
from adamjax.problems import Problem, get_problem, parameters
from examples import pictures

PROBLEMS = ("beale", "quadratic", "logistic")
OPTIMIZERS = ("adam", "lion", "rmsprop", "adagrad", "sgd")
RATES = (0.003, 0.01, 0.03, 0.1, 0.3)
STEPS, GRID, DRAWN_RATE = 100, 48, 0.1
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def encode(values: np.ndarray, low: Any, high: Any) -> str:
    """Encode numbers from low to high, and clip others.

    >>> encode(np.array([0.0, 1.0, 9.0]), 0, 1)
    'AA////'
    """
    shares = (np.nan_to_num(values, nan=np.inf) - low) / np.subtract(high, low)
    codes = np.rint(4095 * np.clip(shares, 0, 1)).astype(int).ravel()
    return "".join(_DIGITS[code >> 6] + _DIGITS[code & 63] for code in codes)


def record(name: str, problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Run an optimizer at each learning rate: losses (rates, steps + 1), paths (..., 2)."""
    make, start = adamjax.get_variant(name).optimizer, parameters(problem.start)
    run = jax.vmap(lambda rate: descend(make(learning_rate=rate), problem, start, STEPS))
    losses, paths = jax.jit(run)(np.array(RATES, np.float32))
    return np.asarray(losses), np.asarray(paths)


def surface(problem: Problem) -> np.ndarray:
    """Return log losses on a grid over the window, from the bottom to the top."""
    assert problem.window is not None
    left, right, bottom, top = problem.window
    x, y = np.meshgrid(np.linspace(left, right, GRID), np.linspace(bottom, top, GRID))
    points = jnp.asarray(np.stack([x, y], axis=-1), jnp.float32)
    losses = np.asarray(jax.vmap(jax.vmap(problem.loss))(points))
    return np.log10(losses + 1e-3 * np.ptp(losses))


def contents(problem: Problem, paths: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the content of a file."""
    assert problem.window is not None
    left, right, bottom, top = problem.window
    height, corner, size = surface(problem), np.array([left, bottom]), [right - left, top - bottom]
    low, high = corner - np.divide(size, 2), corner + np.multiply(size, 1.5)
    return {
        "shows": problem.shows,
        "window": problem.window,
        "optima": problem.optima,
        "rates": RATES,
        "steps": STEPS,
        "grid": encode(height, height.min(), height.max()),
        "paths": {name: [encode(path, low, high) for path in many] for name, many in paths.items()},
    }


def write(folder: Path) -> None:
    """Write the file of each surface, and the picture for pages without JavaScript."""
    drawn = RATES.index(DRAWN_RATE)
    figure, panels = pictures.axes([PROBLEMS], (10.5, 4.2))
    for name in PROBLEMS:
        problem = get_problem(name)
        assert problem.window is not None
        runs = {optimizer: record(optimizer, problem) for optimizer in OPTIMIZERS}
        paths = {optimizer: path for optimizer, (_, path) in runs.items()}
        text = json.dumps(contents(problem, paths), separators=(",", ":"))
        (folder / f"paths.{name}.json").write_text(text + "\n", encoding="utf-8")
        lines = [
            Run(optimizer, DRAWN_RATE, losses[drawn], path[drawn], losses[drawn])
            for optimizer, (losses, path) in runs.items()
        ]
        draw_paths(panels[name], problem, problem.window, lines)
        panels[name].set_title(name, loc="left", fontweight="bold")
    figure.legend(*panels[PROBLEMS[0]].get_legend_handles_labels(),
                  loc="outside lower center", ncols=len(OPTIMIZERS), frameon=False)  # fmt: skip
    pictures.save(figure, folder / "paths.png")
