"""Communication between devices in a compiled step."""

import collections
import math
import re

import jax
import optax

OPS = "all-gather|all-reduce|reduce-scatter|all-to-all|collective-permute|collective-broadcast"
_LINE = re.compile(rf" = (\(.*?\)|\S+) ({OPS})(?:-start)?\(")
_SHAPE = re.compile(r"[a-z]+\d*\[([\d,]*)\]")


def collectives(text):
    """{operation: elements of each array that it gives}, of a compiled program's text.

    >>> line = "%r = (f32[4,2]{1,0}, f32[]) all-reduce(%a, %b), to_apply=%add"
    >>> collectives(line)
    {'all-reduce': [1, 8]}
    """
    found = collections.defaultdict(list)
    for kind, op in _LINE.findall(text):
        found[op] += [math.prod(map(int, filter(None, s.split(",")))) for s in _SHAPE.findall(kind)]
    return {op: sorted(sizes) for op, sizes in found.items()}


def of_step(tx, params, param_shardings, state_shardings):
    """The collectives of `update` and `apply_updates`, gradients lying as the parameters do."""

    def step(grads, params, state):
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    def placed(tree, shardings):
        return jax.tree.map(
            lambda x, at: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=at), tree, shardings
        )

    state = placed(jax.eval_shape(tx.init, params), state_shardings)
    params = placed(params, param_shardings)
    jitted = jax.jit(step, out_shardings=(param_shardings, state_shardings), donate_argnums=(1, 2))
    return collectives(jitted.lower(params, params, state).compile().as_text())
