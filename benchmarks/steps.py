"""Process of `benchmarks.workers`: it holds optimizer steps and times them on request.

Environments without JAX or adamjax run it too, so it imports neither at the top.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

LEARNING_RATE, WEIGHT_DECAY = 1e-3, 0.1
WARM_UP = 3  # steps


Sizes = Sequence[int]  # elements of each leaf


class Timed(NamedTuple):
    """A subject that is ready: `run` takes steps and waits for them.

    `least_bytes` is the least traffic of a step. `held` are the arrays that it changes.
    """

    run: Callable[[int], None]
    least_bytes: float
    held: list[Any]


def on_jax(step: Callable[..., Any], params: Any, state: Any, grads: Any) -> Timed:
    """A step from (params, state, grads) to new params and state, jitted and donated."""
    import jax

    held = [params, state]
    bytes_of = lambda tree: sum(x.nbytes for x in jax.tree.leaves(tree))  # noqa: E731
    least = 2 * bytes_of(held) + bytes_of(grads)
    compiled = jax.jit(step, donate_argnums=(0, 1))

    def run(steps: int) -> None:
        for _ in range(steps):
            held[:] = compiled(*held, grads)
        jax.block_until_ready(held)

    return Timed(run, least, held)


def copy(sizes: Sizes) -> Timed:
    """As fast as the device reads and writes its memory."""
    import jax
    import jax.numpy as jnp

    add = lambda xs, state, _: (jax.tree.map(lambda x: x + 1, xs), state)  # noqa: E731
    return on_jax(add, [jnp.zeros(size) for size in sizes], (), ())


def _arrays(sizes: Sizes) -> tuple[Any, Any]:
    """Parameters and gradients."""
    import jax
    import jax.numpy as jnp

    waves = jax.jit(
        lambda size: 1e-3 * jnp.sin(jnp.arange(size, dtype=jnp.float32)), static_argnums=0
    )
    return [jnp.ones(size) for size in sizes], [waves(size) for size in sizes]


def _transformation(tx: Any, sizes: Sizes) -> Timed:
    import jax
    import optax

    def step(params: Any, state: Any, grads: Any) -> tuple[Any, Any]:
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    params, grads = _arrays(sizes)
    return on_jax(step, params, jax.jit(tx.init)(params), grads)


def optax_adamw(sizes: Sizes) -> Timed:
    import optax

    return _transformation(optax.adamw(LEARNING_RATE, weight_decay=WEIGHT_DECAY), sizes)


def adamjax_adamw(sizes: Sizes, **settings: Any) -> Timed:
    import adamjax

    tx = adamjax.adamw(LEARNING_RATE, weight_decay=WEIGHT_DECAY, **settings)
    return _transformation(tx, sizes)


def flashoptim_adamw(sizes: Sizes, **settings: Any) -> Timed:
    import jax

    flashoptim = importlib.import_module("flashoptim_jax")
    # It refuses its correction of rounded parameters where these are float32.
    optimizer = flashoptim.flash_adamw(
        LEARNING_RATE, weight_decay=WEIGHT_DECAY, master_weight_bits=None, **settings
    )
    params, grads = _arrays(sizes)
    return on_jax(optimizer.step, params, jax.jit(optimizer.init)(params), grads)


def torch_adamw(sizes: Sizes, device: str) -> Timed:
    torch = importlib.import_module("torch")
    if device == "cpu":
        torch.set_num_threads(processors())
    params = [torch.nn.Parameter(torch.ones(size, device=device)) for size in sizes]
    for param in params:
        wave = torch.sin(torch.arange(param.numel(), dtype=torch.float32, device=device))
        param.grad = 1e-3 * wave
    optimizer = torch.optim.AdamW(params, LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)

    def run(steps: int) -> None:
        for _ in range(steps):
            optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()

    run(1)  # makes the state
    state = [x for each in optimizer.state.values() for x in each.values() if x.numel() > 1]
    least = sum(2 * x.nbytes for x in (*params, *state)) + sum(x.grad.nbytes for x in params)
    return Timed(run, least, [params, state])


KINDS: dict[str, Callable[..., Timed]] = {
    "copy": copy,
    "optax": optax_adamw,
    "adamjax": adamjax_adamw,
    "flashoptim": flashoptim_adamw,
    "torch": torch_adamw,
}


def processors() -> int:
    """Those that this process may use, as XLA counts them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def tell_device() -> None:
    import jax

    statistics = jax.local_devices()[0].memory_stats() if jax.default_backend() != "cpu" else None
    memory = statistics["bytes_limit"] if statistics else _main_memory()
    print(json.dumps({"platform": jax.default_backend(), "memory": memory}))


def _main_memory() -> int:
    """Available memory where the system reports it, otherwise all memory."""
    info = Path("/proc/meminfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("MemAvailable"):
                return 1024 * int(line.split()[1])
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def turn(timed: Timed, steps: int) -> float:
    """The mean time of so many steps, from warm caches where they are short."""
    if steps > 1:
        timed.run(1)
    start = time.perf_counter()
    timed.run(steps)
    return (time.perf_counter() - start) / steps


def main(arguments: Sequence[str]) -> None:
    if not arguments:
        tell_device()
        return
    sizes, asked = json.loads(arguments[0])
    made, about = [], []
    for kind, settings, package in asked:
        made.append(KINDS[kind](sizes, **settings))
        made[-1].run(WARM_UP)
        least = made[-1].least_bytes / sum(sizes)
        about.append({"least_bytes": least} | ({"version": version(package)} if package else {}))
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        index, steps = json.loads(line)
        print(turn(made[index], steps), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
