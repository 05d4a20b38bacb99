"""Prints, as JSON, what each variant's compiled step does on this CPU and where it leads.

A program of its own, as XLA reads its flags once in a process: see `tests/test_one_pass.py`.
"""

import inspect
import json
import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from tests.law_exceptions import SEVERAL_LOOPS

SIZE = 1 << 18


def nbytes(tree):
    return sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(tree))


def make(name, **arguments):
    variant = adamjax.get_variant(name).optimizer
    rate = inspect.signature(variant).parameters["learning_rate"]
    if rate.default is rate.empty:
        arguments["learning_rate"] = 1e-2
    if name == "sgd":
        arguments["momentum"] = 0.9
    return variant(**arguments)


def measure(tx):
    def step(gradient, param, state):
        updates, state = tx.update(gradient, state, param)
        return optax.apply_updates(param, updates), state

    param = jnp.linspace(-1.0, 1.0, SIZE)
    state = tx.init(param)
    program = jax.jit(step).lower(param, param, state).compile()
    entry = program.as_text().partition("ENTRY")[2]
    least = 2 * nbytes((param, state)) + nbytes(param)
    for t in range(3):
        param, state = program(jnp.cos(3 * param + t), param, state)
    moments = [x for x in jax.tree.leaves(state) if x.ndim]
    return {
        "kernels": len(re.findall(rf"\[{SIZE}\][^\n]* fusion\(", entry)),
        "bytes": program.cost_analysis()["bytes accessed"] / least,
        "param": np.asarray(param)[::999].tolist(),
        "moments": np.float64(moments)[:, ::999].tolist(),
    }


def main():
    made = {name: make(name) for name in adamjax.list_variants() if name not in SEVERAL_LOOPS}
    made |= {s: make("adamw", storage=s) for s in ("bfloat16", "8bit_v16", "8bit")}
    made["store(optax.lion)"] = adamjax.store(optax.lion(1e-2))
    sys.stdout.write(json.dumps({name: measure(tx) for name, tx in made.items()}))


if __name__ == "__main__":
    main()
