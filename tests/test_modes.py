"""JAX's modes: flags, meshes with explicit axes, derivatives, branches, unfiltered models."""

import contextlib
import inspect
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import AxisType, PartitionSpec

import adamjax
from adamjax.moments import divide
from adamjax.rule import ScalarOrSchedule
from adamjax.schedules import with_linear_warmup
from adamjax.storage.rounding import MODES
from tests.cases import ROTATE
from tests.hessians import FED, fed
from tests.tiers import FEW, each_variant

# Flags that act on programs.
TRACED = {
    "traced": {"jax_numpy_dtype_promotion": "strict", "jax_numpy_rank_promotion": "raise"},
    "leaks": {"jax_check_tracer_leaks": True},  # without caches, and slow
    "x64": {"jax_enable_x64": True},
    "mesh": {},  # of explicit axes
}
# Flags that act on the results of each operation.
EAGER = {
    "eager": {"jax_debug_nans": True, "jax_debug_infs": True},
    "without jit": {"jax_disable_jit": True},
}
FLAGS = TRACED | EAGER


def modes(names):
    marks = {"leaks": pytest.mark.exhaustive}
    return pytest.mark.parametrize("mode", [pytest.param(m, marks=marks.get(m, ())) for m in names])


NOTHING_TO_STORE = {"madgrad", "schedule_free_sgd", "sgd"}
SHAPES = {"bias": (2,), "kernel": (2, 4), "scale": ()}


def explicit_mesh():
    return jax.make_mesh((2, 2), ("a", "b"), axis_types=(AxisType.Explicit,) * 2)


@contextlib.contextmanager
def flags(mode):
    before = {name: getattr(jax.config, name) for name in FLAGS[mode]}
    try:
        for name, value in FLAGS[mode].items():
            jax.config.update(name, value)
        with jax.set_mesh(explicit_mesh()) if mode == "mesh" else contextlib.nullcontext():
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
    yield adamjax.track(adamjax.narrow_updates(make(param_rounding="residual8")))
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

    if mode == "mesh":
        place = lambda p: jax.device_put(p, PartitionSpec(*"ab"[: p.ndim]))  # noqa: E731
        params = jax.tree.map(place, params)

    def run(params):
        state = tx.init(params)
        for t in range(2):
            before = types(params), types(state)
            grads = jax.tree.map(jnp.cos, params) | {"bias": t * params["bias"]}
            updates, state = tx.update(grads, state, params)
            params = optax.apply_updates(params, updates)
            assert (types(params), types(state)) == before

    jax.eval_shape(run, params) if mode in TRACED else run(params)


def types(tree):
    """Shapes, dtypes and shardings."""
    return [str(jax.typeof(x)) for x in jax.tree.leaves(tree)]


@each_variant(others="wide")
@modes(TRACED)
def test_flags(mode, name):
    """On bfloat16 parameters, which strict promotion refuses to widen."""
    with flags(mode):
        for tx in forms(name):
            two_steps(tx, jnp.bfloat16, mode)


@each_variant(quick=FEW, others="wide")
@modes(EAGER)
def test_flags_of_operations(mode, name):
    test_flags(mode, name)


def wrapped():
    adam = adamjax.adam(falling(1e-2))
    yield adamjax.swa(adam, start=1)
    yield adamjax.ema_params(adam, falling(0.9))
    yield adamjax.lookahead(adam, 2, falling(0.8))
    yield adamjax.schedule_free(adam, falling(1e-2), falling(0.9), r=1.0)
    yield adamjax.lazy_rows(adam)
    yield adamjax.guard(adam, max_zscore=6.0, window=2, action="clip")
    yield adamjax.guard(adam, max_ratio=10.0, window=2, action="shrink", per_leaf=True)
    yield adamjax.accumulate(
        adam, lambda count: 1 + count, dtype=jnp.bfloat16, rounding="residual8"
    )
    yield adamjax.overwrite(adam, lambda params: jax.tree.map(lambda p: p.ndim < 2, params))
    yield optax.chain(adamjax.adagc(), adamjax.mars(), adam)
    yield adamjax.adam(falling(1e-2), weight_decay=falling(0.1), decay_mode="cautious")
    yield adamjax.hyperball(adamjax.scale_by_adam(), falling(1e-2))
    yield adamjax.cautious(adam)
    yield adamjax.cautious(adam, scale="count")
    yield adamjax.projection(adam)
    yield optax.chain(adam, adamjax.trust_ratio(), adamjax.clip_by_rms())
    yield optax.chain(adamjax.gradient_centralization(), adamjax.grokfast(), adam)
    yield optax.chain(adamjax.grokfast_window(2), adamjax.align_sign_with_gradient(adam))
    yield adamjax.adam(1e-2, b1=adamjax.inverse_epoch_schedule(0.9, 2))
    yield adamjax.adam(1e-2, b1=adamjax.cosine_cycle_schedule(0.9, 2))
    yield adamjax.adam(with_linear_warmup(falling(1e-2), 3))


