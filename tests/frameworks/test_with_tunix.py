"""Tunix: supervised fine-tuning of an NNX model under FSDP."""

import jax
import jax.numpy as jnp
import optax
import orbax.checkpoint as ocp
import pytest
from flax import nnx
from tunix.cli.config import HyperParameters
from tunix.sft import peft_trainer

from tests.frameworks.suite import LEARNING_RATE, ShardedTraining, recipe

SIZE, BATCH, LENGTH = 128, 4, 16


class Model(nnx.Module):
    def __init__(self, rngs):
        init = nnx.initializers.lecun_normal()
        rows = nnx.with_partitioning(init, ("fsdp", None))
        columns = nnx.with_partitioning(init, (None, "fsdp"))
        self.embed = nnx.Embed(SIZE, SIZE, rngs=rngs, embedding_init=rows)
        self.head = nnx.Linear(SIZE, SIZE, rngs=rngs, kernel_init=columns)

    def __call__(self, tokens, positions, cache, attention_mask):
        return self.head(jnp.tanh(self.embed(tokens))), cache


@nnx.jit
def sharded_model():
    model = Model(nnx.Rngs(0))
    state = nnx.state(model)
    nnx.update(model, jax.lax.with_sharding_constraint(state, nnx.get_partition_spec(state)))
    return model


def inputs(batch):
    return {
        "input_tokens": batch.input_tokens,
        "input_mask": batch.input_mask,
        "positions": None,
        "attention_mask": None,
    }


class TestTunix(ShardedTraining):
    @staticmethod
    def train(optimizer, steps, folder=None):
        config = peft_trainer.TrainingConfig(
            eval_every_n_steps=steps + 1,
            max_steps=steps,
            checkpoint_root_directory=folder and str(folder),
            checkpointing_options=ocp.CheckpointManagerOptions(save_interval_steps=1),
        )
        tokens = jax.random.randint(jax.random.key(0), (steps, BATCH, LENGTH), 0, SIZE)
        data = [peft_trainer.TrainingInput(x, jnp.ones_like(x)) for x in tokens]
        with jax.set_mesh(jax.make_mesh((4,), ("fsdp",), (jax.sharding.AxisType.Auto,))):
            trainer = peft_trainer.PeftTrainer(sharded_model(), optimizer(LEARNING_RATE), config)
            trainer.with_gen_model_input_fn(inputs).train(data)
        return nnx.state(trainer.model), nnx.state(trainer.optimizer)["opt_state"]


def test_optimizer_from_a_config():
    """`HyperParameters` reads the config from the command line. Here it is an object."""
    names, hyperparameters = recipe("Tunix"), object.__new__(HyperParameters)
    hyperparameters.config = {"optimizer_config": names["config"]}
    tx = hyperparameters.create_optimizer("optimizer_config")
    params = {"kernel": jnp.ones((SIZE, SIZE)), "bias": jnp.ones(SIZE)}
    updates, state = jax.jit(tx.update)(params, tx.init(params), params)
    assert float(state.hyperparams["learning_rate"]) == pytest.approx(0.02)
    assert "int8" in {x.dtype.name for x in jax.tree.leaves(state)}
    assert optax.tree_utils.tree_norm(updates) > 0
