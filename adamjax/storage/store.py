"""`store`: any Optax transformation with low-precision moments between steps."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import AxisType

from adamjax.checks import lookup_or_suggest, warn
from adamjax.moments import Array
from adamjax.storage.bits import (
    as_operands,
    dithers,
    first_index,
    hash_u32,
    in_part,
    leaf_seeds,
    phases,
)
from adamjax.storage.codes import refuse_derivative
from adamjax.storage.formats import FORMATS, Code, groups
from adamjax.storage.roles import ROLES
from adamjax.storage.state_moments import Leaf, Moments, split_moments
from adamjax.trees import PyTree, check_patterns, has_masked, leaf_name, matches

# Smaller leaves save few bytes, and each coded leaf costs compile time.
MIN_SIZE = 16_384
Groups = list[tuple[tuple[str, ...], Code]]  # fields that are coded together, and their code


def store(
    tx: optax.GradientTransformation,
    storage: str = "8bit",
    *,
    exclude: str | Sequence[str] = (),
    min_size: int = MIN_SIZE,
    roles: Mapping[str, str] | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Store the moments of an optimizer in low precision between steps.

    Each step decodes the moments to float32, runs `tx` and encodes them again, which the compiler
    fuses into one pass. Moments keep their shapes, trees and fields. A `StoredState` around the
    state with the moments marks the format, so that a checkpoint in another one is not misread.

    | storage | Adam's bytes per parameter | mu | nu |
    |---|---|---|---|
    | "float32" | 8 | as in `tx` | as in `tx` |
    | "bfloat16" | 4 | bfloat16 | bfloat16, stochastically rounded |
    | "8bit_v16" | 3 | 8 bits: m / √v | 16-bit tapered float |
    | "8bit" | 2 | 7 bits: m / √v, and the lowest of v's | 8 more bits of a tapered float |

    Averages are rounded stochastically, because rounding to nearest freezes slow averages. The
    random bits depend on the step, the leaf's path and the element's index alone, so rounding is
    reproducible on any device layout and after a restart. Moments of other roles (a single
    momentum, AMSGrad's maximum) have 8-bit codes too, see `adamjax.storage.roles`.

    Args:
      tx: a transformation with a step count and moments such as `mu` and `nu` in its state:
        adamjax's, `optax.adamw`, `optax.lion`, `optax.contrib.ademamix` ...
      storage: one of the formats above.
      exclude: patterns on the path of leaves that stay float32 (see `adamjax.optimizer`'s mask).
      min_size: minimum number of elements. Smaller leaves stay float32.
      roles: "mean", "square", "maximum" or "signed" by field, if the class of the state does not
        determine it. `optax.adamax` has a maximum of |g| as `nu` of a `ScaleByAdamState` and needs
        `{"mu": "signed", "nu": "square"}`.

    Returns:
      A transformation with the state of `tx`.

    Raises:
      ValueError: for an unknown format or role; in `init`, without moments, a step count or a leaf
        that matches a pattern; in `update`, for a state in another format.

    >>> tx = store(optax.adamw(1e-3), "8bit")
    >>> state = tx.init({"kernel": jnp.zeros((128, 128)), "bias": jnp.zeros(128)})
    >>> jax.tree.map(lambda x: x.dtype.name, state[0].nu)
    {'bias': 'float32', 'kernel': 'uint8'}
    """
    lookup_or_suggest("storage", storage, FORMATS)
    patterns, roles = _patterns_and_roles(exclude, roles)
    tx = optax.with_extra_args_support(tx)
    choose = partial(_choose_codes, storage, patterns, min_size)

    def init(params: PyTree) -> Any:
        state = tx.init(params)
        if storage == "float32":
            return state
        parts, rebuild = split_moments(state, roles)
        whole = not has_masked(params)
        _check(parts, roles, patterns if whole else [])
        if any(part.format is not None for part in parts):
            raise ValueError("tx: its moments are in a storage format already; call store once")
        plans = [_plan(part, choose) for part in parts]
        if whole and not any(map(any, plans)):
            _explain_no_codes(params, min_size)
        rows = zip(parts, plans, strict=True)
        return rebuild([_encode(*row, _mark(storage, *row)) for row in rows])

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        parts, rebuild = split_moments(state, roles)
        _check_formats(storage, parts, choose, whole=not has_masked(updates))
        plans = [_plan(part, partial(_present_codes, storage, choose)) for part in parts]
        marks = [part.format for part in parts]
        decoded = rebuild([_decode(*each) for each in zip(parts, plans, strict=True)])
        updates, state = tx.update(updates, decoded, params, **extra_args)
        parts, rebuild = split_moments(state, roles)
        # Inside `jax.shard_map` the mark of the whole arrays stays.
        return updates, rebuild([_encode(*each) for each in zip(parts, plans, marks, strict=True)])

    return optax.GradientTransformationExtraArgs(init, update)


