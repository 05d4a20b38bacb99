"""What an optimizer step did, measured inside jit: norms, learning rates, non-finite counts."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, is_number
from adamjax.tracking.decode import coded_moments, saturated_share
from adamjax.tracking.rates import effective_quantiles, largest, learning_rates


class TrackState(NamedTuple):
    """State of `track`: the wrapped state, and the metrics of the last step.

    `metrics` maps a metric's name to a scalar; with a tracker's name given, it is one level
    deeper: `{name: {metric: scalar}}`.
    """

    inner_state: Any
    metrics: dict[str, Any]


def track(
    tx: optax.GradientTransformation,
    *,
    b2: float | None = None,
    quantiles: Sequence[float] = (0.05, 0.5, 0.95),
    name: str = "",
) -> optax.GradientTransformationExtraArgs:
    """Wrap an optimizer so that each step leaves its metrics in the optimizer state.

    The updates pass through unchanged, bit for bit. Norms are over the whole tree, ‖x‖ =
    √(Σ |xᵢ|²), accumulated in float32 whatever the leaves' dtype. All metrics are float32
    scalars but `nonfinite`, an int32; before the first update all of them are 0.

    | metric | meaning |
    |---|---|
    | `gradient_norm` | ‖g‖ of what goes into `tx`, before any clipping in it |
    | `update_norm` | ‖Δθ‖ of what comes out of `tx` |
    | `parameter_norm` | ‖θ‖ before the update; NaN if `update` gets no params |
    | `update_ratio` | ‖Δθ‖ / ‖θ‖; 0 where Δθ = 0; NaN if `update` gets no params |
    | `learning_rate` | the learning rate η of this step; NaN if the state shows none |
    | `effective_lr_p05` ... | quantiles of η / √v̂ over the elements; NaN without η or v |
    | `nonfinite` | how many elements of g are NaN or infinite (exact to 2²⁴) |
    | `saturated` | share of the elements in 8-bit storage that are at a code's limit |

    **Learning rate.** It is read from `tx`'s state: adamjax's optimizers keep theirs in a field
    `learning_rate`, and `optax.inject_hyperparams(optax.adam)(learning_rate=...)` shows that of
    an Optax optimizer. Of several (`optax.partition`) the largest is reported; for one each,
    wrap each part in a `track` of its own with a `name`.

    **Effective learning rate.** v is every `nu` in `tx`'s state (the `optax.ScaleByAdamState`
    of the Adam family and its relatives), with the learning rate kept nearest to it. Elements with
    v = 0 have seen no gradient and are left out. AMSGrad's maximum stands in for its v; a factored
    second moment has no `nu`. The quantiles come from a fixed sample: every k-th element of the
    tree, at most 1024. Codes of `adamjax.store` are decoded, those of others are left out.

    **Saturation.** Present if the state that `init` makes has 8-bit codes (`storage="8bit"`,
    `"8bit_v16"`). An element counts if √v is at its largest code, above 50,000, or m is cut, since
    |m| / √v is above its largest code or v too small to be kept (|g| below 1e-12); and after a
    gradient that is not finite. Where it stays above 0, scale the loss or keep those leaves in
    float32 (`exclude=`).

    **Cost.** A gradient norm that `tx` computes as well (`optax.clip_by_global_norm`) is the same
    expression, and the compiler computes it once. As there, squares beyond float32's range
    give inf (an element above 1.8e19) or 0 (all below 1e-19): `gradient_norm` of inf with
    `nonfinite` of 0 means huge but finite gradients.

    Args:
      tx: any Optax transformation. `track` goes outside of `optax.inject_hyperparams`,
        inside or outside of the other wrappers.
      b2: decay rate of v. When given, and where the state that holds `nu` counts its steps t,
        v̂ = v / (1 - b2ᵗ); otherwise v̂ = v.
      quantiles: which quantiles of the effective learning rate, each in [0, 1]. 0.05 is called
        `effective_lr_p05`, 0.999 `effective_lr_p99.9`. `()` measures none.
      name: tells several trackers of one optimizer apart (see `metrics`); a Python identifier.

    Returns:
      An `optax.GradientTransformationExtraArgs` with `TrackState` as its state.

    Raises:
      TypeError: `tx` is not a gradient transformation, or `b2` not a number.
      ValueError: `b2`, a quantile or `name` is out of range.

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
        # A buffer for each: donating one buffer twice is an error.
        floats = ("learning_rate", "gradient_norm", "update_norm", "parameter_norm")
        values = {key: jnp.zeros((), jnp.float32) for key in (*floats, "update_ratio", *labels)}
        values["nonfinite"] = jnp.zeros((), jnp.int32)
        inner_state = tx.init(params)
        if coded_moments(inner_state):
            values["saturated"] = jnp.zeros((), jnp.float32)
        return TrackState(inner_state, named(values))

    def update(updates, state, params=None, **extra_args):
        out, inner_state = tx.update(updates, state.inner_state, params, **extra_args)
        gradient_norm, update_norm = _norm(updates), _norm(out)
        parameter_norm = jnp.float32(jnp.nan) if params is None else _norm(params)
        ratio = jnp.where(update_norm == 0, 0.0, update_norm / parameter_norm)
        values = {
            "learning_rate": largest([rate for _, rate in learning_rates(inner_state)]),
            "gradient_norm": gradient_norm,
            "update_norm": update_norm,
            "parameter_norm": parameter_norm,
            "update_ratio": parameter_norm if params is None else ratio,
            "nonfinite": _count_nonfinite(updates, gradient_norm),
            **effective_quantiles(inner_state, b2, labels),
        }
        # A state that `convert_state` has changed keeps the metrics that it had.
        if "saturated" in (state.metrics[name] if name else state.metrics):
            values["saturated"] = saturated_share(inner_state)
        return out, TrackState(inner_state, named(values))

    return optax.GradientTransformationExtraArgs(init, update)


