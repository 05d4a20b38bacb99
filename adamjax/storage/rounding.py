"""`round_params`: updates of low-precision parameters below their resolution."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax.checks import lookup_or_suggest, refuse_state
from adamjax.moments import Array, common_dtype, increment, nan_to_zero
from adamjax.storage.bits import first_index, leaf_seeds, random_bits, step_words
from adamjax.storage.codes import refuse_derivative, round_bits
from adamjax.trees import (
    PyTree,
    check_same_tree,
    find_nodes,
    is_masked,
    leaf_name,
    like_updates,
    require_params,
    unbox,
)

MODES = ("stochastic", "kahan", "residual8")


class RoundParamsState(NamedTuple):
    """Number of steps done, the rounding error of each parameter, and a mark of its format.

    The mark is zeros, one for "kahan" and two for "residual8", see `StoredState`.
    """

    steps: Any
    residual: PyTree = None
    format: Any = None


def round_params(mode: str = "stochastic") -> optax.GradientTransformationExtraArgs:
    """Apply updates smaller than the resolution of bfloat16 and float16 parameters.

    Use it last in a chain. With θ = p + u in float32, it returns round(θ) - p in the parameter's
    precision, so that `optax.apply_updates` returns round(θ). Where a step changes a parameter by
    more than half, the difference is rounded as well. Parameters of other dtypes pass.

    | mode | new p | stored | bytes per parameter |
    |---|---|---|---|
    | "stochastic" | a neighbour of θ, unbiased | nothing | 0 |
    | "kahan" | nearest to θ + c | c, the rounding error, in p's dtype | 2 |
    | "residual8" | nearest to θ + c | c in 8 bits | 1 |

    Args:
      mode: "stochastic", "kahan" or "residual8".

    Returns:
      A transformation with a `RoundParamsState`. Updates keep their dtypes, or have those of the
      parameters where they are wider.

    Raises:
      ValueError: for an unknown mode; in `update`, if the parameters are missing or do not fit.

    >>> tx = round_params("kahan")
    >>> p = jnp.bfloat16(1.0)
    >>> state = tx.init(p)
    >>> for _ in range(8):  # each update is a quarter of the resolution of a bfloat16 near 1
    ...     updates, state = tx.update(jnp.float32(1 / 512), state, p)
    ...     p = optax.apply_updates(p, updates)
    >>> float(p)
    1.015625
    """
    lookup_or_suggest("rounding mode", mode, dict.fromkeys(MODES))

    def init(params: PyTree) -> RoundParamsState:
        steps = jnp.zeros([], jnp.int32)
        if mode == "stochastic":
            return RoundParamsState(steps)
        residual = jax.tree.map(partial(_nothing_lost, mode), params)
        return RoundParamsState(steps, residual, jnp.zeros(MODES.index(mode), jnp.int8))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        del extra_args
        require_params(params, "rounding")
        named, treedef = jax.tree_util.tree_flatten_with_path(updates)
        leaves, params = [u for _, u in named], like_updates(updates, params)
        params = check_same_tree("updates", updates, "params", params, flat=(leaves, treedef))
        residuals = _residuals(mode, state, params, treedef)
        words = step_words(state.steps, leaf_seeds([leaf_name(path) for path, _ in named]))
        results = [
            _round(mode, u, jnp.asarray(p), c, words[i] + first_index(u.shape))
            if is_low(p)
            else (u, c)
            for i, (u, p, c) in enumerate(zip(leaves, params, residuals, strict=True))
        ]
        residual = None if mode == "stochastic" else treedef.unflatten([c for _, c in results])
        state = state._replace(steps=increment(state.steps), residual=residual)
        return treedef.unflatten([u for u, _ in results]), state

    return optax.GradientTransformationExtraArgs(init, update)


def with_param_rounding(
    tx: optax.GradientTransformation, *, param_rounding: str | None
) -> optax.GradientTransformationExtraArgs:
    """Append `round_params` to an optimizer, which gets float32 gradients, unless None."""
    if param_rounding is None:
        return optax.with_extra_args_support(tx)

    def widen(updates: PyTree, params: PyTree) -> PyTree:
        del params
        wide = lambda g: np.promote_types(jnp.result_type(g), np.float32)  # noqa: E731
        return jax.tree.map(lambda g: jnp.asarray(g, wide(g)), updates)

    chain = optax.chain(optax.stateless(widen), tx, round_params(param_rounding))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        if isinstance(state, tuple) and not any(isinstance(x, RoundParamsState) for x in state):
            raise ValueError(
                "state: it has no rounding errors, as of param_rounding=None; continue with (optax."
                f"EmptyState(), state, adamjax.round_params({param_rounding!r}).init(params))"
            )
        return chain.update(updates, state, params, **extra_args)

    return optax.GradientTransformationExtraArgs(chain.init, update)


def narrow_updates(tx: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
    """Return updates in the dtypes of the gradients, or the parameters' where they are wider.

    Use it around an optimizer with `param_rounding` where another branch returns such updates, as
    in `optax.apply_if_finite` and `jax.lax.cond`. Rounded updates lose nothing, but a TPU then
    needs a second pass over memory.

    Args:
      tx: any transformation.

    Returns:
      A transformation with the state of `tx`.

    >>> import adamjax
    >>> tx = narrow_updates(adamjax.sgd(0.1, param_rounding="stochastic"))
    >>> p = jnp.bfloat16(1.0)
    >>> tx.update(p, tx.init(p), p)[0].dtype.name
    'bfloat16'
    """
    tx = optax.with_extra_args_support(tx)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        new, state = tx.update(updates, state, params, **extra_args)
        params = updates if params is None else like_updates(updates, params)
        narrow = lambda u, g, p: u.astype(common_dtype(g, p))  # noqa: E731
        return jax.tree.map(narrow, new, updates, params), state

    return optax.GradientTransformationExtraArgs(tx.init, update)


def master_params(params: PyTree, state: Any) -> PyTree:
    """Return the float32 parameters that low-precision ones and their rounding errors stand for.

    Args:
      params: the parameters.
      state: the state of an optimizer with `param_rounding` "kahan" or "residual8", or an object
        with the attribute `opt_state`, such as `flax.nnx.Optimizer`.

    Returns:
      p + c in float32 for bfloat16 and float16 parameters, with c = 0 for frozen ones, and the
      other parameters.

    Raises:
      ValueError: if the state stores no rounding errors, several trees of them, or those of other
        parameters.

    >>> params = {"w": jnp.bfloat16(1.0)}
    >>> params, state = from_master_params(
    ...     {"w": jnp.float32(1.001)}, params, round_params("kahan").init(params)
    ... )
    >>> float(params["w"]), round(float(master_params(params, state)["w"]), 5)
    (1.0, 1.001)
    """

    def master(p: Any, c: Any) -> Any:
        if not is_low(p):
            return p
        wide = jnp.asarray(p, jnp.float32)
        if is_masked(c):
            return wide
        return jnp.where(jnp.isfinite(wide), wide + _error(p, c), wide)

    leaves, treedef = jax.tree.flatten(params)
    residual = _find_residual(getattr(state, "opt_state", state))
    return treedef.unflatten(map(master, leaves, _errors_of(params, residual)))


def from_master_params(master: PyTree, params: PyTree, state: Any) -> tuple[PyTree, Any]:
    """Round float32 parameters, and store the rounding errors: the inverse of `master_params`.

    Args:
      master: the float32 parameters.
      params: parameters in the dtypes to round to.
      state: the state of an optimizer with `param_rounding` "kahan" or "residual8".

    Returns:
      Parameters and state. For bfloat16 above 2⁻¹⁰⁰, `master_params` of them has a relative error
      below 8e-6 with "kahan", and below 1.6e-5 with "residual8".

    Raises:
      ValueError: if the state stores no rounding errors, several trees of them, or those of other
        parameters.

    >>> params = jnp.bfloat16(0.0)
    >>> state = round_params("residual8").init(params)
    >>> params, state = from_master_params(jnp.float32(3.01), params, state)
    >>> float(params), state.residual.dtype.name
    (3.015625, 'int8')
    """

    def split(x: Any, p: Any, c: Any) -> tuple[Any, Any]:
        if not is_low(p):
            return x, c
        rounded = _nearest(jnp.asarray(x, jnp.float32), p.dtype)
        if is_masked(c):
            return rounded.astype(p.dtype), c
        rounded = rounded.astype(p.dtype)
        return rounded, _residual_of(x - rounded.astype(jnp.float32), rounded, c.dtype)

    residual = _find_residual(state)
    masters = check_same_tree("params", params, "master", master)
    leaves, treedef = jax.tree.flatten(params)
    pairs = list(map(split, masters, leaves, _errors_of(params, residual)))
    lost = jax.tree.structure(residual).unflatten([c for _, c in pairs if not is_masked(c)])
    replace = lambda x: x._replace(residual=lost) if _is_rounding(x) else x  # noqa: E731
    state = jax.tree.map(replace, state, is_leaf=_is_rounding)
    return treedef.unflatten([p for p, _ in pairs]), state


def carry_residual(params: PyTree, state: Any, new: RoundParamsState) -> RoundParamsState:
    """Return `new` with the rounding errors that `state` stores, in the format of `new`."""
    if new.residual is None:
        return new
    found = [x.residual for x in find_nodes(state, _is_rounding) if x.residual is not None]

    def carry(p: Any, c: Any, *stored: Any) -> Any:
        known = [old for old in stored if not is_masked(old)]
        if is_masked(c) or not known:
            return c
        same = known[0].dtype == c.dtype
        return known[0] if same else _residual_of(_error(p, known[0]), p, c.dtype)

    columns = [_errors_of(params, tree) for tree in (new.residual, *found)]
    errors = map(carry, jax.tree.leaves(params), *columns)
    treedef = jax.tree.structure(new.residual)
    return new._replace(residual=treedef.unflatten([c for c in errors if not is_masked(c)]))


def _is_rounding(node: Any) -> bool:
    return isinstance(node, RoundParamsState)


def _find_residual(state: Any) -> PyTree:
    nodes = find_nodes(state, _is_rounding)
    found = [node.residual for node in nodes if node.residual is not None]
    if len(found) != 1:
        raise ValueError(
            f"state: it has {len(found)} trees of rounding errors; give the state of one optimizer "
            "with param_rounding='kahan' or 'residual8', such as state.inner_opt_state of "
            "accumulate"
        )
    return found[0]


def _errors_of(params: PyTree, residual: PyTree) -> list[Any]:
    """Return the stored error of each parameter, or `optax.MaskedNode`."""
    leaves, treedef = jax.tree.flatten(unbox(params))
    try:
        errors = treedef.flatten_up_to(unbox(residual))
        for p, c in zip(leaves, errors, strict=True):
            if not is_masked(c) and jnp.shape(p) != jnp.shape(c):
                raise ValueError(f"{jnp.shape(p)} is not {jnp.shape(c)}")
    except ValueError as error:
        raise ValueError(
            "params: their tree or shapes are not those of the rounding errors in state; give the "
            "parameters from which tx.init made it"
        ) from error
    return errors


def _error(p: Array, c: Array) -> Array:
    """Return the rounding error of a parameter that c stands for."""
    if c.dtype != jnp.int8:
        return c.astype(jnp.float32)
    return c.astype(jnp.float32) / 127 * _half_step(p.astype(jnp.float32), p.dtype)


def _residual_of(lost: Array, p: Array, dtype: Any) -> Array:
    """Return the residual that stands for a rounding error of a parameter."""
    if dtype == jnp.int8:
        share = jnp.clip(lost / _half_step(p.astype(jnp.float32), p.dtype), -1, 1) * 127
        lost = jnp.round(nan_to_zero(share))
    return jnp.where(jnp.isfinite(lost), lost, 0).astype(dtype)


def _residuals(mode: str, state: Any, params: list[Any], treedef: Any) -> list[Any]:
    """Return the residual of each parameter, or raise ValueError for a state of another mode."""
    stored = mode != "stochastic"
    if not isinstance(state, RoundParamsState) or (state.residual is not None) != stored:
        refuse_state(state)
    if not stored:
        return [None] * len(params)
    residuals = treedef.flatten_up_to(state.residual)
    for p, c in zip(params, residuals, strict=True):
        expected = (jnp.shape(p), _residual_dtype(mode, p)) if is_low(p) else ()
        if (() if isinstance(c, optax.MaskedNode) else (jnp.shape(c), c.dtype)) != expected:
            refuse_state(state)
    return residuals


def _residual_dtype(mode: str, p: Any) -> Any:
    return jnp.dtype("int8") if mode == "residual8" else jnp.result_type(p)


def is_low(p: Any) -> bool:
    """Return whether an array is bfloat16 or float16."""
    return jnp.result_type(p) in (jnp.bfloat16, jnp.float16)


def _nothing_lost(mode: str, p: Any) -> Any:
    return jnp.zeros_like(p, dtype=_residual_dtype(mode, p)) if is_low(p) else optax.MaskedNode()


# Leaves of the same shape share a trace.
@partial(jax.jit, static_argnums=0)
def _round(mode: str, u: Array, p: Array, c: Any, word: Array) -> tuple[Array, Any]:
    """Return round(θ) - p, a number of p's dtype, and the new c.

    The difference of numbers within a factor of 2 is exact. Others are rounded again, in float32 so
    that they are the same whether or not XLA keeps a cast to p's dtype.
    """
    dtype, wide = p.dtype, p.astype(jnp.float32)
    v = refuse_derivative(u.astype(jnp.float32), "param_rounding=None")
    finite = jnp.isfinite(wide)
    bits = random_bits(p.shape, word)
    if mode == "stochastic":
        difference = _stochastic(wide + v, dtype, bits) - wide
        difference = _stochastic(jax.lax.select(finite, difference, v), dtype, bits << 16)
        return difference.astype(common_dtype(u, p)), None
    target = wide + v + _error(p, c)
    difference = jax.lax.select(finite, _nearest(target, dtype) - wide, v)
    difference = _nearest(difference, dtype)
    rounded = _nearest(wide + difference, dtype)
    lost = target - rounded
    if mode == "residual8":
        share = jnp.clip(lost / _half_step(rounded, dtype), -1, 1) * 127
        noise = bits.astype(jnp.float32) * np.float32(2.0**-32)
        lost = jnp.floor(nan_to_zero(share) + noise)
    return difference.astype(common_dtype(u, p)), lost.astype(_residual_dtype(mode, p))


def _stochastic(x: Array, dtype: Any, word: Array) -> Array:
    """Round x to one of its neighbours in a lower precision, as a float32."""
    if dtype == jnp.bfloat16:
        return round_bits(x, 16, word)
    share = word.astype(jnp.float32) * np.float32(2.0**-32)
    rounded = _float16(x, round_bits(x, 13, word), lambda steps: jnp.floor(steps + share))
    return rounded.astype(jnp.float16).astype(jnp.float32)


def _nearest(x: Array, dtype: Any) -> Array:
    """Round to nearest in a lower precision. XLA may remove a conversion there and back."""
    info = jnp.finfo(dtype)
    rounded = jax.lax.reduce_precision(x, info.nexp, info.nmant)
    return rounded if dtype == jnp.bfloat16 else _float16(x, rounded, jnp.round)


def _float16(x: Array, rounded: Array, to_integer: Callable[[Array], Array]) -> Array:
    """Return x in steps of 2⁻²⁴ where float16 is subnormal, and `rounded` elsewhere."""
    subnormal = to_integer(x * np.float32(2.0**24)) * np.float32(2.0**-24)
    return jnp.where(jnp.abs(x) < np.float32(2.0**-14), subnormal, rounded)


def _half_step(x: Array, dtype: Any) -> Array:
    """Return half of the distance between neighbours near x, the largest rounding error."""
    info = jnp.finfo(dtype)
    smallest = max(float(info.smallest_normal), 2.0**-100)
    pattern = jax.lax.bitcast_convert_type(jnp.maximum(jnp.abs(x), smallest), jnp.int32)
    power = jax.lax.bitcast_convert_type(pattern & (0xFF << 23), jnp.float32)
    return power * np.float32(2.0 ** -(info.nmant + 1))
