"""The parts of parameters and optimizer state that belong to the stages of a model.

A part is the whole tree with `optax.MaskedNode` in place of the other leaves, as in
`optax.partition`. So leaves keep their names, and masks, patterns and layouts apply.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import refuse_state
from adamjax.modifiers.clip_by_previous_norm import PreviousNormState
from adamjax.storage.bits import part_of_tree
from adamjax.trees import PyTree, leaf_name
from adamjax.wrappers.guard import GuardState

Named = dict[str, Any]  # the leaves of a state by path
# Numbers over the tree, by the state that has them. From the number of several parts, that of one
# more and that of an update of no leaf to that of all. A step of `accumulate` may keep a sum.
Reduce = Callable[[Any, Any, Any], Any]
REDUCTIONS: dict[Any, dict[str, Reduce]] = {
    PreviousNormState: {"squares": lambda total, part, none: total + (part - none)},
    GuardState: {name: lambda *counts: jnp.maximum(*counts[:2]) for name in GuardState._fields[:4]},
}


class Part(NamedTuple):
    """The leaves of one stage.

    Attributes:
      name: key of the stage.
      layers: number of layers of a `Scan`, or None.
      indices: positions among the leaves of the parameters.
      treedef: of `params[name]`.
      state: shapes of the optimizer state of the part, or of one layer.
      own: paths of the leaves of that state that belong to a parameter.
      shapes: of the parameters and of the leaves in `own`, for one layer.
    """

    name: str
    layers: int | None
    indices: list[int]
    treedef: Any
    state: Any
    own: list[str]
    shapes: list[tuple[int, ...]]

    def weights(self, arrays: list[Any]) -> list[Any]:
        """Return the parameters among the arrays, which are parameters and state."""
        return arrays[: len(self.indices)]

    def slice(self, arrays: list[Any], i: Any) -> list[Any]:
        """Return one layer, with an axis of size 1 in place of that of the layers."""
        if self.layers is None:
            return arrays
        rows = zip(arrays, self.axes(arrays), self.shapes, strict=True)
        return [jax.lax.dynamic_slice_in_dim(x, i, 1, k).reshape(shape) for x, k, shape in rows]

    def put(self, arrays: list[Any], layer: list[Any], i: Any) -> list[Any]:
        """Return the arrays with one layer replaced."""
        if self.layers is None:
            return layer
        put = jax.lax.dynamic_update_slice_in_dim
        rows = zip(arrays, self.axes(arrays), layer, strict=True)
        return [put(x, new.reshape(*x.shape[:k], 1, *x.shape[k + 1 :]), i, k) for x, k, new in rows]

    def axes(self, arrays: list[Any]) -> list[int]:
        """Return the axis of the layers in each array."""
        axes: list[Any] = []
        for k, (x, shape) in enumerate(zip(arrays, self.shapes, strict=True)):
            axes.append(layer_axis(x.shape, shape, self.layers))
            if axes[k] is None:
                whole = (self.layers, *(shape[1:] if shape[:1] == (1,) else shape))
                raise ValueError(
                    f"state{self.own[k - len(self.indices)]} has shape {x.shape}, but for the "
                    f"layers of {self.name!r} it has {whole}; make the state with the init that "
                    "adamjax.release returns"
                )
        return axes


def layer_axis(whole: tuple[int, ...], layer: tuple[int, ...], layers: Any) -> int | None:
    """Return the axis along which arrays of one layer are stacked, or None."""
    if whole == (layers, *layer):  # such as one number for each leaf
        return 0
    for axis, size in enumerate(layer):
        if size == 1 and whole == (*layer[:axis], layers, *layer[axis + 1 :]):
            return axis
    return None


def by_path(tree: Any) -> Named:
    """Return the leaves of a tree by path."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): leaf for path, leaf in leaves}


