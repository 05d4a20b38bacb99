"""Whether an optimizer needs the gradients of several leaves together."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from adamjax.stages.parts import Plan, by_path
from adamjax.storage.bits import part_of_tree
from adamjax.trees import PyTree

Labels = frozenset[int]  # the leaves on whose gradients an array depends
WIDE = -1  # the label of values that depend on a number computed from several leaves
LOOPS = ("scan", "while")


def refuse_tree_wide(plan: Plan, params: PyTree) -> None:
    """Raise ValueError if an update depends on a number that is computed from several leaves.

    Arrays of several leaves pass, since matrix optimizers stack matrices of equal shape.
    """
    shape = lambda x: jax.ShapeDtypeStruct(jnp.shape(x), jnp.result_type(x))  # noqa: E731
    params = jax.tree.map(shape, params)
    state = jax.eval_shape(plan.tx.init, params)
    update = partial(plan.tx.update, value=jnp.zeros([]))
    with part_of_tree(0):
        jaxpr, out = jax.make_jaxpr(update, return_shape=True)(params, state, params)
    count = plan.treedef.num_leaves
    labels = [frozenset([k]) if k < count else frozenset() for k in range(len(jaxpr.in_avals))]
    reached = dict(zip(by_path(out), dependences(jaxpr.jaxpr, labels), strict=True))
    shared = {f"[1]{path}" for path in by_path(plan.shared)}
    for path in plan.reductions:
        del reached[f"[1]{path}"]
    for path, leaves in reached.items():
        if WIDE in leaves or (path in shared and leaves):
            raise ValueError(
                "tx: it computes a number from the gradients of several leaves, but release never "
                "has them together; use adamjax.clip_by_previous_norm in place of "
                "clip_by_global_norm, guard(per_leaf=True) in place of guard and apply_if_finite, "
                "adagc(warmup_steps=0), and no track, learning-rate-free variant or other rule "
                "over the whole tree "
                f"({'the updates' if path.startswith('[0]') else 'state' + path[3:]} depend on it)"
            )


def dependences(jaxpr: Any, inputs: Sequence[Labels]) -> list[Labels]:
    """Return the labels of the results of a jaxpr, from those of its arguments.

    Raises:
      ValueError: if it draws random numbers from a key.
    """
    known = dict(zip(map(id, jaxpr.invars), inputs, strict=True))
    of = lambda x: known.get(id(x), frozenset())  # noqa: E731
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "random_bits":
            raise ValueError(
                "tx: it draws random numbers from a key, as optax.add_noise does, and release "
                "would give all layers the same ones; use the ordinary step"
            )
        labels = list(map(of, eqn.invars))
        bodies = _bodies(eqn)
        inner = [dependences(body, labels[len(labels) - len(body.invars) :]) for body in bodies]
        inner.append([labels[0] if "branches" in eqn.params else frozenset()] * len(eqn.outvars))
        everything = [frozenset().union(*labels)] * len(eqn.outvars)
        everything = labels if eqn.primitive.name == "optimization_barrier" else everything
        results = map(frozenset().union, *inner) if bodies else everything
        for x, result in zip(eqn.outvars, results, strict=True):
            number = x.aval.shape == () and not jnp.issubdtype(x.aval.dtype, jnp.integer)
            known[id(x)] = result | {WIDE} if number and len(result) > 1 else result
    return list(map(of, jaxpr.outvars))


def _bodies(eqn: Any) -> list[Any]:
    """Return the jaxprs that an equation calls once with its last operands."""
    if eqn.primitive.name in LOOPS:
        return []
    inner = [eqn.params.get(key) for key in ("jaxpr", "call_jaxpr", "fun_jaxpr")]
    closed = [*inner, *eqn.params.get("branches", ())]
    return [getattr(body, "jaxpr", body) for body in closed if body is not None]
