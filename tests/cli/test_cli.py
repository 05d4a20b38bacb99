"""The command line: output, errors and exit codes."""

import json
import os
import subprocess
import sys

import pytest

import adamjax
from adamjax.cli.choices import parse_optimizer
from adamjax.storage.formats import FORMATS
from tests.tiers import each_variant

NAMES = adamjax.list_variants()
MESH = "memory adam --params 1M --mesh"
ONE_OF_EACH = {
    "list": ["list"],
    "show": ["show", "adam"],
    "cite": ["cite", "adam"],
    "memory": ["memory", "adafactor", "--params", "1M"],
    "mesh": ["memory", "adamw", "--params", "1M", "--mesh", "data=8,model=2", "--zero", "data"],
}


def spawn(*arguments, **environment):
    """Run the command line in a process of its own, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "adamjax", *arguments],
        env=os.environ | environment,
        capture_output=True,
        timeout=120,
    )


def hide(monkeypatch, *modules):
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)


def test_list_has_a_line_for_each_variant(output):
    heading, _, *lines = output("list").splitlines()
    assert heading.split() == ["variant", "year", "slots", "styles", "changes"]
    assert [line.split()[0] for line in lines] == NAMES
    for name, line in zip(NAMES, lines, strict=True):
        variant = adamjax.get_variant(name)
        assert str(variant.paper.year) in line and line.endswith(variant.summary)
    records = json.loads(output("list", "adam*w", "--json"))
    assert [record["name"] for record in records] == ["adamaxw", "adamw"]


@each_variant()
def test_show(output, name):
    variant = adamjax.get_variant(name)
    text = output("show", name)
    assert text.splitlines()[0] == name
    for part in (variant.paper.title, variant.paper.link(), variant.summary, *variant.styles):
        assert part in text
    assert f"adamjax.{name}(learning_rate=" in text
    record = json.loads(output("show", name, "--json"))
    assert record["slots"] == list(variant.slots) == list(record["bytes_per_parameter"])
    assert record["roles"] == variant.roles
    assert record["styles"] == dict(variant.styles)
    assert next(iter(record["arguments"])) == "learning_rate"
    assert len(record["reduces_to"]) == len(variant.reduces_to)


def test_show_lists_slots_and_equal_variants(output):
    rows = [line.split() for line in output("show", "amsgrad").splitlines()]
    assert ["slot", "role", *FORMATS] in rows
    assert ["mu", "mean", "4", "2", "1", "1"] in rows
    assert ["nu", "square", "4", "2", "2", "2"] in rows  # 16 bits below a maximum
    assert ["nu_max", "maximum", "4", "2", "1", "1"] in rows
    assert ["slots", "none"] in [line.split() for line in output("show", "sgd").splitlines()]
    assert "adamw(weight_decay=0.0) = adam()" in output("show", "adamw")


def test_cite_has_every_paper_once(output):
    out = output("cite", "adam", "amsgrad", "adam")
    entries = [line for line in out.splitlines() if line.startswith("@")]
    assert entries == ["@misc{adam,", "@misc{amsgrad,"]
    assert "{{Adam: A Method for Stochastic Optimization}}" in out
    assert out.count("{") == out.count("}")


def test_compare(output):
    command = ("compare", "adam", "sgd:momentum=0.9", "--problem", "saddle")
    out = output(*command)
    lines = out.splitlines()
    assert lines[0].startswith("saddle: ")
    assert [line.split()[0] for line in lines[3:5]] == ["adam", "sgd:momentum=0.9"]
    assert "500 steps" in out
    assert "the best of 11 from 0.0001 to 10" in out
    assert output(*command) == out


def test_compare_json(output, tmp_path):
    file = tmp_path / "curves.png"
    report = json.loads(output(
        "compare", "adam", "sgd", "adam:learning_rate=0.5", "--problem", "rosenbrock",
        "--learning-rate", "10", "--steps", "100", "--plot", file, "--json",
    ))  # fmt: skip
    assert (report["problem"], report["steps"]) == ("rosenbrock", 100)
    assert report["learning_rates"] == [10.0]
    adam, sgd, slower = report["runs"]
    assert set(adam) == {"variant", "learning_rate", "final_loss", "best_loss", "distance"}
    assert slower["learning_rate"] == 0.5
    assert adam["best_loss"] <= adam["final_loss"]
    # Gradient descent diverges at 10, and JSON has no NaN.
    assert sgd["final_loss"] is None and sgd["best_loss"] == pytest.approx(24.2)
    assert file.stat().st_size > 10_000


def test_compare_tries_the_grid_where_the_learning_rate_is_none(output):
    names = ("adafactor", "adafactor:learning_rate=none")
    default, explicit = (
        json.loads(output("compare", name, "--steps", "20", "--json"))["runs"][0] for name in names
    )
    assert default | {"variant": names[1]} == explicit


def test_choices():
    for name in NAMES:
        assert parse_optimizer(name).arguments == {}
        for style in adamjax.get_variant(name).styles:
            assert parse_optimizer(f"{name}:style={style}").arguments == {"style": style}
    choice = parse_optimizer("sgd:momentum=0.9,nesterov=TRUE,mu_dtype=bfloat16,weight_decay=1")
    assert choice.arguments == {
        "momentum": 0.9, "nesterov": True, "mu_dtype": "bfloat16", "weight_decay": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("lits", "unknown command 'lits'; did you mean 'list'?"),
        ("list --jsn", "--jsn"),
        ("list adan*w", "unknown variant 'adan*w'"),
        ("show adma", "unknown variant 'adma'; did you mean 'adam"),
        ("compare", "NAME"),
        ("compare adam --problem rosenbrok", "did you mean 'rosenbrock'"),
        ("compare adam --learning-rate -1", "must be a number above 0"),
        ("compare adam --learning-rate x", "could not convert"),
        ("compare adam --steps 0", "must be a whole number above 0"),
        ("compare adam --plot curves.doc", "'curves.doc' must end in .png"),
        ("compare adam:bb2=0.9", "unknown argument of adam 'bb2'; did you mean 'b2'"),
        ("compare adam:b1=1.5", "b1 must be at least 0 and below 1"),
        ("compare adafactor:learning_rate=high", "adamjax compare: argument NAME: "),
        ("compare adam:b1", "must look like adam:b2=0.99,style=keras"),
        ("compare adam:style=tourch", "did you mean 'torch'"),
        ("memory adam", "--params"),
        ("memory adam --params many", "must be a whole number"),
        ("memory adam --params 1M --shape 4x0", "must be sizes joined by x"),
        ("memory adam --params 1M --dtype int8", "invalid choice: 'int8'"),
        ("memory adam --params 1M --zero data", "--zero needs a --mesh"),
        ("memory adam --params 1M --machine H100", "--machine needs a --mesh"),
        (f"{MESH} data=8 --layers 4", "--layers: the estimate on a --mesh has no released step"),
        (f"{MESH} data=8 --zero batch", "zero: the mesh has no axis 'batch'; it has data"),
        (f"{MESH} data=8 --tensor model", "tensor: the mesh has no axis 'model'"),
        (f"{MESH} a=2,b=2 --tensor a --zero a", "'a' cannot divide columns"),
        (f"{MESH} data=0", "sizes of at least 1"),
        (f"{MESH} data=2,data=4", "must be different axes"),
        (f"{MESH} data=8 --machine H10", "did you mean 'H100'"),
        (f"{MESH} data=512 --machine v5e", "a slice of TPU v5e, which has 256 devices"),
    ],
)
def test_errors_are_one_line(cli, command, message):
    code, out, err = cli(*command.split())
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and err.endswith("\n")
    assert err.startswith("adamjax") and message in err


def test_errors_of_pictures_are_one_line(cli, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    command = ("compare", "sgd", "--steps", "5", "--learning-rate", "0.1", "--plot")
    code, _, err = cli(*command, tmp_path / "file" / "curves.png")
    assert (code, err.count("\n")) == (2, 1) and "file" in err
    hide(monkeypatch, "matplotlib", "matplotlib.figure")
    code, out, err = cli(*command, tmp_path / "curves.png")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "pip install matplotlib" in err


def test_help_and_version(output):
    for command in ([], ["--help"], ["list", "--help"]):
        assert output(*command).startswith("usage: adamjax")
    commands, problems = output(), output("compare", "--help")
    assert all(f"\n    {c} " in commands for c in ("list", "show", "cite", "memory", "compare"))
    assert all(f"\n  {problem} " in problems for problem in ("beale", "reddi"))
    assert output("--version") == f"{adamjax.__version__}\n"


CHECK_BACKENDS = """
import sys
from adamjax.__main__ import main
for command in {commands}:
    code = main(command)
    assert code == 0, command
