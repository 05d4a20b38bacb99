"""Levanter: extra keywords for `update`, a traced learning rate, named arrays, filtered trees.

Facts:
- stanford-crfm/levanter, src/levanter/optim/config.py and adopt.py: `build` gives
  `optax.inject_hyperparams(_optimizer)(learning_rate=schedule)`, where `_optimizer` chains a clip,
  a direction, `add_decayed_weights` with a mask and `optax.scale(-learning_rate)` of the traced
  rate. The mask is a function from the model to bools that stand for modules' fields and for whole
  named arrays.
- src/levanter/trainer_state.py: `take_train_step` filters gradients and model with
  `equinox.partition`, calls `update(grads, state, params=model, obj_fn=function)` and applies the
  result with `equinox.apply_updates`.
- src/levanter/optim/sophia.py estimates the Hessian's diagonal with `obj_fn`, every so many steps.
- stanford-crfm/haliax, src/haliax/core.py: a `NamedArray` is a pytree of one child without a name.
"""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import pytest

import adamjax
from tests.frameworks.loop import assert_same, plain_loop
from tests.storage.runs import assert_equal, dtypes_of


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


class Layer(eqx.Module):
    weight: NamedArray
    bias: NamedArray | None
    act: object = eqx.field(static=True, default=jnp.tanh)


class Model(eqx.Module):
    encoder: Layer
    head: Layer
    vocab: int
    tokens: jax.Array

    @staticmethod
    def start():
        line = lambda n: jnp.linspace(-1.0, 1.0, n, dtype=jnp.float32)  # noqa: E731
        encoder = Layer(
            NamedArray(line(160 * 128).reshape(160, 128), ("embed", "mlp")),
            NamedArray(line(128), ("mlp",)),
        )
        head = Layer(NamedArray(line(24).reshape(8, 3), ("embed", "vocab")), None)
        return Model(encoder, head, 3, jnp.arange(4))


def loss_of(model, t):
    return sum(jnp.mean(jnp.sin(3 * x + t)) * 100 for x in jax.tree.leaves(trainable(model)))


def trainable(model):
    return eqx.filter(model, eqx.is_inexact_array)


def is_named(x):
    return isinstance(x, NamedArray)


def mask_of(model):
    """True for what has no "bias" in its path: one bool for each named array."""

    def decays(path, x):
        return is_named(x) and "bias" not in jax.tree_util.keystr(path)

    return jax.tree_util.tree_map_with_path(decays, model, is_leaf=is_named)


def take_step(tx, model, state, t):
    objective = lambda m: loss_of(m, t)  # noqa: E731
    gradients = eqx.filter_grad(objective)(model)
    params = trainable(model)
    updates, state = tx.update(trainable(gradients), state, params=params, obj_fn=objective)
    return eqx.apply_updates(model, updates), state


def train(tx, steps=5):
    model = Model.start()
    state = tx.init(trainable(model))
    step = eqx.filter_jit(lambda m, s, t: take_step(tx, m, s, t))
    for t in range(steps):
        model, state = step(model, state, jnp.float32(t))
    return model, state


def by_hand(tx, steps=5):
    """The arrays alone, in dicts whose names are those of the model's leaves."""
    model = trainable(Model.start())
    leaves = jax.tree_util.tree_leaves_with_path(model)
    names = [jax.tree_util.keystr(path, simple=True, separator="/") for path, _ in leaves]
    params = dict(zip(names, (x for _, x in leaves), strict=True))
    treedef = jax.tree.structure(model)

    def gradients(params, t):
        as_model = lambda p: jax.tree.unflatten(treedef, [p[n] for n in names])  # noqa: E731
        return jax.grad(lambda p: loss_of(as_model(p), t))(params)

    params, _ = plain_loop(tx, params, gradients, steps)
    return [params[name] for name in names]


def seen_in(model):
    return jax.tree.leaves(trainable(model))


def start_of():
    return seen_in(Model.start())


SCHEDULE = optax.linear_schedule(2e-2, 1e-2, 4)
WEIGHTS = ["encoder/weight/0", "head/weight/0"]  # of the one child of a named array
DIRECTIONS = {
    "adam": lambda: adamjax.scale_by_adam(0.9, 0.95),
    "adopt": lambda: adamjax.scale_by_adopt(0.9, 0.95),
    "mars": lambda: adamjax.scale_by_mars_adamw(0.9, 0.95),
    "adam in 8 bits": lambda: adamjax.store(adamjax.scale_by_adam(0.9, 0.95), "8bit"),
}


