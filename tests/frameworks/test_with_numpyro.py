"""NumPyro: stochastic variational inference."""

import pickle

import jax

from tests.frameworks.suite import LEARNING_RATE, ResumedTraining, recipe


class TestNumPyro(ResumedTraining):
    @staticmethod
    def train(optimizer, steps, folder=None):
        file = folder and folder / "state"
        state, done = pickle.loads(file.read_bytes()) if file and file.exists() else (None, 0)
        result = recipe("NumPyro")["fit"](optimizer(LEARNING_RATE), steps - done, state)
        if file:
            file.write_bytes(pickle.dumps((jax.device_get(result.state), steps)))
        return result.state.optim_state[1]