def convert_state(
    state: Any,
    *,
    to: str,
    exclude: str | Sequence[str] = (),
    min_size: int = MIN_SIZE,
    roles: Mapping[str, str] | None = None,
) -> Any:
    """Convert an optimizer's state to another storage format, to continue a run with it.

    Args:
      state: a state in any format of `store`.
      to: the new format. "float32" decodes.
      exclude: argument of the new `store`.
      min_size: argument of the new `store`.
      roles: argument of the new `store`.

    Returns:
      The state with moments in the new format.

    Raises:
      ValueError: for an unknown format or role, or a state without moments.

    >>> params = {"w": jnp.ones((128, 128))}
    >>> state = convert_state(optax.adam(1e-3).init(params), to="8bit")
    >>> state[0].mu["w"].dtype.name
    'int8'
    """
    lookup_or_suggest("to", to, FORMATS)
    patterns, roles = _patterns_and_roles(exclude, roles)
    choose = partial(_choose_codes, to, patterns, min_size)
    parts, rebuild = split_moments(state, roles)
    _check(parts, roles, patterns)
    changed = []
    for part in parts:
        wide = _wide(part)
        plan = _plan(wide, choose)
        changed.append(_encode(wide, plan, _mark(to, wide, plan)))
    return rebuild(changed)


def wide_moments(state: Any) -> list[Moments]:
    """Return the moments in a state in float32."""
    return [*map(_wide, split_moments(state, {})[0])]


def store_like(like: Any, state: Any, moments: list[Moments]) -> Any:
    """Return a state with these moments, in the storage formats of the state `like`."""
    rows = zip(split_moments(like, {})[0], moments, strict=True)
    stored = [_encode(_like(new, old), _plan(old, _own_codes), old.format) for old, new in rows]
    return split_moments(state, {})[1](stored)


def _like(part: Moments, before: Moments) -> Moments:
    """Cast the moments of low precision, such as those of `mu_dtype`, back to it."""
    cast = lambda x, y: (  # noqa: E731
        x.astype(y.dtype) if jnp.issubdtype(jnp.result_type(y), jnp.inexact) else x
    )
    rows = zip(part.leaves, before.leaves, strict=True)
    return part._replace(leaves=[{k: cast(x, old[k]) for k, x in new.items()} for new, old in rows])


def _wide(part: Moments) -> Moments:
    return _widen(_decode(part, _plan(part, _own_codes)))


def _own_codes(_: str, leaf: Leaf, roles: Mapping[str, str]) -> Groups:
    return found_codes(leaf, roles)


def found_codes(leaf: Leaf, roles: Mapping[str, str]) -> Groups:
    """Return the codes of a leaf according to its dtypes."""
    best: Groups = []
    for storage in FORMATS:
        expected = groups(storage, roles)
        present = [group for group in expected if _is_in(leaf, *group)]
        # A bfloat16 beside a float32 results from `mu_dtype`, not from a storage format.
        if len(present) > len(best) and (storage != "bfloat16" or present == expected):
            best = present
    return best


