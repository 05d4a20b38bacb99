"""`store`: any Optax transformation with its moments in fewer bits between steps."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax import one_pass
from adamjax.checks import pick
from adamjax.moments import Array
from adamjax.storage.bits import dither, leaf_seed
from adamjax.storage.formats import FORMATS, Code, groups
from adamjax.storage.roles import ROLES, roles_of
from adamjax.storage.walk import Leaf, map_moments
from adamjax.trees import PyTree, matches

# Few bytes are saved below it, and each leaf in codes takes long to compile.
MIN_SIZE = 16_384


def store(
    tx: optax.GradientTransformation,
    storage: str = "8bit",
    *,
    keep: str | Sequence[str] = (),
    min_size: int = MIN_SIZE,
    slots: Mapping[str, str] | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Keeps the moments of an optimizer in few bits between steps.

    Each step decodes them to float32, runs `tx` untouched and encodes them again; the compiler
    makes one pass of it. The state keeps its classes, fields, tree and shapes, only dtypes change.

    | storage | Adam's bytes per parameter | mu | nu |
    |---|---|---|---|
    | "float32" | 8 | as `tx` has it | as `tx` has it |
    | "bfloat16" | 4 | bfloat16 | bfloat16, stochastically rounded |
    | "8bit_v16" | 3 | 8 bits: m / √v | 16-bit tapered float |
    | "8bit" | 2 | 7 bits: m / √v, and the lowest of v's | 8 more bits of a tapered float |

    Averages are rounded stochastically, since to nearest one that changes little in a step would
    freeze. The bits come from the step, the leaf's name and the element's index: every run, device
    layout and restart rounds alike. Moments of other roles (a single momentum, AMSGrad's maximum)
    have 8-bit codes of their own, see `adamjax.storage.roles`. What is not a known moment stays.

    Args:
      tx: any transformation whose states count their steps and have `mu` or `nu`: adamjax's,
        `optax.adamw`, `optax.lion`, `optax.contrib.ademamix` ...
      storage: one of the formats above.
      keep: patterns on the leaf's path (see `adamjax.adamw`'s mask) of leaves that stay float32.
      min_size: leaves of fewer elements stay float32 too.
      slots: roles of fields by name, "mean", "square", "maximum" or "signed", where the class of
        the state does not tell: `optax.adamax` keeps a maximum of |g| as the `nu` of a
        `ScaleByAdamState` and needs `{"mu": "signed", "nu": "square"}`.

    Returns:
      A transformation with the state of `tx`.

    Raises:
      ValueError: for an unknown format or role; in `init`, if there is nothing to store, no step is
        counted or no leaf matches a pattern; in `update`, for a state kept in another format.

    >>> tx = store(optax.adamw(1e-3), "8bit")
    >>> state = tx.init({"kernel": jnp.zeros((128, 128)), "bias": jnp.zeros(128)})
    >>> jax.tree.map(lambda x: x.dtype.name, state[0].nu)
    {'bias': 'float32', 'kernel': 'uint8'}
    """
    pick("storage", storage, FORMATS)
    patterns = [keep] if isinstance(keep, str) else list(keep or ())
    slots = dict(slots or {})
    for role in slots.values():
        pick("role", role, dict.fromkeys(ROLES))
    tx = optax.with_extra_args_support(tx)
    if storage == "float32":
        return _plain(tx, slots)
    choose = partial(_chosen, storage, patterns, min_size)

    def init(params: PyTree) -> Any:
        state = tx.init(params)
        _check(state, slots, patterns)
        _decode(state, slots, lambda *_: [])  # refuses a state that is stored already
        return _encode(state, slots, choose)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        def step(updates: PyTree, state: Any, params: PyTree) -> Any:
            held: list[Any] = []
            state = _decode(state, slots, partial(_held, storage, choose, held))
            updates, state = tx.update(updates, state, params, **extra_args)
            as_before = iter(held)
            return updates, _encode(state, slots, lambda *_: next(as_before))

        inputs = updates, state, params
        return _each_by_itself(step, inputs, slots) if one_pass.asked_for() else step(*inputs)

    return optax.GradientTransformationExtraArgs(init, update)


