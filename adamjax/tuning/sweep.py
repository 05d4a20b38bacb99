"""Train with many settings of an optimizer at once, in one program."""

import contextlib
import inspect
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from adamjax.checks import check_count, check_positive, lookup_or_suggest
from adamjax.registry import optimizer_function
from adamjax.trees import PyTree, flatten_floating
from adamjax.tuning.results import Member, Sweep
from adamjax.wrappers.evaluation import evaluated

Grid = Mapping[str, Iterable[float]] | Sequence[Mapping[str, float]]


def sweep(
    make: Callable[..., optax.GradientTransformation] | str,
    grid: Grid,
    loss: Callable[[PyTree, Any], jax.Array],
    params: PyTree | Callable[..., PyTree],
    batches: Iterable[Any],
    *,
    chunk: int | None = None,
    stop_above: float = 100.0,
    progress: bool = False,
) -> Sweep:
    """Train with each setting of a grid, all of them in one program.

    The members of the grid start alike and see the same batches. They advance together under
    `jax.vmap`, divided over the local devices, and each takes the steps of a single run. A member
    that diverges stops: its parameters stay as they are.

    Args:
      make: a function from the names of the grid to an optimizer, such as `optax.adamw`, or the
        name of a variant. Fix other arguments with `functools.partial`. It is called with traced
        float32 arrays: schedules may depend on them, but not shapes or branches.
      grid: values by name, which are combined, or a list of settings. Values are real numbers.
      loss: a function of parameters and a batch to a scalar, the loss to minimize. Random keys for
        dropout may be part of the batches.
      params: the initial parameters, or a function from names of the grid to them, such as
        `lambda seed: init(jax.random.key(seed))`. These names do not go to `make`.
      batches: a list or other iterable of batches of the same shapes, one for each step, such as
        `zip(inputs, labels)` for arrays [steps, rows, ...]. They have to fit on each device.
      chunk: number of members that train at the same time, all if None. It bounds the memory. 1 is
        fastest for models whose steps keep the device busy, such as convolutions on a CPU.
      stop_above: a member has diverged if its loss is not finite, or above this multiple of its
        first one. `math.inf` allows all finite losses.
      progress: whether to show a progress bar. Needs rich.

    Returns:
      A `Sweep`, with the losses and final parameters of each member, a table, the best settings,
      the range of values that are nearly as good, and a plot.

    Raises:
      ImportError: `progress` without rich.
      TypeError: a value that is not a real number, or that `make` needs as a constant, or an array
        or a tree as `batches`, whose leading axis may be rows or steps.
      ValueError: an empty grid, settings that occur twice, a name that `make` does not take, no
        batches, or batches of different shapes.

    Example:
      >>> import adamjax
      >>> grid = {"learning_rate": [0.001, 0.1, 1000.0], "b1": [0.5, 0.9]}
      >>> loss = lambda params, target: jnp.sum((params["w"] - target) ** 2)
      >>> result = sweep("adam", grid, loss, {"w": jnp.zeros(2)}, [jnp.ones(2)] * 100)
      >>> print(result)
      learning_rate  b1   loss
      0.001          0.5  1.648
      0.001          0.9  1.645
      0.1            0.5  7.105e-15  best
      0.1            0.9  4.22e-05
      1000           0.5  inf        diverged at step 2
      1000           0.9  inf        diverged at step 2
      >>> result.best
      {'learning_rate': 0.1, 'b1': 0.5}
      >>> result.basin(0.5)["learning_rate"]
      (0.1, 0.1)
    """
    make = optimizer_function(make)
    check_positive("stop_above", stop_above)
    members = _members(grid)
    count = len(members)
    check_count("chunk", chunk := count if chunk is None else chunk)
    is_function = callable(params) and jax.tree_util.all_leaves([params])
    if not is_function:
        flatten_floating("params", params)
    known = inspect.signature(params).parameters if is_function else {}
    starts = [name for name in members[0] if name in known]
    _check_make(make, [_without(member, starts) for member in members])
    batches = _stack(batches)
    steps = len(batches[0])

    def begin(member: Member, shared: PyTree) -> Any:
        start = params(**{name: member[name] for name in starts}) if is_function else shared
        return jax.tree.map(jnp.asarray, start), make(**_without(member, starts))

    devices = np.array(jax.local_devices()[: min(chunk, count)])
    chunk = -(-min(chunk, count) // len(devices)) * len(devices)
    # The last chunk is filled up with copies of the last member.
    chunks = np.minimum(np.arange(-(-count // chunk) * chunk), count - 1).reshape(-1, chunk)
    columns = {name: np.array([member[name] for member in members]) for name in members[0]}
    mesh = Mesh(devices, ("members",))
    each, whole = (
        NamedSharding(mesh, PartitionSpec("members")),
        NamedSharding(mesh, PartitionSpec()),
    )
    shared = jax.device_put((() if is_function else params, batches), whole)
    # In place of the mesh of a caller. Before JAX 0.7 there is none.
    mine = getattr(jax, "set_mesh", contextlib.nullcontext)(mesh)
    with mine, _progress_bar(steps * len(chunks) * len(devices), progress) as advance:
        run = _trainer(begin, loss, stop_above, advance)
        specs = {"in_specs": (each.spec, whole.spec, whole.spec), "out_specs": each.spec}
        # A carry of the scan has arrays that differ between devices beside some that do not yet.
        run = jax.jit(jax.shard_map(run, mesh=mesh, **specs, check_vma=False))
        parts = []
        for rows in chunks:
            part = jax.device_put({name: x[rows] for name, x in columns.items()}, each)
            parts.append(jax.device_get(run(part, *shared)))
        jax.effects_barrier()
    joined = jax.tree.map(lambda *each: np.concatenate(each)[:count], *parts)
    losses, stopped, final = joined
    last = losses[:, -max(1, steps // 10) :].astype(float).mean(axis=1)
    scores = np.where(stopped == 0, last, np.inf)
    return Sweep(tuple(members), losses, stopped, final, scores, tuple(starts))


def _combined(grid: Grid) -> Sequence[Mapping[str, float]]:
    """Return the settings of a grid."""
    if isinstance(grid, Mapping):
        for name, values in grid.items():
            if np.ndim(values) != 1:
                raise TypeError(f"grid[{name!r}] must be a list of numbers, got {values!r}")
        return [dict(zip(grid, each, strict=True)) for each in itertools.product(*grid.values())]
    if not isinstance(grid, list | tuple) or not all(isinstance(each, Mapping) for each in grid):
        raise TypeError(
            "grid must be a dict from names to lists of numbers, or a list of settings such as "
            f'{{"learning_rate": 1e-3}}, got {grid!r}'
        )
    return grid


def _members(grid: Grid) -> list[Member]:
    """Return the settings of a grid as Python numbers."""
    grid = _combined(grid)
    # NumPy and JAX numbers become numbers of Python, which `make` checks.
    members = [{k: x.item() if hasattr(x, "item") else x for k, x in each.items()} for each in grid]
    if not any(members):
        raise ValueError('grid: it is empty; give values, such as {"learning_rate": [1e-3, 1e-2]}')
    for i, member in enumerate(members):
        if member.keys() != members[0].keys():
            raise ValueError(f"grid: all settings must have the names {sorted(members[0])}")
        if member in members[:i]:
            raise ValueError(f"grid: the settings {member} occur twice; leave one out")
        for name, value in member.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError(
                    f"grid[{name!r}] has {value!r}, not a number; sweep once for each value of a "
                    "setting that changes the program, with functools.partial"
                )
    return [{name: member[name] for name in members[0]} for member in members]


def _without(member: Member, names: Collection[str]) -> Member:
    return {name: value for name, value in member.items() if name not in names}


def _check_make(make: Callable[..., Any], members: Sequence[Member]) -> None:
    """Raise an error for settings that are unknown, out of range or cannot be traced."""
    parameters = inspect.signature(make).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        for name in members[0]:
            lookup_or_suggest("name in grid", name, parameters)
    for member in members:
        make(**member)
    for name, value in members[0].items():
        rest = _without(members[0], [name])
        try:
            jax.eval_shape(
                lambda x, name=name, rest=rest: make(**{name: x}, **rest) and None, value
            )
        except (TypeError, ValueError) as error:  # not of a plain number, as the calls above show
            raise TypeError(
                f"grid[{name!r}]: make needs this setting as a constant, for a branch, a shape or "
                "a check; multiply a constant schedule by it, or sweep once for each value with "
                "functools.partial"
            ) from error


def _stack(batches: Iterable[Any]) -> tuple[np.ndarray, PyTree]:
    """Return the steps, from 1, and the batches as a tree of arrays [steps, ...]."""
    is_tree = hasattr(batches, "shape") or not jax.tree_util.all_leaves([batches])
    if not isinstance(batches, list) and (is_tree or not isinstance(batches, Iterable)):
        raise TypeError(
            "batches must be a list or an iterator with a batch for each step, got a "
            f"{type(batches).__name__}; write zip(inputs, labels) for arrays [steps, rows, ...], "
            "or [batch] * steps to use one batch at each step"
        )
    batches = list(batches)
    if not batches:
        raise ValueError("batches: there are none; give a batch for each step")
    shapes = [(jax.tree.structure(each), *map(np.shape, jax.tree.leaves(each))) for each in batches]
    for step, each in enumerate(shapes):
        if each != shapes[0]:
            raise ValueError(
                f"batches[{step}] has other shapes than the first batch; leave out or pad the last "
                "batch of an epoch"
            )
    stacked = jax.tree.map(lambda *each: _stacked(each), *batches)
    return np.arange(1, len(batches) + 1, dtype=np.int32), stacked


def _stacked(arrays: Sequence[Any]) -> Any:
    is_key = jnp.issubdtype(jnp.result_type(arrays[0]), jax.dtypes.prng_key)
    return jnp.stack(arrays) if is_key else np.stack(arrays)


def _trainer(
    begin: Callable[..., Any], loss: Callable[..., Any], stop_above: float, advance: Any
) -> Callable[..., Any]:
    """Return a function from members, parameters and batches to losses, stops and parameters."""

    def init(member: Member, params: PyTree) -> Any:
        params, tx = begin(member, params)
        return params, tx.init(params), jnp.float32(jnp.inf), jnp.int32(0)

    def step(member: Member, shared: PyTree, t: jax.Array, batch: Any, carry: Any) -> Any:
        params, state, bound, stopped = carry
        tx = optax.with_extra_args_support(begin(member, shared)[1])
        value, gradients = jax.value_and_grad(loss)(params, batch)
        first = value + (stop_above - 1) * jnp.maximum(jnp.abs(value), 1e-30)
        bound = jnp.where(t == 1, first, bound).astype(bound.dtype)
        good = (stopped == 0) & jnp.isfinite(value) & (value <= bound)
        extra = {"value": value, "grad": gradients, "value_fn": lambda x: loss(x, batch)}
        updates, new_state = tx.update(gradients, state, params, **extra)
        new = optax.apply_updates(params, updates), new_state
        params, state = jax.tree.map(partial(jnp.where, good), new, (params, state))
        stopped = jnp.where(good | (stopped > 0), stopped, t)
        return (params, state, bound, stopped), jnp.where(good, value, jnp.nan)

    def run(members: Member, params: PyTree, batches: PyTree) -> Any:
        def body(carry: Any, at: Any) -> Any:
            if advance is not None:
                jax.debug.callback(advance)
            t, batch = at
            each = jax.vmap(step, (0, None, None, None, 0))
            return each(members, params, t, batch, carry)

        carry = jax.vmap(init, (0, None))(members, params)
        (params, state, _, stopped), losses = jax.lax.scan(body, carry, batches)
        return losses.T, stopped, jax.vmap(evaluated)(state, params)

    return run


@contextlib.contextmanager
def _progress_bar(total: int, shown: bool) -> Iterator[Callable[[], None] | None]:
    """Show a progress bar, and yield the function that advances it by 1. Yield None without one."""
    if not shown:
        yield None
        return
    try:
        from rich.progress import Progress
    except ImportError as error:
        raise ImportError("progress=True needs rich: pip install rich") from error
    with Progress() as bar:
        yield partial(bar.advance, bar.add_task("sweep", total=total))
