"""Equinox: a filtered training step, and a checkpoint of its own."""

import equinox as eqx
import jax
import jax.numpy as jnp

import adamjax
from tests.frameworks.suite import LEARNING_RATE, ResumedTraining, recipe


class TestEquinox(ResumedTraining):
    # Equinox's kernels have their outputs first.
    other = staticmethod(lambda rate: adamjax.muon(rate, layouts="equinox", storage="8bit"))

    @staticmethod
    def train(optimizer, steps, folder=None):
        names = recipe("Equinox")
        tx, model = optimizer(LEARNING_RATE), names["make_model"]()
        run = (model, tx.init(eqx.filter(model, eqx.is_inexact_array)), jnp.int32(0))
        if folder and (folder / "run").exists():
            run = eqx.tree_deserialise_leaves(folder / "run", run)
        model, state, done = run
        for t in range(int(done), steps):
            x = jax.random.normal(jax.random.key(t), (8, 160))
            model, state = names["train_step"](tx, model, state, x)
        if folder:
            eqx.tree_serialise_leaves(folder / "run", (model, state, jnp.int32(steps)))
        return eqx.filter(model, eqx.is_inexact_array), state
