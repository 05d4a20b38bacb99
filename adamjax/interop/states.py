"""The states of ready-made optimizers: the count and the moments in them, read and filled."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.moments import Array
from adamjax.rule import ScheduledBetaState, without_corrections
from adamjax.trees import leaf_name


def counts(node: Any) -> bool:
    """Whether a part of a state counts steps by itself."""
    return isinstance(node, ScheduledBetaState) or "count" in getattr(node, "_fields", ())


def rule_of(state: Any) -> Any:
    """The moments in the state of a ready-made optimizer, with the count: its first part.

    >>> import adamjax
    >>> type(rule_of(adamjax.nadam().init(jnp.ones(2)))).__name__
    'ScaleByAdamState'
    """
    found = next(filter(counts, jax.tree.leaves(state, is_leaf=counts)), None)
    if found is None:
        raise ValueError("state: counts no steps, so it is not of an optimizer here")
    return without_corrections(found)


def kept(rule: Any) -> list[str]:
    """The names of the moments that a rule's state keeps.

    >>> import adamjax
    >>> kept(rule_of(adamjax.adam().init(jnp.ones(2))))
    ['mu', 'nu']
    """
    return [name for name in rule._fields if name != "count" and getattr(rule, name) is not None]


def fill(
    state: Any,
    count: int,
    moments: Mapping[str, Sequence[Array]],
    corrections: Mapping[str, float] | None = None,
) -> Any:
    """The state of a ready-made optimizer after `count` steps, with these moments.

    Args:
      state: what `init` makes.
      count: steps done.
      moments: for each name that is kept, its leaves in the tree's order.
      corrections: 1 - b₁b₂…b_t of each decay that is scheduled.

    >>> import adamjax
    >>> state = fill(adamjax.sgd(momentum=0.5).init({"w": jnp.ones(1)}), 3, {"mu": [jnp.ones(1)]})
    >>> int(state[0].count), state[0].mu["w"].tolist()
    (3, [1.0])
    """
    rule = type(rule_of(state))

    def filled(node: Any) -> Any:
        if isinstance(node, ScheduledBetaState):
            new = {
                k: jnp.asarray(v, node.bias_corrections[k].dtype)
                for k, v in (corrections or {}).items()
            }
            return ScheduledBetaState({**node.bias_corrections, **new}, filled(node.inner_state))
        if isinstance(node, rule):
            fields = {
                name: jax.tree.unflatten(jax.tree.structure(getattr(node, name)), leaves)
                for name, leaves in moments.items()
            }
            node = node._replace(**fields)
        done = counts(node) and node.count is not None
        return node._replace(count=jnp.asarray(count, jnp.int32)) if done else node

    return jax.tree.map(filled, state, is_leaf=counts)


class LeafState(NamedTuple):
    """What a state keeps of one parameter: steps done, corrections and moments by name."""

    path: str
    count: int
    bias_corrections: Mapping[str, Array]
    moments: Mapping[str, Array]

    def bias_correction(self, name: str) -> float:
        """1 - b₁b₂…b_t of a decay that is scheduled.

        Raises:
          ValueError: if the state keeps none.
        """
        if name not in self.bias_corrections:
            raise ValueError(
                f"state: keeps no product of the {name} of {self.path!r}; is it of another style? "
                "Go on with an optimizer of the other framework's arguments first"
            )
        return float(self.bias_corrections[name])


def read(state: Any, like: Any, paths: Collection[str]) -> dict[str, LeafState]:
    """What the states of a rule, anywhere in an optimizer's state, keep of each path.

    Args:
      state: the optimizer's, whatever it is wrapped in.
      like: what `rule_of` finds in the optimizer's state for these parameters; shapes suffice.
      paths: of the parameters of which the state must be like this.

    Raises:
      ValueError: if two keep the same path; naming the path, if a moment is missing or has another
        shape.

    >>> import adamjax
    >>> state = adamjax.adam().init({"w": jnp.ones(2)})
    >>> found = read(state, rule_of(state), ["w"])
    >>> int(found["w"].count), found["w"].moments["mu"].tolist()
    (0, [0.0, 0.0])
    """
    wanted = (ScheduledBetaState, type(like))
    nodes = jax.tree.leaves(state, is_leaf=lambda node: isinstance(node, wanted))
    found: dict[str, LeafState] = {}
    for node in nodes:
        rule = without_corrections(node)
        if not isinstance(rule, type(like)):
            continue
        corrections = node.bias_corrections if isinstance(node, ScheduledBetaState) else {}
        each: dict[str, dict[str, Array]] = {}
        for name in kept(rule):
            for path, leaf in jax.tree_util.tree_leaves_with_path(getattr(rule, name)):
                each.setdefault(leaf_name(path), {})[name] = leaf
        for path, moments in each.items():
            if path in found:
                raise ValueError(f"state: two states of the optimizer keep {path!r}; give one")
            found[path] = LeafState(path, int(rule.count), corrections, moments)
    for name in kept(like):
        for where, leaf in jax.tree_util.tree_leaves_with_path(getattr(like, name)):
            path = leaf_name(where)
            if path in found and path in paths:
                check_shape(f"{name} of {path!r}", found[path].moments.get(name), np.shape(leaf))
    return found


def check_shape(what: str, moment: Any, shape: tuple[int, ...]) -> None:
    """Raises ValueError for a moment that is missing, or not of the parameter's shape."""
    if moment is None:
        raise ValueError(f"state: keeps no {what}; was it made with other arguments?")
    if np.shape(moment) != shape:
        raise ValueError(
            f"state: {what} has shape {np.shape(moment)}, but {shape} is that of the parameters; "
            "is it of another model?"
        )
