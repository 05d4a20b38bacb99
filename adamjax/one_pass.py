"""One loop for each leaf on CPU too, where XLA is asked for it.

XLA makes a single kernel of a leaf's step on GPU and TPU. On CPU it makes one for each result and
reads the gradient in each, unless JAX is 0.10 or newer and `XLA_FLAGS` has

    --xla_backend_extra_options=xla_cpu_use_multi_output_fusion=true

Then it merges kernels that read the same arrays, but not one that reads what another writes. So
where a program is traced with that flag, each result is computed from the inputs by itself.
"""

import os
from collections.abc import Callable
from typing import Any

import jax


def asked_for() -> bool:
    """Whether programs are compiled for CPU with kernels of several results.

    Not by older XLA, which ignores the flag.
    """
    flag = "xla_cpu_use_multi_output_fusion=true"
    asked = flag in os.environ.get("XLA_FLAGS", "") and jax.__version_info__ >= (0, 10)
    return asked and jax.default_backend() == "cpu"


def separately(function: Callable[..., Any], inputs: tuple[Any, ...], times: int) -> list[Any]:
    """`function(*inputs)` several times, which the compiler takes for different computations.

    Of each, one result is to be used; what computes the others is left out of the program.
    """
    results = []
    for _ in range(times):
        results.append(function(*inputs))
        inputs = jax.lax.optimization_barrier(inputs)
    return results
