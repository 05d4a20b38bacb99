"""`python -m adamjax memory --mesh`: what it prints, and how it refuses."""

import json
import math
import os
import subprocess
import sys

import pytest

from adamjax.__main__ import main


@pytest.fixture
def cli(capsys):
    """Runs the command line in this process: arguments to (code, stdout, stderr)."""

    def call(*arguments):
        code = main(["memory", *map(str, arguments)])
        return (code, *capsys.readouterr())

    return call


def test_table(cli):
    code, out, err = cli("adamw", "sgd", "--params", "7e9", "--mesh", "data=8", "--zero", "data")
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert out.startswith("7,000,000,000 parameters in float32 on data=8 of H100 SXM: ZeRO over")
    assert "adamw float32 28 GB 3.5 GB 7 GB 38.5 GB 48% 7.31" in rows
    assert "8bit 28 GB 3.5 GB 1.75 GB 33.3 GB 42% 4.18" in rows
    assert "all 49 GB 109" in rows
    assert "on paper" in out
    assert sum(row.startswith("sgd ") for row in rows) == 1


def test_too_much_is_said(cli):
    _, out, _ = cli("adamw", "--params", "70e9", "--mesh", "data=8", "--fsdp", "data")
    assert out.count("too much") == 4
    assert "FSDP over data" in out


def test_json(cli):
    _, out, _ = cli(
        "adamw:storage=8bit", "lion", "--params", "1M", "--shape", "1000x1000", "--json",
        "--mesh", "rows=5,columns=4", "--fsdp", "rows", "--tensor", "columns",
        "--machine", "v5p", "--dtype", "bfloat16",
    )  # fmt: skip
    told = json.loads(out)
    assert (told["mesh"], told["fsdp"], told["tensor"]) == (
        {"rows": 5, "columns": 4}, "rows", "columns",
    )  # fmt: skip
    assert told["zero"] is None and told["undivided"] == []
    assert told["machine"]["name"] == "TPU v5p"
    adamw, lion = told["variants"]
    assert list(adamw["by_storage"]) == ["8bit"] and len(lion["by_storage"]) == 4
    one = adamw["by_storage"]["8bit"]
    assert one["parameter_bytes"] == one["gradient_bytes"] == 1_000_000 * 2 / 20
    assert one["total_bytes"] == 4 * 1_000_000 / 20 + one["state_bytes"]
    assert one["fits"] and one["measured"]
    assert one["update_seconds"] == one["moved_bytes"] / 2.765e12
    # Half of each link: a ring of five is open on v5p.
    assert told["wire_bytes"] == pytest.approx(3 * 500_000 * 4 / 5)
    assert told["wire_seconds"] == pytest.approx(told["wire_bytes"] / 100e9)
    assert math.isclose(sum(send["bytes"] for send in told["wire"]), told["wire_bytes"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--mesh data=8 --zero batch", "zero: the mesh has no axis 'batch'; it has data"),
        ("--mesh data=8 --fsdp batch", "fsdp: the mesh has no axis 'batch'"),
        ("--mesh data=8 --tensor model", "tensor: the mesh has no axis 'model'"),
        ("--mesh a=2,b=2 --tensor a --zero a", "'a' can divide either columns"),
        ("--mesh data=0", "sizes of at least 1"),
        ("--mesh data=-8", "sizes of at least 1"),
        ("--mesh data", "sizes of at least 1"),
        ("--mesh data=2,data=4", "must be different axes"),
        ("--mesh data=8 --machine H10", "did you mean 'H100'"),
        ("--mesh data=512 --machine v5e", "a slice of TPU v5e has 256 devices at most"),
        ("--zero data", "--zero needs a --mesh"),
        ("--machine H100", "--machine needs a --mesh"),
    ],
)
def test_errors_are_one_line(cli, arguments, says):
    code, out, err = cli("adamw", "--params", "7e9", *arguments.split())
    assert (code, out) == (2, "")
    assert says in err and err.count("\n") == 1


def test_no_backend_is_started():
    command = [sys.executable, "-m", "adamjax", "memory", "adamw", "muon", "--params", "1M"]
    done = subprocess.run(
        [*command, "--mesh", "data=8,model=2", "--zero", "data"],
        env=os.environ | {"JAX_PLATFORMS": "nowhere"},
        capture_output=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, b"")
