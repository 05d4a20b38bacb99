"""On a mesh an optimizer trains as it does alone, and its state lies where it was said to lie."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P

import adamjax
from adamjax.sharding import sharded, state_shardings
from tests.sharding import plans
from tests.tiers import each_variant

# Of which programs for whole arrays and for parts are fused alike, up to the last bit.
TO_THE_BIT = {"adagrad", "adam", "adamax", "adamw", "adan", "adopt", "amsgrad", "lion", "rmsprop"}
# Steps until the first that moves the parameters.
LATE = {"adashift": 11, "schedule_free_radam": 6}
# Variants of which each does something else with its arrays than AdamW.
DIFFERENT = ("adafactor", "lookahead_adam", "muon", "prodigy", "soap", "sophia")
KINDS = [AxisType.Auto, *([AxisType.Explicit] if hasattr(jax.sharding, "auto_axes") else [])]
HOST = "pinned_host"
HAS_HOST = HOST in {memory.kind for memory in jax.devices()[0].addressable_memories()}


def placed(tree, shardings):
    return {name: jax.device_put(tree[name], shardings[name]) for name in tree}


def train(tx, params, shardings=None, steps=3):
    """The parameters and the state after some steps."""
    state, update = tx.init(params), jax.jit(tx.update)
    for seed in range(1, steps + 1):
        gradients = plans.arrays(seed)
        gradients = placed(gradients, shardings) if shardings else gradients
        updates, state = update(gradients, state, params)
        # Devices of a process that wait in two programs at once can block each other.
        params, state = jax.block_until_ready((optax.apply_updates(params, updates), state))
    return params, state


def assert_lies(tree, shardings):
    for leaf, expected in zip(jax.tree.leaves(tree), jax.tree.leaves(shardings), strict=True):
        assert leaf.sharding.is_equivalent_to(expected, leaf.ndim), (leaf.sharding, expected)


def distance(reached, expected, start):
    """The largest difference, in parts of the largest move."""
    moved = max(np.abs(expected[k] - start[k]).max() for k in start)
    return max(np.abs(np.asarray(reached[k]) - expected[k]).max() for k in start) / moved


def assert_trains_alike(name, kind):
    tx = plans.create(name)
    start = plans.arrays()
    shardings, zero = plans.plan("zero x tensor", kind)
    params = placed(start, shardings)
    apart = sharded(tx, params, zero=zero, min_size=0)
    steps = LATE.get(name, 3)
    reached, state = train(apart, params, shardings, steps)
    expected, _ = train(tx, start, steps=steps)
    assert distance(reached, expected, start) <= (0 if name in TO_THE_BIT else 2e-5)
    assert_lies(reached, shardings)
    assert_lies(state, state_shardings(tx, params, zero=zero, min_size=0))


@each_variant()
def test_divided_by_zero_and_tensor(name):
    assert_trains_alike(name, AxisType.Auto)


if AxisType.Explicit in KINDS:

    @pytest.mark.parametrize(
        "name", ["adamw", *(pytest.param(n, marks=pytest.mark.wide) for n in DIFFERENT)]
    )
    def test_divided_over_explicit_axes(name):
        assert_trains_alike(name, AxisType.Explicit)

    def test_microbatches_over_explicit_axes():
        """Outside of jit too, where the branches are all that JAX traces."""
        tx, mesh = adamjax.accumulate(optax.sgd(1.0), 2), plans.mesh(AxisType.Explicit)
        with jax.set_mesh(mesh):
            p = jax.device_put(jnp.ones((8, 4)), NamedSharding(mesh, P("data", None)))
            updates, state = tx.update(p, tx.init(p), p)
        assert updates.sharding == state.acc_grads.sharding == p.sharding


@pytest.mark.parametrize(
    ("storage", "plan"),
    [
        ("8bit", "zero x tensor"),
        ("bfloat16", "fsdp x tensor"),
        pytest.param("8bit_v16", "fsdp", marks=pytest.mark.wide),
        pytest.param("8bit", "zero", marks=pytest.mark.wide),
    ],
)
def test_codes_and_rounded_parameters_are_the_same_on_every_mesh(storage, plan):
    """Bit for bit: the random bits come from an element's place in the whole array."""
    tx = adamjax.store(adamjax.adamw(0.1, weight_decay=0.1), storage, min_size=0)
    tx = optax.chain(tx, adamjax.round_params("stochastic"))
    shardings, zero = plans.plan(plan)
    start = jax.tree.map(lambda x: x.astype("bfloat16"), plans.arrays())
    on_mesh = train(sharded(tx, start, shardings, zero=zero, min_size=0), start)
    jax.tree.map(np.testing.assert_array_equal, on_mesh, train(tx, start))