def metrics(opt_state: Any) -> dict[str, jax.Array]:
    """The last step's metrics, from any nesting of optimizer states.

    Looks for the states of `track` through `optax.chain`, `masked`, `partition`, `MultiSteps`
    and every other pytree. Works inside and outside of jit.

    Args:
      opt_state: an optimizer state, or what holds one as `opt_state` (`flax.nnx.Optimizer`,
        `flax.training.train_state.TrainState`).

    Returns:
      Scalars by name, as listed in `track`. With several trackers, outer before inner, each name
      is prefixed: `"body/gradient_norm"` for `track(..., name="body")`, `"0/gradient_norm"` (its
      place among the trackers) for one without a name, `"body/0/gradient_norm"` for a name
      that several have.

    Raises:
      ValueError: nothing in `opt_state` is tracked.

    Example:
      >>> import jax.numpy as jnp, optax
      >>> from adamjax.tracking import metrics, track
      >>> tx = optax.chain(track(optax.clip(1.0), name="clip"), track(optax.sgd(0.1), name="sgd"))
      >>> params = jnp.array([3.0, -4.0])
      >>> _, state = tx.update(params, tx.init(params), params)
      >>> found = metrics(state)
      >>> float(found["clip/gradient_norm"]), round(float(found["sgd/gradient_norm"]), 4)
      (5.0, 1.4142)
    """
    trackers = [_split_name(s) for s in _trackers(getattr(opt_state, "opt_state", opt_state))]
    if not trackers:
        raise ValueError(
            "opt_state holds no metrics: wrap the optimizer with adamjax.track(...) before init"
        )
    names = [name for name, _ in trackers]
    found = {}
    for place, (name, values) in enumerate(trackers):
        if len(trackers) == 1:
            prefix = ""
        elif name and names.count(name) == 1:
            prefix = f"{name}/"
        else:
            prefix = f"{name}/{place}/" if name else f"{place}/"
        # asarray also unpacks what a framework puts around a leaf (nnx.Variable).
        found |= {prefix + key: jnp.asarray(value) for key, value in values.items()}
    return found


def _checked(tx, b2, quantiles, name) -> dict[str, float]:
    """Check `track`'s arguments; the quantiles by their metric's name."""
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


def _trackers(tree: Any) -> list[TrackState]:
    def is_tracker(node):
        return isinstance(node, TrackState)

    found = []
    for node in filter(is_tracker, jax.tree.leaves(tree, is_leaf=is_tracker)):
        found += [node, *_trackers(node.inner_state)]
    return found


def _split_name(state: TrackState) -> tuple[str, dict[str, Any]]:
    if "gradient_norm" in state.metrics:
        return "", state.metrics
    ((name, values),) = state.metrics.items()
    return name, values


def _measurable(tree: Any) -> list[jax.Array]:
    """The real and complex leaves; integers have no norm worth reporting."""
    leaves = [jnp.asarray(x) for x in jax.tree.leaves(tree)]
    return [x for x in leaves if jnp.issubdtype(x.dtype, jnp.inexact)]


def _norm(tree: Any) -> jax.Array:
    # For float32 leaves the very reductions of optax.tree.norm, so that the compiler merges them.
    total = jnp.zeros((), jnp.float32)
    for x in _measurable(tree):
        if jnp.iscomplexobj(x):
            x = x.astype(jnp.complex64)
            total += jnp.sum((x.conj() * x).real)
        else:
            total += jnp.sum(jnp.square(x.astype(jnp.float32)))
    return jnp.sqrt(total)


def _count_nonfinite(tree: Any, norm: jax.Array) -> jax.Array:
    def count(leaves):
        # In float32, like the norm: XLA merges reductions of one dtype into one pass.
        counts = [jnp.sum(jnp.where(jnp.isfinite(x), 0, jnp.float32(1))) for x in leaves]
        return sum(counts, start=jnp.zeros((), jnp.float32)).astype(jnp.int32)

    def count_if_any(leaves):
        # 0 · norm, which is 0 here, has the type of the count inside shard_map as well.
        none = lambda _: (0 * norm).astype(jnp.int32)  # noqa: E731
        return jax.lax.cond(jnp.isfinite(norm), none, count, leaves)

    # XLA's CPU backend merges no passes, so there the count waits for a sign that it is needed;
    # on a GPU such a branch would make the host wait for the device.
    return jax.lax.platform_dependent(_measurable(tree), cpu=count_if_any, default=count)
