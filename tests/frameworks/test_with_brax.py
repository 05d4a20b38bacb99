"""brax: PPO with a learning rate adapted to the change of the policy, without parameters."""

import functools

import optax

import adamjax
from tests.frameworks.suite import Training, recipe


class TestBrax(Training):
    own = staticmethod(optax.adam)
    same = staticmethod(adamjax.adam)
    eight_bits = staticmethod(functools.partial(adamjax.adam, storage="8bit"))

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