"""


def test_no_backend_is_started():
    """JAX fails on an unknown platform as soon as a backend starts."""
    code = CHECK_BACKENDS.format(commands=list(ONE_OF_EACH.values()))
    environment = os.environ | {"JAX_PLATFORMS": "nowhere"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert spawn("compare", "sgd", JAX_PLATFORMS="nowhere").returncode not in (0, 2)


def test_a_process_encodes_for_its_terminal_and_returns_the_exit_code():
    done = spawn("show", "adam", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"u = m? / (?v? + ?)" in done.stdout
    done = spawn("show", "adma")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


@pytest.mark.parametrize("arguments", [["list"], ["compare", "--help"]])
def test_a_closed_pipe_is_silent(arguments):
    command = [sys.executable, "-m", "adamjax", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    # The parser of some Python versions hides the closed pipe of its help.
    assert process.wait(timeout=60) in (0, 1)


MODEL = """
import adamjax
import jax.numpy as jnp
def init():
    attn = {"query": jnp.ones((8, 2, 3)), "bias": jnp.ones((2, 3))}
    return {"attn": attn, "mlp": jnp.ones((8, 4))}
tx = adamjax.groups(adamjax.adamw, {"*bias": {"weight_decay": 0.0}, "mlp": "frozen"})
wide = {"head": jnp.ones((8, 2))}
mup = adamjax.mup("adamw", wide, {"head": jnp.ones((4, 2))})
LAYOUTS = {"attn/query": "embed heads dim -> heads dim embed"}
params = {"w": jnp.ones(3)}
"""


def test_layouts(cli, output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model_of_test.py").write_text(MODEL)
    table = output("layouts", "model_of_test:init", "--layouts", "model_of_test:LAYOUTS")
    assert [line.split("  ")[-1].strip() for line in table.splitlines()] == [
        *("matrices", "other", "2 x 3 x 8", "4 x 8")
    ]
    (row,) = json.loads(output("layouts", "model_of_test:params", "--json"))
    assert row == {"parameter": "w", "shape": [3], "layout": "other", "matrices": []}
    for arguments, message in {
        ("model_of_test:init",): "no layout says which axes",
        ("model_of_test",): "must be MODULE:NAME",
        ("model_of_test:model",): "has no attribute 'model'",
        ("no_model:init",): "No module named 'no_model'",
        ("model_of_test:init", "--layouts", "flex"): "did you mean 'flax'",
    }.items():
        code, out, err = cli("layouts", *arguments)
        assert (code, out) == (2, "") and message in err


def test_groups(cli, output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model_of_groups.py").write_text(MODEL)
    lines = output("groups", "model_of_groups:init", "model_of_groups:tx").splitlines()
    assert [line.split()[-1] for line in lines] == ["weight_decay", "0", "0.01", "frozen"]
    rows = json.loads(output("groups", "model_of_groups:init", "model_of_groups:tx", "--json"))
    assert [row["settings"] for row in rows] == [{"weight_decay": 0}, {"weight_decay": 0.01}, None]
    assert "output" in output("groups", "model_of_groups:wide", "model_of_groups:mup")
    (row,) = json.loads(output("groups", "model_of_groups:wide", "model_of_groups:mup", "--json"))
    assert row["growth"] == {"kind": "output", "inputs": 2, "outputs": 1, "layers": 1}
    assert row["factors"]["learning_rate"] == 0.5
    for name, message in {"tx": "no parameter matches '*bias'", "init": "must be an opt"}.items():
        code, out, err = cli("groups", "model_of_groups:params", f"model_of_groups:{name}")
        assert (code, out) == (2, "") and message in err


def test_schedules(cli, output, tmp_path):
    names = "wsd:peak_value=0.5,warmup_steps=10,stable_steps=80,decay_steps=10", "optax:constant"
    short = "linear_schedule:init_value=0.0,end_value=1.0,transition_steps=100"
    table = output("schedules", names[0], short, "--steps", "101", "--plot", tmp_path / "a.png")
    assert [line.split() for line in table.splitlines()[2:5]] == [
        *(["0", "0", "0"], ["10", "0.5", "0.1"], ["20", "0.5", "0.2"])
    ]
    assert (tmp_path / "a.png").stat().st_size > 5000
    (row,) = json.loads(output("schedules", short, "--steps", "1", "--json"))
    assert row == {"step": 0, short: 0.0}
    for name, message in {
        names[1]: "no attribute",
        "wsd": "missing",
        "wsd:peak=1": "'peak'",
        "wdsd:peak_value=1": "did you mean 'wsd'",
        "wdsd": "exponential_decay, inverse_epoch_schedule, join",  # not `inject_hyperparams`
        "wsd:peak_value=x": "peak_value must be a number, got 'x'",
        "optax:__name__": "must be a schedule, a function of the step: 'str' object",
        "join_schedules:schedules=1,boundaries=2": "'int' object is not subscriptable",
    }.items():
        code, out, err = cli("schedules", name)
        assert (code, out) == (2, "") and message in err
