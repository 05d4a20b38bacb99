"""README.md is true: its code runs, its commands work, its generated parts are up to date."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import optax
import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
PYTHON_BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.S)
COMMANDS = [
    line.split("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, flags=re.S)
    for line in block.splitlines()
    if line.startswith("python -m ")
]


def test_readme_has_what_is_tested():
    assert len(PYTHON_BLOCKS) >= 8
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("code", PYTHON_BLOCKS, ids=lambda code: code.strip().splitlines()[0])
def test_python_block_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})


def test_quickstart_learns(tmp_path):
    names = {}
    exec(compile(PYTHON_BLOCKS[0], "README.md", "exec"), names)
    assert abs(float(names["params"]["kernel"][1, 0]) + 2.0) < 0.05


def test_same_as_optax_is_the_same():
    (code,) = (block for block in PYTHON_BLOCKS if "same = [" in block)
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    start = jnp.linspace(-1.0, 1.0, 12).reshape(3, 4)
    for ours, theirs in names["same"]:
        reached = [(start, tx.init(start)) for tx in (ours, theirs)]
        for step in range(20):
            for i, tx in enumerate((ours, theirs)):
                params, state = reached[i]
                updates, state = tx.update(jnp.sin(9 * start + step), state, params)
                reached[i] = (optax.apply_updates(params, updates), state)
        np.testing.assert_allclose(reached[0][0], reached[1][0], rtol=0, atol=3e-6)
        assert np.abs(reached[0][0] - start).max() > 1e-3


def test_quickstart_is_short():
    lines = [line for line in PYTHON_BLOCKS[0].splitlines() if line and "import" not in line]
    assert len(lines) <= 15


@pytest.mark.parametrize("command", COMMANDS)
def test_command_works(command, tmp_path):
    words = shlex.split(command)
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, *words[1:]], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    for picture in (word for word in words if word.endswith(".png")):
        assert (tmp_path / picture).stat().st_size > 1000


def test_generated_parts_are_up_to_date():
    done = subprocess.run(
        [sys.executable, "scripts/readme.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
