"""MaxText: an optimizer from the config, boxes with logical axes, ZeRO-1 by the state's class.

Facts, in the repository AI-Hypercomputer/maxtext:
- src/maxtext/optimizers/optimizers.py: `get_optimizer` calls `optax.adamw` with b1, b2, eps,
  eps_root, weight_decay, mu_dtype and a mask, a function that searches regular expressions in the
  leaves' paths; `skip_step_on_spikes` puts it into a `jax.lax.cond`, `trainable_parameters_mask`
  into `optax.multi_transform`.
- src/maxtext/utils/maxtext_utils.py (`get_abstract_state`) evaluates the shapes of a state whose
  parameters are in boxes with logical axes, and makes shardings of these boxes; with
  `shard_optimizer_over_data`, it adds the axis "data" to those of the optimizer's state.
- src/maxtext/utils/sharding.py: `maybe_update_params_sharding_with_opt` then looks for
  `optax.ScaleByAdamState` as the state or its first part, and takes `mu["params"]` from it.

Run as a script with a file name, this saves what ZeRO-1 reaches on the devices at hand.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax.training.train_state import TrainState
from jax.sharding import AbstractMesh, AxisType, NamedSharding, PartitionSpec as P

import adamjax
from tests.frameworks.loop import assert_same, gradients_at, plain_loop
from tests.storage.runs import assert_equal

ROOT = Path(__file__).resolve().parents[2]
AXES = {
    "encoder": {"bias": ("mlp",), "kernel": ("embed", "mlp")},
    "head": {"kernel": ("embed", "vocab")},
}
RULES = (("mlp", "tensor"), ("embed", None), ("vocab", None))
SETTINGS = {"adam_b1": 0.8, "adam_b2": 0.95, "adam_eps": 1e-7, "adam_eps_root": 1e-9}
CONFIG = {**SETTINGS, "adam_weight_decay": 0.1, "adamw_mask": ["bias$"], "mu_dtype": "float32"}


def large_params():
    line = lambda n: jnp.linspace(-1.0, 1.0, n, dtype=jnp.float32)  # noqa: E731
    encoder = {"bias": line(128), "kernel": line(160 * 128).reshape(160, 128)}
    return {"params": {"encoder": encoder, "head": {"kernel": line(24).reshape(8, 3)}}}


def boxed(params):
    is_axes = lambda x: isinstance(x, tuple)  # noqa: E731
    box = lambda axes, x: nn.LogicallyPartitioned(x, axes)  # noqa: E731
    return {"params": jax.tree.map(box, AXES, params["params"], is_leaf=is_axes)}


def path_mask(patterns, matched):
    """A function of the parameters that tells which paths a regular expression is found in."""

    def found(path, _):
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        return matched == any(re.search(pattern, name) for pattern in patterns)

    return lambda params: jax.tree_util.tree_map_with_path(found, params)


def optimizer_of(library, schedule, *, frozen=(), **changes):
    config = SimpleNamespace(**CONFIG | changes)
    more = {"storage": config.storage} if hasattr(config, "storage") else {}
    tx = library.adamw(
        schedule,
        b1=config.adam_b1,
        b2=config.adam_b2,
        eps=config.adam_eps,
        eps_root=config.adam_eps_root,
        weight_decay=config.adam_weight_decay,
        mu_dtype=config.mu_dtype,
        mask=path_mask(config.adamw_mask, matched=False),
        **more,
    )
    if not frozen:
        return tx
    label = lambda freeze: "frozen" if freeze else "trainable"  # noqa: E731
    labels = lambda params: jax.tree.map(label, path_mask(frozen, matched=True)(params))  # noqa: E731
    return optax.multi_transform({"trainable": tx, "frozen": optax.set_to_zero()}, labels)


SCHEDULE = optax.warmup_cosine_decay_schedule(1e-3, 1e-2, 2, 10)


# --- from the config


@pytest.mark.parametrize(("mu_dtype", "frozen"), [("float32", ()), ("bfloat16", ("head",))])
def test_config_means_what_it_means_for_optax(mu_dtype, frozen):
    start = large_params()
    settings = {"mu_dtype": mu_dtype, "frozen": frozen}
    seen, state = plain_loop(optimizer_of(adamjax, SCHEDULE, **settings), start)
    wanted, _ = plain_loop(optimizer_of(optax, SCHEDULE, **settings), start)
    # adamjax rounds the average once it has used it, Optax before: the last bits of bfloat16.
    tolerance = 2e-6 if mu_dtype == "float32" else 1e-3
    assert_same(seen["params"]["encoder"], wanted["params"]["encoder"], tolerance=tolerance)
    if frozen:
        assert_equal(seen["params"]["head"], start["params"]["head"])
    kept = [x for x in jax.tree.leaves(state) if x.shape == (8, 3)]
    assert len(kept) == (0 if frozen else 2)


@pytest.mark.parametrize("storage", ["float32", "8bit"])
def test_a_step_is_skipped_inside_cond(storage):
    """A spike of the loss leaves parameters and state alone, to the last bit."""
    tx = optimizer_of(adamjax, 1e-2, storage=storage)

    @jax.jit
    def step(params, state, t, loss):
        gradients = gradients_at(params, t)

        def go_on():
            return tx.update(gradients, state, params, loss=loss)

        updates, state = jax.lax.cond(
            loss < 10.0, go_on, lambda: (jax.tree.map(jnp.zeros_like, gradients), state)
        )
        return optax.apply_updates(params, updates), state

    start = large_params()
    params, state = start, tx.init(start)
    for t, loss in enumerate([1.0, 1.0, 99.0, 1.0]):
        before = params, state
        params, state = step(params, state, jnp.float32(t - (t > 2)), jnp.float32(loss))
        if loss > 10:
            assert_equal((params, state), before)
    assert_same(params, plain_loop(tx, start, steps=3)[0], start)


# --- ZeRO-1


def with_data(mesh, sharding, shape):
    """The sharding with "data" on the first dimension that can take it."""
    sizes = sharding.shard_shape(shape)
    spec = [*sharding.spec, *[None] * (len(shape) - len(sharding.spec))]
    for place, size in enumerate(sizes):
        if size % mesh.shape["data"] == 0 and spec[place] != "tensor":
            axes = spec[place] or ()
            spec[place] = ("data", *([axes] if isinstance(axes, str) else axes))
            break
    return NamedSharding(mesh, P(*spec))


def shardings_of(tx, mesh):
    """Of the state, as the boxes say and with "data"; of the parameters, as ZeRO-1 finds them."""

    def init():
        return TrainState.create(apply_fn=None, params=boxed(large_params()), tx=tx)

    abstract = jax.eval_shape(init)
    logical = nn.get_partition_spec(abstract)
    shardings = nn.logical_to_mesh_sharding(logical, mesh, RULES)
    shapes = jax.tree.map(lambda x: x.shape, nn.meta.unbox(abstract).opt_state)
    opt_state = jax.tree.map(
        lambda sharding, shape: with_data(mesh, sharding, shape), shardings.opt_state, shapes
    )
    found = opt_state if isinstance(opt_state, optax.ScaleByAdamState) else opt_state[0]
    assert isinstance(found, optax.ScaleByAdamState)
    sharded = dict(shardings.params, params=found.mu["params"])
    return init, shardings, shardings.replace(opt_state=opt_state, params=sharded)


@pytest.mark.parametrize("storage", ["float32", "bfloat16", "8bit"])
@pytest.mark.parametrize("schedule", [1e-2, SCHEDULE], ids=["number", "schedule"])
def test_zero_1_finds_the_moments(storage, schedule):
    mesh = AbstractMesh((4, 2), ("data", "tensor"))
    tx = optimizer_of(adamjax, schedule, storage=storage)
    _, before, after = shardings_of(tx, mesh)
    kernel = lambda tree: tree["params"]["encoder"]["kernel"].spec  # noqa: E731
    assert kernel(before.params) == kernel(before.opt_state[0].mu) == P(None, "tensor")
    for tree in (after.params, after.opt_state[0].mu, after.opt_state[0].nu):
        assert kernel(tree) == P(("data",), "tensor")
        assert tree["params"]["head"]["kernel"].spec == P(("data",), None)
    rest = jax.tree.leaves((after.opt_state[0].count, after.opt_state[1]))
    assert len(rest) == (2 if schedule == 1e-2 else 3)
    assert all(sharding.spec == P() for sharding in rest)


def reached_on_devices(storage):
    """Parameters and the bytes of the state on one device, trained with the state sharded."""
    shape = len(jax.devices()) // 2, 2
    mesh = jax.make_mesh(shape, ("data", "tensor"), axis_types=(AxisType.Auto,) * 2)
    tx = optimizer_of(adamjax, 1e-2, storage=storage)
    init, before, after = shardings_of(tx, mesh)
    after = after.replace(params=before.params)
    state = nn.meta.unbox(jax.jit(init, out_shardings=after)())

    def step(state, t):
        return state.apply_gradients(grads=gradients_at(state.params, t))

    compiled = jax.jit(step, in_shardings=(after, None), out_shardings=after, donate_argnums=0)
    for t in range(5):
        state = compiled(state, jnp.float32(t))
    here = [x.addressable_shards[0].data.nbytes for x in jax.tree.leaves(state.opt_state)]
    return {"params": jax.tree.map(np.asarray, state.params["params"]), "bytes": sum(here)}


def test_zero_1_on_eight_devices_is_the_plain_loop(tmp_path):
    flags = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-m", "tests.frameworks.test_maxtext", str(tmp_path / "run.npz")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "run.npz", allow_pickle=False) as seen:
        for storage, state_bytes in (("float32", 8), ("8bit", 2)):
            tx = optimizer_of(adamjax, 1e-2, storage=storage)
            wanted = plain_loop(tx, large_params())[0]["params"]["encoder"]["kernel"]
            assert_same(jnp.asarray(seen[f"{storage} kernel"]), wanted)
            of_kernel = state_bytes * 160 * 128 // 8  # on each of eight devices
            assert of_kernel < seen[f"{storage} bytes"] < of_kernel + 1000


if __name__ == "__main__":
    runs = {storage: reached_on_devices(storage) for storage in ("float32", "8bit")}
    kernels = {f"{s} kernel": run["params"]["encoder"]["kernel"] for s, run in runs.items()}
    np.savez(sys.argv[1], **kernels, **{f"{s} bytes": run["bytes"] for s, run in runs.items()})
