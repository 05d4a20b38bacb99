"""Equinox and Levanter: modules with leaves that are None, named arrays, extra keywords.

Facts about Levanter:
- stanford-crfm/levanter, src/levanter/optim/config.py and adopt.py: `build` gives
  `optax.inject_hyperparams(_optimizer)(learning_rate=schedule)`, where `_optimizer` chains a clip,
  a direction, `add_decayed_weights` with a mask and `optax.scale(-learning_rate)` of the traced
  rate. The mask is a function from the model to bools that stand for modules' fields and for whole
  named arrays.
- src/levanter/trainer_state.py: `take_train_step` filters gradients and model with
  `equinox.partition`, calls `update(grads, state, params=model, obj_fn=function)` and applies the
  result with `equinox.apply_updates`.
- stanford-crfm/haliax, src/haliax/core.py: a `NamedArray` is a pytree of one child without a name.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import optax
import pytest

import adamjax
from tests.frameworks.loop import IN_8_BITS, LEARNING_RATE, assert_same, batch, line, plain_loop
from tests.storage.runs import assert_equal, dtypes_of

pytestmark = pytest.mark.usefixtures("compiled_quickly")


@jax.tree_util.register_pytree_node_class
@dataclasses.dataclass(frozen=True)
class NamedArray:
    """An array whose axes have names and which does not take part in arithmetic by itself."""

    array: object
    axes: tuple

    def tree_flatten(self):
        return (self.array,), self.axes

    @classmethod
    def tree_unflatten(cls, axes, children):
        return cls(*children, axes)


@functools.cache
def modules():
    """Equinox, a model of its layers, and one of named arrays."""
    import equinox as eqx

    class Model(eqx.Module):
        """Arrays beside a function, a whole number, and a layer without a bias."""

        encoder: eqx.nn.Linear
        head: eqx.nn.Linear
        activation: object
        calls: jax.Array
        depth: int = eqx.field(static=True)

        def __init__(self):
            first, second = jax.random.split(jax.random.key(0))
            self.encoder = eqx.nn.Linear(160, 128, key=first)
            self.head = eqx.nn.Linear(128, 3, use_bias=False, key=second)
            self.activation, self.calls, self.depth = jnp.tanh, jnp.int32(7), 2

        def __call__(self, x):
            return self.head(self.activation(self.encoder(x)))

    class Layer(eqx.Module):
        weight: NamedArray
        bias: NamedArray | None

    class Named(eqx.Module):
        encoder: Layer
        head: Layer
        vocab: int
        tokens: jax.Array

        def __init__(self):
            weight = NamedArray(line(160 * 128).reshape(160, 128), ("embed", "mlp"))
            self.encoder = Layer(weight, NamedArray(line(128), ("mlp",)))
            self.head = Layer(NamedArray(line(24).reshape(8, 3), ("embed", "vocab")), None)
            self.vocab, self.tokens = 3, jnp.arange(4)

    return eqx, Model, Named


def loss_of(model, t):
    return jnp.mean((jax.vmap(model)(batch(t)) - 1.0) ** 2)


# --- Equinox


def test_one_half_is_trained_in_a_scan_and_the_other_stays():
    """A filter with False for the head: its leaves are None in gradients, state and updates."""
    eqx, Model, _ = modules()
    model, tx = Model(), IN_8_BITS(LEARNING_RATE, mask="*weight")
    spec = jax.tree.map(eqx.is_inexact_array, model)
    spec = eqx.tree_at(lambda m: m.head.weight, spec, replace=False)
    model_params, frozen = eqx.partition(model, spec)

    def gradients_of(params, t):
        return jax.grad(lambda p: loss_of(eqx.combine(p, frozen), t))(params)

    expected, expected_state = plain_loop(tx, model_params, gradients_of, steps=4)

    @eqx.filter_jit
    def run(params, state):
        def step(carry, t):
            params, state = carry
            updates, state = tx.update(gradients_of(params, t), state, params)
            return (eqx.apply_updates(params, updates), state), None

        return jax.lax.scan(step, (params, state), jnp.arange(4, dtype=jnp.float32))[0]

    params, state = run(model_params, tx.init(model_params))
    assert_same(params, expected, model_params)
    reached = eqx.combine(params, frozen)
    assert_equal(reached.head, model.head)
    assert params.head.weight is None
    assert (reached.calls, reached.activation) == (7, jnp.tanh)
    assert sorted({x.shape for x in jax.tree.leaves(state)}) == [(), (128,), (128, 160)]
    assert jax.tree.structure(state) == jax.tree.structure(expected_state)


# --- Levanter

SCHEDULE = optax.linear_schedule(2e-2, 1e-2, 4)
WEIGHTS = ["encoder/weight/0", "head/weight/0"]  # of the one child of a named array


def trainable(model):
    eqx = modules()[0]
    return eqx.filter(model, eqx.is_inexact_array)


def sine_loss(model, t):
    return sum(jnp.mean(jnp.sin(3 * x + t)) * 100 for x in jax.tree.leaves(trainable(model)))


def mask_of(model):
    """True for what has no "bias" in its path: one bool for each named array."""

    def is_named(x):
        return isinstance(x, NamedArray)

    def decays(path, x):
        return is_named(x) and "bias" not in jax.tree_util.keystr(path)

    return jax.tree_util.tree_map_with_path(decays, model, is_leaf=is_named)


def train(tx, steps=5):
    """The model after `steps` of Levanter's `take_train_step`, its arrays, and the state."""
    eqx, _, Named = modules()

    @eqx.filter_jit
    def take_step(model, state, t):
        objective = lambda m: sine_loss(m, t)  # noqa: E731
        gradients = trainable(eqx.filter_grad(objective)(model))
        updates, state = tx.update(gradients, state, params=trainable(model), obj_fn=objective)
        return eqx.apply_updates(model, updates), state

    model = Named()
    state = tx.init(trainable(model))
    for t in range(steps):
        model, state = take_step(model, state, jnp.float32(t))
    return model, jax.tree.leaves(trainable(model)), state


