"""The pictures of the variants: each against Adam on two loss surfaces.

Pictures are cached in `.cache/site`, by a fingerprint of all that they depend on. Those of other
fingerprints are removed.
"""

import functools
import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import jax
import matplotlib
import numpy
import optax
from matplotlib.figure import Figure

import adamjax
from adamjax.cli.compare import Run, draw_paths, run
from adamjax.problems import get_problem

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "site"
PROBLEMS = ("beale", "logistic")
STEPS = 500
"""Those that `python -m adamjax compare` takes by itself."""


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
    """The paths on both surfaces, side by side."""
    figure = Figure(figsize=(10.4, 4.9), layout="constrained", dpi=100)
    for axes, problem in zip(figure.subplots(1, len(PROBLEMS)), PROBLEMS, strict=True):
        record = get_problem(problem)
        assert record.window is not None
        draw_paths(axes, record, record.window, runs_on(name, problem))
        axes.set_title(problem, loc="left", fontsize="medium", fontweight="bold")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False)
    figure.savefig(file)


def folder(kind: str, sources: Iterable[Path]) -> Path:
    """The cache folder for these sources, another one after each change of them."""
    versions = [module.__version__ for module in (jax, matplotlib, numpy, optax)]
    texts = [source.read_bytes() for source in sources]
    fingerprint = hashlib.sha256(repr((versions, texts)).encode()).hexdigest()[:16]
    made = CACHE / kind / fingerprint
    made.mkdir(parents=True, exist_ok=True)
    for old in made.parent.iterdir():
        if old != made:
            shutil.rmtree(old, ignore_errors=True)
    return made


@functools.cache
def drawn() -> Path:
    """Where the pictures of variants are."""
    return folder("variants", [Path(__file__), *sorted((ROOT / "adamjax").rglob("*.py"))])


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
    file = drawn() / f"{name}.png"
    told = file.with_suffix(".json")
    if not told.exists():
        draw(name, file)
        ends = {
            problem: {one.label: float(one.losses[-1]) for one in runs_on(name, problem)}
            for problem in PROBLEMS
        }
        # Written last, so that a picture with figures is whole.
        told.write_text(json.dumps(ends), encoding="utf-8")
    return Drawn(file, json.loads(told.read_text(encoding="utf-8")))