def _is_in(leaf: Leaf, fields: Sequence[str], code: Code) -> bool:
    return tuple(jnp.result_type(leaf[field]).name for field in fields) == code.dtypes


def _patterns_and_roles(
    exclude: str | Sequence[str], roles: Mapping[str, str] | None
) -> tuple[list[str], dict[str, str]]:
    roles = dict(roles or {})
    for role in roles.values():
        lookup_or_suggest("role", role, dict.fromkeys(ROLES))
    return [exclude] if isinstance(exclude, str) else list(exclude or ()), roles


def _plan(part: Moments, choose: Callable[..., Groups]) -> list[Groups]:
    """Return the codes of each leaf."""
    named = zip(part.names, part.leaves, strict=True)
    return [choose(name, leaf, part.roles) for name, leaf in named]


def _choose_codes(
    storage: str, patterns: Sequence[str], min_size: int, name: str, leaf: Leaf, roles: Mapping
) -> Groups:
    """Return the codes to use for one leaf, none if it is excluded or small."""
    if patterns and matches(name, patterns):
        return []

    def fits(x: Array) -> bool:
        is_complex = jnp.issubdtype(jnp.result_type(x), jnp.complexfloating)
        return jnp.size(x) >= min_size and not is_complex

    coded = groups(storage, roles)
    return [group for group in coded if all(fits(leaf[field]) for field in group[0])]


def _present_codes(
    storage: str, choose: Callable[..., Groups], name: str, leaf: Leaf, roles: Mapping
) -> Groups:
    """Return the codes that a leaf is in or should be in.

    The size alone does not determine them. Inside `jax.shard_map` it is that of a shard.
    """
    expected = choose(name, leaf, roles)
    return [g for g in groups(storage, roles) if g in expected or _is_in(leaf, *g)]


def _check_formats(
    storage: str, parts: list[Moments], choose: Callable[..., Groups], *, whole: bool
) -> None:
    """Raise ValueError for moments in another format.

    The mark of a part of a tree may be that of the whole tree, as in `adamjax.groups`.
    """
    number = list(FORMATS).index(storage)
    in_part_of = AxisType.Manual in jax.sharding.get_abstract_mesh().axis_types or in_part()
    for part in parts:
        stored = 0 if part.format is None else jnp.shape(part.format)[-1] % len(FORMATS)
        if part.names and stored != number:
            raise ValueError(
                f"state: the moments of {part.names[0]!r} are stored as "
                f"{list(FORMATS)[stored]!r}, but this optimizer uses storage={storage!r}; convert "
                f"the state with adamjax.convert_state(state, to={storage!r})"
            )
        expected = _mark(storage, part, _plan(part, choose))
        if part.format is None or expected is None or in_part_of or not whole:
            continue
        if part.format.shape[-1:] != expected.shape:
            raise ValueError(
                f"state: it stores other leaves as {storage!r} than this optimizer; convert it "
                f"with adamjax.convert_state(state, to={storage!r}, exclude=..., min_size=...)"
            )


def _mark(storage: str, part: Moments, plan: list[Groups]) -> Array | None:
    """Return zeros whose number is that of the format, modulo 4, and else a hash of the codes."""
    if storage == "float32":
        return None
    codes = zlib.crc32(repr(list(zip(part.names, plan, strict=True))).encode())
    length = len(FORMATS) * (1 + codes % 256) + list(FORMATS).index(storage)
    return jnp.zeros(length, jnp.int8)


