"""The tests as a package, and environment variables that must be set before JAX is imported."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Compiled programs are kept between runs, those of the programs that tests start included.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
# Each of several CPU devices that waits for the others holds a thread of the pool.
os.environ.setdefault("NPROC", "16")
