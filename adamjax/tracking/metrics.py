"""Metrics of an optimizer step, measured inside jit: norms, learning rates, non-finite counts."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, is_number
from adamjax.moments import divide
from adamjax.tracking.decode import saturated_counts, saturated_share
from adamjax.tracking.layers import (
    PerLayer,
    aligned_leaves,
    init_layers,
    layer_axes,
    layer_scalars,
    measure_layers,
)
from adamjax.tracking.rates import effective_quantiles, largest, read_state
from adamjax.tracking.sums import sum_terms, tree_terms
from adamjax.trees import find_nodes, like_updates
from adamjax.wrappers.guard import guards_in

NORMS = ("gradient_norm", "update_norm", "parameter_norm", "update_ratio")


class TrackState(NamedTuple):
    """State of `track`: the wrapped state, and the metrics of the last step.

    `metrics` maps names to scalars, and with `per_layer` "layers" to an array of all layers. If the
    tracker has a name, it is `{name: {metric: scalar}}`.
    """

    inner_state: Any
    metrics: dict[str, Any]


def track(
    tx: optax.GradientTransformation,
    *,
    b2: float | None = None,
    quantiles: Sequence[float] = (0.05, 0.5, 0.95),
    name: str = "",
    per_layer: PerLayer = False,
) -> optax.GradientTransformationExtraArgs:
    """Wrap an optimizer so that each step leaves its metrics in the optimizer state.

    The updates pass through unchanged, bit for bit. Norms are over the whole tree, ‖x‖ =
    √(Σ |xᵢ|²), accumulated in float32 for all dtypes. `nonfinite` is int32, all other metrics are
    float32. Before the first update all are 0.

    | metric | meaning |
    |---|---|
    | `gradient_norm` | ‖g‖ of the input of `tx`, before any clipping in it |
    | `update_norm` | ‖Δθ‖ of the output of `tx` |
    | `parameter_norm` | ‖θ‖ before the update; 0 if `update` gets no params |
    | `update_ratio` | ‖Δθ‖ / ‖θ‖; 0 if θ = 0 or `update` gets no params |
    | `learning_rate` | the learning rate η of this step; absent if the state has none |
    | `learning_rate/...` | that of each group of `adamjax.groups` |
    | `effective_lr_p05` ... | quantiles of η / √v̂ over the elements; absent without η or v |
    | `nonfinite` | the number of NaN or infinite elements of g (exact to 2²⁴) |
    | `saturated` | the share of the elements in 8-bit storage that are at a code's limit |

    **Learning rate.** It is read from `tx`'s state: the field `last_learning_rate` of adamjax's
    optimizers, or the hyperparameter of `optax.inject_hyperparams(optax.adam)(learning_rate=...)`.
    With several (`optax.partition`), the largest is reported. To see each, wrap each part in its
    own `track` with a `name`.

    **Effective learning rate.** v is every `nu` in `tx`'s state (as in `optax.ScaleByAdamState`),
    with the nearest learning rate. Elements with v = 0 have had no gradient and are left out.
    AMSGrad's maximum replaces its v. A factored second moment has no `nu`. The quantiles come from
    a fixed sample: every k-th element of the tree, at most 1024. Codes of `adamjax.store` are
    decoded, other integers are left out.

    **Saturation.** Present if the state of `init` has 8-bit codes (`storage="8bit"`, `"8bit_v16"`).
    An element counts if √v is at its largest code, above 50,000; if m is clipped, because |m| / √v
    is above its largest code or v is too small to be stored (|g| below 1e-12); and after a
    gradient that is not finite. If it stays above 0, scale the loss or exclude those leaves from
    the storage format.

    **Layers.** With `per_layer`, each leaf and each layer of a stacked leaf also has, as
    "gradient_norm/path" of shape (layers,) or ():

    | metric | meaning |
    |---|---|
    | `gradient_norm`, `parameter_norm` | ‖g‖ and ‖θ‖ |
    | `update_norm`, `update_ratio` | ‖Δθ‖ and ‖Δθ‖ / ‖θ‖, Δθ as rounded to the dtype of θ |
    | `gradient_cosine` | the cosine of the angle between -Δθ and g |
    | `lost` | the share of the elements with Δθ ≠ 0 that rounding of θ + Δθ turns into θ |
    | `gradient_spike`, `update_spike` | norm / its moving average over about ten steps before |
    | `nonfinite`, `saturated` | as above, of the layer |

    All are sums over g, θ and Δθ, and keep 11 or 12 numbers per layer in the state. On TPU, float32
    AdamW moves no more bytes with them. See `find_spikes` for alarms and `plot_layers` for a heat
    map. The cosine with the last update would take 4 bytes per parameter of state and is not
    measured. `matrix_metrics` has the stable rank.

    **Cost.** On a CPU, small leaves of one shape are copied into stacks, which compile faster. If
    `tx` computes the same gradient norm (`optax.clip_by_global_norm`), the compiler computes it
    once. Squares beyond float32's range give inf (an element above 1.8e19) or 0 (all
    below 1e-19): `gradient_norm` of inf with `nonfinite` of 0 means huge but finite gradients.

    Args:
      tx: any Optax transformation. Put `track` outside of `optax.inject_hyperparams`, and inside or
        outside of other wrappers.
      b2: decay rate of v. If given, and if the state that holds `nu` counts its steps t,
        v̂ = v / (1 - b2ᵗ). Otherwise v̂ = v.
      quantiles: the quantiles of the effective learning rate, each in [0, 1]. 0.05 is called
        `effective_lr_p05`, 0.999 `effective_lr_p99.9`. `()` measures none.
      name: distinguishes several trackers in one optimizer (see `metrics`), a Python identifier.
      per_layer: whether to measure each leaf. A dict from patterns of paths to the axis that stacks
        layers, such as {"layers/*": 0}, also measures each layer of these leaves.

    Returns:
      An `optax.GradientTransformationExtraArgs` with `TrackState` as its state.

    Raises:
      TypeError: `tx` is not a gradient transformation, or `b2` not a number.
      ValueError: `b2`, a quantile or `name` is out of range; in `init`, if a pattern in `per_layer`
        matches no leaf, or its axis does not exist in one.

    Example:
      >>> import jax.numpy as jnp, optax
      >>> from adamjax.tracking import metrics, track
      >>> tx = track(optax.inject_hyperparams(optax.adam)(learning_rate=0.1), b2=0.999)
      >>> params = {"w": jnp.array([3.0, 4.0])}
      >>> state = tx.init(params)
      >>> updates, state = tx.update({"w": jnp.array([0.5, 0.5])}, state, params)
      >>> for key, value in sorted(metrics(state).items()):
      ...     print(f"{key:16} {value:.4g}")
      effective_lr_p05 0.2
      effective_lr_p50 0.2
      effective_lr_p95 0.2
      gradient_norm    0.7071
      learning_rate    0.1
      nonfinite        0
      parameter_norm   5
      update_norm      0.1414
      update_ratio     0.02828
    """
    labels = _checked(tx, b2, quantiles, name)
    tx = optax.with_extra_args_support(tx)

    def named(values: dict[str, Any]) -> dict[str, Any]:
        return {name: values} if name else values

    def init(params):
        inner_state = tx.init(params)
        readout = read_state(inner_state)
        floats = [*NORMS, *(["learning_rate"] if readout.rates else [])]
        floats += labels if readout.rates and readout.holders else []
        floats += ["saturated"] if readout.coded else []
        floats += [f"learning_rate/{group}" for group in readout.groups]
        # A buffer for each: donating one buffer twice is an error.
        values: dict[str, Any] = {key: jnp.zeros((), jnp.float32) for key in floats}
        values |= {"nonfinite": jnp.zeros((), jnp.int32)}
        if per_layer:
            values["layers"] = init_layers(per_layer, params, coded=bool(readout.coded))
        return TrackState(inner_state, named(values))

    def update(updates, state, params=None, **extra_args):
        out, inner_state = tx.update(updates, state.inner_state, params, **extra_args)
        before = state.metrics[name] if name else state.metrics
        readout, params = read_state(inner_state), like_updates(updates, params)
        axes = layer_axes(per_layer, updates) if per_layer else {}
        counts = saturated_counts(readout.coded, axes) if "saturated" in before else {}
        rows, layers = aligned_leaves(updates, out, params), {}
        if per_layer:
            known = before["layers"]
            after, sums = measure_layers(rows, known["values"], axes, counts)
            layers["layers"] = {**known, "values": after}
        else:
            sums = _sum_tree([row for _, *row in rows])
        norms = list(jnp.sqrt(sums[:3]))
        values = {
            **dict(zip(NORMS, [*norms, divide(norms[1], norms[2])], strict=True)),
            "nonfinite": sums[3].astype(jnp.int32),
            **effective_quantiles(readout, b2, labels),
            **layers,
        }
        if readout.rates:
            values["learning_rate"] = largest([rate for _, rate in readout.rates])
        values |= {f"learning_rate/{group}": rate for group, rate in readout.groups.items()}
        # After `convert_state`, the state keeps its metrics.
        if "saturated" in before:
            values["saturated"] = saturated_share(readout.coded, counts)
        return out, TrackState(inner_state, named(values))

    return optax.GradientTransformationExtraArgs(init, update)


def metrics(opt_state: Any) -> dict[str, jax.Array]:
    """Return the last step's metrics from any nesting of optimizer states.

    Finds the states of `track` and `adamjax.guard` inside `optax.chain`, `masked`, `partition`,
    `MultiSteps` and every other pytree, inside and outside of jit.

    Args:
      opt_state: an optimizer state, or an object with the attribute `opt_state`
        (`flax.nnx.Optimizer`, `flax.training.train_state.TrainState`).

    Returns:
      Scalars by name, as listed in `track`, and the counts of `adamjax.guard`. With several
      trackers, outer before inner, each name has a prefix: `"body/gradient_norm"` for
      `track(..., name="body")`, `"0/gradient_norm"` (its place among the trackers) for one without
      a name, `"body/0/gradient_norm"` for a name that several have. So have several guards.

    Raises:
      ValueError: `opt_state` has no tracker and no guard.

    Example:
      >>> import jax.numpy as jnp, optax
      >>> from adamjax.tracking import metrics, track
      >>> tx = optax.chain(track(optax.clip(1.0), name="clip"), track(optax.sgd(0.1), name="sgd"))
      >>> params = jnp.array([3.0, -4.0])
      >>> _, state = tx.update(params, tx.init(params), params)
      >>> last = metrics(state)
      >>> float(last["clip/gradient_norm"]), round(float(last["sgd/gradient_norm"]), 4)
      (5.0, 1.4142)
    """
    state = getattr(opt_state, "opt_state", opt_state)
    guards = [("", node.metrics) for node in guards_in(state)]
    scalars = {**_by_name(list(_trackers(state))), **_by_name(guards)}
    if not scalars:
        raise ValueError(
            "opt_state holds no metrics: wrap the optimizer with adamjax.track(...) before init"
        )
    return scalars


def _by_name(parts: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, jax.Array]:
    """Return the scalars of all parts, with prefixes if there are several."""
    names = [name for name, _ in parts]
    scalars = {}
    for place, (name, values) in enumerate(parts):
        prefix = f"{name}/" if name else ""
        if names.count(name) > 1 or not name:
            prefix += f"{place}/"
        if len(parts) == 1:
            prefix = ""
        # asarray also unpacks the variables of a framework (nnx.Variable).
        layers = layer_scalars(values.get("layers", {}))
        numbers = {key: jnp.asarray(x) for key, x in values.items() if key != "layers"} | layers
        scalars |= {prefix + key: value for key, value in numbers.items()}
    return scalars


def _checked(tx, b2, quantiles, name) -> dict[str, float]:
    """Check the arguments of `track`, and return the quantiles by the names of their metrics."""
    if not (callable(getattr(tx, "init", None)) and callable(getattr(tx, "update", None))):
        raise TypeError(
            f"tx must be an optax.GradientTransformation, such as optax.adam(1e-3), not {tx!r}"
        )
    if b2 is not None:
        if not is_number(b2):
            raise TypeError(
                f"b2 must be a number, not {b2!r}: under a changing b2, leave it out and read the "
                "raw v"
            )
        check_beta("b2", b2)
    if name and not name.isidentifier():
        raise ValueError(f"name must be empty or a Python identifier, not {name!r}")
    for q in quantiles:
        if not 0 <= q <= 1:
            raise ValueError(f"quantiles must be in [0, 1], not {q!r}")
    return {f"effective_lr_p{f'{100 * q:g}'.zfill(2)}": float(q) for q in quantiles}


def _trackers(tree: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the metrics of each tracker, outer before inner."""
    for node in find_nodes(tree, lambda node: isinstance(node, TrackState)):
        named = {"": node.metrics} if "gradient_norm" in node.metrics else node.metrics
        yield from named.items()
        yield from _trackers(node.inner_state)


def _sum_tree(rows: Sequence[Any]) -> jax.Array:
    """Return Σ g², Σ Δθ², Σ θ² and the number of elements of g that are not finite."""
    if not rows:
        return jnp.zeros(4, jnp.float32)
    return jnp.sum(sum_terms(tree_terms, (None,) * len(rows), rows), axis=1)
