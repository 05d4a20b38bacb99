"""Read and fill the count and the moments in the state of a ready-made optimizer."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax.interop.trees import named_leaves
from adamjax.modifiers.orthogonal_momentum import MuonState
from adamjax.moments import Array
from adamjax.rule import ScheduledBetaState, without_corrections
from adamjax.trees import PyTree, find_nodes


def counts(node: Any) -> bool:
    """Return whether a node of a state has a step count."""
    own = isinstance(node, ScheduledBetaState | MuonState)
    return own or "count" in getattr(node, "_fields", ())


def clock_of(node: Any) -> str:
    """Return the name of the field of the step count."""
    return "step_count" if isinstance(node, MuonState) else "count"


def rule_of(state: Any) -> Any:
    """Return the moments and the count in the state of a ready-made optimizer."""
    found = find_nodes(state, counts)
    if not found:
        raise ValueError("state: it counts no steps, so no optimizer of adamjax made it")
    return without_corrections(found[0])


def expected_rule(tx: optax.GradientTransformation, params: PyTree) -> Any:
    """Return the shapes of the moments that an optimizer keeps of these parameters."""
    return rule_of(jax.eval_shape(tx.init, params))


def moment_names(rule: Any) -> list[str]:
    """Return the names of the moments in a rule's state."""
    names = (name for name in rule._fields if name != clock_of(rule))
    return [name for name in names if getattr(rule, name) is not None]


def moment_leaves(rule: Any) -> dict[str, list[Array]]:
    """Return the leaves of each moment, in tree order."""
    return {name: jax.tree.leaves(getattr(rule, name)) for name in moment_names(rule)}


def fill(
    state: Any, count: int, moments: Mapping[str, Sequence[Array]], product: float | None = None
) -> Any:
    """Return the state after `count` steps, with these leaves of each moment in tree order.

    `product` is that of the momenta so far, where the momentum is scheduled.
    """
    rule = type(rule_of(state))

    def filled(node: Any) -> Any:
        if isinstance(node, ScheduledBetaState):
            corrections = dict(node.bias_corrections)
            if product is not None:
                dtype = corrections["momentum"].dtype
                corrections["momentum"] = jnp.asarray(1 - product, dtype)
            return ScheduledBetaState(corrections, filled(node.inner_state))
        if isinstance(node, rule):
            fields = {
                name: jax.tree.unflatten(jax.tree.structure(getattr(node, name)), leaves)
                for name, leaves in moments.items()
            }
            node = node._replace(**fields)
        clock = clock_of(node)
        done = counts(node) and getattr(node, clock) is not None
        return node._replace(**{clock: jnp.asarray(count, jnp.int32)}) if done else node

    return jax.tree.map(filled, state, is_leaf=counts)


def per_step(learning_rate: Any) -> float:
    """Return the factor from a step of the other framework to a gradient."""
    if not learning_rate > 0:
        raise ValueError("learning_rate must be positive: the momentum holds steps of it")
    return 1 / float(learning_rate)


class LeafState(NamedTuple):
    """The state of one parameter: steps done, bias corrections and moments by name."""

    path: str
    count: int
    bias_corrections: Mapping[str, Array]
    moments: Mapping[str, Array]

    def product_of_momenta(self) -> float:
        """Return b₁b₂…b_t of a scheduled momentum."""
        if "momentum" not in self.bias_corrections:
            raise ValueError(
                f"state: keeps no product of the momentum of {self.path!r}; is it of another "
                "style? Go on with an optimizer of the other framework's arguments first"
            )
        return 1 - float(self.bias_corrections["momentum"])


def read(state: Any, like: Any, paths: Collection[str], variant: str) -> dict[str, LeafState]:
    """Read the state of each parameter from anywhere in an optimizer's state."""
    leaves = _leaf_states(state, type(like))
    names = moment_names(like)
    missing = [path for path in paths if path not in leaves]
    if names and missing:
        raise ValueError(f"state: holds no moments of {missing[0]!r} of {variant}")
    for name in names:
        for path, leaf in named_leaves(getattr(like, name)).items():
            if path not in paths:
                continue
            moment = leaves[path].moments.get(name)
            if moment is None:
                raise ValueError(
                    f"state: keeps no {name} of {path!r}; was it made with other arguments?"
                )
            if np.shape(moment) != leaf.shape:
                raise ValueError(
                    f"state: {name} of {path!r} has shape {np.shape(moment)}, but {leaf.shape} is "
                    "that of the parameters; is it of another model?"
                )
    return leaves


def _leaf_states(state: Any, rule_class: type) -> dict[str, LeafState]:
    classes = (ScheduledBetaState, rule_class)
    leaves: dict[str, LeafState] = {}
    for node in find_nodes(state, lambda node: isinstance(node, classes)):
        rule = without_corrections(node)
        if not isinstance(rule, rule_class):
            continue
        corrections = getattr(node, "bias_corrections", {})
        moments: dict[str, dict[str, Array]] = {}
        for name in moment_names(rule):
            for path, leaf in named_leaves(getattr(rule, name)).items():
                moments.setdefault(path, {})[name] = leaf
        for path in moments:
            if path in leaves:
                raise ValueError(f"state: two states of the optimizer keep {path!r}; give one")
            leaves[path] = LeafState(
                path, int(getattr(rule, clock_of(rule))), corrections, moments[path]
            )
    return leaves
