"""MaxText and T5X find the moments of a state by Optax's classes and by their trees.

Facts:
- AI-Hypercomputer/maxtext, src/maxtext/utils: `maybe_update_params_sharding_with_opt` looks for
  `optax.ScaleByAdamState` as the state or its first part, and takes `mu["params"]` from it.
- google-research/t5x, t5x/optimizers.py: `OptaxStatePartitionRules` has a table of Optax's state
  classes.
"""

import jax
import optax
import pytest

import adamjax
from adamjax.optimizer import LearningRateState
from tests.frameworks.loop import LEARNING_RATE, large_params

pytestmark = pytest.mark.usefixtures("compiled_quickly")


@pytest.mark.parametrize("storage", ["float32", "8bit"])
def test_states_are_of_the_classes_of_optax(storage):
    classes = {"adam": optax.ScaleByAdamState, "lion": optax.ScaleByLionState}
    classes["amsgrad"] = optax.ScaleByAmsgradState
    params = large_params()
    for name, cls in classes.items():
        direction = adamjax.store(getattr(adamjax, f"scale_by_{name}")(), storage)
        assert type(jax.eval_shape(direction.init, params)) is cls
        tx = adamjax.create(name, learning_rate=lambda count: LEARNING_RATE, storage=storage)
        first, *_, last = jax.eval_shape(tx.init, params)
        assert (type(first), type(last)) == (cls, LearningRateState)
        for moment in first[1:]:
            assert jax.tree.structure(moment) == jax.tree.structure(params)