class Plan(NamedTuple):
    """How parameters and state are divided.

    Attributes:
      tx: the optimizer.
      parts: in the order of the stages.
      treedef: of the parameters.
      shared: shapes of the state without any parameter.
      reductions: how to combine the numbers over the tree in it, by path.
    """

    tx: Any
    parts: list[Part]
    treedef: Any
    shared: Any
    reductions: dict[str, Reduce]

    def init(self, params: PyTree) -> Any:
        """Return the state of the optimizer. Leaves without an axis of the layers get one."""
        leaves, state = jax.tree.leaves(params), self.tx.init(params)
        named = by_path(state)
        for part in self.parts:
            if part.layers is None:
                continue
            missing = [
                path
                for path, shape in zip(part.own, part.shapes[len(part.indices) :], strict=True)
                if layer_axis(named[path].shape, shape, part.layers) is None
            ]
            if missing:
                one = lambda own: by_path(self.tx.init(self.masked(part, own)))  # noqa: B023, E731
                stacked = jax.vmap(one)([leaves[k][:, None] for k in part.indices])
                named |= {path: stacked[path] for path in missing}
        return jax.tree.structure(state).unflatten(named.values())

    def masked(self, part: Part | None, leaves: Sequence[Any] = ()) -> PyTree:
        """Return the tree of parameters with masks in place of those of other parts."""
        return mask_others(self.treedef, part.indices if part else [], leaves)

    def split(self, params: PyTree, state: Any) -> tuple[dict[str, list[Any]], Named]:
        """Return the arrays of each part, and the leaves of the state that all parts share."""
        leaves, named = jax.tree.leaves(params), by_path(state)
        if not {*by_path(self.shared), *(k for part in self.parts for k in part.own)} <= {*named}:
            refuse_state(state)
        arrays = {
            part.name: [*(leaves[k] for k in part.indices), *(named[k] for k in part.own)]
            for part in self.parts
        }
        return arrays, {path: named[path] for path in by_path(self.shared)}

    def update_shared(self, shared: Named) -> Named:
        """Return the shared leaves of the state after an update of no parameter."""
        nothing = self.masked(None)
        state = jax.tree.structure(self.shared).unflatten(shared.values())
        with part_of_tree(0):
            return by_path(self.tx.update(nothing, state, nothing)[1])

    def update(
        self,
        part: Part,
        i: Any,
        layer: list[Any],
        gradients: list[Any],
        shared: tuple[Named, Named],
        totals: Named,
    ) -> tuple[list[Any], Named]:
        """Update layer i of a part, and return it and the totals with it."""
        count, (before, none) = len(part.indices), shared
        params = self.masked(part, part.weights(layer))
        named = before | dict(zip(part.own, layer[count:], strict=True))
        leaves = [named[path] for path in by_path(part.state)]
        state = jax.tree.structure(part.state).unflatten(leaves)
        with part_of_tree(i):
            updates, state = self.tx.update(self.masked(part, gradients), state, params)
        params, named = jax.tree.leaves(optax.apply_updates(params, updates)), by_path(state)
        totals = {
            path: reduce(totals[path], named[path], none[path])
            for path, reduce in self.reductions.items()
        }
        return [*params, *(named[k] for k in part.own)], totals

    def join(
        self, state: Any, arrays: Mapping[str, list[Any]], shared: Named
    ) -> tuple[PyTree, Any]:
        """Return parameters and state with the new arrays and shared leaves."""
        leaves: dict[int, Any] = {}
        named = by_path(state) | shared
        for part in self.parts:
            count = len(part.indices)
            leaves |= zip(part.indices, part.weights(arrays[part.name]), strict=True)
            named |= zip(part.own, arrays[part.name][count:], strict=True)
        params = self.treedef.unflatten([leaves[k] for k in sorted(leaves)])
        return params, jax.tree.structure(state).unflatten(named.values())


@part_of_tree(0)
def make_plan(tx: Any, params: PyTree, layered: Mapping[str, bool]) -> Plan:
    """Divide parameters and state, or raise ValueError if the stages do not fit."""
    named, treedef = jax.tree_util.tree_flatten_with_path(params)
    owners = [leaf_name(path[:1]) for path, _ in named]
    for (path, _), owner in zip(named, owners, strict=True):
        if owner not in layered:
            raise ValueError(
                f"stages: no stage is for the parameter {leaf_name(path)!r}; the stages are "
                f"{list(layered)}"
            )
    shared = jax.eval_shape(tx.init, mask_others(treedef, [], []))
    parts = []
    for name, is_scan in layered.items():
        indices = [k for k, owner in enumerate(owners) if owner == name]
        layers = _layers(name, [named[k] for k in indices]) if is_scan else None
        leaves = [named[k][1] for k in indices]
        shapes = [jnp.shape(x) if layers is None else (1, *jnp.shape(x)[1:]) for x in leaves]
        one = [jax.ShapeDtypeStruct(s, x.dtype) for s, x in zip(shapes, leaves, strict=True)]
        state = jax.eval_shape(tx.init, mask_others(treedef, indices, one))
        own = {path: x.shape for path, x in by_path(state).items() if path not in by_path(shared)}
        tree = jax.tree.structure(params[name] if indices else None)
        shapes += own.values()
        parts.append(Part(name, layers, indices, tree, state, list(own), shapes))
    return Plan(tx, parts, treedef, shared, _reductions(shared))


def mask_others(treedef: Any, indices: Sequence[int], leaves: Sequence[Any]) -> PyTree:
    """Return a tree with some leaves, and `optax.MaskedNode` in place of the others."""
    every: list[Any] = [optax.MaskedNode()] * treedef.num_leaves
    for k, leaf in zip(indices, leaves, strict=True):
        every[k] = leaf
    return treedef.unflatten(every)


def _reductions(state: Any, at: str = "") -> dict[str, Reduce]:
    """Return how to combine the numbers over the tree in a state, by path."""
    found = {}
    is_node = lambda node: type(node) in REDUCTIONS  # noqa: E731
    for path, node in jax.tree_util.tree_leaves_with_path(state, is_leaf=is_node):
        if not is_node(node):
            continue
        here = at + jax.tree_util.keystr(path)
        found |= {f"{here}.{name}": reduce for name, reduce in REDUCTIONS[type(node)].items()}
        found |= _reductions(getattr(node, "inner_state", None), f"{here}.inner_state")
    return found


def _layers(name: str, leaves: Sequence[tuple[Any, Any]]) -> int:
    """Return the number of layers in stacked parameters."""
    sizes = {leaf_name(path): (*jnp.shape(leaf), 0)[0] for path, leaf in leaves}
    if len(set(sizes.values())) != 1 or 0 in sizes.values():
        raise ValueError(
            f"stages: {name!r} is a Scan, so its parameters need a first axis of one size, the "
            f"layers; got {sizes}"
        )
    return next(iter(sizes.values()))
