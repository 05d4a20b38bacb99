"""On a mesh an optimizer trains as it does alone, and its state lies where it was said to lie."""

import jax
import numpy as np
import optax
import pytest
from flax import nnx
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P

import adamjax
from adamjax.sharding import sharded, state_shardings
from tests.sharding import plans

# Of which programs for whole arrays and for parts are fused alike, up to the last bit.
TO_THE_BIT = {"adagrad", "adam", "adamax", "adamw", "adan", "adopt", "amsgrad", "lion", "rmsprop"}
# Steps until the first that moves the parameters.
LATE = {"adashift": 11, "schedule_free_radam": 6}
# Variants of which each does something else with its arrays.
DIFFERENT = ("adafactor", "adamw", "lookahead_adam", "muon", "prodigy", "soap", "sophia")
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
    for leaf, wanted in zip(jax.tree.leaves(tree), jax.tree.leaves(shardings), strict=True):
        assert leaf.sharding.is_equivalent_to(wanted, leaf.ndim), (leaf.sharding, wanted)


def distance(seen, wanted, start):
    """The largest difference, in parts of the largest move."""
    moved = max(np.abs(wanted[k] - start[k]).max() for k in start)
    return max(np.abs(np.asarray(seen[k]) - wanted[k]).max() for k in start) / moved


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, AxisType.Auto) for name in adamjax.list_variants()),
        *((name, kind) for kind in KINDS[1:] for name in DIFFERENT),
    ],
)
def test_divided_by_zero_and_tensor(name, kind):
    tx = adamjax.create(name, learning_rate=0.1)
    start = plans.arrays()
    shardings, zero = plans.plan("zero x tensor", kind)
    params = placed(start, shardings)
    apart = sharded(tx, params, zero=zero, min_size=0)
    steps = LATE.get(name, 3)
    seen, state = train(apart, params, shardings, steps)
    wanted, _ = train(tx, start, steps=steps)
    assert distance(seen, wanted, start) <= (0 if name in TO_THE_BIT else 2e-5)
    assert_lies(seen, shardings)
    assert_lies(state, state_shardings(tx, params, zero=zero, min_size=0))


@pytest.mark.parametrize("plan", plans.PLANS)
@pytest.mark.parametrize("storage", ["bfloat16", "8bit_v16", "8bit"])
def test_codes_and_rounded_parameters_are_the_same_on_every_mesh(storage, plan):
    """Bit for bit: the random bits come from an element's place in the whole array."""
    tx = adamjax.store(adamjax.adamw(0.1, weight_decay=0.1), storage, min_size=0)
    tx = optax.chain(tx, adamjax.round_params("stochastic"))
    shardings, zero = plans.plan(plan)
    half = lambda tree: jax.tree.map(lambda x: x.astype("bfloat16"), tree)  # noqa: E731
    start = half(plans.arrays())
    seen, state = train(sharded(tx, start, shardings, zero=zero, min_size=0), start)
    wanted, alone = train(tx, start)
    for a, b in zip(jax.tree.leaves((seen, state)), jax.tree.leaves((wanted, alone)), strict=True):
        np.testing.assert_array_equal(a, b)


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
    seen = step(params, state, plans.arrays(1))
    assert_lies(seen, (shardings, state_at))
    wanted, _ = train(tx, plans.arrays(), steps=1)
    assert distance(seen[0], wanted, plans.arrays()) == 0


def test_in_the_optimizer_of_flax():
    """`nnx.Optimizer` knows nothing of meshes, and its state is divided all the same."""
    shardings = NamedSharding(plans.mesh(), P())
    model = nnx.Linear(64, 32, rngs=nnx.Rngs(0))
    nnx.update(model, jax.device_put(nnx.state(model), shardings))
    tx = sharded(adamjax.adamw(0.1), nnx.state(model, nnx.Param), zero="data", min_size=64)
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)

    @nnx.jit
    def step(model, optimizer, x):
        optimizer.update(model, nnx.grad(lambda model: (model(x) ** 2).mean())(model))

    step(model, optimizer, np.ones((8, 64), np.float32))
    mu = optimizer.opt_state[0].mu
    assert jax.tree.leaves(mu["kernel"])[0].sharding.spec[0] == "data"
    # The partitioner of JAX before 0.7 chooses for itself where new parameters lie.
    assert len(KINDS) == 1 or model.kernel[...].sharding.is_equivalent_to(shardings, 2)


if HAS_HOST:

    @pytest.mark.parametrize("storage", ["float32", "8bit"])
    @pytest.mark.parametrize("kind", KINDS)
    def test_moments_in_the_memory_of_the_host(kind, storage):
        tx = adamjax.adamw(0.1, storage=storage)
        shardings, zero = plans.plan("zero", kind)
        params = placed(plans.arrays(), shardings)
        away = sharded(tx, params, zero=zero, min_size=64, memory_kind=HOST)
        seen, state = train(away, params, shardings)
        wanted, alone = train(tx, plans.arrays())
        for a, b in zip(
            jax.tree.leaves((seen, state)), jax.tree.leaves((wanted, alone)), strict=True
        ):
            np.testing.assert_array_equal(a, b)
        kinds = jax.tree.map(lambda x: x.sharding.memory_kind, state[0].mu)
        assert kinds == {"kernel": HOST, "heads": HOST, "bias": "device"}


def test_what_this_jax_lacks_is_said():
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


def test_what_sharded_was_not_made_for_is_refused():
    params = placed(plans.arrays(), plans.plan("zero")[0])
    tx = sharded(adamjax.adamw(0.1), params, zero="data")
    other = {**params, "bias": np.ones(8, np.float32)}
    with pytest.raises(ValueError, match=r"'bias' has shape \(8,\), but it was made for \(32,\)"):
        tx.init(other)
    with pytest.raises(ValueError, match="'bias' has shape"):
        tx.update(other, tx.init(params), params)
    with pytest.raises(ValueError, match="made for 3 arrays, but here are 2"):
        tx.update({k: params[k] for k in ("bias", "heads")}, tx.init(params))
    with pytest.raises(ValueError, match="memory_kind: "):
        sharded(adamjax.adamw(0.1), params, memory_kind="unpinned_host")


def test_axes_of_both_types_are_refused():
    kinds = (AxisType.Auto, AxisType.Explicit)
    mesh = jax.make_mesh((4, 2), ("data", "model"), axis_types=kinds)
    with pytest.raises(ValueError, match="the mesh has axes of several types"):
        sharded(adamjax.adamw(0.1), plans.PARAMS, NamedSharding(mesh, P()))