def _plain(
    tx: optax.GradientTransformationExtraArgs, slots: Mapping[str, str]
) -> optax.GradientTransformationExtraArgs:
    """The transformation itself, which refuses codes for moments."""

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        state = _decode(state, slots, lambda *_: [])
        return tx.update(updates, state, params, **extra_args)

    return optax.GradientTransformationExtraArgs(tx.init, update)


def _each_by_itself(step: Callable[..., Any], inputs: Any, slots: Mapping[str, str]) -> Any:
    """The updates and each moment from a step of its own."""
    is_node = lambda node: bool(roles_of(node, slots))  # noqa: E731
    most = max(len(roles_of(n, slots)) for n in jax.tree.leaves(inputs[1], is_leaf=is_node))
    (updates, state), *others = one_pass.separately(step, inputs, 1 + most)

    def collect(node: Any, *same: Any) -> Any:
        fields = roles_of(node, slots)
        own = {field: getattr(x, field) for field, x in zip(fields, same, strict=False)}
        return node._replace(**own) if own else node

    return updates, jax.tree.map(collect, state, *(s for _, s in others), is_leaf=is_node)


def convert_state(
    state: Any,
    *,
    to: str,
    keep: str | Sequence[str] = (),
    min_size: int = MIN_SIZE,
    slots: Mapping[str, str] | None = None,
) -> Any:
    """An optimizer's state in another storage format, to go on with in the middle of a run.

    Args:
      state: a state in any format of `store`, or none.
      to: the new format; "float32" decodes.
      keep, min_size, slots: as for the `store` that the state is for.

    >>> params = {"w": jnp.ones((128, 128))}
    >>> state = convert_state(optax.adam(1e-3).init(params), to="8bit")
    >>> state[0].mu["w"].dtype.name
    'int8'
    """
    pick("to", to, FORMATS)
    slots = dict(slots or {})
    patterns = [keep] if isinstance(keep, str) else list(keep or ())
    _check(state, slots, patterns)
    decoded = _decode(state, slots, found_codes)
    return _encode(decoded, slots, partial(_chosen, to, patterns, min_size))


def _chosen(
    storage: str, patterns: Sequence[str], min_size: int, name: str, leaf: Leaf, roles: Mapping
) -> list[tuple[tuple[str, ...], Code]]:
    """The codes for one leaf: none if it is small or to be kept."""
    if patterns and matches(name, patterns):
        return []
    kept = {
        field
        for field, x in leaf.items()
        if jnp.size(x) < min_size or jnp.issubdtype(jnp.result_type(x), jnp.complexfloating)
    }
    return [group for group in groups(storage, roles) if not kept & set(group[0])]


def _held(
    storage: str, choose: Callable[..., Any], held: list[Any], name: str, leaf: Leaf, roles: Mapping
) -> list[tuple[tuple[str, ...], Code]]:
    """The codes that a leaf is in, noted in `held`, and those that it should be in.

    Not by its size alone: inside `jax.shard_map` an array is a part of the leaf.
    """
    wanted = choose(name, leaf, roles)
    codes = [
        group
        for group in groups(storage, roles)
        if group in wanted or _dtypes([leaf[field] for field in group[0]]) == group[1].dtypes
    ]
    held.append(codes)
    return codes


def _encode(state: Any, slots: Mapping[str, str], choose: Callable[..., Any]) -> Any:
    def encode(name: str, leaf: Leaf, roles: Mapping[str, str], count: Array) -> Leaf:
        words = 0
        for fields, code in choose(name, leaf, roles):
            values = tuple(leaf[field].astype(jnp.float32) for field in fields)
            codes = _encode_arrays(code, words, values, leaf_seed(name), count)
            leaf = {**leaf, **dict(zip(fields, codes, strict=True))}
            words += len(fields)
        return leaf

    return map_moments(encode, state, slots)


