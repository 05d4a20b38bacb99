"""Compilation for accelerators that are absent, and the memory traffic of a compiled step."""

import math
import os
import re
import sys
from typing import Any, NamedTuple

import jax
from jax.experimental import topologies

from scripts import install_libtpu

CONFIG = """
gpu_device_info {{
  threads_per_block_limit: 1024  threads_per_warp: 32
  shared_memory_per_block: 49152  shared_memory_per_core: 233472
  shared_memory_per_block_optin: 232448
  threads_per_core_limit: 2048  core_count: 132  fpus_per_core: 128
  block_dim_limit_x: 2147483647  block_dim_limit_y: 65535  block_dim_limit_z: 65535
  memory_bandwidth: {bandwidth}  l2_cache_size: {cache}
  clock_rate_ghz: 1.98  device_memory_size: {memory}
  cuda_compute_capability {{ major: 9 minor: 0 }}
  registers_per_core_limit: 65536  registers_per_block_limit: 65536
}}
platform_name: "CUDA"
dnn_version_info {{ major: 9 minor: 28 patch: 0 }}
runtime_version {{ major: 13 minor: 0 patch: 0 }}
device_description_str: "NVIDIA {name}"
"""


def _gpu(name: str, bandwidth: float, cache: int, memory: float) -> dict[str, str]:
    config = CONFIG.format(name=name, bandwidth=int(bandwidth), cache=cache, memory=int(memory))
    return {"topology_name": "1x1x1", "topology": "1x1x1", "target_config": config}


# By backend and name: how JAX's compile-only clients describe them.
TARGETS = {
    "tpu": {
        "TPU v5e": {"topology_name": "v5e:2x2"},
        "TPU v6e": {"topology_name": "v6e:2x2"},
        "TPU v4": {"topology_name": "v4:2x2x1"},
    },
    "cuda": {
        "H100": _gpu("H100 80GB HBM3", 3.35e12, 50 * 2**20, 85e9),
        "H200": _gpu("H200", 4.8e12, 60 * 2**20, 150e9),
    },
}


def environment(backend: str) -> dict[str, str]:
    """The variables that JAX must see when it is imported, to compile for absent devices."""
    variables = {"JAX_PLATFORMS": "cpu"}
    if backend == "cuda":
        return variables | {"JAX_SKIP_CUDA_CONSTRAINTS_CHECK": "1"}
    library = os.environ.get("TPU_LIBRARY_PATH", str(install_libtpu.LIBRARY))
    if not os.path.exists(library):
        raise SystemExit(f"No libtpu at {library}; run: {sys.executable} scripts/install_libtpu.py")
    return variables | {
        "TPU_LIBRARY_PATH": library,
        "TPU_SKIP_MDS_QUERY": "1",  # there is no metadata server to ask, and asking takes long
        "TPU_ACCELERATOR_TYPE": "v5litepod-4",
        "TPU_WORKER_HOSTNAMES": "localhost",
        # Nothing to be warned of: no TPU is used, and several processes may compile at once.
        "TPU_MIN_LOG_LEVEL": "3",
        "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
    }


def restart_for(backend: str) -> None:
    """Starts this very command anew in the environment for a backend, unless it is in it."""
    needed = environment(backend)
    if any(os.environ.get(name) != value for name, value in needed.items()):
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **needed})


def version(backend: str) -> dict[str, str]:
    """Version of the compiler of the backend."""
    if backend == "tpu":
        return {"libtpu": install_libtpu.installed() or "unknown"}
    from importlib.metadata import version

    return {"jax-cuda13-plugin": version("jax-cuda13-plugin")}


def compile_for(
    backend: str, target: str, step: Any, *arguments: Any, donate: Any = (), options: Any = None
) -> Any:
    """`step` compiled for one absent device. `arguments` are trees of shapes."""
    description = topologies.get_topology_desc(platform=backend, **TARGETS[backend][target])
    sharding = jax.sharding.SingleDeviceSharding(description.devices[0])
    place = lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding)  # noqa: E731
    placed = jax.tree.map(place, arguments)
    return jax.jit(step, donate_argnums=donate).lower(*placed).compile(compiler_options=options)


def compile_here(step: Any, *arguments: Any, donate: Any = ()) -> Any:
    """The same for the device that JAX has."""
    return jax.jit(step, donate_argnums=donate).lower(*arguments).compile()