def test_inside_a_step_of_ones_own():
    tx = adamjax.adamw(0.1)
    shardings, zero = plans.plan("zero")
    state_at = state_shardings(tx, plans.PARAMS, shardings, zero=zero, min_size=0)
    params = placed(plans.arrays(), shardings)
    state = jax.jit(tx.init, out_shardings=state_at)(params)

    def step(params, state, gradients):
        updates, state = tx.update(gradients, state, params)
        return optax.apply_updates(params, updates), state

    step = jax.jit(step, out_shardings=(shardings, state_at))
    reached = step(params, state, plans.arrays(1))
    assert_lies(reached, (shardings, state_at))
    expected, _ = train(tx, plans.arrays(), steps=1)
    assert distance(reached[0], expected, plans.arrays()) == 0


def test_in_the_optimizer_of_flax():
    """`nnx.Optimizer` knows nothing of meshes, and its state is divided all the same."""
    from flax import nnx

    model = nnx.Linear(64, 32, rngs=nnx.Rngs(0))
    nnx.update(model, jax.device_put(nnx.state(model), NamedSharding(plans.mesh(), P())))
    tx = sharded(adamjax.adamw(0.1), nnx.state(model, nnx.Param), zero="data", min_size=64)
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
    gradients = nnx.grad(lambda model: (model(np.ones((8, 64), np.float32)) ** 2).mean())(model)
    optimizer.update(model, gradients)
    mu = optimizer.opt_state[0].mu
    assert jax.tree.leaves(mu["kernel"])[0].sharding.spec[0] == "data"


@each_variant()
def test_boxed_parameters(name):
    """Boxes of `nnx` have the sharding of a parameter, which moments of other shapes do not fit."""
    from flax import nnx

    def constrain(node):
        state = nnx.state(node)
        nnx.update(node, jax.lax.with_sharding_constraint(state, nnx.get_partition_spec(state)))

    def make():
        init = nnx.with_partitioning(nnx.initializers.lecun_normal(), ("data", None))
        model = nnx.Linear(8, 3, kernel_init=init, rngs=nnx.Rngs(0))
        optimizer = nnx.Optimizer(model, adamjax.create(name), wrt=nnx.Param)
        grads = jax.tree.map(jnp.ones_like, nnx.state(model, nnx.Param))
        optimizer.update(model, grads)
        constrain(optimizer)
        return nnx.state((model, optimizer))

    with jax.set_mesh(plans.mesh()):
        jax.jit(make).trace()


if HAS_HOST:

    @pytest.mark.parametrize("kind", KINDS)
    def test_moments_in_the_memory_of_the_host(kind):
        tx = adamjax.adamw(0.1)
        shardings, zero = plans.plan("zero", kind)
        params = placed(plans.arrays(), shardings)
        away = sharded(tx, params, zero=zero, min_size=64, memory_kind=HOST)
        params, state = train(away, params, shardings)
        jax.tree.map(np.testing.assert_array_equal, (params, state), train(tx, plans.arrays()))
        kinds = jax.tree.map(lambda x: x.sharding.memory_kind, state[0].mu)
        assert kinds == {"kernel": HOST, "heads": HOST, "bias": "device"}


def test_features_that_this_jax_lacks_are_refused():
    for there, kind, options, message in (
        (len(KINDS) > 1, AxisType.Explicit, {}, "Explicit axes needs JAX 0.7"),
        (HAS_HOST, AxisType.Auto, {"memory_kind": HOST}, "these devices have no 'pinned_host'"),
    ):
        params = placed(plans.arrays(), plans.plan("zero", kind)[0])
        if there:
            sharded(adamjax.adamw(0.1), params, **options)
        else:
            with pytest.raises(ValueError, match=message):
                sharded(adamjax.adamw(0.1), params, **options)


def test_other_parameters_are_refused():
    params = placed(plans.arrays(), plans.plan("zero")[0])
    tx = sharded(adamjax.adamw(0.1), params, zero="data")
    other = {**params, "bias": np.ones(8, np.float32)}
    with pytest.raises(ValueError, match=r"'bias' has shape \(8,\), but it was made for \(32,\)"):
        tx.init(other)
    with pytest.raises(ValueError, match="'bias' has shape"):
        tx.update(other, tx.init(params), params)
    with pytest.raises(ValueError, match="made for 3 arrays, but got 2"):
        tx.update({k: params[k] for k in ("bias", "heads")}, tx.init(params))
    with pytest.raises(ValueError, match="memory_kind: "):
        sharded(adamjax.adamw(0.1), params, memory_kind="unpinned_host")


def test_axes_of_both_types_are_refused():
    kinds = (AxisType.Auto, AxisType.Explicit)
    mesh = jax.make_mesh((4, 2), ("data", "model"), axis_types=kinds)
    with pytest.raises(ValueError, match="the mesh has axes of several types"):
        sharded(adamjax.adamw(0.1), plans.PARAMS, NamedSharding(mesh, P()))