def _decode(state: Any, slots: Mapping[str, str], choose: Callable[..., Any]) -> Any:
    def decode(name: str, leaf: Leaf, roles: Mapping[str, str], count: Array) -> Leaf:
        del count
        for fields, code in choose(name, leaf, roles):
            codes = tuple(leaf[field] for field in fields)
            if _dtypes(codes) != code.dtypes:
                raise ValueError(
                    f"state: {' and '.join(fields)} of {name!r} are {_dtypes(codes)}, but this "
                    f"storage keeps {code.dtypes}; convert it with adamjax.convert_state"
                )
            leaf = {**leaf, **dict(zip(fields, _decode_arrays(code, codes), strict=True))}
        for field, x in leaf.items():
            if jnp.issubdtype(jnp.result_type(x), jnp.integer):
                raise ValueError(
                    f"state: {field} of {name!r} is {_dtypes([x])[0]}, a code of another storage; "
                    "convert it with adamjax.convert_state"
                )
        return leaf

    return map_moments(decode, state, slots)


def found_codes(
    name: str, leaf: Leaf, roles: Mapping[str, str]
) -> list[tuple[tuple[str, ...], Code]]:
    """The codes that a leaf is in, as its dtypes tell."""
    del name
    best: list[tuple[tuple[str, ...], Code]] = []
    for storage in FORMATS:
        wanted = groups(storage, roles)
        found = [g for g in wanted if _dtypes([leaf[field] for field in g[0]]) == g[1].dtypes]
        # A bfloat16 beside a float32 is what `mu_dtype` asks for, and no storage format.
        if len(found) > len(best) and (storage != "bfloat16" or found == wanted):
            best = found
    return best


def _dtypes(arrays: Sequence[Array]) -> tuple[str, ...]:
    return tuple(jnp.result_type(x).name for x in arrays)


# Traced once for all leaves of a shape.
@partial(jax.jit, static_argnums=(0, 1))
def _encode_arrays(code: Code, first: int, values: Any, seed: Any, count: Array) -> Any:
    return code.encode(values, lambda k: dither(values[0].shape, seed, count, (first + k) % 4))


@partial(jax.jit, static_argnums=0)
def _decode_arrays(code: Code, codes: Any) -> Any:
    return code.decode(codes)


def _check(state: Any, slots: Mapping[str, str], patterns: Sequence[str]) -> None:
    names: list[str] = []
    counts: list[Any] = []
    fields: set[str] = set()

    def note(name: str, leaf: Leaf, roles: Mapping[str, str], count: Any) -> Leaf:
        names.append(name)
        counts.append(count)
        fields.update(roles)
        return leaf

    map_moments(note, state, slots)
    is_node = lambda node: bool(roles_of(node, slots))  # noqa: E731
    if not any(is_node(node) for node in jax.tree.leaves(state, is_leaf=is_node)):
        raise ValueError(
            "tx: its state has no moments that a storage format is for: leave the storage out; or, "
            "if its fields are moments that adamjax does not know, give their roles to "
            "adamjax.store, slots={'momentum': 'signed'}"
        )
    if names and (unknown := set(slots) - fields):
        raise ValueError(f"slots: the state has no field {min(unknown)!r}; it has {sorted(fields)}")
    if any(count is None for count in counts):
        raise ValueError(
            "tx: its state counts no steps, from which stochastic rounding takes its bits; use "
            "adamjax's form of the optimizer, or a schedule for the learning rate"
        )
    for pattern in patterns:
        if names and not any(matches(name, [pattern.removeprefix("!")]) for name in names):
            raise ValueError(f"keep: no leaf matches {pattern!r}; names look like {names[:3]}")