@pytest.mark.parametrize("name", DIRECTIONS)
def test_chain_with_a_traced_rate(name):
    """The mask's bools stand for named arrays here, and for paths in the plain loop."""

    def build(learning_rate, mask):
        return optax.chain(
            optax.clip_by_global_norm(1.0),
            DIRECTIONS[name](),
            optax.add_decayed_weights(0.1, mask),
            optax.scale(-learning_rate),
        )

    tx = optax.inject_hyperparams(lambda learning_rate: build(learning_rate, mask_of))
    model, state = train(tx(learning_rate=SCHEDULE))
    by_path = lambda params: {path: path in WEIGHTS for path in params}  # noqa: E731
    plain = optax.inject_hyperparams(lambda learning_rate: build(learning_rate, by_path))
    assert_same(seen_in(model), by_hand(plain(learning_rate=SCHEDULE)), start_of())
    assert ("int8" in dtypes_of(state)) == ("8 bits" in name)
    assert model.head.bias is None
    assert_equal(model.tokens, Model.start().tokens)
    assert model.encoder.weight.axes == ("embed", "mlp")


READY_MADE = {
    "adamw": {},
    "lion": {},
    "adamw in 8 bits": {"storage": "8bit"},
}


@pytest.mark.parametrize(
    ("name", "mask"),
    [*((name, "*/weight/0") for name in READY_MADE), ("adamw in 8 bits", mask_of)],
)
def test_ready_made_with_a_traced_rate(name, mask):
    make = getattr(adamjax, name.split()[0])
    settings = {"weight_decay": 0.1, **READY_MADE[name]}

    def build(learning_rate):
        return make(learning_rate, mask=mask, **settings)

    model, _ = train(optax.inject_hyperparams(build)(learning_rate=SCHEDULE))
    wanted = by_hand(make(SCHEDULE, mask=WEIGHTS, **settings))
    assert_same(seen_in(model), wanted, start_of())


# --- curvature from the objective


def with_curvature(tx, every):
    """Gives `tx` the diagonal of the Hessian of `obj_fn`, as Levanter's Sophia makes it inside."""

    def init(params):
        return jnp.int32(0), tx.init(params)

    def update(updates, state, params=None, *, obj_fn, **extra):
        count, inner = state

        def renewed():
            ones = jax.tree.map(jnp.ones_like, params)
            diagonal = jax.jvp(jax.grad(obj_fn), (params,), (ones,))[1]  # the loss is a sum
            return tx.update(updates, inner, params, hessian=diagonal, **extra)

        updates, inner = jax.lax.cond(
            count % every == 0, renewed, lambda: tx.update(updates, inner, params, **extra)
        )
        return updates, (count + 1, inner)

    return optax.GradientTransformationExtraArgs(init, update)


def sophia_by_hand(params, steps=5):
    """Sophia written out, with the derivatives of the loss, for weights that decay and biases."""
    trees = [(p, jnp.zeros_like(p), jnp.zeros_like(p), 0.1 * (p.ndim > 1)) for p in params]
    for t in range(steps):
        after = []
        for p, m, h, decay in trees:
            g = 300 / p.size * jnp.cos(3 * p + t)
            m = 0.965 * m + 0.035 * g
            if t % 2 == 0:
                h = 0.99 * h - 0.01 * 900 / p.size * jnp.sin(3 * p + t)
            u = jnp.clip(m / jnp.maximum(h, 1e-15), -1, 1)
            after.append((p - 1e-2 * (u + decay * p), m, h, decay))
        trees = after
    return [p for p, *_ in trees]


@pytest.mark.parametrize("storage", ["float32", "8bit"])
def test_sophia_with_curvature_from_the_objective(storage):
    tx = adamjax.sophia(1e-2, rho=1.0, weight_decay=0.1, mask="*weight/0", storage=storage)
    model, state = train(optax.chain(optax.identity(), with_curvature(tx, every=2)))
    wanted = jax.jit(sophia_by_hand)(start_of())
    if storage == "float32":
        assert_same(seen_in(model), wanted, start_of())
        return
    assert "int8" in dtypes_of(state)
    for a, b in zip(seen_in(model), wanted, strict=True):
        assert jnp.mean(jnp.abs(a - b)) < 0.1 * 5 * 1e-2  # of the longest way in five steps
