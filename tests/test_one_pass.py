"""One loop for each leaf on CPU, where XLA is asked for kernels of several results."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import adamjax
from tests.law_exceptions import SEVERAL_LOOPS

ROOT = Path(__file__).resolve().parents[1]
FLAG = "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion=true"
# What the codes of 8 bits cost is arithmetic: their kernels are fewer, not one.
STORED = ("bfloat16", "8bit_v16", "8bit", "store(optax.lion)")
NAMES = [name for name in adamjax.list_variants() if name not in SEVERAL_LOOPS]


@functools.cache
def steps(flags):
    """What the variants' steps do with these flags, by name."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.steps_on_cpu"],
        cwd=ROOT,
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


recent = pytest.mark.skipif(jax.__version_info__ < (0, 10), reason="older XLA ignores the flag")


@recent
@pytest.mark.parametrize("name", NAMES)
def test_one_kernel_reads_and_writes_everything_once(name):
    step = steps(FLAG)[name]
    assert step["kernels"] == 1
    assert 1 - 1e-3 < step["bytes"] < 1 + 1e-3
    assert steps("")[name]["kernels"] > 1  # or the flag is needed no more


@pytest.mark.parametrize("name", STORED)
def test_storage_has_no_more_kernels(name):
    asked, usual = steps(FLAG)[name], steps("")[name]
    assert asked["kernels"] <= usual["kernels"]
    assert asked["bytes"] <= 1.2 * usual["bytes"]


@pytest.mark.parametrize("name", [*NAMES, *STORED])
def test_the_numbers_stay(name):
    asked, usual = steps(FLAG)[name], steps("")[name]
    np.testing.assert_allclose(asked["param"], usual["param"], rtol=2e-6, atol=2e-6)
    # Where the two compute another last place, a rounding may fall on the other side.
    apart = [
        ~np.isclose(a, b, rtol=2e-6)
        for a, b in zip(asked["moments"], usual["moments"], strict=True)
    ]
    assert np.mean(apart) < (5e-3 if name in STORED else 1e-9)
