"""T5X: a table from the classes of states to the logical axes of their fields, `OptaxWrapper`.

Facts, in google-research/t5x, t5x/optimizers.py:
- `OptaxStatePartitionRules` has a table of Optax's state classes. A state is known by being a named
  tuple whose class name ends in "State"; one that is not in the table is refused; what is no state
  gets no axes. Fields like the parameters get the parameters' axes, where `optax.MaskedNode` stays.
- `OptaxWrapper` calls `update(grads, state, params)`, leaves empty dicts out of its state dict and
  puts them back when it restores one; `wrap_optax_optimizer` wraps any function that makes one.
- `MultiOptimizer` gives each sub-optimizer a part of the parameters; by a note in the code, states
  of Optax cannot be restored in it, and `optax.partition` (there `multi_transform`) does the same.
"""

import functools

import flax.serialization
import jax
import jax.numpy as jnp
import optax
import pytest
from flax import traverse_util

import adamjax
from adamjax.optimizer import LearningRateState
from tests.frameworks.loop import (
    LEARNING_RATE,
    assert_same,
    gradients_at,
    large_params,
    optimizers,
    plain_loop,
)
from tests.storage.runs import assert_equal, dtypes_of

# Leaves of a tree of axes, hence no tuples.
AXES = {"encoder": {"bias": "mlp", "kernel": "embed,mlp"}, "head": {"kernel": "embed,vocab"}}


# --- the table


def like_params(moments, axes):
    """The parameters' axes, but where a mask has taken a leaf away."""
    keep = lambda part, axis: part if isinstance(part, optax.MaskedNode) else axis  # noqa: E731
    masked = lambda node: isinstance(node, optax.MaskedNode)  # noqa: E731
    return jax.tree.map(keep, moments, axes, is_leaf=masked)


def moments_of(cls, *names):
    """A rule for a state of which these fields are like the parameters, the others without axes."""

    def rule(table, state, axes):
        del table
        fields = {name: like_params(getattr(state, name), axes) for name in names}
        return cls(**dict.fromkeys(cls._fields) | fields)

    return rule


def inside(cls, name):
    def rule(table, state, axes):
        return cls(**{name: axes_of(table, getattr(state, name), axes)})

    return rule


TABLE = {
    optax.EmptyState: lambda table, state, axes: optax.EmptyState(),
    optax.MaskedState: inside(optax.MaskedState, "inner_state"),
    optax.MultiTransformState: inside(optax.MultiTransformState, "inner_states"),
    optax.ScaleByAdamState: moments_of(optax.ScaleByAdamState, "mu", "nu"),
    optax.ScaleByLionState: moments_of(optax.ScaleByLionState, "mu"),
    optax.ScaleByRmsState: moments_of(optax.ScaleByRmsState, "nu"),
    optax.ScaleByScheduleState: moments_of(optax.ScaleByScheduleState),
    optax.TraceState: moments_of(optax.TraceState, "trace"),
}
# What a user of adamjax adds: the last stage of its optimizers; Optax's AMSGrad is not in T5X's.
WITH_ADAMJAX = {
    **TABLE,
    LearningRateState: moments_of(LearningRateState),
    optax.ScaleByAmsgradState: moments_of(optax.ScaleByAmsgradState, "mu", "nu", "nu_max"),
}


def is_state(x):
    return isinstance(x, tuple) and hasattr(x, "_fields") and type(x).__name__.endswith("State")


def axes_of(table, state, axes):
    def derive(node):
        if type(node) in table:
            return table[type(node)](table, node, axes)
        if is_state(node):
            raise ValueError(f"unregistered state {type(node).__name__}")
        return None

    return jax.tree.map(derive, state, is_leaf=is_state)


def directions_in_a_chain(rate, scale_by, storage="float32"):
    """As T5X's `chain` has it: only Optax's classes in the state."""
    return optax.chain(
        adamjax.store(scale_by(), storage),
        optax.add_decayed_weights(0.1, jax.tree.map(lambda _: True, AXES)),
        optax.scale_by_learning_rate(lambda count: rate),
    )


@pytest.mark.parametrize("storage", ["float32", "8bit"])
@pytest.mark.parametrize("name", ["adam", "lion", "radam", "yogi"])
def test_directions_are_in_the_table_as_it_is(name, storage):
    scale_by = getattr(adamjax, f"scale_by_{name}")
    tx = directions_in_a_chain(LEARNING_RATE, scale_by, storage)
    state = jax.eval_shape(tx.init, large_params())
    seen = axes_of(TABLE, state, AXES)
    first = seen[0]
    assert type(first) is type(state[0])
    assert {f: x for f, x in first._asdict().items() if x is not None} == {
        f: AXES for f in first._fields if f != "count"
    }
    assert jax.tree.leaves(seen[1:]) == []