class Kernel(NamedTuple):
    """An instruction of a compiled program.

    Attributes:
      name, op: its name and its operation, "fusion" or "copy" ...
      traffic: bytes that it reads from the device's main memory or writes there. An array counts
        once, with the padding of its layout, and not at all while it lies in on-chip memory.
      largest: elements of the largest array that it reads or writes, wherever that lies.
    """

    name: str
    op: str
    traffic: int
    largest: int


_INSTRUCTION = re.compile(r"\s*(?:ROOT )?(%[\w.\-]+) = (.*?) ([a-z][\w\-]*)\((.*)")
_ARRAY = re.compile(r"([a-z]+[0-9a-z]*)\[([\d,]*)\](?:\{([^}]*)\})?")
# Names of existing arrays, and ends of operations that are counted at their start.
_FREE = {
    *("parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all"),
    *("copy-done", "slice-done"),
}
# Copies into on-chip memory or out of it, while kernels run.
PREFETCHES = {"copy-start", "slice-start"}
# Separate programs. No optimizer step has needed one.
_UNKNOWN = {"call", "while", "conditional", "async-start"}


def kernels(text: str) -> list[Kernel]:
    """Instructions of a compiled program (`compiled.as_text()`).

    >>> add = "  ROOT %s = f32[8,128]{1,0:T(8,128)} add(%x, %y), metadata={}"
    >>> x = "  %x = f32[8,128]{1,0:T(8,128)} parameter(0)"
    >>> y = "  %y = f32[8,128]{1,0:T(8,128)S(1)} copy(%x)"
    >>> [(k.op, k.traffic // 1024) for k in kernels("\\n".join(["ENTRY", x, y, add]))]
    [('copy', 4), ('add', 8)]
    """
    types: dict[str, str] = {}
    found = []
    for line in text[text.index("ENTRY") :].splitlines():
        match = _INSTRUCTION.match(line)
        if not match:
            continue
        name, result, op, rest = match.groups()
        types[name] = result
        if op in _UNKNOWN:
            raise ValueError(f"unknown memory traffic of {op}: {line.strip()[:200]}")
        if op in _FREE or "ConcatBitcast" in rest:
            continue
        arrays = _arrays(result)
        if op in PREFETCHES:
            arrays = _ends(arrays, op)
        else:
            operands = re.findall(r"%[\w.\-]+", rest.split("), ")[0])
            arrays += [array for operand in operands for array in _arrays(types[operand])]
        traffic = sum(array.size for array in arrays if not array.on_chip)
        found.append(Kernel(name, op, traffic, max((a.elements for a in arrays), default=0)))
    return found


class _Array(NamedTuple):
    elements: int
    size: int  # bytes, padding included
    on_chip: bool


def _arrays(kind: str) -> list[_Array]:
    """Those of a type, which may be a tuple."""
    arrays = []
    for name, dims, layout in _ARRAY.findall(kind):
        bits = 8 if name == "pred" else int(re.sub(r"\D", "", name.partition("e")[0]) or 0)
        shape = [int(size) for size in dims.split(",") if size]
        size = _padded(shape, layout) * bits // 8
        arrays.append(_Array(math.prod(shape), size, "S(" in layout))
    return arrays


def _ends(arrays: list[_Array], op: str) -> list[_Array]:
    """Bytes that an asynchronous copy reads and writes.

    Its type names both ends, (to, from, ...) for a copy and (from, to, ...) for a slice, which is
    as large at the one end as at the other.
    """
    moved = arrays[0] if op == "copy-start" else arrays[1]
    return [moved._replace(on_chip=end.on_chip) for end in arrays[:2]]


def _padded(shape: list[int], layout: str) -> int:
    """Elements of an array once its smallest dimensions fill whole tiles."""
    order, _, tiles = layout.partition(":")
    tile = re.search(r"T\(([\d,]+)\)", tiles)
    sizes = [shape[int(i)] for i in order.split(",")] if order else shape  # the fastest first
    for k, size in enumerate(map(int, reversed(tile[1].split(",")) if tile else ())):
        if k < len(sizes):
            sizes[k] = math.ceil(sizes[k] / size) * size
    return math.prod(sizes)
