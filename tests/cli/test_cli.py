"""The command line: what it prints, to whom, and with which exit code."""

import json
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest

import adamjax
from adamjax.__main__ import main
from adamjax.cli.choices import parse_optimizer

RICH = ("rich", "rich.console", "rich.table", "rich.text", "rich.box")
NAMES = adamjax.list_variants()


@pytest.fixture
def cli(capsys):
    """Runs the command line in this process: arguments to (code, stdout, stderr)."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        return (code, *capsys.readouterr())

    return call


def spawn(*arguments, **environment):
    """Starts the command line as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "adamjax", *arguments],
        env=os.environ | environment,
        capture_output=True,
        timeout=120,
    )


def hide(monkeypatch, *modules):
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)


def test_list_has_a_line_for_each_variant(cli):
    code, out, err = cli("list")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].split() == ["variant", "year", "slots", "styles", "changes"]
    assert [line.split()[0] for line in lines[2:]] == NAMES
    for name, line in zip(NAMES, lines[2:], strict=True):
        variant = adamjax.get_variant(name)
        assert str(variant.paper.year) in line and line.endswith(variant.summary)


def test_list_pattern_and_json(cli):
    _, out, _ = cli("list", "adam*w", "--json")
    assert [record["name"] for record in json.loads(out)] == ["adamaxw", "adamw"]


@pytest.mark.parametrize("name", NAMES)
def test_show(cli, name):
    variant = adamjax.get_variant(name)
    code, out, err = cli("show", name)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == name
    for told in (variant.paper.title, variant.paper.link(), variant.summary, *variant.styles):
        assert told in out
    assert f"adamjax.{name}(learning_rate=" in out
    told = json.loads(cli("show", name, "--json")[1])
    assert told["slots"] == list(variant.slots) == list(told["bytes_per_parameter"])
    assert told["roles"] == variant.roles
    assert told["styles"] == dict(variant.styles)
    assert next(iter(told["arguments"])) == "learning_rate"
    assert len(told["reduces_to"]) == len(variant.reduces_to)


def test_show_says_what_it_reduces_to(cli):
    assert "adamw(weight_decay=0.0) = adam()" in cli("show", "adamw")[1]


def test_cite_has_every_paper_once(cli):
    _, out, _ = cli("cite", "adam", "amsgrad", "adam")
    assert [line for line in out.splitlines() if line.startswith("@")] == [
        "@misc{adam,",
        "@misc{amsgrad,",
    ]
    assert "{{Adam: A Method for Stochastic Optimization}}" in out
    assert out.count("{") == out.count("}")


@pytest.mark.parametrize("name", NAMES)
def test_memory_is_that_of_the_arrays_in_the_state(cli, name):
    shapes = [(100, 70), (100, 70), (14, 70), (20,)]
    state = adamjax.create(name, learning_rate=0.1).init(
        [jnp.zeros(shape, jnp.bfloat16) for shape in shapes]
    )
    _, out, _ = cli(
        "memory", name, "--params", 15_000, "--shape", "100x70", "--dtype", "bfloat16", "--json"
    )
    (record,) = json.loads(out)
    assert record["state_bytes"] == sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    assert record["parameter_bytes"] == record["gradient_bytes"] == 30_000
    assert record["total_bytes"] == record["state_bytes"] + 60_000
    named = {part["name"] for part in record["state"]}
    assert set(adamjax.get_variant(name).slots) <= named


def test_memory_table(cli):
    _, out, _ = cli("memory", "adam", "adamw:mu_dtype=bfloat16", "--params", "124M")
    rows = [line.split() for line in out.splitlines()]
    assert ["adam", "count", "int32", "0", "4", "B"] in rows
    assert ["mu", "float32", "4", "496", "MB"] in rows
    assert ["mu", "bfloat16", "2", "248", "MB"] in rows
    assert ["total", "16", "1.98", "GB"] in rows
    assert out.startswith("124,000,000 parameters: 7 of 4096x4096, ")


def test_memory_of_a_trillion_parameters_is_not_allocated(cli):
    _, out, _ = cli("memory", "adafactor", "--params", "1T", "--json")
    assert json.loads(out)[0]["state_bytes_per_parameter"] < 0.01


def test_compare_prints_a_table_and_says_how_it_chose(cli):
    code, out, err = cli("compare", "adam", "sgd:momentum=0.9", "--problem", "saddle")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].startswith("saddle: ")
    assert [line.split()[0] for line in lines[3:5]] == ["adam", "sgd:momentum=0.9"]
    assert "500 steps" in out
    assert "the best of 11 from 0.0001 to 10" in out


def test_compare_json(cli, tmp_path):
    file = tmp_path / "curves.png"
    _, out, _ = cli(
        "compare", "adam", "sgd", "adam:learning_rate=0.5", "--problem", "rosenbrock",
        "--learning-rate", "10", "--steps", "100", "--plot", file, "--json",
    )  # fmt: skip
    told = json.loads(out)
    assert (told["problem"], told["steps"], told["learning_rates"]) == ("rosenbrock", 100, [10.0])
    adam, sgd, slower = told["runs"]
    assert set(adam) == {"variant", "learning_rate", "final_loss", "best_loss", "distance"}
    assert slower["learning_rate"] == 0.5
    assert adam["best_loss"] <= adam["final_loss"]
    # Gradient descent diverges at 10; JSON has no NaN.
    assert sgd["final_loss"] is None and sgd["best_loss"] == pytest.approx(24.2)
    assert file.stat().st_size > 10_000


