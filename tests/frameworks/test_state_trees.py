"""MaxText, T5X and EasyDeL: shardings and checkpoints that go by the state's classes and paths.

Facts:
- AI-Hypercomputer/maxtext, src/maxtext/utils: `get_abstract_state` makes shardings of a state whose
  parameters are in boxes with logical axes, and with `shard_optimizer_over_data` (ZeRO-1) adds the
  axis "data" to those of the optimizer's state; `maybe_update_params_sharding_with_opt` looks for
  `optax.ScaleByAdamState` as the state or its first part, and takes `mu["params"]` from it.
- google-research/t5x, t5x/optimizers.py: `OptaxStatePartitionRules` has a table of Optax's state
  classes; `OptaxWrapper` leaves empty dicts out of its state dict and puts them back.
- erfanzar/EasyDeL, easydel/infra/base_state.py: `tx.update(updates=grads, state=opt_state,
  params=graphstate)`; `match_partition_rules` searches regular expressions in a leaf's "/"-joined
  path in the state, and a leaf that no rule matches is an error.
"""

import re

import jax
import jax.numpy as jnp
import optax
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P

import adamjax
from adamjax.optimizer import LearningRateState
from tests.frameworks.loop import (
    IN_8_BITS,
    LEARNING_RATE,
    OPTIMIZERS,
    assert_same,
    gradients_at,
    large_params,
    optimizers,
    plain_loop,
)
from tests.storage.runs import assert_equal

pytestmark = pytest.mark.usefixtures("compiled_quickly")
AXES = {
    "encoder": {"bias": ("mlp",), "kernel": ("embed", "mlp")},
    "head": {"kernel": ("embed", "vocab")},
}


def is_axes(node):
    return isinstance(node, tuple) and all(isinstance(name, str) for name in node)


# --- ZeRO-1


@pytest.mark.parametrize("storage", ["8bit", pytest.param("float32", marks=pytest.mark.wide)])
def test_zero_1_on_eight_devices_is_the_plain_loop(storage):
    from flax import linen as nn
    from flax.training.train_state import TrainState

    mesh = jax.make_mesh((4, 2), ("data", "tensor"), axis_types=(AxisType.Auto,) * 2)
    tx = adamjax.adamw(1e-2, storage=storage, weight_decay=0.1, mask="*kernel")

    def init():
        box = lambda axes, x: nn.LogicallyPartitioned(x, axes)  # noqa: E731
        params = {"params": jax.tree.map(box, AXES, large_params(), is_leaf=is_axes)}
        return TrainState.create(apply_fn=None, params=params, tx=tx)

    logical = nn.get_partition_spec(jax.eval_shape(init))
    rules = (("mlp", "tensor"), ("embed", None), ("vocab", None))
    shardings = nn.logical_to_mesh_sharding(logical, mesh, rules)
    adam, rate = shardings.opt_state
    assert isinstance(adam, optax.ScaleByAdamState)
    assert adam.mu["params"]["encoder"]["kernel"].spec == P(None, "tensor")
    assert all(x.spec == P() for x in jax.tree.leaves((adam.count, rate)))

    def over_data(sharding):
        return NamedSharding(mesh, P("data", *sharding.spec[1:]))

    moments = {name: jax.tree.map(over_data, getattr(adam, name)) for name in ("mu", "nu")}
    shardings = shardings.replace(opt_state=(adam._replace(**moments), rate))
    state = nn.meta.unbox(jax.jit(init, out_shardings=shardings)())

    def step(state, t):
        return state.apply_gradients(grads=gradients_at(state.params, t))

    options = {"in_shardings": (shardings, None), "out_shardings": shardings}
    compiled = jax.jit(step, **options, donate_argnums=0)
    for t in range(5):
        state = compiled(state, jnp.float32(t))
    # The names of leaves in few bits are part of their random numbers.
    expected, _ = plain_loop(tx, {"params": large_params()})
    assert_same(state.params, expected)
    local = [x.addressable_shards[0].data.nbytes for x in jax.tree.leaves(state.opt_state)]
    of_kernel = (2 if storage == "8bit" else 8) * 160 * 128 // 8  # on each of eight devices
    assert of_kernel < sum(local) < of_kernel + 1000


# --- classes, paths and state dicts


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


@optimizers(*OPTIMIZERS)
def test_axes_of_the_moments(make):
    """`tree_map_params` gives each moment the axes of the parameters, whatever its class."""
    tx = make(LEARNING_RATE)
    state = jax.eval_shape(tx.init, large_params())
    axes = optax.tree_utils.tree_map_params(
        tx,
        lambda _, axes: "+".join(axes),
        state,
        jax.tree.map(tuple, AXES, is_leaf=is_axes),
        transform_non_params=lambda _: None,
        is_leaf=is_axes,
    )
    moments = [node for node in axes[0] if node is not None]
    assert len(moments) == (4 if "v_row" in state[0]._fields else len(state[0]._fields) - 1)
    assert all(jax.tree.leaves(moment) == ["mlp", "embed+mlp", "embed+vocab"] for moment in moments)


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


def two_optimizers(rate):
    """For kernels and the rest, as T5X's `MultiOptimizer` is for."""
    kernels = optax.chain(optax.clip(1.0), adamjax.adamw(rate, weight_decay=0.1, storage="8bit"))
    label = lambda path, _: "kernel" if path[-1].key == "kernel" else "rest"  # noqa: E731
    labels = jax.tree_util.tree_map_with_path(label, large_params())
    return optax.partition({"kernel": kernels, "rest": adamjax.lion(rate / 2)}, labels)


def test_state_dict_without_empty_dicts_comes_back():
    from flax import serialization, traverse_util

    tx, start = two_optimizers(LEARNING_RATE), large_params()
    _, state = plain_loop(tx, start, steps=3)
    saved = traverse_util.flatten_dict(serialization.to_state_dict(state), sep="/")
    new = serialization.to_state_dict(tx.init(start))
    new = traverse_util.flatten_dict(new, keep_empty_nodes=True, sep="/")
    empty = {key: value for key, value in new.items() if key not in saved}
    assert empty
    assert all(value is traverse_util.empty_node for value in empty.values())
    nested = traverse_util.unflatten_dict(saved | empty, sep="/")
    assert_equal(serialization.from_state_dict(tx.init(start), nested), state)
    first, second = (state.inner_states[name].inner_state for name in ("kernel", "rest"))
    assert isinstance(first[1][0].nu["encoder"]["bias"], optax.MaskedNode)
    assert isinstance(second[0].mu["encoder"]["kernel"], optax.MaskedNode)
