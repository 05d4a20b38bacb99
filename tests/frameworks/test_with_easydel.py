"""EasyDeL: a Llama under FSDP."""

import jax
import jax.numpy as jnp
import optax
from easydel import EasyDeLState

from tests.frameworks.suite import LEARNING_RATE, ShardedTraining, recipe

# Parts that a checkpoint does not contain.
LOADED = {
    "dtype": jnp.float32,
    "param_dtype": jnp.float32,
    "config_kwargs": {"attn_dtype": jnp.float32, "attn_mechanism": "vanilla"},
}


@jax.jit
def step(state, tokens):
    def loss(params):
        logits = state.merge(params)(input_ids=tokens).logits
        return optax.softmax_cross_entropy_with_integer_labels(logits, tokens).mean()

    return state.apply_gradients(grads=jax.grad(loss)(state.graphstate))


class TestEasyDeL(ShardedTraining):
    @staticmethod
    def train(optimizer, steps, folder=None):
        tx = optimizer(LEARNING_RATE)
        if folder and any(folder.iterdir()):
            state = EasyDeLState.load_state(folder, tx_template=tx, **LOADED).replace(tx=tx)
        else:
            state = recipe("EasyDeL")["make_state"](tx)
        with state.mesh:
            for t in range(int(state.step), steps):
                state = step(state, jax.random.randint(jax.random.key(t), (4, 16), 0, 128))
        if folder:
            state.save_state(folder)
        return state.graphstate, state.opt_state