@modes(FLAGS)
def test_flags_of_wrappers(mode):
    with flags(mode):
        injected = optax.inject_hyperparams(adamjax.adamw)(falling(1e-2), b1=0.9)
        for tx in (*wrapped(), injected):
            two_steps(adamjax.track(tx), jnp.bfloat16, mode)


@pytest.mark.parametrize("name", ["adafactor", "adashift", "muon", "muown", "normuon", "soap"])
def test_values_on_a_mesh_of_explicit_axes(name):
    tx = adamjax.create(name, learning_rate=0.1)
    params = jax.random.normal(jax.random.key(0), (4, 4))

    def updates(params):
        first, state = tx.update(params, tx.init(params), params)
        return first, tx.update(params**3, state, params)[0]

    expected = updates(params)
    with jax.set_mesh(explicit_mesh()):
        actual = updates(jax.device_put(params, PartitionSpec("a", "b")))
    np.testing.assert_allclose(actual, expected, atol=1e-5)


@each_variant(quick=(*FEW, "adafactor"), own="wide")
def test_steps_of_zero_gradients_can_be_differentiated(name):
    """As for an inner loop in which some parameters have no gradient."""
    tx = adamjax.create(name, learning_rate=0.01)
    tx = fed(tx, **FED) if name == "sophia" else tx
    params = {"bias": jnp.zeros(2), "kernel": jnp.full((2, 3), 0.5)}

    def reached(scale):
        state, p = tx.init(params), params
        for t in range(2):
            grads = jax.tree.map(lambda s, x, t=t: s * jnp.sin(1 + x + t), scale, p)
            updates, state = tx.update(grads, state, p)
            p = optax.apply_updates(p, updates)
        return sum(jnp.sum(jnp.cos(x)) for x in jax.tree.leaves(p))

    slopes = jax.grad(reached)(jax.tree.map(jnp.zeros_like, params))
    # Eigenvectors of equal eigenvalues have no derivative.
    assert np.isfinite(slopes["bias"]).all() and np.isfinite(slopes["kernel"]).all() != (
        name in ROTATE
    )


@pytest.mark.parametrize(
    ("modify", "scale"),
    [
        (adamjax.clip_by_previous_norm(1.0), 0.0),
        (adamjax.adagc(warmup_steps=1), 2.0),
        (adamjax.guard(optax.identity(), max_zscore=6.0, action="clip"), 0.0),
    ],
    ids=["clip_by_previous_norm", "adagc", "guard"],
)
def test_clipped_steps_of_an_inner_loop_can_be_differentiated(modify, scale):
    tx = optax.chain(modify, optax.sgd(0.1))

    def reached(start):
        def step(carry, _):
            p, state = carry
            updates, state = tx.update(scale * p, state, p)
            return (optax.apply_updates(p, updates), state), None

        return jax.lax.scan(step, (start, tx.init(start)), length=3)[0][0].sum()

    assert np.isfinite(jax.grad(reached)(jnp.ones(2))).all()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_rounded_updates_fit_both_branches(mode, dtype):
    """The updates have the gradients' dtypes, as those of the branch that skips the step."""
    tx = adamjax.narrow_updates(adamjax.adam(0.1, param_rounding=mode))
    params = {"w": jnp.ones(3, "bfloat16"), "half": jnp.ones(3, "float16"), "wide": jnp.ones(3)}
    grads = jax.tree.map(lambda p: p.astype(jnp.promote_types(dtype, p.dtype)), params)
    finite = optax.apply_if_finite(tx, 2)
    updates, _ = finite.update(grads, finite.init(params), params)
    state = tx.init(params)
    skip = lambda: (jax.tree.map(jnp.zeros_like, grads), state)  # noqa: E731
    same, _ = jax.lax.cond(True, lambda: tx.update(grads, state, params), skip)
    for leaf, p in params.items():
        assert updates[leaf].dtype == same[leaf].dtype == grads[leaf].dtype
        np.testing.assert_array_equal(updates[leaf], updates[leaf].astype(p.dtype))


