"""NetKet: variational Monte Carlo, with real and complex parameters."""

import optax
import pytest
from flax import serialization

from tests.frameworks.suite import (
    LEARNING_RATE,
    STEPS,
    ResumedTraining,
    distances,
    eight_bits,
    own,
    recipe,
    same,
    soap,
)


class TestNetKet(ResumedTraining):
    other = staticmethod(soap)

    @staticmethod
    def train(optimizer, steps, folder=None):
        driver = recipe("NetKet")["driver"](optimizer(LEARNING_RATE))
        file = folder and folder / "driver"
        if file and file.exists():
            driver = serialization.from_bytes(driver, file.read_bytes())
        driver.run(steps - driver.step_count, out=None, show_progress=False)
        if file:
            file.write_bytes(serialization.to_bytes(driver))
        return driver.state.parameters, driver._optimizer_state


def test_complex_parameters():
    """They are pairs of real numbers, which have no storage."""

    def trained(tx):
        driver = recipe("NetKet")["driver"](tx, dtype="complex128")
        driver.run(STEPS, out=None, show_progress=False)
        return driver.state.parameters

    expected = trained(optax.contrib.split_real_and_imaginary(own(LEARNING_RATE)))
    assert distances(trained(same(LEARNING_RATE)), expected).max() < 1e-5
    with pytest.raises(ValueError, match="moments of complex parameters have no storage"):
        trained(eight_bits(LEARNING_RATE))
