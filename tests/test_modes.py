"""JAX's modes: flags, meshes with explicit axes, derivatives, branches, unfiltered models."""

import contextlib
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.rule import ScalarOrSchedule
from adamjax.schedules import with_linear_warmup
from tests.tiers import each_variant

# Flags that act on programs, and on the results of each operation.
FLAGS = {
    "traced": {"jax_numpy_dtype_promotion": "strict", "jax_numpy_rank_promotion": "raise"},
    "leaks": {"jax_check_tracer_leaks": True},  # without caches, and slow
    "x64": {"jax_enable_x64": True},
    "eager": {"jax_debug_nans": True, "jax_debug_infs": True},
    "without jit": {"jax_disable_jit": True},
}
modes = pytest.mark.parametrize(
    "mode", [pytest.param(m, marks=[pytest.mark.wide] * (m == "leaks")) for m in FLAGS]
)
NOTHING_TO_STORE = {"madgrad", "schedule_free_sgd", "sgd"}
SHAPES = {"bias": (3,), "kernel": (3, 4), "scale": ()}


@contextlib.contextmanager
def flags(mode):
    before = {name: getattr(jax.config, name) for name in FLAGS[mode]}
    try:
        for name, value in FLAGS[mode].items():
            jax.config.update(name, value)
        yield
    finally:
        for name, value in before.items():
            jax.config.update(name, value)


def falling(start):
    return lambda count: start * (1 - 0.01 * jnp.asarray(count, float))


def on_schedules(name):
    """The optimizer with a schedule in place of each number that may be one."""
    make = adamjax.get_variant(name).optimizer
    numbers = {
        key: parameter.default
        for key, parameter in inspect.signature(make).parameters.items()
        if parameter.annotation in (ScalarOrSchedule, ScalarOrSchedule | None)
        and parameter.default is not None
    }
    others = {
        key: 2e-2 for key in ("base_lr", "max_lr") if key in inspect.signature(make).parameters
    }
    return make(**{key: falling(value) for key, value in numbers.items()}, **others)


def forms(name):
    """A variant with decay, in each style, on schedules, in few bits, rounded and tracked."""
    make = adamjax.get_variant(name).optimizer
    yield make(weight_decay=0.1)
    yield on_schedules(name)
    yield adamjax.track(make(param_rounding="residual8"))
    for style in adamjax.get_variant(name).styles:
        yield make(learning_rate=1e-2, style=style)
    if name not in NOTHING_TO_STORE:
        yield adamjax.store(make(), "8bit", min_size=8)


def two_steps(tx, dtype, mode):
    """Take or trace two steps, the first with zero gradients in one leaf."""
    filled = {
        key: np.linspace(0.5, 1.0, max(1, np.prod(s, dtype=int))) for key, s in SHAPES.items()
    }
    params = {key: jnp.asarray(x.reshape(SHAPES[key]), dtype) for key, x in filled.items()}

    def run(params):
        state = tx.init(params)
        for t in range(2):
            grads = jax.tree.map(lambda p: jnp.cos(p), params) | {"bias": t * params["bias"]}
            updates, state = tx.update(grads, state, params)
            params = optax.apply_updates(params, updates)
        return params

    jax.eval_shape(run, params) if mode in ("traced", "leaks", "x64") else run(params)


@each_variant(others="wide")
@modes
def test_flags(mode, name):
    """On bfloat16 parameters, which strict promotion refuses to widen."""
    with flags(mode):
        for tx in forms(name):
            two_steps(tx, jnp.bfloat16, mode)


def wrapped():
    adam = adamjax.adam(falling(1e-2))
    yield adamjax.swa(adam, start=1)
    yield adamjax.ema_params(adam, falling(0.9))
    yield adamjax.lookahead(adam, 2, falling(0.8))
    yield adamjax.schedule_free(adam, falling(1e-2), falling(0.9), r=1.0)
    yield adamjax.lazy_rows(adam)
    yield optax.chain(adamjax.adagc(), adamjax.mars(), adam)
    yield optax.chain(adamjax.scale_by_adam(), adamjax.cautious_decay(falling(0.1)))
    yield adamjax.cautious(adam)
    yield adamjax.cautious(adam, scale="count")
    yield adamjax.projection(adam)
    yield optax.chain(adam, adamjax.trust_ratio(), adamjax.clip_by_rms())
    yield optax.chain(adamjax.gradient_centralization(), adamjax.grokfast(), adam)
    yield optax.chain(adamjax.grokfast_window(2), adamjax.align_sign_with_gradient(adam))
    yield adamjax.adam(1e-2, b1=adamjax.inverse_epoch_schedule(0.9, 2))
    yield adamjax.adam(1e-2, b1=adamjax.cosine_cycle_schedule(0.9, 2))
    yield adamjax.adam(with_linear_warmup(falling(1e-2), 3))
    yield optax.inject_hyperparams(adamjax.adamw)(falling(1e-2), b1=0.9)


@modes
def test_flags_of_wrappers(mode):
    with flags(mode):
        for tx in wrapped():
            two_steps(adamjax.track(tx), jnp.bfloat16, mode)
