"""Kauldron: a Linen model under FSDP."""

import tempfile

from kauldron import kd

from tests.frameworks.suite import LEARNING_RATE, ShardedTraining, recipe


class TestKauldron(ShardedTraining):
    @staticmethod
    def train(optimizer, steps, folder=None):
        checkpointer = kd.ckpts.NoopCheckpointer()
        if folder:
            checkpointer = kd.ckpts.Checkpointer(save_interval_steps=1)
        trainer = recipe("Kauldron")["trainer"](
            optimizer(LEARNING_RATE),
            num_train_steps=steps,
            workdir=folder or tempfile.gettempdir(),
            checkpointer=checkpointer,
            writer=kd.train.metric_writer.NoopWriter(),
        )
        state, _ = trainer.train()
        return state.params, state.opt_state
