"""T5X and EasyDeL: shardings and checkpoints that go by the state's classes and paths.

Facts:
- google-research/t5x, t5x/optimizers.py: `OptaxStatePartitionRules` has a table of Optax's state
  classes.
- erfanzar/EasyDeL, easydel/infra/base_state.py: `tx.update(updates=grads, state=opt_state,
  params=graphstate)`; `match_partition_rules` searches regular expressions in a leaf's "/"-joined
  path in the state, and a leaf that no rule matches is an error.
"""

import re

import jax
import optax
import pytest
from jax.sharding import PartitionSpec as P

import adamjax
from adamjax.optimizer import LearningRateState
from tests.frameworks.loop import IN_8_BITS, LEARNING_RATE, large_params

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


def partition(rules, tree):
    """The spec of the first rule whose pattern is found in a leaf's path."""

    def spec_of(path, leaf):
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        for pattern, spec in rules if leaf.ndim else (("", P()),):
            if re.search(pattern, name):
                return spec
        raise ValueError(f"no rule for {name}")

    return jax.tree_util.tree_map_with_path(spec_of, tree)


def test_paths_of_the_state_are_those_of_the_parameters():
    tx, params = IN_8_BITS(LEARNING_RATE), large_params()
    state = jax.eval_shape(tx.init, params)
    rules = (("mu/encoder/kernel", P("a")), ("nu/.*kernel", P("b")), ("kernel|bias", P()))
    adam, _ = partition(rules, state)
    assert adam.mu == {"encoder": {"bias": P(), "kernel": P("a")}, "head": {"kernel": P()}}
    assert adam.nu == {"encoder": {"bias": P(), "kernel": P("b")}, "head": {"kernel": P("b")}}
    with pytest.raises(ValueError, match="no rule for 0/nu/encoder"):
        partition((("/mu/", P()),), state)
    by_keywords = jax.eval_shape(lambda s: tx.update(updates=params, state=s, params=params), state)
    assert jax.tree.structure(by_keywords) == jax.tree.structure((params, state))
