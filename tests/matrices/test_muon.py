"""Muon on matrices of other layouts, against the authors' code."""

import json
import math

import jax
import numpy as np
import optax
import pytest

import adamjax
from adamjax.matrices.polar import resolve
from tests import ROOT

FOLDER = ROOT / "tests/trajectories/layouts"
LAYOUTS = {
    "heads": "(heads=3 dim) in -> heads dim in",
    "rows": "out=4+2+2 in -> out in",
    "interleaved": "(out gate=2) in -> gate out in",
    "flatten": "out in h w -> out (in h w)",
    "batched": "out in h w -> h w out in",
    None: {"E*": "stack out in -> stack out in", "*": "out in -> out in"},
}
STYLES = {"ema": "author", "sum": "keras", "ema_debiased": "optax"}
SCALES = {"rows_over_columns": "aspect", "columns_over_rows": "aspect", "match_rms": "rms"}


def make(record, shape):
    """The optimizer of a file, with a factor of the update that only its implementation has."""
    factor = record["extra_scale"]
    if record.get("normalize_space"):
        factor /= math.sqrt(math.prod(shape[2:]))
    scale = SCALES.get(record["scale"], record["scale"])
    if record.get("scale_shape") == "leaf":
        factor, scale = math.sqrt(max(1, shape[-2] / shape[-1])), "none"
    layouts = LAYOUTS.get(record.get("layout"))
    if record.get("layout") == "axes":
        axes = map(tuple, (record["reduction"], record["output"]))
        layouts = optax.contrib.MuonDimensionNumbers(*axes)
    settings = {name: record["ns_" + name] for name in ("eps", "eps_mode", "safety")}
    rule = adamjax.scale_by_muon(
        record["momentum"],
        nesterov=record["nesterov"],
        coefficients=resolve(record["ns_coefficients"])._replace(**settings),
        style=STYLES[record["style"]],
        scale=scale,
        layouts=layouts,
    )
    rule = optax.chain(rule, optax.scale(factor))
    return adamjax.optimizer(rule, record["lr"], weight_decay=record["weight_decay"])


@pytest.mark.parametrize("name", sorted(file.stem for file in FOLDER.glob("*.npz")))
def test_trajectory(name):
    with np.load(FOLDER / f"{name}.npz") as file:
        arrays = dict(file)
    meta = json.loads(str(arrays["meta"]))
    with jax.enable_x64(True):
        params = {leaf: arrays[f"params_{leaf}"][0] for leaf in meta["leaves"]}
        tx = make(meta["hyperparameters"], next(iter(params.values())).shape)
        state, update = tx.init(params), jax.jit(tx.update)
        for t in range(12):
            gradients = {leaf: arrays[f"grads_{leaf}"][t] for leaf in params}
            updates, state = update(gradients, state, params)
            params = optax.apply_updates(params, updates)
            for leaf, p in params.items():
                expected = arrays[f"params_{leaf}"][t + 1]
                np.testing.assert_allclose(p, expected, rtol=0, atol=meta["tolerance"])
