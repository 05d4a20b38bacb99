"""One of the processes: the same program in each, on its own devices and its own part of the data.

Everything is written for the whole: `jax.jit` with shardings divides it. Nothing depends on how
many processes share the devices, so that a run can go on with more of them, or fewer.
"""

import argparse
import hashlib
import json
import math
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

import adamjax
from adamjax.sharding import placements, state_shardings, table
from adamjax.trees import leaf_name
from examples import data
from examples.char_lm import Transformer, loss
from examples.data import package

# Arrays of fewer elements are kept whole by each device.
MIN_SIZE = 1024


class Training(NamedTuple):
    """The content of a checkpoint.

    Attributes:
      params: each weight by its path.
      state: state of the optimizer.
      losses: [steps] nats per byte, NaN for steps to come.
    """

    params: Any
    state: Any
    losses: Any


def connect(options: argparse.Namespace) -> None:
    """Connect the processes before any computation."""
    jax.config.update("jax_num_cpu_devices", options.devices // options.processes)
    if options.processes > 1:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(f"127.0.0.1:{options.port}", options.processes, options.process)


def make_mesh(axes: Mapping[str, int]) -> Mesh:
    """Return a mesh of the devices of all processes, in order."""
    devices = np.array(jax.devices()).reshape(tuple(axes.values()))
    return Mesh(devices, tuple(axes), axis_types=(AxisType.Auto,) * len(axes))


def shardings_of(params: Mapping[str, Any], mesh: Mesh) -> dict[str, NamedSharding]:
    """Weights are on every device, but for matrices divided by columns over "model", if it is."""

    def place(param: Any) -> NamedSharding:
        divided = "model" in mesh.shape and param.ndim == 2
        divided = divided and param.shape[1] % mesh.shape["model"] == 0
        return NamedSharding(mesh, PartitionSpec(None, "model") if divided else PartitionSpec())

    return {name: place(param) for name, param in params.items()}


def mean_in_order(gradients: Callable[..., Any], mesh: Mesh) -> Callable[..., Any]:
    """The same mean over the batch, of which the last bits do not depend on who adds first.

    The compiler's own reduction is faster: networks add as it suits them, so that processes on one
    machine, many machines and a single process differ by rounding, here by some 5e-7.
    """

    def of_part(params: Any, *parts: Any) -> Any:
        mean = lambda x: jnp.mean(jax.lax.all_gather(x, "data"), axis=0)  # noqa: E731
        return jax.tree.map(mean, gradients(params, *parts))

    split, whole = PartitionSpec("data"), PartitionSpec()
    return jax.shard_map(
        of_part,
        mesh=mesh,
        in_specs=(whole, split, split),
        out_specs=whole,
        check_vma=False,
    )


class Program(NamedTuple):
    """The compiled functions of a training, and its shardings."""

    begin: Any
    step: Any
    places: Training


def compile_program(options: argparse.Namespace, mesh: Mesh) -> Program:
    """The training as functions of its arrays."""
    sizes = options.width, options.depth, options.heads, options.length
    graph, weights = nnx.split(nnx.eval_shape(lambda: Transformer(*sizes, nnx.Rngs(options.seed))))
    treedef = jax.tree.structure(weights)
    names = [leaf_name(path) for path, _ in jax.tree_util.tree_leaves_with_path(weights)]
    tx = adamjax.create(
        options.optimizer, learning_rate=options.learning_rate, storage=options.storage
    )

    def begin() -> Training:
        weights = nnx.state(Transformer(*sizes, nnx.Rngs(options.seed)))
        params = dict(zip(names, jax.tree.leaves(weights), strict=True))
        return Training(params, tx.init(params), jnp.full(options.steps, jnp.nan))

    def mean_loss(params: dict[str, jax.Array], tokens: Any, following: Any) -> jax.Array:
        model = nnx.merge(graph, treedef.unflatten([params[name] for name in names]))
        return loss(model, tokens, following)

    gradients = jax.value_and_grad(mean_loss)
    # Products over divided weights are sums over the network as well.
    if not options.any_order and "model" not in mesh.shape:
        gradients = mean_in_order(gradients, mesh)

    def step(training: Training, count: Any, tokens: Any, following: Any) -> Training:
        value, grads = gradients(training.params, tokens, following)
        updates, state = tx.update(grads, training.state, training.params)
        params = optax.apply_updates(training.params, updates)
        return Training(params, state, training.losses.at[count].set(value))

    shapes = jax.eval_shape(begin).params
    zero = "data" if options.zero else None
    params_at = shardings_of(shapes, mesh)
    state_at = state_shardings(tx, shapes, params_at, zero=zero, min_size=MIN_SIZE)
    places = Training(params_at, state_at, NamedSharding(mesh, PartitionSpec()))
    return Program(
        jax.jit(begin, out_shardings=places),
        jax.jit(step, out_shardings=places, donate_argnums=0),
        places,
    )


def batch(text: np.ndarray, options: argparse.Namespace, mesh: Mesh, count: int) -> list[jax.Array]:
    """Return the tokens of a step and the next tokens. Each process creates its part."""
    random = np.random.default_rng((options.seed, count))
    starts = random.integers(len(text) - options.length, size=options.batch_size)
    rows = text[starts[:, None] + np.arange(options.length + 1)]
    sharding = NamedSharding(mesh, PartitionSpec("data"))
    return [
        jax.make_array_from_callback(part.shape, sharding, part.__getitem__)
        for part in (rows[:, :-1], rows[:, 1:])
    ]


def work(options: argparse.Namespace) -> None:
    """Trains from the last whole checkpoint, or from the beginning."""
    connect(options)
    mesh = make_mesh(options.mesh)
    program = compile_program(options, mesh)
    manager = checkpoint_manager(options) if options.checkpoints else None
    begun: int = (manager.latest_step() if manager else None) or 0
    training = restored(manager, begun, program) if begun else program.begin()
    if options.process == 0 and options.table:
        print(table(placements(training.state, program.places.state)), flush=True)
    text = data.python_source().train
    for count in range(begun, options.steps):
        training = program.step(training, count, *batch(text, options, mesh, count))
        jax.block_until_ready(training.losses)  # devices of one CPU can block each other else
        if manager:
            arguments = package("orbax.checkpoint").args.StandardSave(training)
            manager.save(count + 1, args=arguments)
    if manager:
        manager.close()
    report(training, begun, options)


def checkpoint_manager(options: argparse.Namespace) -> Any:
    """Orbax's, which writes a checkpoint beside its place and moves it there when it is whole."""
    ocp = package("orbax.checkpoint")
    often = ocp.CheckpointManagerOptions(save_interval_steps=options.every, max_to_keep=2)
    return ocp.CheckpointManager(options.checkpoints.absolute(), options=often)


def restored(manager: Any, step: int, program: Program) -> Training:
    """A checkpoint, each array where it belongs on this mesh."""
    wanted = jax.tree.map(
        lambda x, at: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=at),
        jax.eval_shape(program.begin),
        program.places,
    )
    ocp = package("orbax.checkpoint")
    return manager.restore(step, args=ocp.args.StandardRestore(wanted))


def report(training: Training, begun: int, options: argparse.Namespace) -> None:
    """Write the result of the run from the first process."""
    params = multihost_utils.process_allgather(training.params, tiled=True)
    losses = np.asarray(training.losses.addressable_data(0))
    if options.process == 0 and options.result:
        arrays = b"".join(np.asarray(params[name]).tobytes() for name in sorted(params))
        count = sum(math.prod(x.shape) for x in params.values())
        result = {
            "losses": [float(x) for x in losses],
            "weights": hashlib.sha256(arrays).hexdigest(),
            "parameters": count,
            "begun_at": begun,
        }
        pathlib.Path(options.result).write_text(json.dumps(result) + "\n", encoding="utf-8")
