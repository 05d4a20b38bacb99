"""MaxText: a Llama-like model under FSDP. `train` takes functions that replace `get_optimizer`."""

import pathlib
import tempfile

import maxtext
from flax import nnx
from maxtext.optimizers import optimizers
from maxtext.trainers.pre_train import train as pre_train

import adamjax
from tests.frameworks.suite import LEARNING_RATE, ShardedTraining, recipe

OWN = optimizers.get_optimizer
RECIPE = recipe("MaxText")["get_optimizer"]
BASE = pathlib.Path(maxtext.__path__[0]) / "configs" / "base.yml"
CONFIG = {
    "run_name": "test",
    "hardware": "cpu",
    "skip_jax_distributed_system": True,
    "enable_goodput_recording": False,
    "monitor_goodput": False,
    "enable_tensorboard": False,
    "dataset_type": "synthetic",
    "dtype": "float32",
    "attention": "dot_product",
    "base_emb_dim": 128,
    "base_mlp_dim": 128,
    "base_num_query_heads": 4,
    "base_num_kv_heads": 4,
    "head_dim": 32,
    "base_num_decoder_layers": 1,
    "vocab_size": 128,
    "max_target_length": 16,
    "per_device_batch_size": 1,
    "ici_fsdp_parallelism": 4,
    "learning_rate": LEARNING_RATE,
    "warmup_steps_fraction": 0.0,
    "learning_rate_schedule_steps": 100,
    "checkpoint_period": 1,
    "async_checkpointing": False,
}


def replacing(variant, **arguments):
    def get_optimizer(config, learning_rate_schedule, model=None, mesh=None):
        return variant(learning_rate_schedule, **arguments)

    return get_optimizer


class TestMaxText(ShardedTraining):
    own = staticmethod(OWN)
    same = staticmethod(lambda *args, **kwargs: RECIPE(*args, **kwargs, storage="float32"))
    eight_bits = staticmethod(RECIPE)
    # MaxText stacks layers along axis 1, so Muon would need the axes of each matrix.
    other = staticmethod(replacing(adamjax.schedule_free_adamw, storage="8bit"))
    factored = staticmethod(replacing(adamjax.adafactor))

    @staticmethod
    def train(optimizer, steps, folder=None):
        optimizers.get_optimizer = optimizer
        config = CONFIG | {"steps": steps, "enable_checkpointing": bool(folder)}
        config["base_output_directory"] = folder or tempfile.gettempdir()
        arguments = ["train", str(BASE), *(f"{k}={v}" for k, v in config.items())]
        state = pre_train.train_loop(*pre_train.initialize(arguments))
        return nnx.filter_state(state["model"], nnx.Param), state["optimizer"]["opt_state"]