def start_of():
    return jax.tree.leaves(trainable(modules()[2]()))


def by_hand(tx):
    """The arrays alone, in a dict whose names are those of the model's leaves."""
    model = trainable(modules()[2]())
    leaves = jax.tree_util.tree_leaves_with_path(model)
    names = [jax.tree_util.keystr(path, simple=True, separator="/") for path, _ in leaves]

    def gradients(params, t):
        treedef = jax.tree.structure(model)
        as_model = lambda p: jax.tree.unflatten(treedef, [p[n] for n in names])  # noqa: E731
        return jax.grad(lambda p: sine_loss(as_model(p), t))(params)

    params = dict(zip(names, (x for _, x in leaves), strict=True))
    params, _ = plain_loop(tx, params, gradients)
    return [params[name] for name in names]


def chained(learning_rate, mask):
    return optax.chain(
        optax.clip_by_global_norm(1.0),
        adamjax.store(adamjax.scale_by_adam(0.9, 0.95), "8bit"),
        optax.add_decayed_weights(0.1, mask),
        optax.scale(-learning_rate),
    )


def ready_made(learning_rate, mask):
    return adamjax.lion(learning_rate, weight_decay=0.1, mask=mask)


@pytest.mark.parametrize("build", [chained, ready_made])
def test_named_arrays_with_a_traced_rate(build):
    """The mask's bools stand for named arrays here, and for paths in the plain loop."""

    def injected(mask):
        tx = optax.inject_hyperparams(lambda learning_rate: build(learning_rate, mask))
        return tx(learning_rate=SCHEDULE)

    def by_path(params):
        return {path: path in WEIGHTS for path in params}

    model, reached, state = train(injected(mask_of))
    assert_same(reached, by_hand(injected(by_path)), start_of())
    assert ("int8" in dtypes_of(state)) == (build is chained)
    assert model.head.bias is None
    assert_equal(model.tokens, jnp.arange(4))
    assert model.encoder.weight.axes == ("embed", "mlp")