def test_wrappers_take_the_whole_model():
    """As Equinox users pass it: gradients are None where it has functions."""
    model = {"act": jnp.tanh, "w": jnp.ones((2, 3))}
    part = {**model, "act": None}
    slope = lambda p: {"act": None, "w": p["act"](p["w"])}  # noqa: E731
    sam = optax.GradientTransformation(
        adamjax.sam(adamjax.adam()).init,
        lambda g, s, p: adamjax.sam(adamjax.adam()).update(g, s, p, grad_fn=slope),
    )
    rounded = optax.chain(adamjax.adam(), adamjax.round_params())
    for tx in (*wrapped(), sam, rounded, adamjax.eigenbasis(adamjax.scale_by_adam())):
        tx = adamjax.track(tx)
        updates, _ = jax.eval_shape(lambda g, s, tx=tx: tx.update(g, s, model), part, tx.init(part))
        assert jax.tree.structure(updates) == jax.tree.structure(part)
    for tx in (adamjax.swa(adamjax.sgd()), adamjax.schedule_free_sgd()):
        evaluated = adamjax.eval_params(tx.init(part), model)
        assert evaluated["act"] is jnp.tanh
        np.testing.assert_array_equal(evaluated["w"], model["w"])


@pytest.mark.parametrize("eps", [1e-8, 1e-30])
def test_derivative_of_a_division_by_eps(eps):
    """The square of the denominator may underflow."""
    slope = jax.grad(lambda x: divide(x, x + eps, eps))(jnp.float32(0.0))
    np.testing.assert_allclose(slope, 1 / eps, rtol=1e-6)


@pytest.mark.parametrize("name", ["adamw", "adopt", "c_adamw"])
def test_no_array_of_zeros(name):
    """XLA's GPU backend would write it to memory, as the zeros from which loops sum gradients."""
    tx, params = adamjax.create(name, learning_rate=0.1), {"w": jnp.ones((48, 64))}
    state = tx.init(params)
    program = jax.jit(tx.update).lower(params, state, params).compile().as_text()
    zeros = re.findall(r"(%[\w.-]+) = f32\[\] constant\(0\)", program)
    broadcasts = re.findall(r"f32\[48,64\]\S* broadcast\((%[\w.-]+)\)", program)
    assert broadcasts
    assert not {*zeros} & {*broadcasts}


def test_eval_params_of_an_nnx_optimizer():
    from flax import nnx

    model = nnx.Linear(2, 3, rngs=nnx.Rngs(0))
    tx = adamjax.ema_params(adamjax.sgd(1.0))
    masked = adamjax.partition_matrices(tx, adamjax.sgd())
    for averaging in (tx, adamjax.schedule_free_sgd(1.0), masked):
        optimizer = nnx.Optimizer(model, averaging, wrt=nnx.Param)
        params = nnx.state(model, nnx.Param)
        for state in (optimizer, optimizer.opt_state):
            evaluated = adamjax.eval_params(state, params)
            assert jax.tree.structure(evaluated) == jax.tree.structure(params)
            jax.tree.map(np.testing.assert_array_equal, evaluated, params)


@pytest.mark.parametrize("dtype", [jnp.float8_e4m3fn, jnp.float8_e5m2])
def test_parameters_of_8_bits_are_refused(dtype):
    params = {"a": jnp.ones(2), "w": jnp.ones(2, dtype)}
    for tx in (adamjax.adam(), adamjax.prodigy(), adamjax.swa(adamjax.sgd())):
        with pytest.raises(TypeError, match=r"params\['w'\] is float8.*keep it in bfloat16"):
            tx.init(params)