def test_compare_tries_the_grid_for_a_variant_told_that_it_has_no_learning_rate(cli):
    given, told = "adafactor:learning_rate=none", "--json"
    runs = [cli("compare", name, "--steps", "20", told)[1] for name in ("adafactor", given)]
    first, second = (json.loads(run)["runs"][0] for run in runs)
    assert first | {"variant": given} == second


def test_compare_repeats_itself(cli):
    command = ("compare", "adam", "--problem", "noisy", "--steps", "50")
    assert cli(*command) == cli(*command)


@pytest.mark.parametrize("name", NAMES)
def test_every_variant_can_be_chosen_with_each_style(name):
    for style in adamjax.get_variant(name).styles:
        assert parse_optimizer(f"{name}:style={style}").arguments == {"style": style}
    assert parse_optimizer(name).arguments == {}


def test_arguments_get_the_kind_of_their_default():
    choice = parse_optimizer("sgd:momentum=0.9,nesterov=TRUE,mu_dtype=bfloat16,weight_decay=1")
    assert choice.arguments == {
        "momentum": 0.9, "nesterov": True, "mu_dtype": "bfloat16", "weight_decay": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lits"], "unknown command 'lits'; did you mean 'list'?"),
        (["show", "adma"], "unknown variant 'adma'; did you mean 'adam"),
        (["cite", "adam", "amsgard"], "did you mean 'amsgrad'"),
        (["list", "adan*w"], "unknown variant 'adan*w'"),
        (["compare", "adam", "--problem", "rosenbrok"], "did you mean 'rosenbrock'"),
        (["compare", "adam", "--learning-rate", "-1"], "must be a number above 0"),
        (["compare", "adam", "--learning-rate", "x"], "could not convert"),
        (["compare", "adam", "--steps", "0"], "must be a whole number above 0"),
        (["compare", "adam", "--plot", "curves.doc"], "'curves.doc' must end in .png"),
        (["compare", "adam", "--plot", "curves"], "'curves' must end in .png"),
        (["compare", "adam:bb2=0.9"], "unknown argument of adam 'bb2'; did you mean 'b2'"),
        (["compare", "adam:b1=1.5"], "b1 must be at least 0 and below 1"),
        (["compare", "adam:b1=high"], "b1 must be a number, got 'high'"),
        (["compare", "adafactor:learning_rate=high"], "adamjax compare: argument NAME: "),
        (["compare", "adam:b1"], "must look like adam:b2=0.99,style=keras"),
        (["compare", "adam:style=tourch"], "did you mean 'torch'"),
        (["memory", "adam:mu_dtype=foo", "--params", "1M"], "foo"),
        (["memory", "adam", "--params", "many"], "must be a whole number"),
        (["memory", "adam", "--params", "1M", "--shape", "4x0"], "must be sizes joined by x"),
        (["memory", "adam", "--params", "1M", "--dtype", "int8"], "invalid choice: 'int8'"),
        (["memory", "adam"], "--params"),
        (["compare"], "NAME"),
        (["list", "--jsn"], "--jsn"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(cli, arguments, said):
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and err.endswith("\n")
    assert err.startswith("adamjax") and said in err


def test_a_picture_that_cannot_be_saved_is_said_in_one_line(cli, tmp_path):
    (tmp_path / "file").write_text("")
    file = tmp_path / "file" / "curves.png"
    code, _, err = cli("compare", "sgd", "--steps", "5", "--learning-rate", "0.1", "--plot", file)
    assert code == 2
    assert err.count("\n") == 1 and "file" in err


def test_without_matplotlib_it_is_named(cli, monkeypatch, tmp_path):
    hide(monkeypatch, "matplotlib", "matplotlib.figure")
    code, out, err = cli("compare", "adam", "--plot", tmp_path / "curves.png")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "pip install matplotlib" in err


@pytest.mark.parametrize("command", [[], ["--help"], ["list", "--help"], ["compare", "--help"]])
def test_help(cli, command):
    code, out, err = cli(*command)
    assert (code, err) == (0, "")
    assert out.startswith("usage: adamjax")


def test_help_names_all_commands_and_problems(cli):
    assert all(
        f"\n    {name} " in cli()[1] for name in ("list", "show", "cite", "memory", "compare")
    )
    assert all(f"\n  {name} " in cli("compare", "--help")[1] for name in ("beale", "reddi"))


def test_version(cli):
    assert cli("--version") == (0, f"{adamjax.__version__}\n", "")


@pytest.mark.parametrize(
    "command", [["list"], ["show", "radam"], ["memory", "adam", "--params=1k"]]
)
def test_without_rich_the_text_is_the_same(cli, monkeypatch, command):
    with_rich = cli(*command)
    hide(monkeypatch, *RICH)
    assert cli(*command) == with_rich


@pytest.mark.parametrize(
    "command",
    [["list"], ["show", "adam"], ["cite", "adam"], ["memory", "adafactor", "--params", "1M"]],
    ids=lambda command: command[0],
)
def test_no_backend_is_started(command):
    done = spawn(*command, JAX_PLATFORMS="nowhere")
    assert (done.returncode, done.stderr) == (0, b"")
    # The same setting does stop what computes.
    if command == ["list"]:
        assert spawn("compare", "sgd", JAX_PLATFORMS="nowhere").returncode not in (0, 2)


def test_terminals_of_few_characters_get_question_marks():
    done = spawn("show", "adam", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"u = m? / (?v? + ?)" in done.stdout


@pytest.mark.parametrize("arguments", [["list"], ["compare", "--help"]])
def test_a_reader_that_leaves_early_hears_nothing(arguments):
    command = [sys.executable, "-m", "adamjax", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    # The parser of some Python versions hides that nobody read its help.
    assert process.wait(timeout=60) in (0, 1)


def test_an_unknown_name_ends_the_process_with_code_2():
    done = spawn("show", "adma")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