@optimizers("adamw", "lion", "amsgrad", "adamw in 8 bits", "optax.adamw in 8 bits")
def test_ready_made_ones_need_one_more_line(make):
    state = jax.eval_shape(make(lambda count: LEARNING_RATE).init, large_params())
    if any(isinstance(node, LearningRateState) for node in state):
        with pytest.raises(ValueError, match="unregistered"):
            axes_of(TABLE, state, AXES)
    seen = axes_of(WITH_ADAMJAX, state, AXES)
    fields = [f for f in state[0]._fields if f != "count"]
    assert fields
    assert all(getattr(seen[0], field) == AXES for field in fields)
    assert jax.tree.leaves(seen[1:]) == []


@optimizers()
def test_axes_without_a_table(make):
    """`tree_map_params` gives what the table gives, also for states that it does not know."""
    tx = make(LEARNING_RATE)
    state = jax.eval_shape(tx.init, large_params())
    seen = optax.tree_utils.tree_map_params(
        tx, lambda _, axes: axes, state, AXES, transform_non_params=lambda _: None
    )
    count = len(jax.tree.leaves(seen)) / len(jax.tree.leaves(AXES))
    assert count == (4 if "v_row" in dir(state[0]) else len(state[0]._fields) - 1)
    if type(state[0]) in WITH_ADAMJAX:
        assert jax.tree.leaves(seen) == jax.tree.leaves(axes_of(WITH_ADAMJAX, state, AXES))


# --- the wrapper


class OptaxWrapper:
    """An optimizer as T5X's trainer uses it."""

    def __init__(self, tx):
        self.tx = tx

    def init_state(self, params):
        return {"step": jnp.int32(0), "param_states": self.tx.init(params)}

    @functools.partial(jax.jit, static_argnums=0)
    def apply_gradient(self, params, state, grads):
        updates, inner = self.tx.update(grads, state["param_states"], params)
        state = {"step": state["step"] + 1, "param_states": inner}
        return optax.apply_updates(params, updates), state

    def state_dict(self, params, state):
        nested = flax.serialization.to_state_dict(state)
        flat = traverse_util.flatten_dict(nested, sep="/")
        return {"target": params, "state": traverse_util.unflatten_dict(flat, sep="/")}

    def restore_state(self, params, state, saved):
        wanted = flax.serialization.to_state_dict(state)
        wanted = traverse_util.flatten_dict(wanted, keep_empty_nodes=True, sep="/")
        flat = traverse_util.flatten_dict(saved["state"], sep="/")
        empty = {k: v for k, v in wanted.items() if k not in flat}
        assert all(v is traverse_util.empty_node for v in empty.values()), list(empty)
        nested = traverse_util.unflatten_dict(flat | empty, sep="/")
        params = flax.serialization.from_state_dict(params, saved["target"])
        return params, flax.serialization.from_state_dict(state, nested)


def train(wrapper, params, state, steps):
    for t in steps:
        params, state = wrapper.apply_gradient(params, state, gradients_at(params, jnp.float32(t)))
    return params, state


def empty_dicts(tree):
    if not isinstance(tree, dict):
        return 0
    return (not tree) + sum(map(empty_dicts, tree.values()))


def two_optimizers(rate):
    """Weight decay and rates of their own for kernels and the rest, as `MultiOptimizer` is for."""
    kernels = optax.chain(optax.clip(1.0), adamjax.adamw(rate, weight_decay=0.1, storage="8bit"))
    label = lambda path, _: "kernel" if path[-1].key == "kernel" else "rest"  # noqa: E731
    labels = jax.tree_util.tree_map_with_path(label, AXES)
    return optax.partition({"kernel": kernels, "rest": adamjax.lion(rate / 2)}, labels)


@pytest.mark.parametrize("make", [adamjax.adopt, two_optimizers], ids=["adopt", "two"])
def test_state_dict_has_no_empty_dicts_and_comes_back(make):
    wrapper, start = OptaxWrapper(make(LEARNING_RATE)), large_params()
    params, state = train(wrapper, start, wrapper.init_state(start), range(3))
    saved = wrapper.state_dict(params, state)
    assert empty_dicts(saved) == 0
    zeros = jax.tree.map(jnp.zeros_like, start)
    restored = wrapper.restore_state(zeros, wrapper.init_state(zeros), saved)
    assert_equal(restored, (params, state))
    assert ("int8" in dtypes_of(state)) == (make is two_optimizers)
    reached, state = train(wrapper, *restored, range(3, 5))
    assert int(state["step"]) == 5
    assert_same(reached, plain_loop(make(LEARNING_RATE), start)[0], start)


def test_masked_states_keep_their_holes():
    tx = two_optimizers(LEARNING_RATE)
    seen = axes_of(WITH_ADAMJAX, jax.eval_shape(tx.init, large_params()), AXES)
    hole, parts = optax.MaskedNode(), seen.inner_states
    kernels = {**AXES, "encoder": {"bias": hole, "kernel": "embed,mlp"}}
    rest = {"encoder": {"bias": "mlp", "kernel": hole}, "head": {"kernel": hole}}
    assert parts["kernel"].inner_state[1][0].nu == kernels
    assert parts["rest"].inner_state[0].mu == rest
