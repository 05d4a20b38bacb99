"""brax: PPO with a learning rate adapted to the change of the policy, without parameters."""

import optax

import adamjax
from tests.frameworks.suite import Training, recipe


def muon(learning_rate):
    return adamjax.muon(learning_rate, storage="8bit")


class TestBrax(Training):
    own = staticmethod(optax.adam)
    same = staticmethod(lambda learning_rate: adamjax.adam(learning_rate))
    eight_bits = staticmethod(lambda learning_rate: adamjax.adam(learning_rate, storage="8bit"))

    @staticmethod
    def train(optimizer, steps, folder=None):
        states = []

        def adam(learning_rate):
            tx = optimizer(learning_rate)

            def init(params):
                states.append(tx.init(params))
                return states[-1]

            return optax.GradientTransformation(init, tx.update)

        params = recipe("brax")["train"](adam, steps)
        return params[1:], states[-1]
