"""Flax Linen: `TrainState`, replicated over devices, and its bytes."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import jax_utils, serialization
from flax.training.train_state import TrainState

from tests.frameworks.loop import LEARNING_RATE, assert_same, optimizers, plain_loop
from tests.storage.runs import assert_equal


class Model(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(3, name="head")(nn.tanh(nn.Dense(128, name="encoder")(x)))


MODEL = Model()


def batch(t):
    return jnp.sin(jnp.arange(4 * 160, dtype=jnp.float32).reshape(4, 160) + t)


def gradients_of(params, t):
    return jax.grad(lambda p: jnp.mean((MODEL.apply({"params": p}, batch(t)) - 1.0) ** 2))(params)


def created(make, seed=0):
    params = MODEL.init(jax.random.key(seed), batch(0))["params"]
    return TrainState.create(apply_fn=MODEL.apply, params=params, tx=make(LEARNING_RATE))


@jax.jit
def train_step(state, t):
    return state.apply_gradients(grads=gradients_of(state.params, t))


def train(state, steps):
    for t in steps:
        state = train_step(state, jnp.float32(t))
    return state


@optimizers("amsgrad", "adamw in bfloat16", "adamw in 8 bits")
def test_train_state_is_the_plain_loop(make):
    state = created(make)
    wanted, wanted_state = plain_loop(state.tx, state.params, gradients_of)
    reached = train(state, range(5))
    assert int(reached.step) == 5
    assert_same(reached.params, wanted, state.params)
    for other in (state.opt_state, wanted_state):
        assert jax.tree.structure(other) == jax.tree.structure(reached.opt_state)
        dtypes = [[x.dtype for x in jax.tree.leaves(s)] for s in (other, reached.opt_state)]
        assert dtypes[0] == dtypes[1]


@optimizers("adamw in 8 bits")
def test_bytes_of_a_train_state_go_on_in_another_process(make):
    """`to_bytes` and `from_bytes` into a state of another seed, as after a restart."""
    state = train(created(make), range(3))
    restored = serialization.from_bytes(created(make, seed=1), serialization.to_bytes(state))
    for field in ("params", "opt_state"):
        assert_equal(getattr(restored, field), getattr(state, field))
    wanted = train(state, range(3, 6))
    assert_equal(train(restored, range(3, 6)).params, wanted.params)


@optimizers("adamw in 8 bits")
def test_replicated_over_devices(make):
    """`jax_utils.replicate`, gradients averaged in `pmap`, `unreplicate`."""
    state = created(make)
    wanted, _ = plain_loop(state.tx, state.params, gradients_of, steps=3)

    def step(state, t):
        mean = jax.lax.pmean(gradients_of(state.params, t), "batch")
        return state.apply_gradients(grads=mean)

    run, copies = jax.pmap(step, axis_name="batch"), jax_utils.replicate(state)
    for t in range(3):
        copies = run(copies, jnp.full(jax.local_device_count(), t, jnp.float32))
    reached = jax_utils.unreplicate(copies)
    assert int(reached.step) == 3
    assert_same(reached.params, wanted, state.params)
