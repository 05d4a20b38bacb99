"""Metrics of each layer, measured in the pass of the optimizer, and spikes in them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.moments import Array, divide
from adamjax.tracking.sums import count_layers, join, layer_terms, sum_terms
from adamjax.trees import PyTree, Stacked, check_same_tree, leaf_names, stack_axes

LAYER_METRICS = (
    *("gradient_norm", "update_norm", "parameter_norm", "update_ratio", "gradient_cosine"),
    *("lost", "nonfinite", "gradient_spike", "update_spike"),
    *("gradient_average", "update_average", "saturated"),
)
_AVERAGES = slice(9, 11)

PerLayer = bool | Stacked


class Spike(NamedTuple):
    """A norm of a layer that is `factor` times its average over the steps before."""

    step: int
    metric: str  # "gradient" or "update"
    layer: str
    factor: float


def layer_axes(per_layer: PerLayer, params: PyTree) -> dict[str, int | None]:
    """Return the axis of the layers by the name of each floating-point leaf, None without one."""
    stacked: Stacked = {} if isinstance(per_layer, bool) else per_layer
    columns = leaf_names(params), jax.tree.leaves(params), stack_axes("per_layer", stacked, params)
    axes: dict[str, int | None] = {}
    for name, leaf, found in zip(*columns, strict=True):
        if len(found) > 1:
            raise ValueError(f"per_layer: {name!r} has the axes {found}; give one of them")
        if jnp.issubdtype(jnp.result_type(leaf), jnp.inexact):
            axes[name] = found[0] if found else None
    return axes


def init_layers(per_layer: PerLayer, params: PyTree, *, coded: bool) -> dict[str, Any]:
    """Return zeros of shape (metrics, layers), and None for each layer of each leaf by name.

    All layers are in one array, because each small array is one more to compile. The names are part
    of the tree.
    """
    axes = layer_axes(per_layer, params)
    leaves = dict(zip(leaf_names(params), jax.tree.leaves(params), strict=True))
    counts = {k: None if i is None else (None,) * leaves[k].shape[i] for k, i in axes.items()}
    total = sum(1 if count is None else len(count) for count in counts.values())
    rows = len(LAYER_METRICS) - (not coded)
    return {"values": jnp.zeros((rows, total), jnp.float32), "leaves": counts}


def aligned_leaves(
    updates: PyTree, out: PyTree, params: PyTree
) -> list[tuple[str, Array, Array, Any]]:
    """Return name, gradient, update and parameter (or None) of the floating-point leaves."""
    leaves = jax.tree.leaves(updates)
    values: Sequence[Any] = [None] * len(leaves)
    if params is not None:
        values = check_same_tree("updates", updates, "params", params)
    rows = zip(leaf_names(updates), leaves, jax.tree.leaves(out), values, strict=True)
    return [row for row in rows if jnp.issubdtype(jnp.result_type(row[1]), jnp.inexact)]


def measure_layers(
    leaves: Sequence[tuple[str, Array, Array, Any]],
    before: Array,
    axes: Mapping[str, int | None],
    saturated: Mapping[str, Array],
) -> tuple[Array, Array]:
    """Return the metrics of the layers, and Σ g², Σ Δθ², Σ θ² and the number of NaN or inf.

    Args:
      leaves: name, gradient, update, and parameter or None.
      before: the metrics of the step before, with the leaves in the order of their names.
      axes: the axis of the layers.
      saturated: the number of elements in integer codes that are at a limit.
    """
    if not leaves:
        return before, jnp.zeros(4, jnp.float32)
    names, *columns = zip(*sorted(leaves, key=lambda row: row[0]), strict=True)
    of_axes, rows = tuple(axes[name] for name in names), list(zip(*columns, strict=True))
    of_layers = sum_terms(layer_terms, of_axes, rows)
    counts = list(map(count_layers, of_axes, columns[0]))
    sizes = [np.full(n, g.size / max(n, 1)) for n, g in zip(counts, columns[0], strict=True)]
    size = np.maximum(np.concatenate(sizes), 1).astype(np.float32)
    values = _metrics(of_layers, size, before[_AVERAGES])
    if len(before) == len(LAYER_METRICS):
        pairs = zip(names, counts, strict=True)
        codes = join([saturated.get(name, jnp.zeros(n)) for name, n in pairs])
        values = jnp.concatenate([values, codes[None] / size])
    return values, jnp.sum(of_layers[jnp.array([0, 1, 2, 5])], axis=1)


def _metrics(sums: Array, sizes: Any, averages: Array) -> Array:
    """Return the metrics of all layers from their sums, sizes and averages before."""
    norms = jnp.sqrt(sums[:3])
    spikes, averages = _spike(norms[:2], averages)
    ratio = divide(norms[1], norms[2])
    cosine = divide(divide(sums[3], norms[0]), norms[1])
    rest = jnp.stack([ratio, cosine, sums[4] / sizes, sums[5]])
    return jnp.concatenate([norms, rest, spikes, averages])


def _spike(norm: Array, average: Array) -> tuple[Array, Array]:
    """Return the norm over its average before, and the average, which spikes at most double."""
    new = average + 0.1 * (jnp.minimum(norm, 2 * average) - average)
    new = jnp.where(average > 0, new, norm)
    spike = jnp.where(jnp.isfinite(norm), divide(norm, average), jnp.inf)
    return spike, jnp.where(jnp.isfinite(new), new, average)


def layer_scalars(layers: Mapping[str, Any]) -> dict[str, Array]:
    """Return (layers,) or () by metric and leaf, such as "gradient_norm/layers/kernel"."""
    if not layers:
        return {}
    values, scalars, start = jnp.asarray(layers["values"]), {}, 0
    for name, each in sorted(layers["leaves"].items()):
        place = start if each is None else slice(start, start + len(each))
        start += 1 if each is None else len(each)
        for metric, row in zip(LAYER_METRICS, values[:, place], strict=False):
            if not metric.endswith("average"):
                scalars[f"{metric}/{name}"] = row
    return scalars


def find_spikes(history: Mapping[str, Any], *, factor: float = 10.0, name: str = "") -> list[Spike]:
    """Return the layers whose gradient or update is much larger than before, the first step first.

    Args:
      history: the metrics of `track(per_layer=True)` by name, and "step", as in
        `Recorder.history`.
      factor: the least norm in units of the layer's moving average. NaN norms are infinite.
      name: the prefix of the tracker, if `history` has several.

    Returns:
      A `Spike` (step, metric, layer, factor) for each. Within a step, the largest is the first.

    Raises:
      ValueError: `history` has no metrics of layers.

    >>> gradients = {"gradient_spike/h/0": [1.0, 1.2], "gradient_spike/h/1": [1.0, 50.0]}
    >>> updates = {"update_spike/h/0": [1.0, 1.1], "update_spike/h/1": [1.0, 3.0]}
    >>> find_spikes({"step": [1, 2], **gradients, **updates})
    [Spike(step=2, metric='gradient', layer='h/1', factor=50.0)]
    """
    spikes = [
        Spike(int(step), metric.removesuffix("_spike"), layer, float(x))
        for metric in ("gradient_spike", "update_spike")
        for layer, values in layer_rows(history, metric, name=name).items()
        for step, x in zip(history["step"], values, strict=True)
        if x >= factor
    ]
    return sorted(spikes, key=lambda spike: (spike.step, -spike.factor))


def layer_rows(history: Mapping[str, Any], metric: str, *, name: str = "") -> dict[str, Any]:
    """Return the values of one metric by layer, or raise ValueError if there are none."""
    prefix = f"{name}/{metric}/" if name else f"{metric}/"
    rows = {key.removeprefix(prefix): x for key, x in history.items() if key.startswith(prefix)}
    if not rows:
        names = [x for x in LAYER_METRICS if any(f"{x}/" in key for key in history)]
        advice = "record adamjax.metrics of a track(..., per_layer=True)"
        advice = f"its metrics of layers are {', '.join(names)}" if names else advice
        raise ValueError(f"history has no {prefix}...: {advice}")
    return rows
