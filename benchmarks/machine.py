"""The machine of a benchmark: hardware, clocks, and a short name."""

import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax


def hardware() -> dict[str, Any]:
    """Properties that all runs on a machine share."""
    return {
        "processor": _processor(),
        "model": _model(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "devices": [device.device_kind for device in jax.devices()],
    }


def clocks() -> dict[str, Any]:
    """Properties that may differ between runs: frequencies [MHz], load, timer resolution."""
    cores = [round(float(value)) for value in _cpuinfo("cpu MHz")]
    return {
        "processor_mhz": cores,
        "processor_limits_mhz": _limits(),
        "graphics_card_mhz": _graphics_clocks(),
        "load_1_minute": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "timer": time.get_clock_info("perf_counter").implementation,
        "timer_resolution_seconds": time.get_clock_info("perf_counter").resolution,
    }


def name(of: Mapping[str, Any]) -> str:
    """Short name of this hardware for the names of result files.

    >>> name({"processor": "AMD EPYC", "cores": 2, "devices": ["cpu"]})
    'cpu-amd-epyc-2-cores'
    >>> name({"processor": "Intel Xeon", "cores": 16, "devices": ["NVIDIA H200"] * 8})
    '8x-nvidia-h200'
    """
    devices = of["devices"]
    if set(devices) == {"cpu"}:
        words = f"cpu {of['processor']} {of['cores']} cores"
    else:
        words = f"{f'{len(devices)}x ' if len(devices) > 1 else ''}{devices[0]}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower().replace("(r)", "")).strip("-")


def _processor() -> str:
    # Python leaves the name out on most Linux systems.
    named = _cpuinfo("model name")
    return named[0] if named else platform.processor() or platform.machine()


def _model() -> str | None:
    """Model among processors of the same name, on Linux, where a family may share a name."""
    fields = ("cpu family", "model\t", "stepping", "cache size")
    values = [value for field in fields for value in _cpuinfo(field)[:1]]
    return ", ".join(values) or None


def _cpuinfo(field: str) -> list[str]:
    """Linux's description of each core, or an empty one on other systems."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return []
    lines = info.read_text(encoding="utf-8").splitlines()
    return [line.partition(":")[2].strip() for line in lines if line.startswith(field)]


def _limits() -> list[int] | None:
    """The lowest and highest frequency of the first core, where the system tells."""
    folder = Path("/sys/devices/system/cpu/cpu0/cpufreq")
    files = [folder / f"cpuinfo_{end}_freq" for end in ("min", "max")]
    if not all(file.exists() for file in files):
        return None
    return [int(file.read_text(encoding="utf-8")) // 1000 for file in files]


def _graphics_clocks() -> list[str] | None:
    """Clocks of each NVIDIA card: graphics and memory, current and maximum."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    fields = "clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem"
    query = [tool, f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    done = subprocess.run(query, capture_output=True, text=True)
    return done.stdout.splitlines() if done.returncode == 0 else None
