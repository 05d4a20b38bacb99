"""The pictures of the variants: each against Adam, on two loss surfaces or two matrix problems.

Pictures are cached in `.cache/site`, each by a fingerprint of all that it depends on. Those of
other fingerprints are removed.
"""

import functools
import hashlib
import inspect
import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import matplotlib
import numpy as np
import optax
from matplotlib.figure import Figure

import adamjax
from adamjax.cli.compare import COLORS, SMALLEST_LOSS, Run, draw_paths, run
from adamjax.problems import get_problem
from scripts import comparison
from scripts.imports import code_of, with_imports

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "site"
SURFACES, MATRICES = ("beale", "logistic"), ("both_sides", "student")
STEPS = 500
"""Those that `python -m adamjax compare` takes by itself."""
UPDATES = 50
"""The number of updates whose singular values are averaged."""


def of_matrices(name: str) -> bool:
    """Return whether a variant treats matrices as more than their elements."""
    known = inspect.signature(adamjax.get_variant(name).optimizer).parameters
    return name in comparison.ON_VECTORS or "layouts" in known


def problems_of(name: str) -> tuple[str, str]:
    """Return the problems of a variant's picture."""
    return MATRICES if of_matrices(name) else SURFACES


def rival(name: str) -> str:
    """With whom a variant is drawn: Adam, and Adam with SGD."""
    return "sgd" if name == "adam" else "adam"


@functools.cache
def run_of(name: str, problem: str) -> Run:
    """A variant's best run on a problem, at its own defaults."""
    return run(adamjax.get_variant(name).optimizer, get_problem(problem), steps=STEPS)


def runs_on(name: str, problem: str) -> list[Run]:
    """The rival's run and the variant's."""
    return [run_of(one, problem) for one in (rival(name), name)]


def draw(name: str, file: Path) -> None:
    """The paths on both surfaces, or the losses on both matrix problems."""
    figure = Figure(figsize=(10.4, 4.9), layout="constrained", dpi=100)
    problems = problems_of(name)
    panels = figure.subplots(1, len(problems) + of_matrices(name))
    for axes, problem in zip(panels, problems, strict=False):
        record, runs = get_problem(problem), runs_on(name, problem)
        if record.window is None:
            draw_losses(axes, runs)
        else:
            draw_paths(axes, record, record.window, runs)
        axes.set_title(problem, loc="left", fontsize="medium", fontweight="bold")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False)
    if of_matrices(name):
        draw_spectra(panels[-1], runs_on(name, MATRICES[0]))
    figure.savefig(file)


def draw_losses(axes: Any, runs: list[Run]) -> None:
    """Draw the losses of runs by step."""
    for one, color, width in zip(runs, COLORS, (3.4, 1.8), strict=False):
        losses = np.maximum(one.losses, SMALLEST_LOSS)
        label = f"{one.label}, lr {one.learning_rate:g}"
        axes.plot(losses, color=color, linewidth=width, label=label)
    axes.set(xlabel="step", ylabel="loss", yscale="log")
    axes.spines[["top", "right"]].set_visible(False)


def draw_spectra(axes: Any, runs: list[Run]) -> None:
    """Draw the singular values of the updates of a square matrix, relative to the largest."""
    for one, color in zip(runs, COLORS, strict=False):
        updates = np.diff(one.path[: UPDATES + 1], axis=0)
        updates = updates[updates.any(axis=1)]  # SOAP's first step moves nothing
        side = round(updates.shape[1] ** 0.5)
        values = np.linalg.svd(updates.reshape(-1, side, side), compute_uv=False)
        means = (values / values[:, :1]).mean(axis=0)
        axes.plot(range(1, side + 1), means, "o-", color=color, label=one.label)
    axes.set(xlabel="singular value", ylabel="relative to the largest", ylim=(0, 1.05))
    axes.set_xticks(range(1, side + 1))
    axes.set_title(f"updates on {MATRICES[0]}", loc="left", fontsize="medium", fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)


def folder(kind: str, texts: Iterable[str]) -> Path:
    """The cache folder for results of these texts, another one after each change of them."""
    versions = [module.__version__ for module in (jax, matplotlib, np, optax)]
    fingerprint = hashlib.sha256(repr((versions, [*texts])).encode()).hexdigest()[:16]
    made = CACHE / kind / fingerprint
    made.mkdir(parents=True, exist_ok=True)
    for old in made.parent.iterdir():
        if old != made:
            shutil.rmtree(old, ignore_errors=True)
    return made


@functools.cache
def sources_of(name: str) -> list[Path]:
    """The files that a variant's picture depends on."""
    modules = [adamjax.get_variant(one).optimizer.__module__ for one in (name, rival(name))]
    modules += [run.__module__, get_problem.__module__]
    files = with_imports(Path(inspect.getfile(sys.modules[module])) for module in modules)
    return sorted({*files, Path(__file__), Path(inspect.getfile(comparison))})


class Drawn(NamedTuple):
    """A picture, and how the runs in it ended.

    Attributes:
      file: the picture.
      ends: the last losses, by problem and variant.
    """

    file: Path
    ends: Mapping[str, Mapping[str, float]]


def picture(name: str) -> Drawn:
    """A variant's picture, drawn if it is not there."""
    file = folder(f"variants/{name}", map(code_of, sources_of(name))) / f"{name}.png"
    told = file.with_suffix(".json")
    if not told.exists():
        draw(name, file)
        ends = {
            problem: {one.label: float(one.losses[-1]) for one in runs_on(name, problem)}
            for problem in problems_of(name)
        }
        # Written last, so that a picture with figures is whole.
        told.write_text(json.dumps(ends), encoding="utf-8")
    return Drawn(file, json.loads(told.read_text(encoding="utf-8")))
