"""Optimizers as public programs build them: the same steps with `adamjax.optax` as with Optax.

Rebuilt from google-deepmind/nanodo, cgarciae/nanoGPT-jax, luchris429/purejaxrl, google/brax (PPO
with the adaptive learning rate), google-research/big_vision, and the examples of Flax NNX and
Equinox. Each function takes the module that the program imports as `optax`.
"""

import operator

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax.optax

pytestmark = pytest.mark.usefixtures("compiled_quickly")


def params():
    draw = np.random.default_rng(0)
    shapes = {"embedding": (6, 4), "kernel": (4, 3), "bias": (3,), "scale": (4,)}
    leaves = {k: jnp.asarray(draw.normal(size=s), jnp.float32) for k, s in shapes.items()}
    return {"block": leaves, "head": {"kernel": leaves["kernel"] + 1}}


def loss(tree, t):
    leaves = jax.tree.leaves(tree)
    return sum(jnp.sum((x - jnp.sin(t + i)) ** 2) for i, x in enumerate(leaves))


def train(tx):
    """Ten steps in a scan."""

    def step(carry, t):
        weights, state = carry
        grads = jax.grad(loss)(weights, t)
        updates, state = tx.update(grads, state, weights)
        return (optax.apply_updates(weights, updates), state), None

    start = params()
    (weights, _), _ = jax.lax.scan(step, (start, tx.init(start)), jnp.arange(10.0))
    return weights


def name_of(path):
    return "/".join(key.key for key in path)


def warmup_cosine(optax):
    warmup = optax.linear_schedule(0.0, 1e-2, 3)
    return optax.join_schedules([warmup, optax.cosine_decay_schedule(1e-2, 7, alpha=0.1)], [3])


def nanodo(optax):
    def mask(tree):
        return jax.tree_util.tree_map_with_path(lambda path, _: "bias" not in name_of(path), tree)

    adamw = optax.adamw(
        warmup_cosine(optax), b1=0.9, b2=0.98, eps=1e-9, weight_decay=0.1, mask=mask
    )
    adafactor = optax.adafactor(
        warmup_cosine(optax),
        multiply_by_parameter_scale=True,
        decay_rate=0.8,
        momentum=0.9,
        factored=True,
        eps=1e-30,
        weight_decay_rate=0.01,
        weight_decay_mask=mask,
    )
    return [
        train(optax.MultiSteps(optax.chain(optax.clip_by_global_norm(1.0), tx), 2))
        for tx in (adamw, adafactor)
    ]


def nanogpt(optax):
    schedule = optax.warmup_cosine_decay_schedule(0.0, 1e-2, 3, 10, 1e-3)
    parts = {
        label: optax.adamw(learning_rate=schedule, b1=0.9, b2=0.95, weight_decay=decay)
        for label, decay in {"decay": 0.1, "no_decay": 0.0}.items()
    }
    labels = jax.tree_util.tree_map_with_path(
        lambda path, _: "decay" if path[-1].key == "kernel" else "no_decay", params()
    )
    return train(optax.multi_transform(parts, labels))


def purejaxrl(optax):
    from flax.training.train_state import TrainState

    def linear_schedule(count):
        return 1e-2 * (1.0 - (count // 4) / 10)

    tx = optax.chain(
        optax.clip_by_global_norm(0.5), optax.adam(learning_rate=linear_schedule, eps=1e-5)
    )
    state = TrainState.create(apply_fn=loss, params=params(), tx=tx)

    def step(state, t):
        return state.apply_gradients(grads=jax.grad(state.apply_fn)(state.params, t)), None

    return jax.lax.scan(step, state, jnp.arange(10.0))[0].params


def flax_nnx(optax):
    from flax import nnx

    model = nnx.Sequential(nnx.Linear(4, 8, rngs=nnx.Rngs(0)), nnx.Linear(8, 2, rngs=nnx.Rngs(1)))
    optimizer = nnx.Optimizer(model, optax.adamw(1e-2, b2=0.95), wrt=nnx.Param)

    @nnx.jit
    def step(model, optimizer, x):
        grads = nnx.grad(lambda model: jnp.mean((model(x) - 1.0) ** 2))(model)
        optimizer.update(model, grads)

    for t in range(10):
        step(model, optimizer, jnp.cos(jnp.arange(12.0) + t).reshape(3, 4))
    return nnx.to_pure_dict(nnx.state(model, nnx.Param))


def equinox(optax):
    import equinox as eqx

    model = eqx.nn.MLP(4, 2, 8, 1, key=jax.random.key(0))
    tx = optax.chain(optax.clip_by_global_norm(1.0), optax.lion(1e-3))
    state = tx.init(eqx.filter(model, eqx.is_inexact_array))

    @eqx.filter_jit
    def step(model, state, x):
        grads = eqx.filter_grad(lambda model: jnp.mean((jax.vmap(model)(x) - 1.0) ** 2))(model)
        updates, state = tx.update(grads, state, eqx.filter(model, eqx.is_inexact_array))
        return eqx.apply_updates(model, updates), state

    for t in range(10):
        model, state = step(model, state, jnp.cos(jnp.arange(12.0) + t).reshape(3, 4))
    return eqx.filter(model, eqx.is_inexact_array)


def brax(optax):
    """`update` has no params, and the learning rate in the state follows the KL divergence."""
    adam = optax.inject_hyperparams(optax.adam)(learning_rate=1e-3)
    tx = optax.chain(optax.clip_by_global_norm(1.0), adam)

    def step(carry, t):
        weights, state = carry
        rate = state[-1].hyperparams["learning_rate"]
        rate = jnp.where(jnp.sin(t) > 0, jnp.minimum(1e-2, rate * 1.5), rate / 1.5)
        state[-1].hyperparams["learning_rate"] = rate
        updates, state = tx.update(jax.grad(loss)(weights, t), state)
        return (optax.apply_updates(weights, updates), state), None

    carry = params(), tx.init(params())
    return jax.lax.scan(step, carry, jnp.arange(10.0))[0][0]


def big_vision(optax):
    """The optimizer by its name, then learning rate, weight decay and schedules as masks."""
    frozen = jax.tree_util.tree_map_with_path(lambda path, _: "bias" in name_of(path), params())
    trained = jax.tree.map(operator.not_, frozen)
    kernels = jax.tree_util.tree_map_with_path(lambda path, _: path[-1].key == "kernel", params())
    settings = {
        "scale_by_adam": {"b2": 0.95, "mu_dtype": "float32"},
        "scale_by_lion": {},
        "trace": {"decay": 0.9},
    }
    return [
        train(
            optax.chain(
                optax.masked(optax.clip_by_global_norm(1.0), trained),
                optax.masked(operator.attrgetter(name)(optax)(**arguments), trained),
                optax.scale(1e-2),
                optax.add_decayed_weights(1e-3, kernels),
                optax.masked(optax.scale_by_schedule(warmup_cosine(optax)), trained),
                optax.masked(optax.set_to_zero(), frozen),
                optax.scale(-1.0),
            )
        )
        for name, arguments in settings.items()
    ]


PROGRAMS = [nanodo, nanogpt, purejaxrl, flax_nnx, equinox, brax, big_vision]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_one_import_changes_no_step(program):
    expected, result = program(optax), program(adamjax.optax)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), result, expected
    )