def _encode(part: Moments, plan: list[Groups], mark: Array | None) -> Moments:
    if not any(plan):
        return part._replace(format=mark)
    encoded, seeds = [], as_operands(hash_u32(leaf_seeds(part.names)))
    at = phases(part.count, max(sum(len(fields) for fields, _ in codes) for codes in plan))
    for leaf, codes, seed in zip(part.leaves, plan, seeds, strict=True):
        words = 0
        for fields, code in codes:
            wide = [leaf[field].astype(jnp.float32) for field in fields]
            values = tuple(refuse_derivative(x, "storage='float32'") for x in wide)
            start = seed + first_index(values[0].shape)
            arrays = _encode_arrays(code, words, values, start, at)
            leaf = {**leaf, **dict(zip(fields, arrays, strict=True))}
            words += len(fields)
        encoded.append(leaf)
    return part._replace(leaves=encoded, format=mark)


def _decode(part: Moments, plan: list[Groups]) -> Moments:
    decoded = []
    for name, leaf, codes in zip(part.names, part.leaves, plan, strict=True):
        uses = {k: x for fields, code in codes for k, x in zip(fields, code.dtypes, strict=True)}
        for field, x in leaf.items():
            dtype = jnp.result_type(x)
            decoded_as = "float32" if jnp.issubdtype(dtype, jnp.integer) else dtype.name
            if dtype.name != (expected := uses.get(field, decoded_as)):
                raise ValueError(
                    f"state: {field} of {name!r} is {dtype}, but this storage uses {expected}; "
                    "convert it with adamjax.convert_state"
                )
        for fields, code in codes:
            arrays = _decode_arrays(code, tuple(leaf[field] for field in fields))
            leaf = {**leaf, **dict(zip(fields, arrays, strict=True))}
        decoded.append(leaf)
    return part._replace(leaves=decoded, format=None)


def _widen(part: Moments) -> Moments:
    """Cast the moments of less precision than float32."""
    wide = lambda x: x.astype(np.promote_types(jnp.result_type(x), np.float32))  # noqa: E731
    return part._replace(leaves=[{k: wide(x) for k, x in leaf.items()} for leaf in part.leaves])


# Leaves of the same shape share a trace. Without jit around them, all steps share a program.
@partial(jax.jit, static_argnums=(0, 1))
def _encode_arrays(code: Code, first: int, values: Any, seed: Any, at: Sequence[Array]) -> Any:
    word = dithers(values[0].shape, seed, at)
    return code.encode(values, lambda k: word((first + k) % 4))


@partial(jax.jit, static_argnums=0)
def _decode_arrays(code: Code, arrays: Any) -> Any:
    return code.decode(arrays)


def _check(parts: list[Moments], roles: Mapping[str, str], patterns: Sequence[str]) -> None:
    if not parts:
        raise ValueError(
            "tx: its state has no moments to store; leave the storage out, or for moments of other "
            "names give adamjax.store their roles, roles={'momentum': 'signed'}"
        )
    names = [name for part in parts for name in part.names]
    fields = {field for part in parts for field in part.roles}
    if names and (unknown := set(roles) - fields):
        raise ValueError(f"roles: the state has no field {min(unknown)!r}; it has {sorted(fields)}")
    if any(part.count is None for part in parts if part.names):
        raise ValueError(
            "tx: its state has no step count for stochastic rounding; use adamjax's form of the "
            "optimizer, or a schedule for the learning rate"
        )
    check_patterns("exclude", patterns, dict.fromkeys(names, 0))


def _explain_no_codes(params: PyTree, min_size: int) -> None:
    """Explain that no moment is in low precision, if the parameters are the reason."""
    leaves = jax.tree_util.tree_leaves_with_path(params)
    if leaves and all(jnp.iscomplexobj(x) for _, x in leaves):
        raise ValueError("tx: moments of complex parameters have no storage; leave the storage out")
    sizes = {leaf_name(path): jnp.size(x) for path, x in leaves}
    if sizes and max(sizes.values()) < min_size:
        warn(
            f"storage: nothing is stored in low precision, since no leaf has min_size={min_size} "
            f"elements; the largest, {max(sizes, key=sizes.__getitem__)!r}, has "
            f"{max(sizes.values())}"
        )
