"""SBX: reinforcement learning. The learning rate is injected and set in each step."""

import gymnasium
import optax
from sbx import PPO

from tests.frameworks.suite import STEPS, Training, distances, recipe, soap


class TestSBX(Training):
    other = staticmethod(soap)

    @staticmethod
    def train(optimizer, steps, folder=None):
        model = recipe("SBX")["ppo"](optimizer)
        model.learn(steps * model.n_steps)
        if folder:
            model.save(folder / "model")
        return model.policy.actor_state.params, model.policy.actor_state.opt_state

    def test_loaded_model_has_its_state(self, tmp_path):
        """The environment starts again, so the steps that follow are others."""
        _, state = self.train(self.eight_bits, STEPS, tmp_path)
        model = PPO.load(tmp_path / "model", env=gymnasium.make("CartPole-v1"))
        loaded = model.policy.actor_state.opt_state
        assert distances(loaded, state).max() == 0
        count = optax.tree_utils.tree_get(loaded[1].inner_state, "count")
        model.learn(model.n_steps)
        state = model.policy.actor_state.opt_state[1].inner_state
        assert optax.tree_utils.tree_get(state, "count") == count + 1
