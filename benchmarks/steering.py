"""Time to prepare a step with many leaves in groups, or with metrics, before it runs.

As in `benchmarks.many_leaves`, the step is traced, lowered and compiled with empty caches, and the
ratio to optax.adamw is that of the same round.
"""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import optax

import adamjax
from benchmarks import many_leaves, record
from benchmarks.timing import BASELINE
from examples import console

SETTINGS = many_leaves.Settings(trees=((1000, 64),), rounds=3)


def optimizers() -> dict[str, optax.GradientTransformation]:
    """AdamW of Optax, alone and inside of groups and trackers."""
    tx, default = optax.adamw(1e-3), {"learning_rate": 1e-3}
    settings: Any = {"*0/kernel": {"learning_rate": "0.5x", "weight_decay": 0.0}}
    return {
        BASELINE: tx,
        "groups": adamjax.groups(optax.adamw, settings, default=default),
        "track": adamjax.track(tx),
        "track(per_layer)": adamjax.track(tx, per_layer=True),
    }


def draw(report: Mapping[str, Any], file: Path) -> None:
    """A row for each tree, a panel for each stage, a bar for each optimizer."""
    many_leaves.draw(report, file)


def main(argv: Sequence[str] | None = None) -> None:
    given: argparse.Namespace = record.parse(record.parser("steering", __doc__), argv)
    settings = many_leaves.QUICK._replace(trees=((30, 16),)) if given.quick else SETTINGS
    jax.config.update("jax_enable_compilation_cache", False)
    trees = {}
    for number, side in settings.trees:
        tree = many_leaves.label(number, side)
        with console.progress({tree: settings.rounds}) as advance:
            step = partial(advance, tree)
            trees[tree] = many_leaves.measure(number, side, settings, step, optimizers())
        many_leaves.tell(tree, trees[tree])
    record.write("steering", given, settings._asdict(), {"trees": trees})


if __name__ == "__main__":
    main()
