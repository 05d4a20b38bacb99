"""Levanter: named axes under FSDP. `train` takes configs of optimizers."""

import datetime

import draccus
import equinox as eqx
import haliax as hax
import jax
from levanter.checkpoint import CheckpointerConfig
from levanter.optim.config import AdamConfig, OptimizerConfig
from levanter.tracker import NoopConfig
from levanter.trainer import Trainer, TrainerConfig

from tests.frameworks.suite import LEARNING_RATE, ShardedTraining, recipe

Embed, Mlp, Batch = hax.make_axes(embed=160, mlp=128, batch=8)
CONFIG = {"learning_rate": LEARNING_RATE, "weight_decay": 0.1, "warmup": 0.0}
RECIPE = recipe("Levanter")["AdamjaxConfig"]


class Model(eqx.Module):
    up: hax.nn.Linear
    down: hax.nn.Linear

    @staticmethod
    def init():
        key = jax.random.key(0)
        up = hax.nn.Linear.init(Embed, Mlp, key=key)
        return Model(up, hax.nn.Linear.init(Mlp, Embed, key=key))


def loss(model, x, *, key=None):
    return hax.mean((model.down(hax.tanh(model.up(x))) - 1.0) ** 2), {}


class TestLevanter(ShardedTraining):
    own = AdamConfig(**CONFIG)
    same = RECIPE(**CONFIG, storage="float32", arguments={"b2": 0.95})
    eight_bits = RECIPE(**CONFIG, arguments={"b2": 0.95})
    other = RECIPE(**CONFIG, variant="soap")
    factored = RECIPE(**CONFIG, variant="adafactor", storage="float32")

    @staticmethod
    def train(optimizer, steps, folder=None):
        save = CheckpointerConfig(base_path=str(folder), save_interval=datetime.timedelta(0))
        config = TrainerConfig(
            id="test",
            tracker=NoopConfig(),
            train_batch_size=8,
            num_train_steps=steps,
            checkpointer=save,
            load_checkpoint=None if folder else False,
            log_jaxprs=False,
            log_xla_hlo=False,
        )
        config._validate_and_set_defaults()
        with Trainer(config, optimizer.build(100), loss, add_default_hooks=bool(folder)) as trainer:
            state = trainer.initial_state(jax.random.PRNGKey(0), model_init=Model.init)
            keys = map(jax.random.key, range(int(state.step), steps))
            batches = (hax.random.normal(key, (Batch, Embed)) for key in keys)
            state = trainer.train(state, batches).state
        return state.model, state.opt_state


def test_config_file():
    yaml = {"type": "adamjax", "variant": "ademamix", "arguments": {"b2": 0.99}}
    config = draccus.decode(OptimizerConfig, yaml)
    assert config == RECIPE(variant="ademamix", arguments={"b2": 0.99})
