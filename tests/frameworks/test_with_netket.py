"""NetKet: variational Monte Carlo, with real and complex parameters."""

from flax import serialization

from tests.frameworks.suite import LEARNING_RATE, ResumedTraining, recipe, soap


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
